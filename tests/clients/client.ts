// What a program in TypeScript does with types that are generated from the API's own document.

import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

const api = createClient<paths>({
  baseUrl: process.env.API,
  headers: { Authorization: `Bearer ${process.env.SCHEDULER_TOKEN}` },
});
const path = { id: "from-typescript / ä" };

const job: components["schemas"]["NewJob"] = {
  id: path.id, task: "greet", arguments: { name: "Ada", times: 2 }, trigger: "cron 0 9 * * mon-fri", timezone: "Europe/Berlin",
};
const created = await api.POST("/jobs", { body: job });
assert.equal(created.response.status, 201);
assert.ok(created.data);
assert.equal(created.data.arguments["name"], "Ada");

const list = await api.GET("/jobs", { params: { query: { q: "from-typescript", recent: 1 } } });
assert.deepEqual(list.data?.items.map(({ id }) => id), [path.id]);

// Edited twice from what was read once.
const { revision } = created.data;
const edited = await api.PATCH("/jobs/{id}", { params: { path }, body: { trigger: "every 2h", revision } });
assert.equal(edited.response.status, 200);
const stale = await api.PATCH("/jobs/{id}", { params: { path, header: { "If-Match": `"${revision}"` } }, body: { trigger: "every 3h" } });
assert.equal(stale.response.status, 412);
assert.equal(stale.error?.yours?.trigger, "every 3h");
assert.equal(stale.error?.current?.revision, edited.data?.revision);

const paused = await api.POST("/jobs/{id}/pause", { params: { path } });
assert.equal(paused.data?.state, "paused");
const noted = await api.POST("/jobs/{id}/pause", { params: { path }, body: { note: "why" } });
assert.equal(noted.data?.paused_note, "why");
const resumed = await api.POST("/jobs/{id}/resume", { params: { path } });
assert.equal(resumed.data?.state, "scheduled");

const removed = await api.DELETE("/jobs/{id}", { params: { path } });
assert.equal(removed.response.status, 204);
const gone = await api.GET("/jobs/{id}", { params: { path } });
assert.equal(gone.error?.status, 404);
console.log("the client in TypeScript: created, listed, edited, refused, paused, resumed, removed");
