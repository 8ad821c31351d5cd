//! Processes that share a store.

use chrono::{DateTime, Utc};

use super::{CancelledRun, Heartbeat, Lease, NewNode, RunRef, Store, StoreFuture, Unreadable};
use crate::node::{Node, NodeId};

/// Manages nodes and their leases, so that several processes can share a store.
///
/// A store for a single process has none: see [`Store::cluster`].
pub trait Cluster: Send + Sync {
    /// Registers a process as a node. A node that is already registered gets a new lease, because the first answer
    /// may have been lost.
    fn join<'a>(&'a self, node: &'a NewNode) -> StoreFuture<'a, Lease>;

    /// Renews the lease of a node, unless its runs were taken over. Called from a dedicated thread.
    fn heartbeat(&self, node: NodeId) -> StoreFuture<'_, Heartbeat>;

    /// Checks, without waiting for writers, that this node is registered and that there is no other node, nor any
    /// whose runs are still to be taken over. Called after a failed [`heartbeat`](Self::heartbeat): while this is
    /// `true`, the node's bodies continue although its lease may run out.
    ///
    /// Returns `false` unless overridden, which is always safe. A store may return `true` only if nothing is ever
    /// taken over in it before [`join`](Self::join) or [`heartbeat`](Self::heartbeat) has answered.
    fn is_only_node(&self, _node: NodeId) -> StoreFuture<'_, bool> {
        Box::pin(std::future::ready(Ok(false)))
    }

    /// Removes a node that has ended. A node that still holds runs stays until its lease runs out.
    fn leave(&self, node: NodeId) -> StoreFuture<'_, ()>;

    /// Takes over the runs of nodes whose lease ran out. Drivers call it no earlier than one heartbeat interval after
    /// joining, so that a node whose heartbeats were delayed can renew its lease first.
    /// [`take_over`](crate::plan::take_over()) decides: runs that may be tried again are queued for any node, the
    /// others end as lost. Once the first of its runs is taken over, a node is fenced: its heartbeats are refused,
    /// even if other runs of it cannot be read.
    fn take_over(&self, now: DateTime<Utc>) -> StoreFuture<'_, TakenOver>;

    /// Lists the nodes: all that are alive, then the most recent of the others, of which there may be many.
    fn list_nodes(&self) -> StoreFuture<'_, Vec<Node>>;
}

/// The result of taking over runs from nodes whose lease ran out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TakenOver {
    /// Runs that are queued for their next attempt.
    pub again: Vec<RunRef>,
    /// Runs that ended as lost.
    pub lost: Vec<RunRef>,
    /// Runs that ended as cancelled, because that had been requested before.
    pub cancelled: Vec<CancelledRun>,
    /// Records of runs that this version cannot read. Such a run stays with its node until a version that can read it
    /// takes it over. Each is returned once.
    pub unreadable: Vec<Unreadable>,
}

fn ready<'a, T: Send + 'a>(value: T) -> StoreFuture<'a, T> {
    Box::pin(std::future::ready(Ok(value)))
}

/// A store without a cluster behaves like one whose only node lives as long as its process.
impl dyn Store + '_ {
    /// Registers a process as a node, or returns `None` if the store does not support nodes.
    pub(crate) fn join<'a>(&'a self, node: &'a NewNode) -> StoreFuture<'a, Option<Lease>> {
        match self.cluster() {
            Some(cluster) => Box::pin(async move { cluster.join(node).await.map(Some) }),
            None => ready(None),
        }
    }

    pub(crate) fn heartbeat(&self, node: NodeId) -> StoreFuture<'_, Heartbeat> {
        match self.cluster() {
            Some(cluster) => cluster.heartbeat(node),
            None => ready(Heartbeat {
                is_alive: true,
                store_time: None,
                has_lost: false,
                needs_repair: false,
            }),
        }
    }

    pub(crate) fn is_only_node(&self, node: NodeId) -> StoreFuture<'_, bool> {
        match self.cluster() {
            Some(cluster) => cluster.is_only_node(node),
            None => ready(false),
        }
    }

    pub(crate) fn leave(&self, node: NodeId) -> StoreFuture<'_, ()> {
        match self.cluster() {
            Some(cluster) => cluster.leave(node),
            None => ready(()),
        }
    }

    pub(crate) fn take_over(&self, now: DateTime<Utc>) -> StoreFuture<'_, TakenOver> {
        match self.cluster() {
            Some(cluster) => cluster.take_over(now),
            None => ready(TakenOver::default()),
        }
    }

    pub(crate) fn list_nodes(&self) -> StoreFuture<'_, Vec<Node>> {
        match self.cluster() {
            Some(cluster) => cluster.list_nodes(),
            None => ready(Vec::new()),
        }
    }
}
