//! Changing one job.

use super::CancelledRun;
use crate::job_record::JobRecord;
use crate::skipped::{Skipped, SkippedTimes};

/// A change of one job, decided by the scheduler and carried out by the store in one transaction.
///
/// The fire times that it returns are recorded as skipped. It may be called more than once, each time with the stored
/// job, because a store retries a transaction that hits a conflict.
pub type Edit<'a> = Box<dyn FnMut(&mut JobRecord) -> Vec<SkippedTimes> + Send + 'a>;

/// The result of an edit or a removal.
#[derive(Debug)]
#[non_exhaustive]
pub struct Edited {
    /// The job after the edit, or before it was removed.
    pub job: JobRecord,
    /// Fire times that are now skipped.
    pub skipped: Vec<Skipped>,
    /// Queued runs that a removal has ended.
    pub cancelled: Vec<CancelledRun>,
}

impl Edited {
    /// Creates an answer with the job after the edit and the skipped fire times.
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
