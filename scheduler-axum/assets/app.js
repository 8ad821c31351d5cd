// The page: the current view, its reloads, and the header.

import { guardAccess } from "./access.js";
import { makeActions } from "./actions.js";
import { get } from "./api.js";
import { h, patch } from "./dom.js";
import { skippedView } from "./skipped.js";
import { follow } from "./events.js";
import { now, setServerNow, tick } from "./format.js";
import { healthIn } from "./health.js";
import { jobView } from "./job.js";
import { jobsView } from "./jobs.js";
import { listenToKeys, showKeys } from "./keys.js";
import { nodesView } from "./nodes.js";
import { runView } from "./run.js";
import { runsView } from "./runs.js";
import { timelineView } from "./timeline.js";
import { visible } from "./visible.js";

const GAP = 500; // at most two reloads a second
const IDLE = 30_000; // after this long without a touch
const IDLE_GAP = 5_000; // at most one reload in this long
const POLL = 15_000;

const byId = (id) => document.getElementById(id);
const readHealth = healthIn(byId("health"));

let view = null;
let hash = null;
const kept = new Map(); // the lists that were left last, to come back to

const app = {
  session: { role: "read", title: "Scheduler", time_zone: "UTC", creatable_tasks: 0 }, // until it is read
  canChange: () => app.session.role === "full",
  view: () => view,
  reload: () => schedule(null, 0),
  instantAgo: (ms) => new Date(now() - ms).toISOString(),

  /** Writes the view's own query into the address without a history entry. */
  replaceQuery(path, query) {
    const text = query.toString();
    hash = text ? `${path}?${text}` : path;
    history.replaceState(null, "", hash);
  },
};
app.actions = makeActions(app);

// Reloading. `hints` are those that the view has not handled yet; null means everything.

let pending; // undefined: nothing to do
let timer = null;
let timerAt = Infinity;
let reading = false;
let readAt = 0;
let touchedAt = Date.now();

function gap() {
  return Math.max(view?.gap ?? GAP, Date.now() - touchedAt >= IDLE ? IDLE_GAP : 0);
}

// Changes made while the page was idle are shown at once.
function touched() {
  const wasIdle = Date.now() - touchedAt >= IDLE;
  touchedAt = Date.now();
  if (!wasIdle || timerAt === Infinity) return;
  clearTimeout(timer);
  timerAt = Infinity;
  schedule(pending ?? null, 0);
}

function schedule(hints, wait) {
  if (hints === null || pending === null) pending = null;
  else pending = [...(pending ?? []), ...hints];
  if (reading) return;
  const at = Date.now() + (wait ?? Math.max(80, readAt + gap() - Date.now()));
  if (at >= timerAt) return; // a flood of hints does not put it off
  clearTimeout(timer);
  timerAt = at;
  timer = setTimeout(readAgain, at - Date.now());
}

async function readAgain() {
  timerAt = Infinity;
  if (reading || pending === undefined || !view) return;
  reading = true;
  readAt = Date.now();
  const hints = pending;
  pending = undefined;
  const mine = view;
  try {
    await mine.reload(hints);
    if (mine === view) showError(null);
  } catch (error) {
    if (mine === view && error.name !== "AbortError") showError(error);
    if (error.status === undefined && error.name !== "AbortError") console.error(error);
  } finally {
    reading = false;
    if (pending !== undefined) schedule(pending ?? null, mine === view ? undefined : 0);
  }
}

function showError(error) {
  const banner = byId("view-error");
  banner.hidden = error === null;
  patch(banner, error && [h("span", null, error.message), " ", h("button", { type: "button", "data-testid": "retry", onclick: refresh }, "Try again")]);
}

async function readSession() {
  const asked = Date.now();
  try {
    app.session = await get("session");
  } catch {
    return false; // the view tells
  }
  if (Date.now() - asked < 5000) setServerNow(app.session.now);
  byId("title").textContent = visible(app.session.title);
  const role = byId("role");
  role.textContent = app.session.role === "full" ? "full" : "read only";
  role.dataset.role = app.session.role;
  const node = byId("node");
  node.textContent = visible(app.session.node ?? "");
  node.hidden = !app.session.node;
  showTitle();
  return true;
}

/** Reloads everything on the page. */
async function refresh() {
  await readSession();
  view?.render();
  schedule(null, 0);
  readHealth();
}

// Views

function parse(text) {
  const [path, search = ""] = text.replace(/^#\/?/, "").split(/\?(.*)/s);
  let parts;
  try {
    parts = path.split("/").map(decodeURIComponent);
  } catch {
    parts = [""];
  }
  return { name: parts[0] || "jobs", id: parts[1] || null, query: new URLSearchParams(search) };
}

function make({ name, id, query }) {
  switch (name) {
    case "jobs": return id === null ? jobsView(app, query) : jobView(app, id);
    case "timeline": return timelineView(app, query);
    case "runs": return id === null ? runsView(app, query) : runView(app, id);
    case "nodes": return nodesView(app);
    case "skipped": return skippedView(app, query);
    default: return null;
  }
}

function route(first) {
  if (location.hash === hash && !first) return;
  const route = parse(location.hash);
  const key = `${route.name}/${route.id ?? ""}`;
  if (view?.key === key && view.takesQuery) {
    hash = location.hash;
    view.takesQuery(route.query);
    return;
  }
  leave();
  hash = location.hash;
  const before = kept.get(key);
  kept.delete(key);
  let top = 0;
  if (before && before.hash === hash) {
    view = before.view;
    top = before.top;
  } else {
    before?.view.stop?.();
    view = make(route) ?? { title: "Not found", element: h("p", { class: "empty" }, "There is no such page."), render() {}, concerns: () => false, async reload() {} };
    view.key = key;
  }
  byId("view").replaceChildren(view.element);
  const back = byId("back");
  back.hidden = !view.back;
  if (view.back) {
    back.href = view.back[0];
    back.textContent = `← ${view.back[1]}`;
  }
  byId("heading").textContent = visible(view.title);
  for (const link of document.querySelectorAll("#nav a")) {
    if (link.hash === `#/${route.name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  showTitle();
  showError(null);
  view.render();
  scrollTo({ top, behavior: "instant" });
  if (!first) byId("heading").focus({ preventScroll: true });
  schedule(null, 0);
}

function leave() {
  if (!view) return;
  if (view.key === "jobs/" || view.key === "runs/") kept.set(view.key, { view, hash, top: scrollY });
  else view.stop?.();
}

function showTitle() {
  document.title = visible(`${view ? `${view.title} · ` : ""}${app.session.title}`);
}

// The header

function themeButton() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;
  const button = byId("theme");
  const shown = () => root.dataset.theme ?? (dark.matches ? "dark" : "light");
  const label = () => button.setAttribute("aria-label", `Switch to the ${shown() === "dark" ? "light" : "dark"} theme`);
  button.onclick = () => {
    const next = shown() === "dark" ? "light" : "dark";
    const follows = next === (dark.matches ? "dark" : "light");
    if (follows) delete root.dataset.theme;
    else root.dataset.theme = next;
    try {
      if (follows) localStorage.removeItem("scheduler-theme");
      else localStorage.setItem("scheduler-theme", next);
    } catch {
      // It lasts until the page is left then.
    }
    label();
  };
  dark.addEventListener("change", label);
  label();
}

const CONNECTION = { connecting: "connecting…", live: "live", reconnecting: "reconnecting…", asleep: "asleep" };

function showConnection(state) {
  const element = byId("connection");
  const before = element.dataset.state;
  if (before === state) return;
  element.dataset.state = state;
  byId("connection-text").textContent = CONNECTION[state];
  // A health status that was read before the connection broke is outdated.
  if (state === "reconnecting" || before === "reconnecting") readHealth();
}

async function start() {
  themeButton();
  byId("keys").onclick = showKeys;
  byId("skip").onclick = (event) => {
    event.preventDefault();
    byId("heading").focus();
  };
  guardAccess(byId("token-button"), refresh);
  listenToKeys(app);
  addEventListener("hashchange", () => route(false));
  for (const touch of ["pointermove", "pointerdown", "keydown", "wheel", "touchstart"]) addEventListener(touch, touched, { passive: true });
  // In parallel: on a slow connection each answer takes its time.
  let session = readSession();
  route(true);
  session.then(() => view?.render());
  readHealth();
  follow({
    onState: showConnection,
    async onFresh() {
      // The first event arrives during the view's first read; changes before that event count, too.
      const isRead = await session;
      session = false;
      if (isRead) schedule(null);
      else refresh();
    },
    onHint(hint) {
      if (hint.what === "scheduler" || hint.what === "store") readHealth();
      if (view?.concerns(hint)) schedule([hint]);
    },
  });
  setInterval(tick, 1000);
  let polled = Date.now();
  let sick = Date.now();
  setInterval(() => {
    if (document.visibilityState !== "visible") return;
    if (Date.now() - polled >= (view?.poll ?? POLL)) {
      polled = Date.now();
      schedule(null);
    }
    if (Date.now() - sick >= POLL) {
      sick = Date.now();
      readHealth();
    }
  }, 1000);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState !== "visible") return;
    tick();
    refresh();
  });
}

start();
