// One run, with its attempts.

import { get } from "./api.js";
import { facts, h, longText, patch, table } from "./dom.js";
import { ago, duration, exact, jobLink, json, lateness, localZone, seg } from "./format.js";
import { cancelButton, took } from "./runs.js";
import { isLive, runState } from "./state.js";

export function runView(app, id) {
  const element = h("div", { "data-testid": "run" });
  let run = null;

  const instant = (at) => at && [exact(at), ` ${localZone} · `, ago(at)];

  function render() {
    if (!run) return;
    patch(element,
      h("div", { class: "job-head" }, runState(run.state), app.canChange() && isLive(run) && h("span", { class: "actions" }, cancelButton(app, run))),
      h("section", { class: "card" }, facts("run-facts", [
        ["Job", jobLink(run.job_id, "run-job")],
        ["Task", h("code", null, run.task)],
        ["Kind", run.kind],
        ["Scheduled for", instant(run.scheduled_for)],
        ["Started", instant(run.started_at)],
        ["Finished", instant(run.finished_at)],
        ["Duration", took(run)],
        ["Lateness", lateness(run.lateness_ms)],
        ["Attempt", String(run.attempt)],
        ["Node", run.node],
        ["Run", h("code", null, run.id)],
      ])),
      run.error && h("section", null, h("h2", null, "Error"), longText("Error", { class: "error-pre", "data-testid": "run-error-full" }, run.error)),
      run.value !== null && run.value !== undefined && h("section", null, h("h2", null, "Value"), longText("Value", { "data-testid": "run-value-full" }, json(run.value))),
      run.earlier_attempts?.length > 0 && h("section", null, h("h2", null, "Earlier attempts"),
        table("attempts", "Earlier attempts", [{ label: "Attempt" }, { label: "State" }, { label: "Started" }, { label: "Duration" }, { label: "Error", class: "wide" }],
          run.earlier_attempts.map((entry) => ({
            key: String(entry.attempt),
            cells: () => [
              String(entry.attempt), runState(entry.state), exact(entry.started_at),
              duration(entry.finished_at && entry.started_at ? Date.parse(entry.finished_at) - Date.parse(entry.started_at) : null),
              entry.error ? longText(`Error of attempt ${entry.attempt}`, { class: "error-pre" }, entry.error) : "–",
            ],
          })))));
  }

  return {
    title: "Run", element, render, back: ["#/runs", "Runs"],
    concerns: (hint) => hint.run_id === id || hint.what === "store",
    async reload() {
      run = await get(`runs/${seg(id)}`);
      render();
    },
  };
}
