//! Due jobs whose executor was full.

use std::collections::{HashSet, VecDeque};

use super::slot::Slot;

/// The due jobs that found this executor full, in the order in which they did. Each job is in here once. A job that
/// is edited meanwhile is entered as due again, and finds its executor full again.
#[derive(Debug, Default)]
pub(super) struct Parked {
    order: VecDeque<Slot>,
    /// The same slots as in `order`.
    slots: HashSet<Slot>,
}

impl Parked {
    /// Adds a job at the end. Returns `false` if it is already present.
    pub(super) fn push(&mut self, slot: Slot) -> bool {
        let is_new = self.slots.insert(slot);
        if is_new {
            self.order.push_back(slot);
        }
        is_new
    }

    /// Removes the job that has been here the longest.
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
