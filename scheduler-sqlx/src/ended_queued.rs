//! Queued runs that will not get a slot.

use chrono::{DateTime, Utc};
use scheduler_core::plan::{CancelledRun, EndedQueued, end_queued};
use scheduler_core::{JobId, SkipReason, Skipped};

use crate::backend::{Backend, Connection};
use crate::engine::{Engine, Failure};
use crate::instant::from_micros;
use crate::run_row::RunRow;

/// The outcome of runs that are no longer queued.
#[derive(Debug, Default)]
pub(crate) struct Cleared {
    /// Runs that never started: they are deleted, and their fire times are skipped instead.
    pub(crate) deleted: Vec<u128>,
    pub(crate) skipped: Vec<Skipped>,
    /// Runs with earlier attempts: they end as cancelled, with the reason.
    pub(crate) ended: Vec<(u128, SkipReason)>,
    /// The same runs, as far as their records can be read.
    pub(crate) cancelled: Vec<CancelledRun>,
}

/// Takes queued runs of a job out of its queue.
pub(crate) fn clear(
    cleared: &mut Cleared,
    job: &JobId,
    queue: Vec<RunRow>,
    reason: SkipReason,
    now: DateTime<Utc>,
) {
    for run in queue {
        let attempts = u32::try_from(run.attempt).unwrap_or(0);
        let scheduled_for = from_micros(run.scheduled_for).ok();
        match end_queued(job, attempts, scheduled_for, reason, now) {
            EndedQueued::Skipped(skipped) => {
                cleared.deleted.push(run.id);
                cleared.skipped.push(skipped);
            }
            EndedQueued::Cancelled => {
                cleared.ended.push((run.id, reason));
                cleared.cancelled.extend(run.cancelled(attempts));
            }
        }
    }
}

impl<B: Backend> Engine<B> {
    /// Writes what was cleared, except the records of skipped fire times.
    pub(crate) async fn write_cleared(
        &self,
        connection: &mut Connection<B>,
        cleared: &Cleared,
        now: i64,
    ) -> Result<(), Failure> {
        if !cleared.deleted.is_empty() {
            self.backend
                .delete_runs(connection, &cleared.deleted)
                .await?;
        }
        for reason in [SkipReason::Superseded, SkipReason::Removed] {
            let of_reason = cleared.ended.iter().filter(|(_, why)| *why == reason);
            let ids: Vec<u128> = of_reason.map(|(id, _)| *id).collect();
            if !ids.is_empty() {
                self.backend
                    .cancel_queued(connection, &ids, reason.as_str(), now)
                    .await?;
            }
        }
        Ok(())
    }
}
