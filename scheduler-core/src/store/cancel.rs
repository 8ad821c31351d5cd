//! Requests to stop a run.

use crate::run::Run;

/// What became of a request to stop a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CancelAnswer {
    /// It waited for a slot, and has ended as cancelled.
    Ended(Box<Run>),
    /// It is live.
    Live,
    /// It has ended, or never was.
    Unknown,
}
