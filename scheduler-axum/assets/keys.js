// Keys of the page.

import { openDialog } from "./dialog.js";
import { facts, h } from "./dom.js";

const VIEWS = ["jobs", "timeline", "runs", "nodes", "skipped"];

export function showKeys() {
  openDialog({
    testid: "keys-dialog", title: "Keys",
    body: facts("keys", [
      ["/", "to the filter"],
      ["n", "new job"],
      ["1 … 5", VIEWS.join(", ")],
      ["← →", "along the last outcomes, and along a lane of the timeline"],
      ["↑ ↓", "between lanes of the timeline"],
      ["Esc", "close"],
      ["?", "these keys"],
    ].map(([key, meaning]) => [h("kbd", null, key), meaning])),
  });
}

/** `app` has `view()` and `actions`. */
export function listenToKeys(app) {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || document.querySelector("dialog[open]")) return;
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
