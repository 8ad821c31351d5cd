//! How many runs wait for a place, for those who measure it.

use std::time::Duration;

use super::Driver;
use crate::clock::monotonic_now;
use crate::metrics;
use crate::run::{RunFilter, RunState};

/// How often they are counted: every node asks the store that often, and what it asks is a list.
const COUNT_EVERY: Duration = Duration::from_secs(60);
/// What is listed at most.
const MOST: usize = 1_000;

impl Driver {
    /// Counts the runs that wait in the store. A store that cannot answer fails at other calls, which
    /// matter more.
    pub(super) async fn measure_queue(&mut self) {
        let now = monotonic_now();
        if self.counted_at.is_some_and(|at| now - at < COUNT_EVERY) {
            return;
        }
        self.counted_at = Some(now);
        let waiting = RunFilter::new().state(RunState::Queued).limit(MOST);
        if let Ok(runs) = self.port.store().runs(&waiting).await {
            metrics::queue_depth(self.port.name(), runs.len());
        }
    }
}
