// The policies of a job, as fields.

import { field, invalid } from "./dialog.js";
import { h } from "./dom.js";
import { numberFrom } from "./json.js";
import { POLICIES } from "./policy_table.js";

/** All policies as `[name, text, meaning]`. */
export const policyFacts = (policies) => POLICIES
  .filter(({ name }) => policies?.[name] !== undefined)
  .map(({ name, meaning }) => [name, String(policies[name]), meaning]);

/**
 * `present`: the policies of a job, or null for a new job. `value()` returns those that differ from them;
 * `follow(present)` shows new ones in the fields that were not edited.
 */
export function policyFields(present) {
  const fields = POLICIES.filter(({ name }) => !present || name !== "store").map(({ name, kind, suggested, meaning }) => {
    let given = present?.[name];
    const common = { "data-testid": `policy-${name}`, autocomplete: "off", spellcheck: "false" };
    let control;
    if (kind === "flag") {
      control = h("select", common,
        !present && h("option", { value: "" }, "default"),
        h("option", { value: "false", selected: given === false }, "no"),
        h("option", { value: "true", selected: given === true }, "yes"));
    } else {
      control = h("input", {
        ...common, type: "text", inputmode: kind === "number" ? "numeric" : null, value: given ?? "", placeholder: present ? null : "default",
        list: suggested.length > 0 ? `suggest-${name}` : null,
      });
    }
    const element = field(`policies.${name}`, name, control, meaning);
    if (suggested.length > 0) element.append(h("datalist", { id: `suggest-${name}` }, suggested.map((value) => h("option", { value }))));
    const read = () => {
      const text = control.value.trim();
      if (text === "" || text === String(given)) return undefined;
      if (kind === "flag") return text === "true";
      if (kind === "text") return text;
      const value = /^\d+$/.test(text) ? numberFrom(text.replace(/^0+(?=\d)/, "")) : null;
      if (value === null) throw invalid(`policies.${name}`, "Expected a whole number");
      return value;
    };
    const follow = (now) => {
      if (control.value.trim() === String(given)) control.value = String(now[name]);
      given = now[name];
    };
    return { name, element, read, follow };
  });
  return {
    element: h("div", { class: "columns many", "data-field": "policies", "data-testid": "policies" },
      fields.map((entry) => entry.element), h("p", { class: "error" })),
    follow: (now) => fields.forEach((entry) => entry.follow(now)),
    value: () => Object.fromEntries(fields.map((entry) => [entry.name, entry.read()]).filter(([, value]) => value !== undefined)),
  };
}
