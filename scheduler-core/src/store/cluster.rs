//! Processes that share a store.

use chrono::{DateTime, Utc};

use super::{CancelledRun, Heartbeat, Lease, NewNode, RunRef, Store, StoreFuture, Unreadable};
use crate::node::{Node, NodeId};

/// Keeps nodes and their leases, so that several processes can share a store.
///
/// A store for one process has none: see [`Store::cluster`].
pub trait Cluster: Send + Sync {
    /// Enters a process as a node. One that is there already gets a new lease: the first answer may have been
    /// lost.
    fn join<'a>(&'a self, node: &'a NewNode) -> StoreFuture<'a, Lease>;

    /// Renews the lease of a node, unless its runs were taken over. Called from a thread of its own.
    fn heartbeat(&self, node: NodeId) -> StoreFuture<'_, Heartbeat>;

    /// Looks, without waiting for whoever writes, whether this node is entered and no other node is, nor any
    /// whose runs are still to be taken over. Called after a [`heartbeat`](Self::heartbeat) that failed: while it is
    /// so, the node's bodies go on although its lease may run out.
    ///
    /// `false` unless overridden, which is always right. A store may answer `true` only if it is one in which
    /// nothing is taken over without [`join`](Self::join) or [`heartbeat`](Self::heartbeat) having answered before.
    fn is_only_node(&self, _node: NodeId) -> StoreFuture<'_, bool> {
        Box::pin(std::future::ready(Ok(false)))
    }

    /// Takes a node out that has ended. One that still holds runs stays until its lease runs out.
    fn leave(&self, node: NodeId) -> StoreFuture<'_, ()>;

    /// Takes over the runs of nodes whose lease ran out; drivers call it one heartbeat after they joined at
    /// the earliest, so that a node whose heartbeats were held up can renew its lease first. As [`take_over`](crate::plan::take_over())
    /// decides: those that may be tried again wait in the queue for any node, the others end as lost. From the first
    /// of its runs on, a node is fenced: its heartbeats are refused, also where others of its runs cannot be read.
    fn take_over(&self, now: DateTime<Utc>) -> StoreFuture<'_, TakenOver>;

    /// Lists the nodes: all that are alive, and then the newest of the others, of which there may be many.
    fn list_nodes(&self) -> StoreFuture<'_, Vec<Node>>;
}

/// What became of the runs of nodes whose lease ran out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TakenOver {
    /// Runs that wait for their next attempt.
    pub again: Vec<RunRef>,
    /// Runs that ended as lost.
    pub lost: Vec<RunRef>,
    /// Runs that ended as cancelled: that had been requested before.
    pub cancelled: Vec<CancelledRun>,
    /// Records of runs that this version cannot read: such a run stays with its node until a version that can
    /// read it takes it over. Each is returned once.
    pub unreadable: Vec<Unreadable>,
}

fn ready<'a, T: Send + 'a>(value: T) -> StoreFuture<'a, T> {
    Box::pin(std::future::ready(Ok(value)))
}

/// A store without a cluster answers as one whose only node lives as long as its process.
impl dyn Store + '_ {
    /// Enters a process as a node, or returns `None` if the store knows none.
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
