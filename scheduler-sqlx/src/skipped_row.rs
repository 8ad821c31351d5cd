//! A record of skipped fire times as a row.

use scheduler_core::triggers::Count;
use scheduler_core::{JobId, SkipReason, Skipped, SkippedTimes};

use crate::instant::{from_micros, micros};
use crate::record_problem::RecordProblem;

/// The columns of a record of skipped fire times, except its number, `seq`.
#[derive(Debug)]
pub(crate) struct SkippedRow {
    pub(crate) job_id: String,
    pub(crate) reason: String,
    pub(crate) first_at: i64,
    pub(crate) last_at: i64,
    pub(crate) count: i64,
    pub(crate) is_exact: bool,
    pub(crate) decided_at: i64,
}

impl SkippedRow {
    pub(crate) fn of(skipped: &Skipped) -> Self {
        Self {
            job_id: skipped.job_id.as_str().to_owned(),
            reason: skipped.reason.as_str().to_owned(),
            first_at: micros(skipped.first),
            last_at: micros(skipped.last),
            count: i64::try_from(skipped.count).unwrap_or(i64::MAX),
            is_exact: skipped.exact,
            decided_at: micros(skipped.decided_at),
        }
    }

    /// Reads a record, or returns what is wrong with it.
    pub(crate) fn read(self) -> Result<Skipped, RecordProblem> {
        let name = serde_json::Value::String(self.reason.clone());
        let reason: SkipReason =
            serde_json::from_value(name).map_err(|_| RecordProblem::Reason(self.reason))?;
        let times = SkippedTimes {
            reason,
            first: from_micros(self.first_at)?,
            last: from_micros(self.last_at)?,
            count: Count {
                value: self.count.unsigned_abs(),
                exact: self.is_exact,
            },
        };
        let job_id = JobId::new(self.job_id).map_err(RecordProblem::job_id)?;
        Ok(Skipped::new(job_id, times, from_micros(self.decided_at)?))
    }
}
