//! An order to stop, from the handle to the drivers.

use std::time::Duration;

use tokio::time::Instant;

use crate::clock::monotonic_now;
use crate::id::RunId;

/// An order to stop.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Order {
    /// Until when what runs is waited for; `None`: as long as it takes.
    pub(crate) deadline: Option<Instant>,
    /// Runs that wait for this very end, and so are not waited for.
    pub(crate) callers: Vec<RunId>,
}

impl Order {
    /// The order that is left of two: the earliest deadline, and all callers.
    pub(crate) fn merge(&mut self, other: Self) {
        self.deadline = self.deadline.into_iter().chain(other.deadline).min();
        self.callers.extend(other.callers);
    }

    /// How long there is until the deadline, where there is one.
    pub(crate) fn left(&self) -> Option<Duration> {
        let deadline = self.deadline?;
        Some(deadline.saturating_duration_since(monotonic_now()))
    }
}
