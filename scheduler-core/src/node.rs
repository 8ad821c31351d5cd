//! Nodes: scheduler processes that share a store.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::hash::Fnv1a;
use crate::random::random_u64;

/// The identity of a scheduler process in its stores.
///
/// A process that was absent for longer than its lease returns under another identity.
///
/// ```
/// use scheduler_core::NodeId;
///
/// assert_eq!(NodeId::new(7).as_u64(), 7);
/// assert_ne!(NodeId::random(), NodeId::random());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NodeId(u64);

impl NodeId {
    /// Creates the identity with this number; for stores and tests.
    pub const fn new(id: u64) -> Self {
        Self(id)
    }

    /// Creates a unique identity: 63 random bits of the operating system.
    pub fn random() -> Self {
        Self(random_u64() >> 1)
    }

    /// Returns the number.
    pub const fn as_u64(self) -> u64 {
        self.0
    }
}

/// The identities that one process takes on, one after another.
#[derive(Debug, Default)]
pub(crate) struct Identities {
    /// Set if a simulation has to be reproducible.
    seed: Option<u64>,
    count: AtomicU64,
}

impl Identities {
    pub(crate) fn new(seed: Option<u64>) -> Self {
        Self {
            seed,
            count: AtomicU64::new(0),
        }
    }

    pub(crate) fn next(&self) -> NodeId {
        let Some(seed) = self.seed else {
            return NodeId::random();
        };
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let hash = Fnv1a::new()
            .bytes(&seed.to_le_bytes())
            .bytes(&count.to_le_bytes())
            .finish();
        NodeId(hash >> 1)
    }
}

/// Formats as sixteen hexadecimal digits.
impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A process that joins a store.
#[derive(Debug, Clone)]
pub struct NewNode {
    /// Its identity.
    pub id: NodeId,
    /// Its human-readable name; see [`Builder::node_name`](crate::Builder::node_name).
    pub name: Arc<str>,
    /// The version of the program; see [`Builder::node_version`](crate::Builder::node_version).
    pub version: Arc<str>,
}

/// A lease of a node in a shared store: proof that it is alive, for a limited time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// How long one heartbeat lasts.
    pub length: Duration,
    /// How often to renew it, well below `length`.
    pub heartbeat_every: Duration,
}

/// The answer of a store to a heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heartbeat {
    /// If `true`, the lease continues. Otherwise the node's runs were taken over, or may be at any moment.
    pub is_alive: bool,
    /// The time of the store's clock, if it has one.
    pub store_time: Option<DateTime<Utc>>,
    /// If `true`, there are nodes whose lease ran out and whose runs have not been taken over yet.
    pub has_lost: bool,
    /// If `true`, watermarks or heartbeats of other nodes are ahead of the store's clock, so there is work for
    /// [`repair`](crate::store::Store::repair).
    pub needs_repair: bool,
}

/// A process that shares a store, as returned by [`Scheduler::list_nodes`](crate::Scheduler::list_nodes).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Node {
    /// Its identity.
    pub id: NodeId,
    /// Its name.
    pub name: Arc<str>,
    /// The version of its program, or empty if it is unknown.
    pub version: Arc<str>,
    /// When it joined, by the store's clock.
    pub started_at: DateTime<Utc>,
    /// When its last heartbeat arrived, by the store's clock.
    pub heartbeat_at: DateTime<Utc>,
    /// If `true`, its lease has not run out.
    pub is_alive: bool,
    /// The number of runs that it holds.
    pub running: u64,
}

impl Node {
    /// Creates the record of a node that has just joined, for stores. The other fields are public.
    pub fn new(node: NewNode, now: DateTime<Utc>) -> Self {
        Self {
            id: node.id,
            name: node.name,
            version: node.version,
            started_at: now,
            heartbeat_at: now,
            is_alive: true,
            running: 0,
        }
    }
}

/// Returns the default name of this process: the machine's name and the process id.
pub(crate) fn default_name() -> Arc<str> {
    let host = std::env::var("HOSTNAME")
        .ok()
        .or_else(|| std::fs::read_to_string("/proc/sys/kernel/hostname").ok());
    let host = host.as_deref().map_or("node", str::trim);
    let host: String = host.chars().filter(|c| !c.is_control()).take(200).collect();
    format!("{host}-{}", std::process::id()).into()
}
