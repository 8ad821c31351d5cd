//! Changing one job.

use crate::job_record::JobRecord;
use crate::skipped::{Skipped, SkippedTimes};

/// A change of one job, decided by the scheduler and carried out by the store in one transaction.
///
/// What it returns is skipped and recorded. May be called more than once, each time
/// with the stored job: a store that finds its transaction in conflict tries again.
pub type Edit<'a> = Box<dyn FnMut(&mut JobRecord) -> Vec<SkippedTimes> + Send + 'a>;

/// What came of an edit or a removal.
#[derive(Debug)]
pub struct Edited {
    /// The job afterwards; as it was, when it was removed.
    pub job: JobRecord,
    /// What is not run any more.
    pub skipped: Vec<Skipped>,
}
