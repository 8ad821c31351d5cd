// An editor for the arguments of a job, built from the JSON Schema of its task.

import { Problem } from "./api.js";
import { field, invalid } from "./dialog.js";
import { h, patch } from "./dom.js";
import { json } from "./format.js";
import { ExactNumber, numberFrom, parseJson, printJson } from "./json.js";

/** `task` is an entry of api/tasks or null. Returns `{ element, value() }`; `value` throws a `Problem`. */
export function argumentsEditor(task, present) {
  const schema = task?.arguments_schema;
  const element = h("fieldset", { class: "arguments", "data-testid": "arguments" }, h("legend", null, "Arguments"));
  const room = h("div");
  element.append(room);
  const names = schema?.properties && typeof schema.properties === "object" ? inOrder(task) : null;
  const strange = present && names && Object.keys(present).some((name) => !names.includes(name));

  let read; // `read(true)` leaves out what is missing
  const asJson = (value) => {
    const area = h("textarea", { rows: "8", class: "code", spellcheck: "false", "data-testid": "arguments-json", value: json(value) });
    patch(room, field("arguments", "As JSON", area, "An object: one entry for each argument, by name"), toggle("Use fields", asFields));
    read = () => parseObject(area.value);
  };
  const asFields = (value) => {
    if (names.length === 0) {
      patch(room, h("p", { class: "hint" }, "This task takes no arguments."));
      read = () => ({});
      return;
    }
    const controls = names.map((name) => argumentControl(name, task, value));
    room.replaceChildren(h("div", { class: "columns many" }, controls.map((control) => control.element)), toggle("Edit as JSON", asJson));
    read = (isDraft) => readAll(controls, isDraft);
  };
  const toggle = (words, to) => names && h("button", {
    type: "button", class: "link", "data-testid": "arguments-toggle", onclick: () => {
      let value;
      try {
        value = read(true);
      } catch {
        return; // what is typed is kept until it can be read
      }
      room.replaceChildren();
      to(value);
    },
  }, words);

  if (names && !strange) asFields(present ?? {});
  else asJson(present ?? {});
  return { element, value: () => read() };
}

// In the order of the function's parameters: the schema orders them by name.
function inOrder({ arguments_schema: schema, parameters }) {
  const place = new Map((parameters ?? []).map((parameter, at) => [parameter.name, at]));
  return Object.keys(schema.properties).sort((a, b) => (place.get(a) ?? Infinity) - (place.get(b) ?? Infinity) || 0);
}

const MISSING = Symbol("missing");

// The server's placeholder for a secret; sending it back leaves the secret unchanged.
const WITHHELD = "***";

// All errors are shown at once.
function readAll(controls, isDraft) {
  const values = Object.create(null); // an argument may be called __proto__
  const errors = [];
  for (const { name, read } of controls) {
    try {
      const value = read();
      if (value === MISSING && !isDraft) throw invalid(`arguments.${name}`, "This argument is needed");
      if (value !== undefined && value !== MISSING) values[name] = value;
    } catch (error) {
      if (!error.errors) throw error;
      errors.push(...error.errors);
    }
  }
  if (errors.length > 0) throw new Problem(422, { detail: errors[0].message, errors });
  return values;
}

function parseObject(text) {
  let value;
  try {
    value = parseJson(text.trim() === "" ? "{}" : text);
  } catch (error) {
    throw invalid("arguments", `This is not JSON: ${error.message}`);
  }
  if (value === null || typeof value !== "object" || Array.isArray(value) || value instanceof ExactNumber) {
    throw invalid("arguments", "The arguments are an object, { … }");
  }
  return value;
}

/** The schema without null: a value that may be null is left out instead. */
function withoutNull(schema) {
  const kinds = schema?.anyOf?.filter((kind) => kind.type !== "null");
  return kinds?.length === 1 ? { ...schema, ...kinds[0] } : schema;
}

function argumentControl(name, task, present) {
  const schema = withoutNull(task.arguments_schema.properties[name]);
  const parameter = task.parameters?.find((entry) => entry.name === name);
  const required = task.arguments_schema.required?.includes(name) ?? false;
  const path = `arguments.${name}`;
  const given = Object.hasOwn(present, name) ? present[name] : schema?.default;
  const kinds = [schema?.type ?? []].flat().filter((kind) => kind !== "null");
  const kind = kinds.length === 1 ? kinds[0] : null;
  const common = { "data-testid": `argument-${name}`, spellcheck: "false", autocomplete: "off" };
  const missing = () => (required ? MISSING : undefined);
  let control;
  let read;
  const isSecret = schema?.writeOnly === true;
  const choices = Array.isArray(schema?.enum) ? schema.enum : kind === "boolean" ? [true, false] : null;
  if (isSecret) {
    control = h("input", { ...common, type: "password", autocomplete: "new-password", value: given === undefined ? "" : typeof given === "string" ? given : printJson(given) });
    read = () => {
      const text = control.value;
      if (text === "") return missing();
      if (text === WITHHELD || kind === "string") return text;
      return parsed(path, text);
    };
  } else if (choices) {
    control = h("select", common,
      (!required || given === undefined) && h("option", { value: "" }, ""),
      choices.map((choice) => h("option", { value: printJson(choice), selected: printJson(choice) === printJson(given) },
        typeof choice === "string" ? choice : printJson(choice))));
    read = () => (control.value === "" ? missing() : parseJson(control.value));
  } else if ((kind === "string" || kind === "integer" || kind === "number") && (given === undefined || given === null || typeof given !== "object" || given instanceof ExactNumber)) {
    control = h("input", { ...common, type: "text", inputmode: kind === "string" ? null : kind === "integer" ? "numeric" : "decimal", value: given ?? "" });
    if (kind === "string") read = () => (control.value === "" && !required ? undefined : control.value);
    else read = () => (control.value.trim() === "" ? missing() : number(path, kind, control.value.trim()));
  } else {
    control = h("textarea", { ...common, rows: "2", class: "code", value: given === undefined ? "" : json(given) });
    read = () => {
      if (control.value.trim() === "") return missing();
      return parsed(path, control.value);
    };
  }
  const type = parameter?.type ?? kinds.join(" or ");
  const hint = [type, isSecret && given === WITHHELD ? "secret: left as it is unless you write another value" : isSecret ? "secret" : choices || (kind && kind !== "array" && kind !== "object") ? null : "as JSON", required ? null : "may be left out", schema?.description]
    .filter(Boolean).join(" · ");
  return { name, read, element: field(path, required ? `${name} *` : name, control, hint) };
}

function parsed(path, text) {
  try {
    return parseJson(text);
  } catch (error) {
    throw invalid(path, `This is not JSON: ${error.message}`);
  }
}

// As typed, except for what people write and JSON does not allow: a plus, leading zeros, a bare point.
function number(path, kind, text) {
  const [, sign, digits, rest] = /^([+-]?)(\d*)(.*)$/s.exec(text);
  const whole = kind === "integer" ? rest === "" && digits !== "" : digits !== "" || /^\.\d/.test(rest);
  const value = whole ? numberFrom(`${sign === "-" && !(kind === "integer" && /^0+$/.test(digits)) ? "-" : ""}${digits.replace(/^0+(?=\d)/, "") || "0"}${rest.replace(/^\.(?!\d)/, "")}`) : null;
  if (value === null) throw invalid(path, kind === "integer" ? "Expected a whole number" : "Expected a number");
  return value;
}
