// The stream of hints about changes, on which the page reloads. Read with `fetch`, because an `EventSource` cannot send
// a token.

import { send } from "./api.js";

/** Reads `text/event-stream` from pieces of text, as the HTML standard describes it. */
export class EventParser {
  constructor(onEvent) {
    this.onEvent = onEvent;
    this.rest = "";
    this.first = true;
    this.type = "";
    this.data = [];
    this.retry = null;
  }

  push(text) {
    this.rest += text;
    if (this.first && this.rest.length > 0) {
      if (this.rest.charCodeAt(0) === 0xfeff) this.rest = this.rest.slice(1);
      this.first = false;
    }
    // A line ends with CR, LF, or both; a CR at the end may have its LF in the next piece.
    const line = /\r\n|\n|\r(?!$)/g;
    let from = 0;
    for (let end = line.exec(this.rest); end; end = line.exec(this.rest)) {
      this.line(this.rest.slice(from, end.index));
      from = line.lastIndex;
    }
    this.rest = this.rest.slice(from);
  }

  line(text) {
    if (text === "") {
      if (this.data.length > 0) this.onEvent(this.type || "message", this.data.join("\n"));
      this.type = "";
      this.data = [];
      return;
    }
    const colon = text.indexOf(":");
    if (colon === 0) return;
    const field = colon < 0 ? text : text.slice(0, colon);
    let value = colon < 0 ? "" : text.slice(colon + 1);
    if (value.startsWith(" ")) value = value.slice(1);
    if (field === "event") this.type = value;
    else if (field === "data") this.data.push(value);
    else if (field === "retry" && /^\d+$/.test(value)) this.retry = Number(value);
  }
}

const FIRST_WAIT = 500;
const LONGEST_WAIT = 30_000;
const SILENCE = 40_000; // the server sends a comment every 15 s
const HIDDEN = 60_000; // a tab that nobody sees gives its connection back

/**
 * Stays connected. `onHint(hint)` is called for each change, `onFresh()` when everything must be reloaded (connected,
 * reconnected, hints were lost), `onState` with `"connecting" | "live" | "reconnecting" | "asleep"`.
 */
export function follow({ onHint, onFresh, onState }) {
  let wake = null;
  let stop = null;
  let hiddenTimer = null;
  let asleep = false;

  async function once() {
    const abort = new AbortController();
    stop = abort;
    let watchdog = setTimeout(() => abort.abort(), SILENCE);
    let heard = false;
    const parser = new EventParser((type, data) => {
      if (type === "hello" || type === "lagged") {
        heard = true;
        onState("live");
        onFresh();
      } else if (type === "change") {
        try {
          onHint(JSON.parse(data));
        } catch {
          onFresh();
        }
      }
    });
    try {
      const response = await send("api/events", { headers: { Accept: "text/event-stream" }, signal: abort.signal });
      const reader = response.body.getReader();
      const decoder = new TextDecoder();
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        clearTimeout(watchdog);
        watchdog = setTimeout(() => abort.abort(), SILENCE);
        parser.push(decoder.decode(value, { stream: true }));
      }
    } catch {
      // The loop retries.
    } finally {
      clearTimeout(watchdog);
      abort.abort();
      stop = null;
    }
    return { heard, retry: parser.retry };
  }

  const pause = (ms) => new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    wake = () => {
      clearTimeout(timer);
      resolve();
    };
  });

  async function forever() {
    let wait = FIRST_WAIT;
    onState("connecting");
    for (;;) {
      const { heard, retry } = await once();
      if (heard) wait = retry ?? FIRST_WAIT;
      if (asleep) {
        onState("asleep");
        await new Promise((resolve) => { wake = resolve; });
        wait = FIRST_WAIT;
        onState("connecting");
        continue;
      }
      onState("reconnecting");
      await pause(wait / 2 + Math.random() * wait);
      wait = Math.min(wait * 2, LONGEST_WAIT);
    }
  }

  document.addEventListener("visibilitychange", () => {
    clearTimeout(hiddenTimer);
    if (document.visibilityState === "hidden") {
      hiddenTimer = setTimeout(() => {
        asleep = true;
        stop?.abort();
      }, HIDDEN);
    } else {
      asleep = false;
      wake?.();
    }
  });
  addEventListener("online", () => wake?.());
  addEventListener("pagehide", () => stop?.abort());
  forever();
}
