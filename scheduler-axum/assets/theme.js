// Sets the remembered theme before the first paint, so this is a classic script.
try {
  const theme = localStorage.getItem("scheduler-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // The system's theme is used then.
}
