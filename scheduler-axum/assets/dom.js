// Builds and patches elements. Text is always a text node: nothing here reads HTML.

import { visible } from "./visible.js";

/** Attributes that people read. */
const READ = new Set(["title", "aria-label", "placeholder"]);

const SVG = "http://www.w3.org/2000/svg";

/** Creates an element: `h("a", { href: "#/jobs", class: "id", onclick: fn }, "text", node, [more])`. */
export function h(tag, props, ...children) {
  return fill(document.createElement(tag), props, children);
}

/** Creates an SVG element. */
export function s(tag, props, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}

function fill(element, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) {
      element[name] = value;
      (element.listens ??= []).push(name);
    } else if (name === "value" && element.tagName !== "OPTION") {
      element.value = value;
    } else {
      element.setAttribute(name, value === true ? "" : READ.has(name) ? visible(String(value)) : value);
    }
  }
  append(element, children);
  return element;
}

function append(element, children) {
  for (const child of children) {
    if (Array.isArray(child)) append(element, child);
    else if (child instanceof Node) element.append(child);
    else if (child !== undefined && child !== null && child !== false) element.append(visible(String(child)));
  }
}

/** Updates the children of `parent` to `children`, preserving elements, focus and scroll position. */
export function patch(parent, ...children) {
  const wanted = document.createDocumentFragment();
  append(wanted, children);
  const focused = document.activeElement;
  morphChildren(parent, wanted);
  // Moving an element removes the focus from it.
  if (focused && focused !== document.activeElement && parent.contains(focused)) {
    focused.focus({ preventScroll: true });
  }
}

const keyOf = (node) => (node.nodeType === Node.ELEMENT_NODE ? node.getAttribute("data-key") : null);

// The `sign` of a row shows whether it has changed; its cells are only created then.
function grow(node) {
  for (const row of [node, ...(node.querySelectorAll?.("tr") ?? [])]) {
    row.grow?.();
    row.grow = null;
  }
}

function morph(from, to) {
  if (to.sign !== undefined && to.sign === from.sign) return;
  from.sign = to.sign;
  grow(to);
  if (from.nodeType === Node.TEXT_NODE) {
    if (from.data !== to.data) from.data = to.data;
    return;
  }
  for (const { name } of [...from.attributes]) {
    // The user decides whether details are open.
    if (!to.hasAttribute(name) && name !== "open") from.removeAttribute(name);
  }
  for (const { name, value } of to.attributes) {
    if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
  for (const name of from.listens ?? []) from[name] = null;
  for (const name of to.listens ?? []) from[name] = to[name];
  from.listens = to.listens;
  morphChildren(from, to);
}

function morphChildren(parent, wanted) {
  const keyed = new Map();
  for (const node of parent.childNodes) {
    const key = keyOf(node);
    if (key !== null) keyed.set(key, node);
  }
  let at = parent.firstChild;
  for (const next of [...wanted.childNodes]) {
    const key = keyOf(next);
    let match = null;
    if (key === null) {
      if (at && keyOf(at) === null && at.nodeName === next.nodeName) match = at;
    } else {
      match = keyed.get(key) ?? null;
      keyed.delete(key);
      if (match && match.nodeName !== next.nodeName) match = null;
    }
    if (!match) {
      grow(next);
      parent.insertBefore(next, at);
      continue;
    }
    if (match === at) at = at.nextSibling;
    else parent.insertBefore(match, at);
    morph(match, next);
  }
  while (at) {
    const gone = at;
    at = at.nextSibling;
    gone.remove();
  }
}

/** Calls `fn` once, `ms` after the last of several calls. */
export function debounce(fn, ms) {
  let timer;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => fn(...args), ms);
  };
}

/**
 * A table that becomes cards on a narrow screen; to be inserted by `patch`. Roles are explicit, because some browsers
 * drop them when `display` changes. `columns`: `{ label, class }`; `rows`: `{ key, cells(), class, testid, id, sign }`.
 * A row whose `sign` has not changed is not updated.
 */
export function table(testid, caption, columns, rows) {
  return h("table", { role: "table", "data-testid": testid },
    h("caption", { class: "sr" }, caption),
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, columns.map((column) =>
      h("th", { role: "columnheader", scope: "col", class: column.class }, column.label)))),
    h("tbody", { role: "rowgroup" }, rows.map((row) => {
      const element = h("tr", { role: "row", class: row.class, "data-key": row.key, "data-testid": row.testid, "data-id": row.id });
      element.sign = row.sign;
      element.grow = () => append(element, row.cells().map((cell, at) =>
        h("td", { role: "cell", class: columns[at].class, "data-label": columns[at].label }, cell)));
      return element;
    })));
}

/** Text that may be long: it can be scrolled with the keyboard. */
export const longText = (label, props, text) => h("pre", { tabindex: "0", role: "region", "aria-label": label, ...props }, text);

/** A definition list of `[name, content]`; entries without content are left out. */
export function facts(testid, entries) {
  return h("dl", { class: "facts", "data-testid": testid }, entries
    .filter(([, content]) => content !== null && content !== undefined && content !== false)
    .map(([name, content, id]) => h("div", { "data-testid": id }, h("dt", null, name), h("dd", null, content))));
}
