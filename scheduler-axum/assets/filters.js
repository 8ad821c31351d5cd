// Controls that filter a view, synchronized with the query of the address.

import { debounce, h } from "./dom.js";

/** A search box for the query parameter `name`; `/` focuses it. */
export function search(name, testid, placeholder, label) {
  const element = h("input", {
    type: "search", id: "filter", "data-testid": testid, placeholder, autocomplete: "off", spellcheck: "false", "aria-label": label,
  });
  return {
    name, element,
    listen: (changed) => { element.oninput = debounce(() => changed(element.value.trim()), 250); },
    set: (value) => { if (document.activeElement !== element) element.value = value; },
  };
}

/** A select: `options` are pairs of a value and a label; the first one applies if the parameter is absent. */
export function choice(name, testid, label, options) {
  const element = h("select", { "data-testid": testid, "aria-label": label },
    options.map(([value, words]) => h("option", { value }, words)));
  return {
    name, element,
    listen: (changed) => { element.onchange = () => changed(element.value); },
    set: (value) => { element.selectedIndex = Math.max(0, options.findIndex((option) => option[0] === value)); },
  };
}

/** Checkboxes, several of which may be checked. */
export function several(name, testid, label, options) {
  const boxes = Object.keys(options).map((value) => h("input", { type: "checkbox", value, "data-testid": `${testid}-${value}` }));
  return {
    name,
    element: h("div", { class: "chips", role: "group", "aria-label": label },
      boxes.map((box) => h("label", { class: "chip" }, box, options[box.value]))),
    listen: (changed) => boxes.forEach((box) => {
      box.onchange = () => changed(boxes.filter(({ checked }) => checked).map(({ value }) => value).join(","));
    }),
    set: (value) => boxes.forEach((box) => { box.checked = value.split(",").includes(box.value); }),
  };
}

/** Synchronizes `controls` with the query of `path`; `changed()` is called after each change. */
export function filters(app, path, query, controls, changed) {
  const self = {
    get: (name) => query.get(name),
    set(name, value) {
      if (value) query.set(name, value);
      else query.delete(name);
      app.replaceQuery(path, query);
      changed();
    },
    isEmpty: () => [...query.keys()].length === 0,
    elements: controls.map((control) => control.element),
    focus: () => controls[0]?.element,
    /** The address was changed from outside. */
    take(next) {
      query = next;
      show();
      changed();
    },
  };
  const show = () => controls.forEach((control) => control.set(query.get(control.name) ?? ""));
  controls.forEach((control) => control.listen((value) => self.set(control.name, value)));
  show();
  return self;
}
