//! Requests for manual runs.

use chrono::{DateTime, Utc};

use super::{CancelledRun, ClaimedRun};
use crate::id::RunId;
use crate::node::NodeId;
use crate::plan::ManualDecision;
use crate::revision::Revision;
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
    /// The node that starts the run itself if a slot is free. With `None`, the run is queued.
    pub holder: Option<NodeId>,
    /// The revision of the job that the caller has seen. A job with another revision is not run. With `None`, any is.
    pub seen: Option<Revision>,
    /// The current time.
    pub now: DateTime<Utc>,
}

impl<'a> ManualRequest<'a> {
    /// Requests a run of a job, to be queued for any node.
    pub fn new(job: &'a str, kind: RunKind, run_id: RunId, now: DateTime<Utc>) -> Self {
        Self {
            job,
            kind,
            run_id,
            holder: None,
            seen: None,
            now,
        }
    }

    /// Lets this node start the run if a slot is free.
    #[must_use]
    pub fn holder(mut self, node: NodeId) -> Self {
        self.holder = Some(node);
        self
    }

    /// Makes a run only if the job has this revision.
    #[must_use]
    pub fn seen(mut self, revision: Revision) -> Self {
        self.seen = Some(revision);
        self
    }
}

/// The result of requesting a manual run.
#[derive(Debug)]
#[non_exhaustive]
pub struct ManualRun {
    /// The decision.
    pub decision: ManualDecision,
    /// The run to start, if a slot is free.
    pub start: Option<ClaimedRun>,
    /// Queued fire times that this run replaced.
    pub skipped: Vec<Skipped>,
    /// Queued runs that ended because this run replaced them.
    pub cancelled: Vec<CancelledRun>,
}

impl ManualRun {
    /// Creates an answer with the decision, and the run to start if there is one.
    pub fn new(decision: ManualDecision, start: Option<ClaimedRun>) -> Self {
        Self {
            decision,
            start,
            skipped: Vec::new(),
            cancelled: Vec::new(),
        }
    }

    /// Adds queued runs that this run replaced: fire times that are skipped, and runs that have ended.
    #[must_use]
    pub fn replaced(mut self, skipped: Vec<Skipped>, cancelled: Vec<CancelledRun>) -> Self {
        self.skipped = skipped;
        self.cancelled = cancelled;
        self
    }
}
