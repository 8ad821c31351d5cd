//! Runs that somebody asks for.

use chrono::{DateTime, Utc};

use super::ClaimedRun;
use crate::id::RunId;
use crate::node::NodeId;
use crate::plan::ManualDecision;
use crate::run::RunKind;
use crate::skipped::Skipped;

/// A request for a manual run.
#[derive(Debug, Clone, Copy)]
pub struct ManualRequest<'a> {
    /// The job.
    pub job: &'a str,
    /// `Manual` or `Startup`.
    pub kind: RunKind,
    /// The id of the new run.
    pub run_id: RunId,
    /// The node that starts it itself if there is a slot; `None`: it waits in the queue.
    pub holder: Option<NodeId>,
    /// Now.
    pub now: DateTime<Utc>,
}

/// A run that was requested manually.
#[derive(Debug)]
pub struct ManualRun {
    /// What was decided.
    pub decision: ManualDecision,
    /// The run to start, when there is a slot.
    pub start: Option<ClaimedRun>,
    /// What it took the place of.
    pub skipped: Vec<Skipped>,
}
