//! Adding jobs.

use scheduler_triggers::{Trigger, Zone};

use crate::id::JobId;
use crate::job_record::JobRecord;
use crate::skipped::Skipped;

/// A job to insert.
#[derive(Debug)]
pub struct NewJob {
    /// The job.
    pub record: JobRecord,
    /// Whether a job of the same id is replaced.
    pub replace_existing: bool,
    /// The trigger as it was written, and the time zone that fills in what it leaves open: a job whose
    /// trigger is unchanged carries on. `None` for an exported job, which brings its own watermark.
    pub written: Option<(Trigger, Zone)>,
}

/// What came of an insert.
#[derive(Debug)]
pub enum Inserted {
    /// All are there.
    All {
        /// What replaced jobs had pending.
        skipped: Vec<Skipped>,
        /// Jobs that carry on with the schedule of the ones they replaced, as they are stored.
        carried_on: Vec<JobRecord>,
    },
    /// A job of this id is there already, and nothing was inserted.
    Exists(JobId),
    /// A job of this id is written in the code, and nothing was inserted.
    IsStatic(JobId),
}
