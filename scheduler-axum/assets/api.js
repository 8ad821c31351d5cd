// The HTTP API: JSON in and out, the token, and problem details as errors.

import { parseJson, printJson } from "./json.js";

const KEY = "scheduler-token";
let memory = null; // where session storage is blocked

export function token() {
  try {
    return sessionStorage.getItem(KEY) ?? memory;
  } catch {
    return memory;
  }
}

export function setToken(text) {
  memory = text;
  answers.clear();
  try {
    if (text === null) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, text);
  } catch {
    // It lives as long as the page then.
  }
}

const answers = new Map(); // path → the last answer and its tag, so that it need not be sent again
const MOST_ANSWERS = 12;

function remember(path, tag, text) {
  answers.delete(path);
  if (tag === null) return;
  answers.set(path, { tag, text });
  if (answers.size > MOST_ANSWERS) answers.delete(answers.keys().next().value);
}

/** An error response (RFC 9457), or no response at all (status 0). */
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.title || `The server answered ${status}.`);
    this.status = status;
    this.reason = body.reason ?? null;
    this.errors = Array.isArray(body.errors) ? body.errors : [];
    this.yours = body.yours ?? null; // with 412: the change that was not made,
    this.current = body.current ?? null; // and the job as it is now
  }
}

let askForToken = null;
let asking = null;

/** Sets the function that asks for a token, one call at a time; it resolves to true if there is a new one. */
export function onUnauthorized(ask) {
  askForToken = ask;
}

async function unauthorized(used) {
  if (used !== token()) return true; // somebody entered one meanwhile
  asking ??= askForToken(used !== null).finally(() => { asking = null; });
  return asking;
}

/** Sends a request with the token, and asks for one if the server requires it. */
export async function send(path, options = {}) {
  for (;;) {
    const used = token();
    const headers = { Accept: "application/json", ...options.headers };
    if (used !== null) headers.Authorization = `Bearer ${used}`;
    let response;
    try {
      response = await fetch(path, { cache: "no-store", ...options, headers });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Problem(0, { detail: error.name === "TimeoutError" ? "The server does not answer." : "The server cannot be reached." });
    }
    if (response.ok || response.status === 304) return response;
    if (response.status === 401 && askForToken && await unauthorized(used)) continue;
    let body = {};
    try {
      body = parseJson(await response.text());
    } catch {
      // Not the scheduler's answer, but perhaps a proxy's.
    }
    throw new Problem(response.status, body ?? {});
  }
}

async function call(method, path, body, signal, headers = {}) {
  const options = { method, signal, headers: { ...headers } };
  const known = method === "GET" ? answers.get(path) : undefined;
  if (known) options.headers["If-None-Match"] = known.tag;
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = printJson(body);
  }
  const response = await send(`api/${path}`, options);
  const isKnown = known !== undefined && response.status === 304;
  const text = isKnown ? known.text : response.status === 204 ? "" : await response.text();
  if (method === "GET") remember(path, isKnown ? known.tag : response.headers.get("ETag"), text);
  return text === "" ? null : parseJson(text);
}

const ANSWER = 15_000; // the server itself gives up on its store after 10 s

/** Reads; `query` may contain null (left out) and lists (joined by commas). Fails if no answer arrives in time. */
export function get(path, query = {}, signal = undefined) {
  const limit = AbortSignal.timeout(ANSWER);
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === null || value === undefined || value === "" || value.length === 0) continue;
    search.set(name, Array.isArray(value) ? value.join(",") : value);
  }
  const text = search.toString();
  return call("GET", text ? `${path}?${text}` : path, undefined, signal ? AbortSignal.any([signal, limit]) : limit);
}

export const post = (path, body, signal) => call("POST", path, body, signal);
export const change = (path, body) => call("PATCH", path, body);
/** Deletes a job if it still has this revision. */
export const remove = (path, revision) => call("DELETE", path, undefined, undefined, { "If-Match": `"${revision}"` });
