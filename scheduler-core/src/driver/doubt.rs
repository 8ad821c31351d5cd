//! Runs that the store holds for this node and that the node was never told of, because an answer was
//! lost on its way: a claim that was committed before the connection broke.

use super::Driver;
use crate::id::{RunId, RunSet};
use crate::store::StoreError;
use crate::task::context::JobContext;

impl Driver {
    /// Gives back what this node holds and does not know of; it was never started.
    pub(super) async fn settle_doubts(&mut self) -> Result<(), StoreError> {
        self.in_doubt |= self.port.take_doubt();
        if !self.in_doubt {
            return Ok(());
        }
        let held = self.port.store().held(self.node).await?;
        // What was started by hand may have arrived while the store was asked.
        self.take_inbox();
        let live: RunSet = self.live.iter().map(JobContext::run_id).collect();
        let is_stray = |run: &RunId| !live.contains(run) && !self.knows(*run);
        let strays: Vec<RunId> = held.into_iter().filter(is_stray).collect();
        if !strays.is_empty() {
            tracing::warn!(runs = strays.len(), store = %self.port.name(), "runs whose claim was not answered are given back");
            self.port.store().release(self.node, strays).await?;
        }
        self.in_doubt = false;
        Ok(())
    }

    fn knows(&self, run: RunId) -> bool {
        self.ready.has(run)
            || self.unwritten.has(run)
            || self.unreleased.iter().any(|known| known.run_id == run)
            || self.port.is_asked_for(run)
    }
}
