//! Runs that somebody asks for.

use chrono::{DateTime, Utc};

use super::{CancelledRun, ClaimedRun};
use crate::id::RunId;
use crate::node::NodeId;
use crate::plan::ManualDecision;
use crate::run::RunKind;
use crate::skipped::Skipped;

/// A request for a manual run.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
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

impl<'a> ManualRequest<'a> {
    /// Requests a run of a job, which is queued for any node.
    pub fn new(job: &'a str, kind: RunKind, run_id: RunId, now: DateTime<Utc>) -> Self {
        Self {
            job,
            kind,
            run_id,
            holder: None,
            now,
        }
    }

    /// Lets this node start the run if there is a slot.
    #[must_use]
    pub fn holder(mut self, node: NodeId) -> Self {
        self.holder = Some(node);
        self
    }
}

/// A run that was requested manually.
#[derive(Debug)]
#[non_exhaustive]
pub struct ManualRun {
    /// What was decided.
    pub decision: ManualDecision,
    /// The run to start, when there is a slot.
    pub start: Option<ClaimedRun>,
    /// Queued fire times whose place it took.
    pub skipped: Vec<Skipped>,
    /// Queued runs that ended because it took their place.
    pub cancelled: Vec<CancelledRun>,
}

impl ManualRun {
    /// Answers with a decision, and with the run to start if there is one.
    pub fn new(decision: ManualDecision, start: Option<ClaimedRun>) -> Self {
        Self {
            decision,
            start,
            skipped: Vec::new(),
            cancelled: Vec::new(),
        }
    }

    /// Adds queued runs whose place it took: fire times that are skipped, and runs that have ended.
    #[must_use]
    pub fn replaced(mut self, skipped: Vec<Skipped>, cancelled: Vec<CancelledRun>) -> Self {
        self.skipped = skipped;
        self.cancelled = cancelled;
        self
    }
}
