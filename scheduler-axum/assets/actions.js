// Actions on jobs and runs. Each shows its result, and asks the view to reload.

import { get, post, remove } from "./api.js";
import { argumentsEditor } from "./arguments.js";
import { field, openDialog } from "./dialog.js";
import { h } from "./dom.js";
import { editJob } from "./edit.js";
import { jobLink, runHref, seg } from "./format.js";
import { policyFields } from "./policies.js";
import { say, sayProblem } from "./toast.js";
import { triggerFields } from "./trigger.js";

/** Creates the actions; `app` has `session`, `reload()` and `canChange()`. */
export function makeActions(app) {
  const attempt = async (what, work) => {
    try {
      await work();
    } catch (error) {
      sayProblem(what, error);
    }
    app.reload();
  };
  const done = (answer, ...words) => {
    if (answer === null) return;
    if (answer === false) return void say("Nothing was changed.");
    say(...words);
    app.reload();
  };

  const actions = {
    run: (job) => attempt(`${job.id} was not started:`, async () => {
      const answer = await post(`jobs/${seg(job.id)}/run`);
      say(answer.result === "queued" ? "Queued: " : "Started: ", h("a", { href: runHref(answer.run_id), "data-testid": "toast-run" }, job.id));
    }),

    async pause(job) {
      const note = h("input", { type: "text", "data-testid": "pause-note", maxlength: "500", autocomplete: "off" });
      const answer = await openDialog({
        testid: "pause-dialog", title: ["Pause ", h("span", { class: "id" }, job.id)], action: "Pause",
        body: [field("note", "Note", note, "The reason, shown to other operators. May be empty."),
          h("p", { class: "hint" }, "Fire times during the pause are not run later. Live runs continue.")],
        submit: () => post(`jobs/${seg(job.id)}/pause`, note.value.trim() === "" ? {} : { note: note.value.trim() }),
      });
      done(answer, "Paused: ", jobLink(job.id));
    },

    resume: (job) => attempt(`${job.id} was not resumed:`, async () => {
      await post(`jobs/${seg(job.id)}/resume`);
      say("Resumed: ", jobLink(job.id));
    }),

    async edit(job) {
      const answer = await editJob(job, {
        testid: "trigger-dialog", title: ["Edit trigger of ", h("span", { class: "id" }, job.id)], action: "Save trigger", wide: true,
        make: (seen) => triggerFields(seen, app.session.time_zone),
      });
      done(answer, "Rescheduled: ", jobLink(job.id));
    },

    async editArguments(job) {
      let tasks;
      try {
        tasks = (await get("tasks")).items;
      } catch (error) {
        sayProblem("The tasks cannot be read:", error);
        return;
      }
      const task = tasks.find((entry) => entry.name === job.task) ?? null;
      const answer = await editJob(job, {
        testid: "arguments-dialog", title: ["Edit arguments of ", h("span", { class: "id" }, job.id)], action: "Save arguments",
        make(seen) {
          const { element, value } = argumentsEditor(task, seen.arguments ?? {});
          return { element, value: () => ({ arguments: value() }) };
        },
      });
      done(answer, "Changed: ", jobLink(job.id));
    },

    async editPolicies(job) {
      const answer = await editJob(job, {
        testid: "policies-dialog", title: ["Edit policies of ", h("span", { class: "id" }, job.id)], action: "Save policies", wide: true,
        make(seen) {
          const { element, value, follow } = policyFields(seen.policies ?? {});
          return {
            element,
            follow: (now) => follow(now.policies ?? {}),
            value() {
              const policies = value();
              return Object.keys(policies).length === 0 ? {} : { policies };
            },
          };
        },
      });
      done(answer, "Changed: ", jobLink(job.id));
    },

    async remove(job) {
      let { revision } = job;
      const answer = await openDialog({
        testid: "delete-dialog", title: ["Delete ", h("span", { class: "id" }, job.id), "?"], action: "Delete job", danger: true,
        body: h("p", null, "It will not run again, and this cannot be undone. Live runs continue."),
        async submit(setAction) {
          try {
            return await remove(`jobs/${seg(job.id)}`, revision);
          } catch (error) {
            if (error.status === 412 && error.current) {
              revision = error.current.revision;
              setAction("Delete it all the same");
              error.message = `Somebody has changed this job since you looked at it; its trigger is now ${error.current.trigger}.`;
            }
            throw error;
          }
        },
      });
      if (answer !== null && location.hash.startsWith(`#/jobs/${seg(job.id)}`)) location.hash = "#/jobs";
      done(answer, "Deleted: ", job.id);
      return answer;
    },

    async create() {
      let tasks;
      try {
        tasks = (await get("tasks")).items.filter((task) => task.creatable);
      } catch (error) {
        sayProblem("The tasks cannot be read:", error);
        return;
      }
      if (tasks.length === 0) return void say("No task may be created here.");
      const id = h("input", { type: "text", "data-testid": "new-id", autocomplete: "off", spellcheck: "false", maxlength: "255" });
      const idField = field("id", "Id", id, "");
      const room = h("div");
      let editor;
      const select = h("select", { "data-testid": "new-task", onchange: () => chosen() }, tasks.map((task) => h("option", { value: task.name }, task.name)));
      const chosen = () => {
        const task = tasks.find((entry) => entry.name === select.value);
        editor = argumentsEditor(task, null);
        id.placeholder = `${task.name}-…`;
        room.replaceChildren(editor.element);
      };
      chosen();
      const trigger = triggerFields(null, app.session.time_zone);
      const policies = policyFields(null);
      const paused = h("input", { type: "checkbox", "data-testid": "new-paused" });
      const answer = await openDialog({
        testid: "new-dialog", title: "New job", action: "Create job", wide: true,
        body: [
          h("div", { class: "columns" }, field("task", "Task", select, "What it runs"), idField),
          trigger.element,
          room,
          h("details", { class: "more", "data-testid": "new-policies" }, h("summary", null, "Policies"), policies.element),
          h("div", { class: "check" }, h("label", null, paused, " Add it paused")),
        ],
        submit: () => {
          const body = { task: select.value, ...trigger.value(), arguments: editor.value() };
          if (id.value.trim() !== "") body.id = id.value.trim();
          const some = policies.value();
          if (Object.keys(some).length > 0) body.policies = some;
          if (paused.checked) body.paused = "added paused";
          return post("jobs", body);
        },
      });
      if (answer !== null) done(answer, "Created: ", jobLink(answer.id, "toast-job"));
    },

    async cancel(run) {
      const answer = await openDialog({
        testid: "cancel-dialog", title: "Cancel this run?", action: "Cancel run", danger: true,
        body: h("p", null, h("span", { class: "id" }, run.job_id), run.state === "queued"
          ? " waits for a slot; it will not start."
          : " is asked to stop; an async task at its next await, a sync one when it looks."),
        submit: () => post(`runs/${seg(run.id)}/cancel`),
      });
      done(answer, "Asked to stop: ", h("a", { href: runHref(run.id) }, run.job_id));
    },
  };

  /** The buttons of a job; none with read-only access. */
  actions.buttons = (job, more = false) => {
    if (!app.canChange()) return null;
    const button = (name, words, fn, className) => h("button", {
      type: "button", class: className, "data-testid": name, "aria-label": `${words} ${job.id}`, onclick: () => fn(job),
    }, words);
    return h("span", { class: "actions" },
      button("job-run", "Run now", actions.run),
      job.state === "paused" ? button("job-resume", "Resume", actions.resume) : button("job-pause", "Pause", actions.pause),
      button("job-edit", more ? "Edit trigger" : "Edit", actions.edit),
      more && button("job-arguments", "Edit arguments", actions.editArguments),
      more && button("job-policies", "Edit policies", actions.editPolicies),
      job.origin === "dynamic" && button("job-delete", "Delete", actions.remove, "danger-quiet"));
  };
  return actions;
}
