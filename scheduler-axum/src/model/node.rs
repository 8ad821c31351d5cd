//! Processes that share a store.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use scheduler_core::{Health, Node};
use serde::Serialize;
use utoipa::ToSchema;

/// The nodes, live ones first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NodeList {
    /// The nodes.
    pub(crate) items: Vec<NodeBody>,
}

/// A scheduler process that shares a store with others.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Node)]
pub(crate) struct NodeBody {
    /// Its current identity.
    id: String,
    /// Its name.
    #[schema(value_type = String)]
    name: Arc<str>,
    /// The version of its program.
    #[schema(value_type = String)]
    version: Arc<str>,
    /// When it took this identity.
    started_at: DateTime<Utc>,
    /// Its last heartbeat, by the clock of the store.
    heartbeat_at: DateTime<Utc>,
    /// How long ago that was, in milliseconds.
    heartbeat_age_ms: u64,
    /// `true` if its lease is valid.
    is_alive: bool,
    /// How many runs it holds.
    running: u64,
    /// `true` for the process that answers this request.
    is_this_node: bool,
}

impl NodeBody {
    pub(crate) fn new(node: Node, health: &Health, now: DateTime<Utc>) -> Self {
        let leases = health
            .stores
            .iter()
            .filter_map(|store| store.lease.as_ref());
        let age = (now - node.heartbeat_at).num_milliseconds();
        Self {
            is_this_node: leases.into_iter().any(|lease| lease.node == node.id),
            heartbeat_age_ms: u64::try_from(age).unwrap_or(0),
            id: node.id.to_string(),
            name: node.name,
            version: node.version,
            started_at: node.started_at,
            heartbeat_at: node.heartbeat_at,
            is_alive: node.is_alive,
            running: node.running,
        }
    }
}
