//! Adding jobs.

use scheduler_triggers::{Trigger, Zone};

use super::CancelledRun;
use crate::id::JobId;
use crate::job_record::JobRecord;
use crate::skipped::Skipped;

/// A job to insert.
#[derive(Debug)]
#[non_exhaustive]
pub struct NewJob {
    /// The job.
    pub record: JobRecord,
    /// If `true`, a job with the same id is replaced.
    pub replace_existing: bool,
    /// The trigger as the user specified it, and the time zone that completes it. A job whose trigger is unchanged
    /// carries on. `None` for an exported job, which brings its own watermark.
    pub written: Option<(Trigger, Zone)>,
}

impl NewJob {
    /// Creates a job that does not replace another.
    pub fn new(record: JobRecord) -> Self {
        Self {
            record,
            replace_existing: false,
            written: None,
        }
    }

    /// Sets whether it replaces a job with the same id.
    #[must_use]
    pub fn replace_existing(mut self, replace_existing: bool) -> Self {
        self.replace_existing = replace_existing;
        self
    }

    /// Adds the trigger as the user specified it, and the time zone that completes it.
    #[must_use]
    pub fn written(mut self, trigger: Trigger, zone: Zone) -> Self {
        self.written = Some((trigger, zone));
        self
    }
}

/// The result of an insert.
#[derive(Debug)]
pub enum Inserted {
    /// All jobs were inserted.
    All(AllInserted),
    /// A job with this id already exists, and nothing was inserted.
    Exists(JobId),
    /// A job with this id is defined in code, and nothing was inserted.
    IsStatic(JobId),
}

/// What happened to the jobs that an insert replaced.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct AllInserted {
    /// Pending fire times of replaced jobs, which are skipped.
    pub skipped: Vec<Skipped>,
    /// Queued runs of replaced jobs that have ended.
    pub cancelled: Vec<CancelledRun>,
    /// Jobs that continue the schedule of the ones they replaced, as they are stored.
    pub carried_on: Vec<JobRecord>,
}
