//! Row locks, held by a transaction until it ends.

use std::collections::BTreeMap;

use scheduler_core::{JobId, NodeId};

use crate::process::Millis;

/// The server ends a transaction that holds locks and has been idle for this long.
const IDLE: Millis = 2_000;

#[derive(Debug, Default)]
struct NodeLock {
    shared: Vec<u64>,
    exclusive: Option<u64>,
}

/// See the module documentation.
#[derive(Debug, Default)]
pub(crate) struct Locks {
    /// When each transaction last executed a statement.
    open: BTreeMap<u64, Millis>,
    jobs: BTreeMap<JobId, u64>,
    nodes: BTreeMap<NodeId, NodeLock>,
    count: u64,
}

impl Locks {
    pub(super) fn begin(&mut self, now: Millis) -> u64 {
        self.count += 1;
        self.open.insert(self.count, now);
        self.count
    }

    /// Notes activity of a transaction. Returns `true` if the transaction is still open.
    pub(super) fn touch(&mut self, txn: u64, now: Millis) -> bool {
        self.open.get_mut(&txn).map(|last| *last = now).is_some()
    }

    /// Ends a transaction.
    pub(super) fn end(&mut self, txn: u64) {
        self.open.remove(&txn);
        self.jobs.retain(|_, holder| *holder != txn);
        self.nodes.retain(|_, lock| {
            lock.shared.retain(|holder| *holder != txn);
            lock.exclusive.take_if(|holder| *holder == txn);
            !lock.shared.is_empty() || lock.exclusive.is_some()
        });
    }

    /// Returns `true` if a transaction still holds its locks; one that was idle for too long is ended here.
    fn is_held(&mut self, holder: u64, now: Millis) -> bool {
        match self.open.get(&holder) {
            Some(last) if now - last < IDLE => true,
            _ => {
                self.end(holder);
                false
            }
        }
    }

    /// Returns `true` if the job's row is now locked for this transaction.
    pub(super) fn lock_job(&mut self, txn: u64, job: &JobId, now: Millis) -> bool {
        if let Some(holder) = self.jobs.get(job).copied()
            && holder != txn
            && self.is_held(holder, now)
        {
            return false;
        }
        self.jobs.insert(job.clone(), txn);
        true
    }

    /// Returns `true` if the node's row is now locked for this transaction, shared with others of its kind.
    pub(super) fn share_node(&mut self, txn: u64, node: NodeId, now: Millis) -> bool {
        let exclusive = self.nodes.get(&node).and_then(|lock| lock.exclusive);
        if exclusive.is_some_and(|holder| holder != txn && self.is_held(holder, now)) {
            return false;
        }
        self.nodes.entry(node).or_default().shared.push(txn);
        true
    }

    /// Returns `true` if the node's row is now locked exclusively for this transaction.
    pub(super) fn lock_node(&mut self, txn: u64, node: NodeId, now: Millis) -> bool {
        let lock = self.nodes.get(&node);
        let holders: Vec<u64> = lock
            .map(|lock| lock.shared.iter().copied().chain(lock.exclusive).collect())
            .unwrap_or_default();
        if holders
            .into_iter()
            .any(|holder| holder != txn && self.is_held(holder, now))
        {
            return false;
        }
        self.nodes.entry(node).or_default().exclusive = Some(txn);
        true
    }

    /// Returns `true` if another transaction has locked the node's row exclusively.
    pub(super) fn is_node_locked(&mut self, node: NodeId, now: Millis) -> bool {
        let exclusive = self.nodes.get(&node).and_then(|lock| lock.exclusive);
        exclusive.is_some_and(|holder| self.is_held(holder, now))
    }
}
