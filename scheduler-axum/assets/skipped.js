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

export function skippedView(app, query) {
  const element = h("div", { "data-testid": "skipped" });
  const filter = filters(app, "#/skipped", query, [], app.reload);
  let answer = null;

  function render() {
    if (!answer) return;
    const chosen = filter.get("reason");
    const counts = answer.since_start ?? {};
    const reasons = [...new Set([...Object.keys(REASONS), ...Object.keys(counts)])].filter((reason) => counts[reason] > 0 || reason === chosen);
    patch(element,
      h("p", { class: "lead" }, "Nothing is skipped silently: each fire time that was not run is here with its reason. Counts are since this node started."),
      reasons.length > 0 && h("div", { class: "chips", role: "group", "aria-label": "Only this reason" }, reasons.map((reason) => h("button", {
        type: "button", class: "chip", "aria-pressed": String(chosen === reason), "data-key": reason, "data-testid": `skipped-${reason}`,
        title: REASONS[reason], onclick: () => filter.set("reason", chosen === reason ? null : reason),
      }, reason, " ", h("strong", null, (counts[reason] ?? 0).toLocaleString("en"))))),
      answer.items.length === 0
        ? h("p", { class: "empty", "data-testid": "skipped-empty" }, chosen ? "Nothing was skipped for this reason." : "Nothing was skipped.")
        : skippedTable(answer.items, true),
      answer.has_more && h("p", { class: "hint" }, `The newest ${LIMIT} are shown.`));
  }

  return {
    title: "Skipped", element, render,
    takesQuery: filter.take,
    concerns: (hint) => hint.what === "skipped" || hint.what === "store",
    async reload() {
      answer = await get("skipped", { reason: filter.get("reason"), job: filter.get("job"), limit: LIMIT });
      render();
    },
  };
}

const LIMIT = 200;

/** A table of skipped fire times; without the column of the job where all are of one. */
export function skippedTable(items, withJob) {
  return table("skipped-table", "Fire times that were not run",
    [...(withJob ? [{ label: "Job" }] : []), { label: "Reason" }, { label: "Fire times" }, { label: "How many" }, { label: "Decided" }],
    items.map((skipped) => ({
      key: `${skipped.job_id} ${skipped.reason} ${skipped.decided_at} ${skipped.first}`, testid: "skipped-row",
      cells: () => [
        ...(withJob ? [jobLink(skipped.job_id)] : []),
        h("div", null, h("span", { class: "badge b-plain" }, skipped.reason), h("span", { class: "sub", "data-testid": "skipped-explained" }, REASONS[skipped.reason] ?? "")),
        h("span", { title: `${exact(skipped.first)}\n${exact(skipped.last)}` }, skipped.first === skipped.last ? short(skipped.first) : `${short(skipped.first)} – ${short(skipped.last)}`),
        skipped.exact ? skipped.count.toLocaleString("en") : `more than ${skipped.count.toLocaleString("en")}`,
        ago(skipped.decided_at),
      ],
    })));
}
