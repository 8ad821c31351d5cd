// Past runs and upcoming fire times as a chart: a lane for each job, and above them the number of starts over time.

import { get } from "./api.js";
import { debounce, h, patch, s, table } from "./dom.js";
import { choice, filters, search } from "./filters.js";
import { ago, duration, exact, jobHref, jobLink, now, plural, runHref, short } from "./format.js";
import { RUN_STATES, isLive } from "./state.js";
import { readLanes } from "./timeline_data.js";

const AXIS = 22;
const DENSITY = 56;
const SLOT = 8;
const BAD = new Set(["failed", "timed_out", "lost"]);

export function timelineView(app, query) {
  const filter = filters(app, "#/timeline", query, [
    search("q", "timeline-filter", "Part of an id or task", "Only jobs whose id or task has this"),
    choice("hours", "timeline-span", "How far back and ahead", [["", "± 6 hours"], ["1", "± 1 hour"], ["24", "± 24 hours"], ["72", "± 3 days"]]),
  ], app.reload);
  const picture = h("div", { class: "timeline", "data-testid": "timeline" });
  const detail = h("p", { class: "timeline-detail", role: "status", "data-testid": "timeline-detail" });
  const said = h("div", { class: "notes", "data-testid": "timeline-notes" });
  const rows = h("div");
  const sized = new ResizeObserver(debounce(() => render(), 100));
  sized.observe(picture);
  const cache = new Map();
  let data = null;
  let current = null; // key of the mark that Tab reaches

  function render() {
    if (!data || picture.clientWidth === 0) return;
    const { lanes, hidden } = data;
    patch(said,
      hidden > 0 && h("p", { "data-testid": "timeline-cut" }, `${data.sampled ? "These" : "The"} ${lanes.length} ${data.sampled ? "are busy about now, of at least" : "busiest of"} ${plural(lanes.length + hidden, "job")}; the counts are theirs. Filter to see others.`),
      lanes.some((lane) => lane.from > data.from + 120_000 || lane.until < data.until - 120_000) && h("p", null, "Hatched: not read, there is too much of it."));
    if (lanes.length === 0) {
      patch(picture, h("p", { class: "empty", "data-testid": "timeline-empty" }, "Nothing ran and nothing comes in this window."));
      patch(rows);
      return;
    }
    const drawn = draw(data, picture.clientWidth, current);
    current = drawn.current;
    patch(picture, drawn.element);
    patch(rows, laneTable(lanes));
  }

  const tell = (event) => {
    const mark = event.target.closest?.("[data-text]");
    if (!mark) return;
    detail.textContent = mark.dataset.text;
    if (event.type !== "focusin") return;
    for (const other of picture.querySelectorAll("a.mark[tabindex='0']")) other.setAttribute("tabindex", "-1");
    mark.setAttribute("tabindex", "0");
    current = mark.dataset.key;
  };
  picture.onpointerover = tell;
  picture.addEventListener("focusin", tell);
  picture.onkeydown = (event) => {
    const mark = event.target.closest?.("a.mark");
    const next = mark && neighbour(mark, event.key);
    if (!next) return;
    event.preventDefault();
    next.focus();
  };

  return {
    title: "Timeline", render, gap: 3000,
    element: h("div", null, h("div", { class: "toolbar" }, filter.elements, legend()), said, picture, detail,
      h("details", { class: "more", "data-testid": "timeline-as-table" }, h("summary", null, "As a table"), rows)),
    filter: filter.focus,
    takesQuery: filter.take,
    concerns: (hint) => hint.job_id !== undefined || hint.what === "store",
    async reload() {
      const hours = Number(filter.get("hours"));
      data = await readLanes([1, 24, 72].includes(hours) ? hours : 6, filter.get("q") ?? "", cache, (some) => {
        data = some;
        render();
      });
      render();
    },
    stop: () => sized.disconnect(),
  };
}

const iso = (ms) => new Date(ms).toISOString();
const startOf = (run) => Date.parse(run.started_at ?? run.scheduled_for);

function draw(data, width, current) {
  const { lanes } = data;
  const narrow = width < 640;
  const left = narrow ? 4 : 190;
  const right = width - 6;
  const laneHeight = narrow ? 36 : 22;
  const top = AXIS + DENSITY;
  const height = top + lanes.length * laneHeight + 8;
  const x = (ms) => left + ((Math.min(Math.max(ms, data.from), data.until) - data.from) / (data.until - data.from)) * (right - left);
  const slots = density(data, x, left, right);
  const most = Math.max(1, ...slots.map((slot) => slot.total));
  const used = slots.filter((slot) => slot.total > 0);
  const usual = used.reduce((sum, slot) => sum + slot.total, 0) / used.length;
  const hot = used.filter((slot) => slot.total >= Math.max(3, usual * 2));
  const perSlot = ((data.until - data.from) / (right - left)) * SLOT;
  const rows = lanes.map((lane) => ({ lane, marks: marksOf(lane, x) }));
  const keys = new Set(rows.flatMap(({ marks }) => marks.map((mark) => mark.key)));
  const reach = keys.has(current) ? current : rows.find(({ marks }) => marks.length > 0)?.marks[0].key;
  const laneTop = (at) => top + at * laneHeight + (narrow ? 14 : 0);
  const middle = (at) => laneTop(at) + 11;

  const hatch = (from, until, y) => until - from > 1 && s("rect", { fill: "url(#hatch)", x: from, y, width: until - from, height: 22 });

  const element = s("svg", {
    width, height, viewBox: `0 0 ${width} ${height}`, role: "group", "data-key": "picture",
    "aria-label": `Timeline of ${plural(lanes.length, "job")}. Arrow keys move between runs and fires. The same as a table is below.`,
  },
  s("defs", null, s("pattern", { id: "hatch", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, s("rect", { width: 2, height: 6, class: "hatch" }))),
  rows.map(({ lane }, at) => s("g", { "data-key": `lane ${lane.id}` },
    at % 2 === 0 && s("rect", { class: "lane", x: 0, y: top + at * laneHeight, width, height: laneHeight }),
    hatch(x(data.from), x(lane.from), laneTop(at)),
    hatch(x(lane.until), x(data.until), laneTop(at)),
    s("a", { href: jobHref(lane.id), class: "lane-name", tabindex: "-1", "aria-hidden": "true" },
      s("title", null, lane.id),
      s("text", { x: 4, y: narrow ? top + at * laneHeight + 12 : middle(at) + 4 }, fit(lane.id, narrow ? 48 : 27))))),
  hot.map((slot) => s("rect", { class: "hot", x: slot.x, y: AXIS, width: SLOT, height: height - AXIS })),
  ticks(data, narrow).map(({ ms, words }) => s("g", { class: "tick" },
    s("line", { x1: x(ms), x2: x(ms), y1: AXIS - 4, y2: height }),
    s("text", { x: x(ms) + 3, y: 12 }, words))),
  s("g", { class: "density", "data-testid": "timeline-density", role: "img", "aria-label": `Most starts within ${duration(perSlot)}: ${most}` },
    !narrow && s("text", { x: 4, y: AXIS + 16, class: "axis-name" }, `starts per ${duration(Math.round(perSlot / 1000) * 1000)}`),
    !narrow && s("text", { x: 4, y: AXIS + 32, class: "axis-name" }, `at most ${most}`),
    used.map((slot) => densityBar(slot, most, perSlot))),
  rows.map(({ lane, marks }, at) => s("g", { "data-key": `marks ${lane.id}`, role: "group", "aria-label": lane.id, class: "marks" },
    marks.map((mark) => drawMark(mark, middle(at), mark.key === reach)))),
  s("line", { class: "now", x1: x(data.at), x2: x(data.at), y1: 0, y2: height, "data-testid": "timeline-now" }),
  s("text", { class: "now-name", x: x(data.at) - 4, y: 12, "text-anchor": "end" }, "now"));
  return { element, current: reach };
}

function fit(text, chars) {
  const letters = [...text];
  return letters.length <= chars ? text : `${letters.slice(0, chars - 1).join("")}…`;
}

function density(data, x, left, right) {
  const slots = Array.from({ length: Math.ceil((right - left) / SLOT) }, (_, at) => ({
    x: left + at * SLOT, ok: 0, bad: 0, coming: 0, total: 0, from: data.from + (at * SLOT * (data.until - data.from)) / (right - left),
  }));
  const add = (ms, kind) => {
    if (ms < data.from || ms > data.until) return;
    const slot = slots[Math.min(slots.length - 1, Math.floor((x(ms) - left) / SLOT))];
    slot[kind] += 1;
    slot.total += 1;
  };
  for (const lane of data.lanes) {
    for (const run of lane.runs) add(startOf(run), BAD.has(run.state) ? "bad" : "ok");
    for (const fire of lane.fires) add(Date.parse(fire.starts_at), "coming");
  }
  return slots;
}

function densityBar(slot, most, perSlot) {
  const scale = (DENSITY - 10) / most;
  const bottom = AXIS + DENSITY - 4;
  let y = bottom;
  const piece = (kind) => {
    if (slot[kind] === 0) return null;
    const height = Math.max(1.5, slot[kind] * scale);
    y -= height;
    return s("rect", { class: `d-${kind}`, x: slot.x + 1, y, width: SLOT - 2, height });
  };
  const text = `${short(iso(slot.from))}, within ${duration(Math.round(perSlot / 1000) * 1000)}: ${[
    slot.ok + slot.bad > 0 && `${plural(slot.ok + slot.bad, "run")} started`, slot.bad > 0 && `${slot.bad} went wrong`, slot.coming > 0 && `${plural(slot.coming, "fire")} to come`,
  ].filter(Boolean).join(", ")}`;
  return s("g", { "data-text": text }, piece("bad"), piece("ok"), piece("coming"), s("rect", { class: "catch", x: slot.x, y: AXIS, width: SLOT, height: DENSITY - 4 }));
}

// Runs and fires within the same few pixels become one mark, which shows the worst of them.
function marksOf(lane, x) {
  const marks = [];
  let last = null;
  const runs = lane.runs.map((run) => ({ run, at: startOf(run) })).sort((a, b) => a.at - b.at);
  for (const { run, at } of runs) {
    const end = run.finished_at ? Date.parse(run.finished_at) : isLive(run) ? now() : at;
    const from = x(at);
    const width = Math.max(3, x(end) - from);
    if (last && width <= 4 && last.width <= 4 && from - last.x < 4 && rank(run.state) < 9 && rank(last.state) < 9) {
      last.runs.push(run);
      if (rank(run.state) > rank(last.state)) last.state = run.state;
      continue;
    }
    last = { key: run.id, kind: "run", state: run.state, x: from, width, runs: [run] };
    marks.push(last);
  }
  last = null;
  for (const fire of lane.fires) {
    const from = x(Date.parse(fire.starts_at));
    if (last && from - last.x < 5) {
      last.fires.push(fire);
      continue;
    }
    last = { key: `fire ${fire.job_id} ${fire.scheduled_for}`, kind: "fire", x: from, fires: [fire] };
    marks.push(last);
  }
  return marks;
}

const rank = (state) => (isLive({ state }) ? 9 : BAD.has(state) ? 2 : state === "cancelled" ? 1 : 0);

function drawMark(mark, middle, reach) {
  const tab = reach ? "0" : "-1";
  if (mark.kind === "fire") {
    const [first] = mark.fires;
    const text = `${first.job_id}: ${mark.fires.length > 1 ? `${mark.fires.length} fires from` : "fires"} ${exact(first.starts_at)}`;
    return s("a", { href: jobHref(first.job_id), class: "mark coming", tabindex: tab, "data-key": mark.key, "data-text": text, "aria-label": text, "data-testid": "timeline-fire" },
      mark.fires.length > 1
        ? s("rect", { x: mark.x - 2.5, y: middle - 5, width: 5, height: 10, rx: 1 })
        : s("circle", { cx: mark.x, cy: middle, r: 3 }));
  }
  const [first] = mark.runs;
  const words = RUN_STATES[mark.state]?.[1] ?? mark.state;
  const one = mark.runs.find((run) => run.state === mark.state) ?? first;
  const text = mark.runs.length > 1
    ? `${first.job_id}: ${mark.runs.length} runs from ${exact(iso(startOf(first)))}, ${mark.runs.filter((run) => BAD.has(run.state)).length} went wrong`
    : `${first.job_id}: ${words}, ${exact(iso(startOf(first)))}${first.duration_ms !== null ? `, took ${duration(first.duration_ms)}` : ""}${first.error ? `, ${first.error.split("\n", 1)[0].slice(0, 120)}` : ""}`;
  const tall = BAD.has(mark.state);
  return s("a", { href: runHref(one.id), class: `mark s-${mark.state}`, tabindex: tab, "data-key": mark.key, "data-text": text, "aria-label": text, "data-testid": "timeline-run", "data-state": mark.state },
    s("rect", { x: mark.x, y: middle - (tall ? 9 : 5), width: mark.width, height: tall ? 18 : 10, rx: 1.5 }));
}

/** The nearest mark: left and right within a lane, up and down between lanes. */
function neighbour(mark, key) {
  if (key === "ArrowLeft") return mark.previousElementSibling;
  if (key === "ArrowRight") return mark.nextElementSibling;
  const sibling = { ArrowUp: "previousElementSibling", ArrowDown: "nextElementSibling" }[key];
  if (!sibling) return null;
  const at = mark.getBBox().x;
  for (let lane = mark.parentElement[sibling]; lane?.classList.contains("marks"); lane = lane[sibling]) {
    const marks = [...lane.querySelectorAll("a.mark")];
    if (marks.length > 0) return marks.reduce((best, other) => (Math.abs(other.getBBox().x - at) < Math.abs(best.getBBox().x - at) ? other : best));
  }
  return null;
}

// Full quarters of an hour, hours or days in the browser's zone.
function ticks(data, narrow) {
  const hours = (data.until - data.from) / 3_600_000;
  const minutes = (hours <= 2 ? 15 : hours <= 12 ? 120 : hours <= 48 ? 360 : 1440) * (narrow ? 2 : 1);
  const at = new Date(data.from);
  if (minutes < 60) at.setMinutes(0, 0, 0);
  else at.setHours(0, 0, 0, 0);
  const found = [];
  for (let turn = 0; at.getTime() < data.until && turn < 500; turn += 1) {
    if (at.getTime() > data.from) {
      const clock = exact(at.toISOString());
      const midnight = at.getHours() === 0 && at.getMinutes() === 0;
      found.push({ ms: at.getTime(), words: midnight ? `${clock.slice(0, 3)} ${clock.slice(9, 14)}` : clock.slice(15, 20) });
    }
    at.setMinutes(at.getMinutes() + minutes);
  }
  return found.filter(({ ms }) => Math.abs(ms - data.at) > (data.until - data.from) / (narrow ? 8 : 30) || ms > data.at);
}

function legend() {
  const bar = (state, words) => h("span", null, s("svg", { width: 12, height: 18, "aria-hidden": "true" },
    state === "coming"
      ? s("g", { class: "mark coming" }, s("circle", { cx: 6, cy: 9, r: 3 }))
      : s("g", { class: `mark s-${state}` }, s("rect", { x: 2, y: BAD.has(state) ? 0 : 4, width: 8, height: BAD.has(state) ? 18 : 10, rx: 1.5 }))), words);
  return h("span", { class: "legend" }, bar("succeeded", "succeeded"), bar("failed", "failed, timed out, lost (tall)"), bar("running", "live"), bar("cancelled", "cancelled"), bar("coming", "to come"));
}

function laneTable(lanes) {
  return table("timeline-table", "The same as a table",
    [{ label: "Job" }, { label: "Runs" }, { label: "Went wrong" }, { label: "Live" }, { label: "Last run" }, { label: "To come" }, { label: "Next" }],
    lanes.map(({ id, runs, fires }) => ({
      key: id,
      cells: () => [
        jobLink(id), String(runs.length), String(runs.filter((run) => BAD.has(run.state)).length), String(runs.filter(isLive).length),
        ago(runs[0]?.started_at ?? runs[0]?.scheduled_for), String(fires.length), ago(fires[0]?.starts_at),
      ],
    })));
}
