//! Records of skipped fire times, and selecting which to list.

use chrono::{DateTime, Utc};

use crate::id::JobId;
use crate::skipped::{Skipped, SkippedTimes};

/// Creates the records of the fire times that one decision skipped.
pub fn skipped_records(
    job: &JobId,
    times: impl IntoIterator<Item = SkippedTimes>,
    now: DateTime<Utc>,
) -> impl Iterator<Item = Skipped> {
    times
        .into_iter()
        .map(move |times| Skipped::new(job.clone(), times, now))
}

/// Selects the records of skipped fire times to list.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SkippedQuery {
    /// Only records of this job.
    pub job: Option<String>,
    /// Only records with a number below this.
    pub below: Option<u64>,
    /// The maximum number of records.
    pub limit: usize,
}

impl SkippedQuery {
    /// Lists records of all jobs, newest first.
    pub fn new(limit: usize) -> Self {
        Self {
            job: None,
            below: None,
            limit,
        }
    }

    /// Lists only records of this job.
    #[must_use]
    pub fn job(mut self, id: impl Into<String>) -> Self {
        self.job = Some(id.into());
        self
    }

    /// Lists only records with a number below this.
    #[must_use]
    pub fn below(mut self, seq: u64) -> Self {
        self.below = Some(seq);
        self
    }

    /// Returns `true` if the list contains a record with this number, disregarding the limit.
    pub fn matches(&self, seq: u64, skipped: &Skipped) -> bool {
        self.below.is_none_or(|below| seq < below)
            && self
                .job
                .as_ref()
                .is_none_or(|job| skipped.job_id == job.as_str())
    }
}
