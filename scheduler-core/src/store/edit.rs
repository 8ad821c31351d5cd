//! Changing one job.

use super::CancelledRun;
use crate::job_record::JobRecord;
use crate::skipped::{Skipped, SkippedTimes};

/// A change of one job, decided by the scheduler and carried out by the store in one transaction.
///
/// What it returns is skipped and recorded. May be called more than once, each time
/// with the stored job: a store that finds its transaction in conflict tries again.
pub type Edit<'a> = Box<dyn FnMut(&mut JobRecord) -> Vec<SkippedTimes> + Send + 'a>;

/// What came of an edit or a removal.
#[derive(Debug)]
#[non_exhaustive]
pub struct Edited {
    /// The job afterwards; as it was, when it was removed.
    pub job: JobRecord,
    /// What is not run any more.
    pub skipped: Vec<Skipped>,
    /// Queued runs that a removal has ended.
    pub cancelled: Vec<CancelledRun>,
}

impl Edited {
    /// Answers with the job afterwards, and with the fire times that are skipped.
    pub fn new(job: JobRecord, skipped: Vec<Skipped>) -> Self {
        Self {
            job,
            skipped,
            cancelled: Vec::new(),
        }
    }

    /// Adds queued runs that a removal has ended.
    #[must_use]
    pub fn cancelled(mut self, cancelled: Vec<CancelledRun>) -> Self {
        self.cancelled = cancelled;
        self
    }
}
