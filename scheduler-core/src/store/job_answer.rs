//! Answers of calls that depend on the revision of a job.

use crate::job_record::JobRecord;

/// The answer of a call about one job, which may require a revision of it.
///
/// ```
/// use scheduler_core::store::JobAnswer;
///
/// let answer = JobAnswer::Done(7);
/// assert_eq!(answer.done(), Some(7));
/// assert_eq!(JobAnswer::<u8>::NoJob.done(), None);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum JobAnswer<T> {
    /// The call was carried out.
    Done(T),
    /// The job does not have the revision that the caller has seen, and nothing was changed. Contains the current
    /// job.
    Stale(Box<JobRecord>),
    /// There is no such job.
    NoJob,
}

impl<T> JobAnswer<T> {
    /// Returns the answer of a call that was carried out.
    pub fn done(self) -> Option<T> {
        match self {
            Self::Done(answer) => Some(answer),
            Self::Stale(_) | Self::NoJob => None,
        }
    }
}
