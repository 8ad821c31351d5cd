//! An order to stop, sent from the handle to the drivers.

use std::time::Duration;

use tokio::time::Instant;

use crate::clock::monotonic_now;
use crate::id::RunId;

/// An order to stop.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Order {
    /// When running attempts are no longer waited for, or `None` if there is no limit.
    pub(crate) deadline: Option<Instant>,
    /// Runs that themselves wait for the stop, and so are not waited for.
    pub(crate) callers: Vec<RunId>,
}

impl Order {
    /// Merges another order into this one: the earliest deadline, and all callers.
    pub(crate) fn merge(&mut self, other: Self) {
        self.deadline = self.deadline.into_iter().chain(other.deadline).min();
        self.callers.extend(other.callers);
    }

    /// Returns the time left until the deadline, if there is one.
    pub(crate) fn left(&self) -> Option<Duration> {
        let deadline = self.deadline?;
        Some(deadline.saturating_duration_since(monotonic_now()))
    }
}
