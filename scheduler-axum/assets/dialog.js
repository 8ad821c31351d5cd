// Dialogs: a form in a <dialog>, with each problem shown next to its field. They are outside the views, so a reload
// never changes what the user is typing.

import { Problem } from "./api.js";
import { h } from "./dom.js";
import { visible } from "./visible.js";

let count = 0;

/**
 * Opens a dialog and resolves when it is closed: to the result of `submit()`, or to null. `submit` may throw a
 * `Problem`, whose `errors` are shown next to the fields made by `field`. It is called with a function that changes the
 * label of the button.
 */
export function openDialog({ testid, title, body, action, danger, submit, wide }) {
  return new Promise((resolve) => {
    const titleId = `dialog-${++count}`;
    const general = h("p", { class: "error", role: "alert", "data-testid": "dialog-error", hidden: true });
    const go = action && h("button", { type: "submit", class: danger ? "danger" : "primary", "data-testid": "dialog-submit" }, action);
    let answer = null;
    let busy = false;
    const form = h("form", {
      novalidate: true,
      oninput: ({ target }) => {
        const changed = target.closest("[data-field]");
        if (changed && target.ariaInvalid === "true") setFieldError(changed, null);
      },
      onsubmit: async (event) => {
        event.preventDefault();
        if (busy) return;
        if (!submit) return dialog.close();
        busy = true;
        if (go) go.disabled = true;
        clear(form, general);
        try {
          answer = (await submit((words) => { go.textContent = words; })) ?? true;
          dialog.close();
        } catch (error) {
          showProblem(form, general, error);
        } finally {
          busy = false;
          if (go) go.disabled = false;
        }
      },
    },
    h("header", null,
      h("h2", { id: titleId }, title),
      h("button", { type: "button", class: "quiet", "aria-label": "Close", "data-testid": "dialog-close", onclick: () => dialog.close() }, "×")),
    h("div", { class: "dialog-body" }, body, general),
    h("footer", null,
      h("button", { type: "button", "data-testid": "dialog-cancel", onclick: () => dialog.close() }, action ? "Cancel" : "Close"),
      go));
    const dialog = h("dialog", {
      "aria-labelledby": titleId, "data-testid": testid, class: wide ? "wide" : null,
      onclose: () => {
        dialog.remove();
        resolve(answer);
      },
    }, form);
    document.body.append(dialog);
    dialog.showModal();
    dialog.querySelector("[autofocus], .dialog-body input, .dialog-body select, .dialog-body textarea")?.focus();
  });
}

/** A labelled control with space for a hint and for the server's message about `name`. */
export function field(name, label, control, hint) {
  const id = control.id || `field-${++count}`;
  control.id = id;
  control.setAttribute("aria-describedby", `${id}-hint ${id}-error`);
  return h("div", { class: "field", "data-field": name },
    h("label", { for: id }, label),
    control,
    h("p", { class: "hint", id: `${id}-hint` }, hint ?? ""),
    h("p", { class: "error", id: `${id}-error`, "data-testid": `error-${name}` }));
}

/** Shows a message next to a field, or removes it. */
export function setFieldError(element, message) {
  const error = element.querySelector(":scope > .error");
  error.textContent = visible(message ?? "");
  error.classList.toggle("pre", (message ?? "").includes("\n"));
  const control = element.querySelector("input, select, textarea");
  if (message) control?.setAttribute("aria-invalid", "true");
  else control?.removeAttribute("aria-invalid");
}

/** A problem of a field that the page itself has found. */
export function invalid(name, message) {
  return new Problem(422, { detail: message, errors: [{ field: name, message }] });
}

function clear(form, general) {
  general.hidden = true;
  for (const element of form.querySelectorAll("[data-field]")) setFieldError(element, null);
}

function showProblem(form, general, error) {
  const rest = [];
  let first = null;
  for (const { field: name, message } of error.errors ?? []) {
    const element = findField(form, name);
    if (element) {
      const old = element.querySelector(":scope > .error").textContent;
      setFieldError(element, old ? `${old}\n${message}` : message);
      first ??= element;
      for (let up = element.parentElement; up && up !== form; up = up.parentElement) if (up.tagName === "DETAILS") up.open = true;
    } else {
      rest.push(name ? `${name}: ${message}` : message);
    }
  }
  if (first) first.querySelector("input, select, textarea")?.focus();
  if (!first || rest.length > 0) {
    general.textContent = visible(rest.length > 0 ? rest.join("\n") : error.message);
    general.hidden = false;
  }
}

// "arguments.user_id", "/policies/timeout": the field itself, or else the nearest field that contains it.
function findField(form, name) {
  const path = String(name ?? "").replace(/^[/#$.]+/, "").split(/[./]/);
  for (; path.length > 0; path.pop()) {
    const element = form.querySelector(`[data-field="${CSS.escape(path.join("."))}"]`);
    if (element) return element;
  }
  return null;
}
