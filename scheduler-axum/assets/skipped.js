// Skipped fire times, and why they were skipped.

import { get } from "./api.js";
import { h, patch, table } from "./dom.js";
import { filters } from "./filters.js";
import { ago, exact, jobLink, short } from "./format.js";
import { pagedList } from "./list.js";

/** reason → its explanation. */
const REASONS = {
  missed: "It could not start within misfire_grace_time of its instant.",
  coalesced: "Several were due at once, and one run stood for all of them (coalesce).",
  overlap: "The job was running already, as often as max_instances allows.",
  queue_full: "The job was at max_instances, and its queue was full.",
  paused: "The job was paused. Fire times during the pause are never run later.",
  catch_up_limit: "More were due at once than coalesce = all(n) runs.",
  superseded: "The trigger was changed, or a newer fire time took its place.",
  removed: "The job was removed while it waited.",
};

export function skippedView(app, query) {
  const head = h("div");
  const filter = filters(app, "#/skipped", query, [], () => {
    list.restart();
    app.reload();
  });
  let counts = {};
  const list = pagedList("skipped", {
    async read(before, signal) {
      const page = await get("skipped", { reason: filter.get("reason"), job: filter.get("job"), before, limit: 100 }, signal);
      counts = page.since_start ?? {};
      return page;
    },
    empty: () => (filter.get("reason") ? "Nothing was skipped for this reason." : "Nothing was skipped."),
    draw: (items) => skippedTable(items, true),
  });

  function render() {
    if (!list.isKnown) return;
    const chosen = filter.get("reason");
    const reasons = [...new Set([...Object.keys(REASONS), ...Object.keys(counts)])].filter((reason) => counts[reason] > 0 || reason === chosen);
    patch(head,
      h("p", { class: "lead" }, "Nothing is skipped silently: each fire time that was not run is here with its reason. Counts are since this node started."),
      reasons.length > 0 && h("div", { class: "chips", role: "group", "aria-label": "Only this reason" }, reasons.map((reason) => h("button", {
        type: "button", class: "chip", "aria-pressed": String(chosen === reason), "data-key": reason, "data-testid": `skipped-${reason}`,
        title: REASONS[reason], onclick: () => filter.set("reason", chosen === reason ? null : reason),
      }, reason, " ", h("strong", null, (counts[reason] ?? 0).toLocaleString("en"))))));
    list.render();
  }

  return {
    title: "Skipped", render,
    element: h("div", null, head, list.element),
    takesQuery: filter.take,
    concerns: (hint) => hint.what === "skipped" || hint.what === "store",
    async reload() {
      await list.reload();
      render();
    },
    stop: () => list.pager.reset(),
  };
}

/** A table of skipped fire times; without the column of the job if all are of one job. */
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
