//! Runs that end as cancelled in the store, without involving an executor.

use chrono::{DateTime, Utc};

use crate::id::{JobId, RunId};
use crate::run::{Run, RunKind};

/// A run that a store call ended as cancelled, because it was waiting for its next attempt or its node was gone.
///
/// A store returns it so that the end of the run is published.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CancelledRun {
    /// Its job.
    pub job_id: JobId,
    /// The run.
    pub run_id: RunId,
    /// What caused it.
    pub kind: RunKind,
    /// The nominal fire time.
    pub scheduled_for: DateTime<Utc>,
    /// The number of attempts already made.
    pub attempts: u32,
}

impl CancelledRun {
    /// Describes the run in a record.
    pub fn of(run: &Run) -> Self {
        Self::new(
            run.job_id.clone(),
            run.id,
            run.kind,
            run.scheduled_for,
            run.attempt,
        )
    }

    /// Describes a run of this job.
    pub fn new(
        job_id: JobId,
        run_id: RunId,
        kind: RunKind,
        scheduled_for: DateTime<Utc>,
        attempts: u32,
    ) -> Self {
        Self {
            job_id,
            run_id,
            kind,
            scheduled_for,
            attempts,
        }
    }
}
