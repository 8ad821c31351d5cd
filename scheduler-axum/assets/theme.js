// Sets the remembered theme before the first paint; a classic script for that reason.
try {
  const theme = localStorage.getItem("scheduler-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // The system's theme, then.
}
