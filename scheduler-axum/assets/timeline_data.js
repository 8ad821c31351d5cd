// The data of the timeline: the runs and fires of a window, for the busiest jobs.

import { get } from "./api.js";
import { now, seg } from "./format.js";

const LANES = 40;
const FEW_RUNS = 500; // of one job
const FEW_FIRES = 500;
const RUNS = 1000; // of all jobs
const FIRES = 2000;
const AT_ONCE = 5; // an HTTP/1.1 browser has six connections, and one of them carries the events
const FRESH = 60_000;

/**
 * Returns `{ from, until, at, lanes, hidden, sampled }`; a lane is `{ id, runs, fires, from, until }`, complete between
 * its `from` and `until`. If there is too much in the window to read all jobs at once, the jobs that are busy around
 * now are read one by one and kept in `cache` for a minute; `onPart` is called before that.
 */
export async function readLanes(hours, q, cache, onPart) {
  const at = now();
  const window = { at, from: at - hours * 3_600_000, until: at + hours * 3_600_000 };
  const all = await readPart(window, null, RUNS, FIRES);
  const complete = all.from === window.from && all.until === window.until;
  let ids = null;
  if (q !== "") {
    const { items } = await get("jobs", { q, limit: 500 });
    ids = new Set(items.map((job) => job.id));
  }
  const lanes = new Map([...(ids?.size <= LANES && !complete ? ids : [])].map((id) => [id, { id, runs: [], fires: [], from: all.from, until: all.until }]));
  const put = (kind) => (item) => {
    if (ids && !ids.has(item.job_id)) return;
    if (!lanes.has(item.job_id)) lanes.set(item.job_id, { id: item.job_id, runs: [], fires: [], from: all.from, until: all.until });
    lanes.get(item.job_id)[kind].push(item);
  };
  all.runs.forEach(put("runs"));
  all.fires.forEach(put("fires"));
  const busy = [...lanes.values()].sort((a, b) => b.runs.length + b.fires.length - a.runs.length - a.fires.length);
  const shown = busy.slice(0, LANES).sort((a, b) => (a.id < b.id ? -1 : 1));
  const answer = (some) => ({ ...window, lanes: some, hidden: busy.length - shown.length, sampled: !complete });
  if (complete) return answer(shown);

  const key = (lane) => `${hours} ${seg(lane.id)}`;
  const merged = () => shown.map((lane) => {
    const kept = cache.get(key(lane));
    return kept ? merge(lane, kept, window) : lane;
  });
  const old = shown.filter((lane) => !(cache.get(key(lane))?.at > at - FRESH));
  if (old.length === shown.length) onPart(answer(merged()));
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (let lane = old.pop(); lane; lane = old.pop()) cache.set(key(lane), await readPart(window, lane.id, FEW_RUNS, FEW_FIRES));
  }));
  return answer(merged());
}

async function readPart({ at, from, until }, job, mostRuns, mostFires) {
  const iso = (ms) => new Date(ms).toISOString();
  const readRuns = async () => {
    const runs = [];
    let before = null;
    do {
      const page = await get("runs", { since: iso(from), until: iso(at), job, before, limit: 500 });
      runs.push(...page.items);
      before = page.next;
    } while (before !== null && runs.length < mostRuns);
    return { runs, complete: before === null };
  };
  const readFires = async () => {
    try {
      return await get("upcoming", { from: iso(at), until: iso(until), job, limit: mostFires });
    } catch (error) {
      // A job that was removed still has runs.
      if (job !== null && error.status === 404) return { items: [], complete: true };
      throw error;
    }
  };
  const [{ items: fires, complete }, past] = await Promise.all([readFires(), readRuns()]);
  return {
    at, fires, runs: past.runs,
    from: past.complete || past.runs.length === 0 ? from : Math.max(from, Date.parse(past.runs.at(-1).scheduled_for)),
    until: complete || fires.length === 0 ? until : Date.parse(fires.at(-1).starts_at),
  };
}

// The data read for all jobs is newer; the data read for one job covers more time.
function merge(lane, kept, window) {
  const runs = new Map(kept.runs.map((run) => [run.id, run]));
  for (const run of lane.runs) runs.set(run.id, run);
  const fires = new Map(kept.fires.map((fire) => [fire.scheduled_for, fire]));
  for (const fire of lane.fires) fires.set(fire.scheduled_for, fire);
  const within = (ms) => ms >= window.from && ms <= window.until;
  return {
    id: lane.id,
    runs: [...runs.values()].filter((run) => within(Date.parse(run.started_at ?? run.scheduled_for))),
    fires: [...fires.values()].filter((fire) => Date.parse(fire.starts_at) >= window.at).sort((a, b) => (a.starts_at < b.starts_at ? -1 : 1)),
    from: Math.max(window.from, Math.min(kept.from, lane.from)),
    until: Math.max(Math.min(kept.until, window.until), lane.until),
  };
}
