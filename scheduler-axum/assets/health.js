// The health of the scheduler, in the header.

import { get } from "./api.js";
import { facts, h, patch } from "./dom.js";
import { ago, plural } from "./format.js";

/** Shows the health in `details`; returns `read()`. */
export function healthIn(details) {
  const summary = details.querySelector("summary");
  const panel = details.querySelector(".panel");
  addEventListener("pointerdown", (event) => {
    if (details.open && !details.contains(event.target)) details.open = false;
  });
  details.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !details.open) return;
    details.open = false;
    summary.focus();
  });

  const show = (kind, sign, words) => {
    details.dataset.health = kind;
    patch(summary, h("span", { class: "sr" }, "Health: "), h("span", { class: "sign", "aria-hidden": "true" }, sign), h("span", { "data-testid": "health-text" }, words));
  };

  let last = 0; // an answer that a later one has overtaken is not shown

  return async function read() {
    const mine = ++last;
    let health;
    try {
      health = await get("health");
    } catch (error) {
      if (mine !== last) return;
      const answered = error.status > 0;
      if (answered) show("unknown", "?", "health unknown");
      else show("bad", "✕", "server not reached");
      patch(panel, h("p", null, error.message));
      return;
    }
    if (mine !== last) return;
    const wrong = problems(health);
    const warnings = health.warnings ?? [];
    const notices = (health.stores ?? []).filter((store) => store.notice);
    if (wrong.length > 0 || !health.ok) show("bad", "✕", wrong[0] ?? "not ok");
    else if (notices.length > 0) show("warn", "!", `ok, store ${notices[0].name}: see below`);
    else if (warnings.length > 0) show("warn", "!", `ok, ${plural(warnings.length, "warning")}`);
    else show("ok", "✓", "ok");
    const skipped = Object.entries(health.skipped ?? {}).filter(([, count]) => count > 0);
    patch(panel,
      wrong.length > 0 && h("ul", { class: "wrong", "data-testid": "health-problems" }, wrong.map((text) => h("li", null, text))),
      facts("health-facts", [
        ["Phase", health.phase],
        ["Live runs", String(health.live_runs)],
        ...(health.executors ?? []).map((executor) => [`Executor ${executor.name}`, `${executor.in_use} of ${executor.limit.toLocaleString("en")} in use`]),
        ...(health.stores ?? []).map((store) => [`Store ${store.name}`, store.error
          ? ["failing since ", ago(store.error.since)]
          : store.lease ? ["lease ends ", ago(store.lease.valid_until), `, clock ${store.lease.clock_offset_ms} ms off`] : "works"]),
        ...notices.map((store) => [`Notice of ${store.name}`, store.notice]),
        ["Skipped", skipped.length > 0 && h("a", { href: "#/skipped" }, skipped.map(([reason, count]) => `${reason} ${count}`).join(", "))],
      ]),
      warnings.length > 0 && h("h3", null, "Warnings"),
      warnings.length > 0 && h("ul", { "data-testid": "health-warnings" }, [...warnings].reverse().map((warning) => h("li", null, ago(warning.at), ": ", warning.text))));
  };
}

function problems({ phase, stores = [] }) {
  const found = [];
  if (phase !== "running") found.push(phase === "paused" ? "the scheduler is paused" : `the scheduler is ${phase}`);
  for (const store of stores) if (store.error) found.push(`store ${store.name}: ${store.error.text}`);
  return found;
}
