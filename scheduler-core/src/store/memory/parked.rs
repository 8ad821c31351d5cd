//! Due jobs whose executor was full.

use std::collections::{HashSet, VecDeque};

use super::slot::Slot;

/// The due jobs of an executor that was full, in the order in which they found it so. Each stands here once: a job that
/// is edited meanwhile is entered as due again, and finds its executor full again.
#[derive(Debug, Default)]
pub(super) struct Parked {
    order: VecDeque<Slot>,
    /// Those in `order`.
    slots: HashSet<Slot>,
}

impl Parked {
    /// Adds a job at the end. Returns `false` if it is here already.
    pub(super) fn push(&mut self, slot: Slot) -> bool {
        let is_new = self.slots.insert(slot);
        if is_new {
            self.order.push_back(slot);
        }
        is_new
    }

    /// Takes out the job that has been here for the longest.
    pub(super) fn pop(&mut self) -> Option<Slot> {
        let slot = self.order.pop_front()?;
        self.slots.remove(&slot);
        Some(slot)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    #[cfg(test)]
    pub(super) fn slots(&self) -> impl Iterator<Item = Slot> {
        self.order.iter().copied()
    }
}
