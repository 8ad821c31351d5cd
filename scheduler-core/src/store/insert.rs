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
    /// `true` if a job of the same id is replaced.
    pub replace_existing: bool,
    /// The trigger as it was written, and the time zone that fills in what it leaves open: a job whose
    /// trigger is unchanged carries on. `None` for an exported job, which brings its own watermark.
    pub written: Option<(Trigger, Zone)>,
}

impl NewJob {
    /// A job that replaces none.
    pub fn new(record: JobRecord) -> Self {
        Self {
            record,
            replace_existing: false,
            written: None,
        }
    }

    /// Says whether it replaces a job of the same id.
    #[must_use]
    pub fn replace_existing(mut self, replace_existing: bool) -> Self {
        self.replace_existing = replace_existing;
        self
    }

    /// Adds the trigger as it was written, and the time zone for what it leaves open.
    #[must_use]
    pub fn written(mut self, trigger: Trigger, zone: Zone) -> Self {
        self.written = Some((trigger, zone));
        self
    }
}

/// What came of an insert.
#[derive(Debug)]
pub enum Inserted {
    /// All are there.
    All(AllInserted),
    /// A job of this id is there already, and nothing was inserted.
    Exists(JobId),
    /// A job of this id is written in the code, and nothing was inserted.
    IsStatic(JobId),
}

/// What became of the jobs that were replaced by an insert.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct AllInserted {
    /// What replaced jobs had pending.
    pub skipped: Vec<Skipped>,
    /// Queued runs of replaced jobs that have ended.
    pub cancelled: Vec<CancelledRun>,
    /// Jobs that continue with the schedule of the ones they replaced, as they are stored.
    pub carried_on: Vec<JobRecord>,
}
