//! Requests to cancel a run.

use crate::run::Run;

/// The result of a request to cancel a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CancelAnswer {
    /// The run was queued and has ended as cancelled.
    Ended(Box<Run>),
    /// The run is live.
    Live,
    /// The run has ended, or it never existed.
    Unknown,
}
