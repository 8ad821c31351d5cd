//! Hints that something has changed.

use scheduler_core::{EventKind, JobId, RunId};
use serde::Serialize;
use utoipa::ToSchema;

/// A change: a hint to read it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Change {
    /// The kind of change.
    what: What,
    /// The job that has changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    job_id: Option<JobId>,
    /// The run that has changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "uuid")]
    run_id: Option<RunId>,
}

/// The kind of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum What {
    JobAdded,
    JobChanged,
    JobPaused,
    JobResumed,
    JobRemoved,
    JobFinished,
    RunQueued,
    RunStarted,
    RunEnded,
    RunRetrying,
    Skipped,
    Scheduler,
    Store,
}

impl From<&EventKind> for Change {
    fn from(kind: &EventKind) -> Self {
        let (what, run_id) = match kind {
            EventKind::JobAdded(_) => (What::JobAdded, None),
            EventKind::JobChanged(_) | EventKind::WatermarkReset(_) => (What::JobChanged, None),
            EventKind::JobPaused(_) => (What::JobPaused, None),
            EventKind::JobResumed(_) => (What::JobResumed, None),
            EventKind::JobRemoved(_) => (What::JobRemoved, None),
            EventKind::JobFinished(_) => (What::JobFinished, None),
            EventKind::Queued { run_id, .. } => (What::RunQueued, Some(*run_id)),
            EventKind::Started(run) => (What::RunStarted, Some(run.run_id)),
            EventKind::Succeeded { run, .. }
            | EventKind::Failed { run, .. }
            | EventKind::TimedOut { run, .. }
            | EventKind::Cancelled(run) => (What::RunEnded, Some(run.run_id)),
            EventKind::Lost { run_id, .. } | EventKind::LateOutcome { run_id, .. } => {
                (What::RunEnded, Some(*run_id))
            }
            EventKind::Retrying { run, .. } => (What::RunRetrying, Some(run.run_id)),
            EventKind::TakenOver { run_id, .. } => (What::RunRetrying, Some(*run_id)),
            EventKind::Skipped(_) => (What::Skipped, None),
            EventKind::LeaseLost { .. }
            | EventKind::Unreadable { .. }
            | EventKind::StoreFailed { .. }
            | EventKind::StoreRecovered { .. }
            | EventKind::DutyFailed { .. }
            | EventKind::DutyRecovered { .. } => (What::Store, None),
            // The scheduler was paused or resumed, the clock jumped, or an event of a later version.
            _ => (What::Scheduler, None),
        };
        Self {
            what,
            job_id: kind.job_id().cloned(),
            run_id,
        }
    }
}
