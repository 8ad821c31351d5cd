//! Records of fire times that are not run, and which of them to list.

use chrono::{DateTime, Utc};

use crate::id::JobId;
use crate::skipped::{Skipped, SkippedTimes};

/// The record of what one decision did not run.
pub fn skipped_records(
    job: &JobId,
    times: impl IntoIterator<Item = SkippedTimes>,
    now: DateTime<Utc>,
) -> impl Iterator<Item = Skipped> {
    times
        .into_iter()
        .map(move |times| Skipped::new(job.clone(), times, now))
}

/// Which records of skipped fire times a store lists.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SkippedQuery {
    /// Only those of this job.
    pub job: Option<String>,
    /// Only records with a number below this.
    pub below: Option<u64>,
    /// At most that many.
    pub limit: usize,
}

impl SkippedQuery {
    /// Lists records of all jobs, from the newest on.
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

    /// Returns `true` if a record of this number belongs to the list; the limit aside.
    pub fn matches(&self, seq: u64, skipped: &Skipped) -> bool {
        self.below.is_none_or(|below| seq < below)
            && self
                .job
                .as_ref()
                .is_none_or(|job| skipped.job_id == job.as_str())
    }
}
