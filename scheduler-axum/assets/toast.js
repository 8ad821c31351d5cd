// Short messages at the edge of the page.

import { h } from "./dom.js";

const MOST = 3;

function show(kind, content, ms) {
  const region = document.getElementById(kind === "error" ? "toasts-errors" : "toasts");
  const element = h("div", { class: `toast toast-${kind}`, "data-testid": "toast", "data-kind": kind },
    h("div", { class: "toast-text", tabindex: kind === "error" ? "0" : null }, content),
    h("button", { type: "button", class: "quiet", "aria-label": "Dismiss", onclick: () => element.remove() }, "×"));
  region.append(element);
  while (region.children.length > MOST) region.firstChild.remove();
  setTimeout(() => element.remove(), ms);
}

export const say = (...content) => show("info", content, 7000);

/** Shows a problem with the server's message. */
export function sayProblem(what, error) {
  if (error.name === "AbortError") return;
  show("error", [h("strong", null, what), " ", error.message], 20_000);
}
