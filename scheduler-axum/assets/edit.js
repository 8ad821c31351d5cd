// Editing a job that another user may edit, too: the other user's change is shown before it is overwritten.

import { change } from "./api.js";
import { openDialog } from "./dialog.js";
import { h, patch } from "./dom.js";
import { seg } from "./format.js";
import { parseJson, printJson } from "./json.js";

/**
 * Opens a dialog with the fields that `make(job)` returns as `{ element, value(), follow(job) }`, and saves their
 * values. `follow`, which is optional, updates the fields that were not edited to the job's current values. Resolves
 * like `openDialog`, and to `false` if there was nothing to change.
 */
export function editJob(job, { testid, title, action, wide, make }) {
  // The page keeps reloading the job during the edit, but the change is based on the job as it was at the beginning.
  let base = parseJson(printJson(job));
  let fields = make(base);
  const room = h("div", { class: "edited" }, fields.element);
  const conflict = h("section", { class: "conflict", "data-testid": "conflict", "aria-label": "Changed meanwhile", tabindex: "-1", hidden: true });

  const show = (seen, yours, current, setAction) => {
    conflict.hidden = false;
    setAction(`${action} over it`);
    patch(conflict,
      h("p", null, h("strong", null, "Somebody has changed this job since you began."), " Compare, then save your change over it, or begin again."),
      comparison(seen, yours, current),
      h("button", {
        type: "button", "data-testid": "conflict-take", onclick: () => {
          fields = make(current);
          room.replaceChildren(fields.element);
          conflict.hidden = true;
          conflict.closest("form").querySelector("[data-testid=dialog-error]").hidden = true;
          setAction(action);
          room.querySelector("input, select, textarea")?.focus();
        },
      }, "Begin again with what is there now"));
    conflict.focus({ preventScroll: true });
    conflict.scrollIntoView({ block: "nearest" });
  };

  return openDialog({
    testid, title, action, wide, body: [conflict, room],
    async submit(setAction) {
      const yours = fields.value();
      if (Object.keys(yours).length === 0) return false;
      try {
        return await change(`jobs/${seg(job.id)}`, { ...yours, revision: base.revision });
      } catch (error) {
        if (error.status === 412 && error.current) {
          const seen = base;
          base = error.current;
          fields.follow?.(base);
          show(seen, error.yours ?? yours, base, setAction);
          error.message = "Not saved: the job was changed meanwhile, see above.";
        }
        throw error;
      }
    },
  });
}

const ARGUMENT = "arguments.";

/** The parts that are not the same in all three, by name. */
function comparison(seen, yours, current) {
  const [before, written, now] = [seen, yours, current].map(parts);
  // The given arguments replace all existing ones.
  const isRemoved = (name) => yours.arguments !== undefined && name.startsWith(ARGUMENT) && !written.has(name);
  const names = [...new Set([...before.keys(), ...written.keys(), ...now.keys()])].filter((name) =>
    before.get(name) !== now.get(name)
    || (written.has(name) && written.get(name) !== now.get(name))
    || (isRemoved(name) && now.has(name)));
  const cell = (text, none) => h("td", null, text === undefined ? h("span", { class: "none" }, none) : h("code", null, text));
  return h("table", { class: "fires", "data-testid": "conflict-table" },
    h("caption", { class: "sr" }, "What was changed"),
    h("thead", null, h("tr", null, ["", "When you began", "You wrote", "There now"].map((words) => h("th", { scope: "col" }, words)))),
    h("tbody", null, names.map((name) => h("tr", { "data-testid": "conflict-row", "data-name": name },
      h("th", { scope: "row" }, name), cell(before.get(name), "–"), cell(written.get(name), isRemoved(name) ? "removed" : "not changed"), cell(now.get(name), "–")))));
}

/** The parts of a job, or of a change of a job, as texts by name. */
function parts({ task, created_at: created, trigger, timezone, arguments: values, policies, state, paused_note: note }) {
  const texts = new Map();
  if (trigger !== undefined) {
    const zone = timezone && !String(trigger).includes("timezone=") ? ` timezone=${timezone}` : "";
    texts.set("trigger", `${typeof trigger === "string" ? trigger : printJson(trigger)}${zone}`);
  }
  for (const [name, value] of Object.entries(values ?? {})) texts.set(`${ARGUMENT}${name}`, printJson(value));
  for (const [name, value] of Object.entries(policies ?? {})) texts.set(`policies.${name}`, String(value));
  if (task !== undefined) texts.set("task", task);
  if (created !== undefined) texts.set("added", created);
  if (state !== undefined) texts.set("paused", state === "paused" ? note || "yes" : "no");
  return texts;
}
