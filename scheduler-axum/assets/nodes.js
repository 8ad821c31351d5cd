// The processes that share a store.

import { get } from "./api.js";
import { h, patch, table } from "./dom.js";
import { ago, lasting, plural } from "./format.js";

export function nodesView(app) {
  const element = h("div", { "data-testid": "nodes" });
  let nodes = null;

  function render() {
    if (!nodes) return;
    const alive = nodes.filter((node) => node.is_alive).length;
    patch(element,
      h("p", { class: "lead" }, `${plural(alive, "node")} alive${alive < nodes.length ? `, ${nodes.length - alive} gone` : ""}. A node that sends no beat within its lease counts as gone; others take its runs over.`),
      nodes.length === 0
        ? h("p", { class: "empty" }, "No nodes: nothing shares this store.")
        : table("nodes-table", "Nodes",
          [{ label: "Node" }, { label: "State" }, { label: "Running" }, { label: "Last beat" }, { label: "Version" }, { label: "Started" }],
          nodes.map((node) => ({
            key: node.id, id: node.id, testid: "node-row", class: node.is_alive ? null : "dim",
            cells: () => [
              h("div", null, h("strong", { class: "id" }, node.name), node.is_this_node && h("span", { class: "badge b-edited", "data-testid": "this-node" }, "this node"), h("span", { class: "sub" }, node.id)),
              h("span", { class: `state ${node.is_alive ? "s-succeeded" : "s-lost"}`, "data-testid": "node-state" },
                h("span", { class: "sign", "aria-hidden": "true" }, node.is_alive ? "✓" : "?"), node.is_alive ? "alive" : "gone"),
              String(node.running),
              h("span", null, lasting(node.heartbeat_at), " ago"),
              node.version,
              ago(node.started_at),
            ],
          }))));
  }

  return {
    title: "Nodes", element, render, poll: 5000,
    concerns: (hint) => hint.what === "run_started" || hint.what === "run_ended" || hint.what === "scheduler" || hint.what === "store",
    async reload() {
      const at = Date.now();
      const { items } = await get("nodes");
      // The age is by the store's clock; the page only advances it.
      nodes = items.map((node) => ({ ...node, heartbeat_at: Number.isFinite(node.heartbeat_age_ms) ? app.instantAgo(node.heartbeat_age_ms, at) : node.heartbeat_at }));
      render();
    },
  };
}
