//! Nodes and their leases, in the store's own time, and what happens to the runs of dead nodes.

use scheduler_core::plan::{LeftRun, TakeOver, take_over};
use scheduler_core::store::{Heartbeat, Lease, RunRef, StoreError, TakenOver};
use scheduler_core::{NodeId, RunId, RunState};

use super::tables::{NodeRow, Tables};
use super::without::Without;
use super::{LEASE, ModelStore, Txn};
use crate::process::{Millis, time_of_day};
use crate::trace::What;

pub(crate) const LEASE_MS: Millis = 3_000;

impl ModelStore {
    /// A call that grants a lease: the instant at which it was sent is noted once the answer has arrived.
    pub(super) async fn call_of_lease<T: IsGood>(
        &self,
        name: &'static str,
        node: NodeId,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let sent = self.process.monotonic();
        let answer = self.call(name, work).await;
        if let Ok(answer) = &answer
            && answer.is_good()
        {
            let mut state = self.process.state();
            let last = state.heartbeats.entry(node).or_insert(sent);
            *last = sent.max(*last);
        }
        answer
    }

    pub(super) async fn join_node(&self, node: NodeId) -> Result<Lease, StoreError> {
        let txn = self.begin().await;
        txn.statement(|tables, now| {
            let expires_at = now + LEASE_MS;
            tables.nodes.insert(node, NodeRow { expires_at });
            tables.note(What::Joined(node));
        })
        .await?;
        Ok(LEASE)
    }

    pub(super) async fn renew_lease(&self, node: NodeId) -> Result<Heartbeat, StoreError> {
        let txn = self.begin().await;
        txn.waiting(|tables, now| {
            if tables.locks.is_node_locked(node, now) {
                return None;
            }
            let is_alive = tables.is_alive(node, now);
            if let Some(row) = tables.nodes.get_mut(&node).filter(|_| is_alive) {
                row.expires_at = now + LEASE_MS;
            }
            tables.note(What::Heartbeat { node, is_alive });
            Some(Heartbeat {
                is_alive,
                store_time: Some(time_of_day(now)),
                has_lost: !tables.expired(Some(node), now).is_empty(),
                needs_repair: false,
            })
        })
        .await
    }

    pub(super) async fn leave_node(&self, node: NodeId) -> Result<(), StoreError> {
        let txn = self.begin().await;
        txn.waiting(|tables, now| {
            if tables.locks.is_node_locked(node, now) {
                return None;
            }
            let mut runs = tables.open.values();
            if !runs.any(|run| run.holder == Some(node)) {
                tables.nodes.remove(&node);
                tables.note(What::Left(node));
            }
            Some(())
        })
        .await
    }

    /// Locks the own node's row against nodes that would take its runs over. Returns `true` if its lease is still
    /// valid.
    pub(super) async fn share_own_node(
        &self,
        txn: &Txn<'_>,
        node: NodeId,
    ) -> Result<bool, StoreError> {
        let number = txn.number;
        txn.waiting(|tables, now| {
            if tables.without == Without::Fence {
                return Some(true);
            }
            let locked = tables.locks.share_node(number, node, now);
            locked.then(|| tables.is_alive(node, now))
        })
        .await
    }

    pub(super) async fn take_over_runs(&self) -> Result<TakenOver, StoreError> {
        let txn = self.begin().await;
        let number = txn.number;
        let gone = txn
            .statement(|tables, now| {
                let mut gone = tables.expired(None, now);
                gone.retain(|node| {
                    tables.without == Without::Fence || tables.locks.lock_node(number, *node, now)
                });
                gone
            })
            .await?;
        if gone.is_empty() {
            return Ok(TakenOver::default());
        }
        txn.statement(|tables, now| {
            let mut taken = TakenOver::default();
            for node in gone {
                tables.take_over(node, now, &mut taken);
            }
            self.notify(tables, None);
            taken
        })
        .await
    }
}

/// An answer that may grant a lease.
pub(super) trait IsGood {
    fn is_good(&self) -> bool;
}

impl IsGood for Lease {
    fn is_good(&self) -> bool {
        true
    }
}

impl IsGood for Heartbeat {
    fn is_good(&self) -> bool {
        self.is_alive
    }
}

impl Tables {
    pub(crate) fn is_alive(&self, node: NodeId, now: Millis) -> bool {
        self.nodes
            .get(&node)
            .is_some_and(|row| now < row.expires_at)
    }

    /// Returns the nodes whose lease has expired.
    fn expired(&self, but: Option<NodeId>, now: Millis) -> Vec<NodeId> {
        let early = match self.without {
            Without::Fence => LEASE_MS * 3 / 4,
            _ => 0,
        };
        let nodes = self.nodes.iter();
        let expired = nodes.filter(|(_, row)| row.expires_at - early <= now);
        let expired = expired.map(|(node, _)| *node);
        expired.filter(|node| Some(*node) != but).collect()
    }

    fn take_over(&mut self, node: NodeId, now: Millis, taken: &mut TakenOver) {
        let lease_ends = self.nodes.get(&node).map_or(now, |row| row.expires_at);
        let held = self.open.values().filter(|run| run.holder == Some(node));
        for run in held.map(|run| run.id).collect::<Vec<RunId>>() {
            let Some(row) = self.open.get_mut(&run) else {
                continue;
            };
            let job = self.jobs.get(&row.job).map(|job| &job.record);
            let at_most_once = job.map(|job| job.policies.at_most_once);
            let mut left = LeftRun::new(row.state, row.lost, at_most_once);
            left.is_cancellation_requested = row.is_cancellation_requested;
            let decided = take_over(left);
            row.lost += 1;
            row.holder = None;
            row.since = now;
            let (id, attempt) = (row.job.clone(), row.attempt);
            if let Some(hold) = self.ledger.holds.get_mut(&(run, attempt)) {
                hold.until = Some(lease_ends.max(now));
            }
            self.note(What::TakenOver {
                run,
                from: node,
                is_lost: decided == TakeOver::Lost,
            });
            match decided.state() {
                Some(RunState::Queued) => {
                    if let Some(row) = self.open.get_mut(&run) {
                        row.state = RunState::Queued;
                    }
                }
                Some(state) => self.end(run, state, now),
                None => {}
            }
            match decided {
                TakeOver::Again => taken.again.push(RunRef::new(id, run)),
                TakeOver::Lost => taken.lost.push(RunRef::new(id, run)),
                TakeOver::Free | TakeOver::Cancelled => {}
            }
        }
        self.nodes.remove(&node);
    }
}
