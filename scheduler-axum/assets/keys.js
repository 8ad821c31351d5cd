// Keyboard shortcuts. Those of a single character can be turned off: speech input, or keys pressed by accident, would
// trigger them (WCAG 2.1.4).

import { openDialog } from "./dialog.js";
import { facts, h } from "./dom.js";

const VIEWS = ["jobs", "timeline", "runs", "nodes", "skipped"];
const KEY = "scheduler-keys";
let isOn = true;

try {
  isOn = localStorage.getItem(KEY) !== "off";
} catch {
  // They are on then.
}

function switchKeys(on) {
  isOn = on;
  try {
    if (on) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, "off");
  } catch {
    // It lasts until the page is left then.
  }
}

export function showKeys() {
  const box = h("input", { type: "checkbox", "data-testid": "keys-on", onchange: ({ target }) => switchKeys(target.checked) });
  box.checked = isOn;
  openDialog({
    testid: "keys-dialog", title: "Keys",
    body: [
      facts("keys", [
        ["/", "to the filter"],
        ["n", "new job"],
        ["1 … 5", VIEWS.join(", ")],
        ["?", "these keys"],
        ["← →", "along the last outcomes, and along a lane of the timeline"],
        ["↑ ↓", "between lanes of the timeline"],
        ["Esc", "close"],
      ].map(([key, meaning]) => [h("kbd", null, key), meaning])),
      h("div", { class: "check" }, h("label", null, box, " Keys of one character do something: / n 1 … 5 ?")),
    ],
  });
}

/** `app` has `view()` and `actions`. */
export function listenToKeys(app) {
  addEventListener("keydown", (event) => {
    if (!isOn || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || document.querySelector("dialog[open]")) return;
    if (event.target.closest?.("input, select, textarea, [contenteditable]")) return;
    if (event.key === "/") {
      const filter = app.view()?.filter?.();
      if (!filter) return;
      filter.focus();
      filter.select();
    } else if (event.key === "?") {
      showKeys();
    } else if (event.key === "n") {
      const button = document.querySelector("[data-testid=new-job]");
      if (!button || button.hidden) return;
      button.click();
    } else if (VIEWS[Number(event.key) - 1]) {
      location.hash = `#/${VIEWS[Number(event.key) - 1]}`;
    } else {
      return;
    }
    event.preventDefault();
  });
}
