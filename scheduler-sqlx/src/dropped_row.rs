//! A record of drops as a row.

use scheduler_core::triggers::Count;
use scheduler_core::{DropReason, Dropped, DroppedTimes, JobId};

use crate::instant::{from_micros, micros};
use crate::record_problem::RecordProblem;

/// The columns of a record of drops.
#[derive(Debug)]
pub(crate) struct DroppedRow {
    pub(crate) job_id: String,
    pub(crate) reason: String,
    pub(crate) first_at: i64,
    pub(crate) last_at: i64,
    pub(crate) count: i64,
    pub(crate) is_exact: bool,
    pub(crate) decided_at: i64,
}

impl DroppedRow {
    pub(crate) fn of(dropped: &Dropped) -> Self {
        Self {
            job_id: dropped.job_id.as_str().to_owned(),
            reason: dropped.reason.as_str().to_owned(),
            first_at: micros(dropped.first),
            last_at: micros(dropped.last),
            count: i64::try_from(dropped.count).unwrap_or(i64::MAX),
            is_exact: dropped.exact,
            decided_at: micros(dropped.decided_at),
        }
    }

    /// Reads a record, or returns what is wrong with it.
    pub(crate) fn read(self) -> Result<Dropped, RecordProblem> {
        let name = serde_json::Value::String(self.reason.clone());
        let reason: DropReason =
            serde_json::from_value(name).map_err(|_| RecordProblem::Reason(self.reason))?;
        let times = DroppedTimes {
            reason,
            first: from_micros(self.first_at)?,
            last: from_micros(self.last_at)?,
            count: Count {
                value: self.count.unsigned_abs(),
                exact: self.is_exact,
            },
        };
        let job_id = JobId::new(self.job_id).map_err(RecordProblem::job_id)?;
        Ok(Dropped::new(job_id, times, from_micros(self.decided_at)?))
    }
}
