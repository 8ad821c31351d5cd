//! Room that a claim has reserved in executors, and gives back whatever becomes of the claim.

use std::collections::HashMap;
use std::sync::Arc;

use super::port::StorePort;
use crate::scheduler::Scheduler;

/// See the module.
pub(super) struct Room {
    scheduler: Scheduler,
    port: Arc<StorePort>,
    left: HashMap<Arc<str>, usize>,
    /// Executors that had room.
    had: Vec<Arc<str>>,
}

impl Room {
    pub(super) fn reserve(scheduler: &Scheduler, port: &Arc<StorePort>, batch: usize) -> Self {
        let left = scheduler.reserve_room(batch);
        let had = left.iter().filter(|(_, left)| **left > 0);
        Self {
            scheduler: scheduler.clone(),
            port: port.clone(),
            had: had.map(|(name, _)| name.clone()).collect(),
            left,
        }
    }

    pub(super) fn left(&self) -> &HashMap<Arc<str>, usize> {
        &self.left
    }

    /// Takes one place out, for good. Whether there was one.
    pub(super) fn take(&mut self, executor: &str) -> bool {
        match self.left.get_mut(executor) {
            Some(left) if *left > 0 => {
                *left -= 1;
                true
            }
            _ => false,
        }
    }

    /// Whether an executor that this claim has filled has room again by now.
    pub(super) fn is_there_again(&self) -> bool {
        let filled = self
            .had
            .iter()
            .filter(|name| self.left.get(*name) == Some(&0));
        filled
            .filter_map(|name| self.scheduler.executor(name))
            .map(|executor| executor.miss())
            .fold(false, |any, one| any | one)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let left = std::mem::take(&mut self.left);
        let given: Vec<Arc<str>> = left
            .iter()
            .filter(|(_, count)| **count > 0)
            .map(|(name, _)| name.clone())
            .collect();
        self.scheduler.give_back(left);
        let executors = given.iter().map(|name| &**name);
        self.scheduler.share_room(&self.port, executors);
    }
}
