//! Unconfirmed claims: runs that the store holds for this node and that the node does not know, since the
//! answer was lost, as that of a claim that was committed before the connection broke.

use super::Driver;
use crate::id::{RunId, RunSet};
use crate::store::StoreError;

impl Driver {
    /// Releases the runs that this node holds and does not know of; they were never started.
    pub(super) async fn release_unconfirmed(&mut self) -> Result<(), StoreError> {
        self.is_unconfirmed |= self.port.take_unconfirmed();
        if !self.is_unconfirmed {
            return Ok(());
        }
        let held = self.port.store().held(self.node).await?;
        // What was started manually may have arrived while the store was asked.
        self.take_inbox();
        let live: RunSet = self.live.iter().map(|run| run.run_id()).collect();
        let is_stray = |run: &RunId| !live.contains(run) && !self.knows(*run);
        let strays: Vec<RunId> = held.into_iter().filter(is_stray).collect();
        if !strays.is_empty() {
            tracing::warn!(runs = strays.len(), store = %self.port.name(), "runs whose claim was not answered are released");
            self.port.store().release(self.node, strays).await?;
        }
        self.is_unconfirmed = false;
        Ok(())
    }

    fn knows(&self, run: RunId) -> bool {
        self.backlog.has(run)
            || self.unwritten.has(run)
            || self.unreleased.iter().any(|known| known.run_id == run)
            || self.port.is_asked_for(run)
    }
}
