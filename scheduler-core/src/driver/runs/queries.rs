//! The driver's queries about its runs.

use tokio::time::Instant;

use super::{Runs, record};
use crate::id::RunId;
use crate::node::NodeId;
use crate::store::Finished;

impl Runs {
    /// Returns the identity under which this node holds its runs.
    pub(in crate::driver) fn node(&self) -> NodeId {
        self.node
    }

    /// Returns how many runs the store holds for this node, not counting those that it is about to take back.
    pub(in crate::driver) fn live(&self) -> usize {
        self.live
    }

    /// Returns how many runs are with executors.
    pub(in crate::driver) fn started(&self) -> usize {
        let entries = self.entries.iter();
        entries
            .filter(|(_, entry)| entry.state.is_started())
            .count()
    }

    /// Returns `true` if the store may hold runs for this node that are not known here.
    pub(in crate::driver) fn is_unconfirmed(&self) -> bool {
        self.is_claim_open || self.is_unconfirmed
    }

    /// Returns `true` if the store still has to be called about any run.
    pub(in crate::driver) fn concern_the_store(&self) -> bool {
        self.live > 0 || self.is_unconfirmed() || self.has_unwritten() || self.has_to_release()
    }

    /// Returns `true` if only these runs are left, which ordered the stop themselves and are not waited for.
    pub(in crate::driver) fn are_drained(&self, callers: &[RunId]) -> bool {
        let mut live = self.entries.iter().map(|(_, entry)| entry);
        self.unwritten.is_empty()
            && self.releasing.is_empty()
            && live.all(|entry| !entry.state.is_live() || callers.contains(&entry.run.run_id))
    }

    /// Returns when the next attempt of a run in back-off is due.
    pub(in crate::driver) fn next_attempt(&self) -> Option<Instant> {
        self.backing_off.keys().next().map(|(at, _)| *at)
    }

    pub(in crate::driver) fn has_unwritten(&self) -> bool {
        !self.unwritten.is_empty()
    }

    /// Returns the ends that the store has to record, in the order of the answers in
    /// [`Recorded`](super::Event::Recorded).
    pub(in crate::driver) fn unwritten(&self) -> Vec<Finished> {
        self.unwritten.iter().map(record).collect()
    }

    pub(in crate::driver) fn has_to_release(&self) -> bool {
        !self.releasing.is_empty() || !self.unconfirmed.is_empty()
    }

    /// Returns the runs that the store has to take back.
    pub(in crate::driver) fn to_release(&self) -> Vec<RunId> {
        let releasing = self.releasing.iter();
        let releasing = releasing.filter_map(|index| self.entries.get(*index));
        let releasing = releasing.map(|entry| entry.run.run_id);
        releasing.chain(self.unconfirmed.iter().copied()).collect()
    }
}
