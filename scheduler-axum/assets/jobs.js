// All jobs: a table with a filter, loaded page by page.

import { get } from "./api.js";
import { h, table } from "./dom.js";
import { choice, filters, search } from "./filters.js";
import { ago, jobLink, lateness, localZone, plural, seg, short } from "./format.js";
import { printJson } from "./json.js";
import { pagedList } from "./list.js";
import { badges, strip } from "./state.js";

const PAGE = 100;
const RECENT = 10;
const FEW = 4; // more jobs than these are read with one request

export function jobsView(app, query) {
  const count = h("span", { class: "count", role: "status", "data-testid": "jobs-count" });
  const create = h("button", { type: "button", class: "primary", "data-testid": "new-job", onclick: () => app.actions.create(), hidden: true }, "New job");
  const filter = filters(app, "#/jobs", query, [
    search("q", "jobs-filter", "Part of an id or task", "Filter jobs by id or task"),
    choice("state", "jobs-state", "State", [["", "Any state"], ["scheduled", "Scheduled"], ["paused", "Paused"], ["finished", "Finished"]]),
    choice("origin", "jobs-origin", "Origin", [["", "Any origin"], ["static", "Static"], ["dynamic", "Dynamic"]]),
  ], () => {
    list.restart();
    app.reload();
  });
  const list = pagedList("jobs", {
    read: (after, signal) => get("jobs", {
      q: filter.get("q"), state: filter.get("state"), origin: filter.get("origin"), after, limit: PAGE, recent: RECENT,
    }, signal),
    empty: () => (filter.isEmpty() ? "No jobs yet." : "No job matches the filter."),
    draw(jobs) {
      const more = list.pager.next !== null || list.pager.hasEarlier;
      count.textContent = `${plural(jobs.length, "job")}${more ? " shown, there are more" : ""}`;
      return table("jobs-table", "Jobs", columns(app), jobs.map((job) => row(app, job)));
    },
  });

  function render() {
    create.hidden = !(app.canChange() && app.session.creatable_tasks > 0);
    if (list.isKnown && list.pager.items.length === 0) count.textContent = "";
    list.render();
  }

  return {
    title: "Jobs", render,
    element: h("div", null, h("div", { class: "toolbar" }, filter.elements, count, create), list.element),
    filter: filter.focus,
    takesQuery: filter.take,
    concerns: (hint) => hint.job_id !== undefined || hint.what === "store",
    // Hints about runs only reload the affected jobs that are shown; other hints may change which jobs the list
    // contains.
    async reload(hints) {
      const ids = hints?.every(({ what }) => what?.startsWith("run_") || what === "skipped") && new Set(hints.map((hint) => hint.job_id));
      const shown = ids && list.pager.items.filter((job) => ids.has(job.id));
      if (list.isKnown && shown && shown.length <= FEW) {
        await Promise.all(shown.map(async (old) => Object.assign(old, await get(`jobs/${seg(old.id)}`, { recent: RECENT })))).catch(() => list.reload());
      } else {
        await list.reload();
      }
      render();
    },
    stop: () => list.pager.reset(),
  };
}

const columns = (app) => [
  { label: "Job" }, { label: "Trigger", class: "roomy" }, { label: "Next fire" }, { label: "Last outcomes", class: "outcomes" }, { label: "Lateness", class: "tight" },
  ...(app.canChange() ? [{ label: "Actions", class: "end" }] : []),
];

function row(app, job) {
  return {
    key: job.id, id: job.id, testid: "job-row", sign: `${app.canChange()} ${printJson(job)}`, class: job.state === "scheduled" ? null : "dim",
    cells: () => [
      h("div", null, jobLink(job.id, "job-link"), h("div", { class: "sub line" }, job.task !== job.id && h("span", null, job.task), badges(job))),
      triggerCell(job),
      nextCell(job),
      strip(job.recent),
      lateness(job.recent?.find((run) => run.lateness_ms !== null)?.lateness_ms),
      ...(app.canChange() ? [app.actions.buttons(job)] : []),
    ],
  };
}

/** The meaning of a trigger, with its zone if the description lacks it, and its canonical text as title. */
export function triggerCell(job) {
  return h("span", { title: job.trigger },
    h("span", { "data-testid": "job-description" }, job.description || job.trigger),
    job.timezone && !job.description?.includes(job.timezone) && h("span", { class: "sub" }, job.timezone));
}

function nextCell(job) {
  if (!job.next_fire) return h("span", { class: "none" }, job.state === "paused" ? "paused" : "none");
  const at = job.next_fire.starts_at ?? job.next_fire.scheduled_for;
  const there = job.timezone && job.timezone !== localZone ? ` · ${short(at, job.timezone)} there` : "";
  return h("span", { "data-testid": "next-fire" }, ago(at, job.timezone), h("span", { class: "sub one" }, `${short(at)}${there}`));
}
