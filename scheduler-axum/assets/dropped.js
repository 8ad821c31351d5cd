// Fire times that were not run, and why.

import { get } from "./api.js";
import { h, patch, table } from "./dom.js";
import { filters } from "./filters.js";
import { ago, exact, jobLink, short } from "./format.js";

/** reason → in plain words. */
const REASONS = {
  missed: "It could not start within misfire_grace_time of its instant.",
  coalesced: "Several were due at once, and one run stood for all of them (coalesce).",
  overlap: "The job was running already, as often as max_instances allows.",
  queue_full: "The job was at max_instances, and its queue was full.",
  paused: "The job was paused. What comes due then is never run later.",
  catch_up_limit: "More were due at once than coalesce = all(n) runs.",
  superseded: "The trigger was changed, or a newer fire time took its place.",
  removed: "The job was removed while it waited.",
};

export function droppedView(app, query) {
  const element = h("div", { "data-testid": "dropped" });
  const filter = filters(app, "#/dropped", query, [], app.reload);
  let answer = null;

  function render() {
    if (!answer) return;
    const chosen = filter.get("reason");
    const counts = answer.since_start ?? {};
    const reasons = [...new Set([...Object.keys(REASONS), ...Object.keys(counts)])].filter((reason) => counts[reason] > 0 || reason === chosen);
    patch(element,
      h("p", { class: "lead" }, "Nothing is dropped silently: each fire time that was not run is here with its reason. Counts are since this node started."),
      reasons.length > 0 && h("div", { class: "chips", role: "group", "aria-label": "Only this reason" }, reasons.map((reason) => h("button", {
        type: "button", class: "chip", "aria-pressed": String(chosen === reason), "data-key": reason, "data-testid": `dropped-${reason}`,
        title: REASONS[reason], onclick: () => filter.set("reason", chosen === reason ? null : reason),
      }, reason, " ", h("strong", null, (counts[reason] ?? 0).toLocaleString("en"))))),
      answer.items.length === 0
        ? h("p", { class: "empty", "data-testid": "dropped-empty" }, chosen ? "Nothing was dropped for this reason." : "Nothing was dropped.")
        : droppedTable(answer.items, true),
      answer.has_more && h("p", { class: "hint" }, `The newest ${LIMIT} are shown.`));
  }

  return {
    title: "Dropped", element, render,
    takesQuery: filter.take,
    concerns: (hint) => hint.what === "dropped" || hint.what === "store",
    async reload() {
      answer = await get("dropped", { reason: filter.get("reason"), job: filter.get("job"), limit: LIMIT });
      render();
    },
  };
}

const LIMIT = 200;

/** A table of drops; without the column of the job where all are of one. */
export function droppedTable(items, withJob) {
  return table("dropped-table", "Fire times that were not run",
    [...(withJob ? [{ label: "Job" }] : []), { label: "Reason" }, { label: "Fire times" }, { label: "How many" }, { label: "Decided" }],
    items.map((drop) => ({
      key: `${drop.job_id} ${drop.reason} ${drop.decided_at} ${drop.first}`, testid: "dropped-row",
      cells: () => [
        ...(withJob ? [jobLink(drop.job_id)] : []),
        h("div", null, h("span", { class: "badge b-plain" }, drop.reason), h("span", { class: "sub", "data-testid": "dropped-explained" }, REASONS[drop.reason] ?? "")),
        h("span", { title: `${exact(drop.first)}\n${exact(drop.last)}` }, drop.first === drop.last ? short(drop.first) : `${short(drop.first)} – ${short(drop.last)}`),
        drop.exact ? drop.count.toLocaleString("en") : `more than ${drop.count.toLocaleString("en")}`,
        ago(drop.decided_at),
      ],
    })));
}
