// The HTTP API: JSON in and out, the token, and problem details as errors.

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
  try {
    if (text === null) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, text);
  } catch {
    // It lives as long as the page, then.
  }
}

/** What the server answered instead (RFC 9457), or that it did not answer (status 0). */
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.title || `The server answered ${status}.`);
    this.status = status;
    this.reason = body.reason ?? null;
    this.errors = Array.isArray(body.errors) ? body.errors : [];
  }
}

let askForToken = null;
let asking = null;

/** Sets what is called, once at a time, when the server wants a token; it answers true if there is a new one. */
export function onUnauthorized(ask) {
  askForToken = ask;
}

async function unauthorized(used) {
  if (used !== token()) return true; // somebody entered one meanwhile
  asking ??= askForToken(used !== null).finally(() => { asking = null; });
  return asking;
}

/** Sends a request with the token, and asks for one where the server wants it. */
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
    if (response.ok) return response;
    if (response.status === 401 && askForToken && await unauthorized(used)) continue;
    let body = {};
    try {
      body = await response.json();
    } catch {
      // Not the scheduler's answer: a proxy's, perhaps.
    }
    throw new Problem(response.status, body ?? {});
  }
}

async function call(method, path, body, signal) {
  const options = { method, signal };
  if (body !== undefined) {
    options.headers = { "Content-Type": "application/json" };
    options.body = JSON.stringify(body);
  }
  const response = await send(`api/${path}`, options);
  const text = response.status === 204 ? "" : await response.text();
  return text === "" ? null : JSON.parse(text);
}

const ANSWER = 15_000; // the server itself gives up on its store after 10 s

/** Reads; `query` may hold null (left out) and lists (joined by commas). Fails if no answer comes in time. */
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
export const remove = (path) => call("DELETE", path);
