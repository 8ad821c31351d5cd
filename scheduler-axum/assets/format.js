// Instants, durations and values as text, and the server's clock.

import { h } from "./dom.js";
import { printJson } from "./json.js";

let offset = 0;

/** Sets the time of the server's clock, which the page uses. */
export function setServerNow(instant) {
  const at = Date.parse(instant);
  if (Number.isFinite(at)) offset = at - Date.now();
}

/** Milliseconds since 1970, by the server's clock. */
export const now = () => Date.now() + offset;

export const localZone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

const formats = new Map();

function parts(ms, zone) {
  let format = formats.get(zone);
  if (!format) {
    const options = {
      year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
      weekday: "short", hourCycle: "h23", timeZone: zone,
    };
    try {
      format = new Intl.DateTimeFormat("en-GB", options);
    } catch {
      format = new Intl.DateTimeFormat("en-GB", { ...options, timeZone: "UTC" });
    }
    formats.set(zone, format);
  }
  return Object.fromEntries(format.formatToParts(ms).map((part) => [part.type, part.value]));
}

/** "Wed 2026-11-25 09:00:00", in `zone`, or else in the browser's. */
export function exact(instant, zone = localZone) {
  const ms = Date.parse(instant);
  if (!Number.isFinite(ms)) return "–";
  const p = parts(ms, zone);
  return `${p.weekday} ${p.year}-${p.month}-${p.day} ${p.hour}:${p.minute}:${p.second}`;
}

/** "09:00:00" today, "25 Nov 09:00" otherwise: for narrow places. */
export function short(instant, zone = localZone) {
  const ms = Date.parse(instant);
  if (!Number.isFinite(ms)) return "–";
  const p = parts(ms, zone);
  const today = parts(now(), zone);
  if (p.year === today.year && p.month === today.month && p.day === today.day) return `${p.hour}:${p.minute}:${p.second}`;
  if (p.year === today.year) return `${p.weekday} ${p.month}-${p.day} ${p.hour}:${p.minute}`;
  return `${p.year}-${p.month}-${p.day} ${p.hour}:${p.minute}`;
}

/** The same instant in the browser's zone, in the job's zone and in UTC, one per line. */
function everywhere(instant, zone) {
  const zones = new Set([localZone, zone || "UTC", "UTC"]);
  return [...zones].map((name) => `${exact(instant, name)} ${name}`).join("\n");
}

/** "340 ms", "12.5 s", "3 min 20 s", "2 h 5 min", "3 d 4 h". */
export function duration(ms) {
  if (ms === null || ms === undefined) return "–";
  const sign = ms < 0 ? "−" : "";
  const value = Math.abs(ms);
  if (value < 1000) return `${sign}${Math.round(value)} ms`;
  if (value < 60_000) return `${sign}${(Math.floor(value / 100) / 10).toString()} s`;
  return sign + coarse(value, 2);
}

const UNITS = [["d", 86_400_000], ["h", 3_600_000], ["min", 60_000], ["s", 1000]];

function coarse(ms, count) {
  let rest = ms;
  const words = [];
  for (const [unit, size] of UNITS) {
    const whole = Math.floor(rest / size);
    rest -= whole * size;
    if (whole > 0 || (unit === "s" && words.length === 0)) words.push(`${whole} ${unit}`);
    else if (words.length > 0) break;
    if (words.length === count) break;
  }
  return words.join(" ");
}

/** "in 3 min 20 s", "5 s ago". */
function relative(instant) {
  const ms = Date.parse(instant) - now();
  if (!Number.isFinite(ms)) return "–";
  const size = Math.abs(ms);
  if (size < 1000) return "now";
  const text = coarse(size, size < 3_600_000 && size >= 600_000 ? 1 : 2);
  return ms > 0 ? `in ${text}` : `${text} ago`;
}

/** A relative time that is kept current; its title has the exact times. */
export function ago(instant, zone) {
  if (!instant) return h("span", { class: "none" }, "–");
  return h("time", { datetime: instant, "data-tick": "relative", title: everywhere(instant, zone) }, relative(instant));
}

/** How long something has lasted, kept current; `since` plus `base` milliseconds. */
export function lasting(since) {
  return h("time", { datetime: since, "data-tick": "lasting" }, duration(Math.max(0, now() - Date.parse(since))));
}

/** Updates all relative times in the document. */
export function tick() {
  for (const element of document.querySelectorAll("time[data-tick]")) {
    const text = element.dataset.tick === "relative"
      ? relative(element.dateTime)
      : duration(Math.max(0, Math.floor((now() - Date.parse(element.dateTime)) / 1000) * 1000));
    if (element.textContent !== text) element.textContent = text;
  }
}

/** How late a run began; a long delay is highlighted. */
export function lateness(ms) {
  if (ms === null || ms === undefined) return h("span", { class: "none" }, "–");
  if (ms >= 10_000) return h("span", { class: "late" }, `${duration(ms)} late`);
  return h("span", null, ms < 1 ? "on time" : `+${duration(ms)}`);
}

/** JSON as text, for people. */
export const json = (value) => printJson(value, "  ");

/** A job's id in one URL segment. */
export const seg = encodeURIComponent;

export const jobHref = (id) => `#/jobs/${seg(id)}`;
export const runHref = (id) => `#/runs/${seg(id)}`;

/** A link to a job. */
export const jobLink = (id, testid) => h("a", { href: jobHref(id), class: "id", "data-testid": testid }, id);

export const plural = (count, word, many = `${word}s`) => `${count.toLocaleString("en")} ${count === 1 ? word : many}`;
