// States of jobs and runs, shown by word, shape and colour.

import { h } from "./dom.js";
import { duration, runHref, short } from "./format.js";

/** state → sign and label. */
export const RUN_STATES = {
  queued: ["…", "queued"],
  running: ["▸", "running"],
  succeeded: ["✓", "succeeded"],
  failed: ["✕", "failed"],
  timed_out: ["T", "timed out"],
  cancelled: ["–", "cancelled"],
  lost: ["?", "lost"],
};

export const isLive = (run) => run.state === "queued" || run.state === "running";

const wordsOf = (state) => RUN_STATES[state] ?? ["·", state];

/** "✓ succeeded". */
export function runState(state) {
  const [sign, words] = wordsOf(state);
  return h("span", { class: `state s-${state}`, "data-testid": "run-state", "data-state": state },
    h("span", { class: "sign", "aria-hidden": "true" }, sign), words);
}

/** The newest runs, oldest first, each a link; one tab stop, arrow keys move. */
export function strip(runs) {
  if (!runs || runs.length === 0) return h("span", { class: "none" }, "no runs yet");
  const shown = [...runs].reverse();
  return h("span", { class: "strip", role: "group", "aria-label": `last ${shown.length} outcomes`, "data-testid": "strip", onkeydown: move },
    shown.map((run, at) => {
      const [sign, words] = wordsOf(run.state);
      const when = run.started_at ?? run.scheduled_for;
      const text = [words, short(when), run.duration_ms === null ? null : `took ${duration(run.duration_ms)}`].filter(Boolean).join(", ");
      return h("a", {
        href: runHref(run.id), class: `cell s-${run.state}`, "data-key": run.id, "data-testid": "outcome", "data-state": run.state,
        tabindex: at === shown.length - 1 ? "0" : "-1",
        "aria-label": text, title: run.error ? `${text}\n${run.error}` : text,
      }, sign);
    }));
}

function move(event) {
  const step = { ArrowLeft: "previousElementSibling", ArrowRight: "nextElementSibling" }[event.key];
  const next = step && event.target[step];
  if (!next) return;
  event.preventDefault();
  next.focus();
}

/** The badges of a job: paused and why, edited, its origin. */
export function badges(job) {
  return h("span", { class: "badges" },
    job.state === "paused" && h("span", { class: "badge b-paused", "data-testid": "badge-paused" },
      "paused", job.paused_note && h("span", { class: "note", "data-testid": "paused-note" }, `: ${job.paused_note}`)),
    job.state === "finished" && h("span", { class: "badge", "data-testid": "badge-finished" }, "finished"),
    job.edited && h("span", { class: "badge b-edited", title: "Changed at run time; holds until the definition in the code changes", "data-testid": "badge-edited" }, "edited"),
    h("span", { class: "badge b-plain", title: job.origin === "static" ? "Defined in the code" : "Added at run time" }, job.origin),
    job.task_known === false && h("span", { class: "badge b-bad", title: "This program has no task of that name", "data-testid": "badge-unknown" }, "unknown task"));
}
