// The fields of a trigger, with a live preview of its meaning.

import { get, post } from "./api.js";
import { field, setFieldError } from "./dialog.js";
import { debounce, h, patch } from "./dom.js";
import { exact, localZone, now } from "./format.js";

const EXAMPLES = [
  ["every 5 minutes", "every 5m"],
  ["every hour", "cron 0 * * * *"],
  ["every day at 06:00", "cron 0 6 * * *"],
  ["weekdays at 09:00", "cron 0 9 * * mon-fri"],
  ["first of the month", "cron 0 0 1 * *"],
];

let zones = null;

/** A list of zone names for suggestions in inputs. */
function zoneList() {
  zones ??= h("datalist", { id: "zones" },
    ["UTC", ...(Intl.supportedValuesOf?.("timeZone") ?? [])].map((name) => h("option", { value: name })));
  if (!zones.isConnected) document.body.append(zones);
}

/** `job` is the job to edit, or null. Returns `{ element, value() }`. */
export function triggerFields(job, defaultZone) {
  zoneList();
  const written = split(job?.trigger ?? "");
  const text = h("input", {
    type: "text", id: "trigger-text", "data-testid": "trigger-text", value: written.text, autofocus: true, required: true,
    autocomplete: "off", spellcheck: "false", autocapitalize: "off", placeholder: "cron 0 9 * * mon-fri", class: "code",
  });
  const zone = h("input", {
    type: "text", id: "trigger-zone", "data-testid": "trigger-zone", list: "zones", value: written.zone,
    autocomplete: "off", spellcheck: "false", autocapitalize: "off", placeholder: defaultZone,
  });
  const textField = field("trigger", "Trigger", text, "A cron expression, a duration such as 90m, every …, at …, or(…; …)");
  const zoneField = field("timezone", "Time zone", zone, `Unless given: ${defaultZone}`);
  const meaning = h("p", { class: "described", "aria-live": "polite" });
  const fires = h("div");

  const value = () => {
    const body = { trigger: text.value.trim() };
    if (zone.value.trim() !== "") body.timezone = zone.value.trim();
    return body;
  };

  let abort = null;
  const show = (words) => {
    patch(meaning, h("span", { class: "hint" }, words));
    patch(fires);
  };
  const preview = async () => {
    abort?.abort();
    abort = new AbortController();
    const { signal } = abort;
    if (text.value.trim() === "") {
      setFieldError(textField, null);
      setFieldError(zoneField, null);
      show("The next fires appear here while you type.");
      return;
    }
    try {
      const answer = await post("preview", { ...value(), count: 10 }, signal);
      if (signal.aborted) return;
      setFieldError(textField, null);
      setFieldError(zoneField, null);
      patch(meaning, h("strong", { "data-testid": "preview-description" }, answer.description), " ", h("code", { "data-testid": "preview-trigger" }, answer.trigger));
      patch(fires, firesOf(answer));
    } catch (error) {
      if (error.name === "AbortError" || signal.aborted) return;
      const errors = error.errors ?? [];
      const ofZone = errors.filter((entry) => entry.field === "timezone").map((entry) => entry.message);
      const ofText = errors.filter((entry) => entry.field !== "timezone").map((entry) => entry.message);
      setFieldError(zoneField, ofZone.join("\n"));
      setFieldError(textField, errors.length === 0 ? error.message : ofText.join("\n"));
      show("No preview.");
    }
  };
  const later = debounce(preview, 250);
  text.oninput = later;
  zone.oninput = later;
  preview();

  const element = h("div", { class: "trigger-fields" },
    h("div", { class: "columns" }, textField, zoneField),
    h("div", { class: "examples", role: "group", "aria-label": "Examples" }, EXAMPLES.map(([words, example]) =>
      h("button", {
        type: "button", class: "chip", "data-testid": "trigger-example", onclick: () => {
          text.value = example;
          preview();
          text.focus();
        },
      }, words))),
    h("div", { class: "preview", "data-testid": "preview" }, meaning, fires));
  return { element, value };
}

// If the search was ended, it is unknown whether the trigger fires again.
const STOPPED = "The search was ended here, because it takes too much work to find more.";
const NOTHING_FOUND = "No fire time was found before the search was ended: the parts of this trigger meet too rarely, or never. A job with it is refused.";

function firesOf({ timezone, fires, warnings, complete }) {
  const stopped = complete === false;
  // The zones of the trigger, the user and logs, each once.
  const others = [...new Set([localZone, "UTC"])].filter((zone) => zone !== timezone);
  return [
    (warnings ?? []).map((text) => h("p", { class: "warning", "data-testid": "preview-warning" }, text)),
    fires.length === 0
      ? h("p", { class: "warning", "data-testid": "preview-nothing" }, stopped ? NOTHING_FOUND : "It never fires again.")
      : h("table", { class: "fires", "data-testid": "preview-fires" },
        h("caption", { class: "sr" }, "Next fires"),
        h("thead", null, h("tr", null, h("th", { scope: "col" }, timezone), others.map((zone) =>
          h("th", { scope: "col" }, zone === localZone ? `${zone} (here)` : zone)))),
        h("tbody", null, fires.map((fire) => h("tr", null,
          h("td", { "data-testid": "preview-fire" }, wall(fire.local) ?? exact(fire.utc, timezone)),
          others.map((zone) => h("td", { "data-testid": zone === localZone ? "preview-here" : null }, exact(fire.utc, zone))))))),
    stopped && fires.length > 0 && h("p", { class: "warning", "data-testid": "preview-stopped" }, STOPPED),
  ];
}

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/** "2026-11-25T09:00:00+01:00" → "Wed 2026-11-25 09:00:00 +01:00", without a zone table. */
function wall(text) {
  const match = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)$/.exec(text ?? "");
  if (!match) return null;
  const day = DAYS[new Date(`${match[1]}T00:00:00Z`).getUTCDay()];
  return `${day} ${match[1]} ${match[2]}${(match[3] ?? "").slice(0, 4)} ${match[4] === "Z" ? "+00:00" : match[4]}`;
}

// The zone of a simple trigger is put into its own field; and/or triggers keep theirs in the text.
function split(trigger) {
  const found = /^(?!and\b|or\b)([^;]*?)\s+timezone=([^\s"']+)(.*)$/.exec(trigger);
  if (!found || found[3].includes("timezone=")) return { text: trigger, zone: "" };
  return { text: found[1] + found[3], zone: found[2] };
}

/** The next fires of a job, in the browser's zone and in the job's. */
export async function nextFires(id, signal) {
  // Rounded to a whole day, so that the path stays the same and an unchanged answer is not sent again.
  const until = (Math.floor(now() / 86_400_000) + 367) * 86_400_000;
  const { items } = await get("upcoming", { job: id, limit: 10, until: new Date(until).toISOString() }, signal);
  return items;
}
