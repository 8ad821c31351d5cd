//! The runs that executors carry out for this driver.

use std::sync::Arc;

use crate::task::started_run::StartedRun;

/// See the module. Each run knows where it stands: putting it in and taking it out look for nothing.
#[derive(Default)]
pub(super) struct Live {
    places: Vec<Option<Arc<StartedRun>>>,
    vacant: Vec<u32>,
}

impl Live {
    /// The index of a run that does not stand here.
    pub(super) const NOWHERE: u32 = u32::MAX;

    pub(super) fn len(&self) -> usize {
        self.places.len() - self.vacant.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where the next run has to stand.
    pub(super) fn next_index(&self) -> u32 {
        let end = u32::try_from(self.places.len()).unwrap_or(Self::NOWHERE);
        self.vacant.last().copied().unwrap_or(end)
    }

    /// Puts a run in that was made for the next index.
    pub(super) fn insert(&mut self, run: Arc<StartedRun>) {
        match self.vacant.pop() {
            Some(index) => self.places[index as usize] = Some(run),
            None => self.places.push(Some(run)),
        }
    }

    /// Takes a run out, if it is here.
    pub(super) fn remove(&mut self, run: &Arc<StartedRun>) {
        let index = run.index;
        let place = self.places.get_mut(index as usize);
        if let Some(place) = place
            && place.take_if(|here| Arc::ptr_eq(here, run)).is_some()
        {
            self.vacant.push(index);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<StartedRun>> {
        self.places.iter().flatten()
    }

    /// All of them, in the order of their creation.
    pub(super) fn in_order(&self) -> Vec<&Arc<StartedRun>> {
        let mut runs: Vec<_> = self.iter().collect();
        runs.sort_unstable_by_key(|run| run.run_id());
        runs
    }
}
