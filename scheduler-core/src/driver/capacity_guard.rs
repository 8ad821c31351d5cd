//! Executor capacity reserved by a claim, which is released however the claim ends.

use std::collections::HashMap;
use std::sync::Arc;

use super::runs::Permit;
use crate::engine::Engine;
use crate::engine::port::StorePort;

/// See the module documentation.
pub(super) struct CapacityGuard {
    engine: Arc<Engine>,
    port: Arc<StorePort>,
    reserved: HashMap<Arc<str>, usize>,
    /// The reserved permits not used yet. There are few executors, so a linear search per run is enough.
    left: Vec<(Arc<str>, usize)>,
    /// The executors that had capacity.
    had: Vec<Arc<str>>,
}

impl CapacityGuard {
    pub(super) fn reserve(engine: &Arc<Engine>, port: &Arc<StorePort>, batch: usize) -> Self {
        let reserved = engine.reserve_capacity(batch);
        let had = reserved.iter().filter(|(_, count)| **count > 0);
        let left = reserved.iter().map(|(name, count)| (name.clone(), *count));
        Self {
            engine: engine.clone(),
            port: port.clone(),
            had: had.map(|(name, _)| name.clone()).collect(),
            left: left.collect(),
            reserved,
        }
    }

    pub(super) fn reserved(&self) -> &HashMap<Arc<str>, usize> {
        &self.reserved
    }

    /// Uses one of the reserved permits.
    pub(super) fn take(&mut self, executor: &str) -> Permit {
        let mut left = self.left.iter_mut();
        match left.find(|(name, _)| **name == *executor) {
            Some((_, 0)) => Permit::Full,
            Some((_, left)) => {
                *left -= 1;
                Permit::Taken
            }
            None => Permit::Unknown,
        }
    }

    /// Returns `true` if an executor that this claim has filled has capacity again.
    pub(super) fn is_there_again(&self) -> bool {
        let is_filled = |name: &&Arc<str>| self.left.contains(&((*name).clone(), 0));
        let filled = self.had.iter().filter(is_filled);
        filled
            .filter_map(|name| self.engine.executor(name))
            .map(|executor| executor.miss())
            .fold(false, |any, one| any | one)
    }
}

impl Drop for CapacityGuard {
    fn drop(&mut self) {
        let left = std::mem::take(&mut self.left);
        let given = left.iter().filter(|(_, count)| *count > 0);
        self.engine.release_capacity(given.clone());
        let executors = given.map(|(name, _)| &**name);
        self.engine.share_capacity(&self.port, executors);
    }
}
