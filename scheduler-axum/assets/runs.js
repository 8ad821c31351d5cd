// Runs of all jobs, newest first, and the rows of a table of runs.

import { get } from "./api.js";
import { h, longText, table } from "./dom.js";
import { filters, search, several } from "./filters.js";
import { ago, duration, jobLink, json, lasting, lateness, runHref, short } from "./format.js";
import { printJson } from "./json.js";
import { pagedList } from "./list.js";
import { RUN_STATES, isLive, runState } from "./state.js";

export function runsView(app, query) {
  const filter = filters(app, "#/runs", query, [
    search("job", "runs-job", "Id of a job, in full", "Only runs of the job with this id"),
    several("state", "runs-state", "Only these states", Object.fromEntries(Object.entries(RUN_STATES).map(([state, [, words]]) => [state, words]))),
  ], () => {
    list.restart();
    app.reload();
  });
  const list = pagedList("runs", {
    read: (before, signal) => get("runs", { job: filter.get("job"), state: filter.get("state"), before, limit: 100 }, signal),
    empty: () => (filter.isEmpty() ? "No runs yet." : "No run matches the filter."),
    draw: (runs) => runsTable(app, runs, { job: true }),
  });
  return {
    title: "Runs", render: list.render, reload: list.reload,
    element: h("div", null, h("div", { class: "toolbar" }, filter.elements), list.element),
    filter: filter.focus,
    takesQuery: filter.take,
    concerns: (hint) => (hint.run_id !== undefined && [null, hint.job_id].includes(filter.get("job"))) || hint.what === "store",
    stop: () => list.pager.reset(),
  };
}

/** A table of runs; without the column of the job if all are of one job. */
export function runsTable(app, runs, { job }) {
  const steer = app.canChange() && runs.some(isLive);
  const columns = [
    { label: "State" }, ...(job ? [{ label: "Job" }] : []), { label: "Scheduled for" }, { label: "Started", class: "tight" }, { label: "Duration", class: "tight" },
    { label: "Lateness", class: "tight" }, { label: "Attempt", class: "tight" }, { label: "Node" }, { label: "Result", class: "wide" }, ...(steer ? [{ label: "Actions", class: "end" }] : []),
  ];
  return table("runs-table", "Runs, newest first", columns, runs.map((run) => ({
    key: run.id, id: run.id, testid: "run-row", sign: `${steer} ${printJson(run)}`,
    cells: () => [
      h("a", { href: runHref(run.id), class: "plain", "data-testid": "run-link" }, runState(run.state)),
      ...(job ? [jobLink(run.job_id)] : []),
      h("div", null, ago(run.scheduled_for), h("span", { class: "sub one" }, short(run.scheduled_for), run.kind !== "scheduled" && h("span", { class: "badge b-plain" }, run.kind))),
      run.started_at ? h("span", null, short(run.started_at)) : h("span", { class: "none" }, "not yet"),
      took(run),
      lateness(run.lateness_ms),
      h("span", null, String(run.attempt), run.earlier_attempts?.length > 0 && h("span", { class: "sub" }, `${run.earlier_attempts.length} earlier`)),
      run.node ? h("span", { class: "clip", title: run.node }, run.node) : h("span", { class: "none" }, "–"),
      result(run),
      ...(steer ? [isLive(run) && cancelButton(app, run)] : []),
    ],
  })));
}

/** How long a run took, or has taken so far. */
export function took(run) {
  if (run.duration_ms !== null && run.duration_ms !== undefined) return h("span", null, duration(run.duration_ms));
  if (run.state === "running" && run.started_at) return lasting(run.started_at);
  return h("span", { class: "none" }, "–");
}

export const cancelButton = (app, run) => h("button", {
  type: "button", "data-testid": "run-cancel", "aria-label": `Cancel run of ${run.job_id}`, onclick: () => app.actions.cancel(run),
}, "Cancel");

function result(run) {
  if (run.error) {
    const line = run.error.split("\n", 1)[0];
    if (line.length <= 70 && line === run.error) return h("span", { class: "error-line", "data-testid": "run-error" }, line);
    return h("details", { class: "error-text", "data-testid": "run-error" },
      h("summary", null, line.length > 70 ? `${line.slice(0, 68)}…` : line), longText("Error", null, run.error));
  }
  if (run.value === null || run.value === undefined) return h("span", { class: "none" }, "–");
  const text = typeof run.value === "string" ? run.value : printJson(run.value);
  if (text.length <= 60) return h("code", { "data-testid": "run-value" }, text);
  return h("details", { "data-testid": "run-value" }, h("summary", null, `${text.slice(0, 58)}…`), longText("Value", null, json(run.value)));
}
