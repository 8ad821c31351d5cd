// One job: its definition, upcoming fire times, runs, and skipped fire times.

import { get } from "./api.js";
import { facts, h, longText, patch } from "./dom.js";
import { skippedTable } from "./skipped.js";
import { ago, duration, exact, json, lateness, localZone, seg } from "./format.js";
import { triggerCell } from "./jobs.js";
import { pagedList } from "./list.js";
import { policyFacts } from "./policies.js";
import { runsTable } from "./runs.js";
import { badges, strip } from "./state.js";
import { nextFires } from "./trigger.js";

export function jobView(app, id) {
  const head = h("div", { class: "job-head" });
  const definition = h("section", { "aria-labelledby": "definition-title", class: "card" });
  const coming = h("section", { "aria-labelledby": "coming-title", class: "card" });
  const list = pagedList("history", {
    read: (before, signal) => get("runs", { job: id, before, limit: 50 }, signal),
    empty: () => "No runs yet.",
    draw: (runs) => runsTable(app, runs, { job: false }),
  });
  const history = h("section", { "aria-labelledby": "history-title" }, h("h2", { id: "history-title" }, "History"), list.element);
  const skippedTimes = h("section", { "aria-labelledby": "skipped-title" });
  const element = h("div", { "data-testid": "job" }, head, h("div", { class: "two" }, definition, coming), history, skippedTimes);
  let job = null;
  let fires = [];
  let skipped = [];

  function render() {
    if (!job) return;
    patch(head, badges(job), strip(job.recent), app.actions.buttons(job, true));
    const where = job.location;
    patch(definition,
      h("h2", { id: "definition-title" }, "Definition"),
      facts("definition", [
        ["Trigger", triggerCell(job)],
        ["Text", h("code", { "data-testid": "job-trigger" }, job.trigger)],
        ["Paused", job.state === "paused" && (job.paused_note ?? "without a note")],
        ["Task", h("code", null, job.task)],
        ["In the code", where ? h("code", { "data-testid": "job-location", title: `${where.module ?? ""} in ${where.package ?? ""}` }, `${where.file}:${where.line}`) : null],
        ["Added", ago(job.created_at)],
        ["Last lateness", job.recent?.length > 0 && lateness(job.recent.find((run) => run.lateness_ms !== null)?.lateness_ms)],
      ]),
      h("h3", null, "Arguments"),
      Object.keys(job.arguments ?? {}).length === 0
        ? h("p", { class: "none" }, "none")
        : longText("Arguments", { "data-testid": "job-arguments-json" }, json(job.arguments)),
      h("details", { "data-testid": "job-policies-list" }, h("summary", null, "Policies"),
        facts(null, policyFacts(job.policies).map(([name, value, meaning]) => [name, h("span", { title: meaning }, value)]))));
    const zone = job.timezone && job.timezone !== localZone ? job.timezone : null;
    patch(coming,
      h("h2", { id: "coming-title" }, "Next fires"),
      fires.length === 0
        ? h("p", { class: "empty" }, job.state === "paused" ? "Paused: nothing comes." : "Nothing comes within a year.")
        : h("table", { class: "fires", "data-testid": "next-fires" },
          h("caption", { class: "sr" }, "Next fires"),
          h("thead", null, h("tr", null, h("th", { scope: "col" }, "In"), h("th", { scope: "col" }, localZone),
            zone && h("th", { scope: "col" }, zone))),
          h("tbody", null, fires.map((fire) => h("tr", null,
            h("td", null, ago(fire.starts_at, job.timezone)),
            h("td", null, exact(fire.starts_at), delay(fire)),
            zone && h("td", null, exact(fire.starts_at, zone)))))));
    list.render();
    patch(skippedTimes,
      h("h2", { id: "skipped-title" }, "Not run"),
      skipped.length === 0 ? h("p", { class: "empty", "data-testid": "skipped-empty" }, "Nothing was skipped.") : skippedTable(skipped, false));
  }

  return {
    title: id, element, render, back: ["#/jobs", "Jobs"],
    concerns: (hint) => hint.job_id === id || hint.what === "store",
    async reload() {
      [job, fires, skipped] = await Promise.all([
        get(`jobs/${seg(id)}`, { recent: 10 }), nextFires(id), get("skipped", { job: id, limit: 50 }).then(({ items }) => items), list.reload(),
      ]);
      render();
    },
    stop: () => list.pager.reset(),
  };
}

function delay(fire) {
  const ms = Date.parse(fire.starts_at) - Date.parse(fire.scheduled_for);
  return ms > 0 && h("span", { class: "sub" }, `${duration(ms)} after its fire time`);
}
