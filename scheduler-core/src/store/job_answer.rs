//! Answers of calls that depend on the revision of a job.

use crate::job_record::JobRecord;

/// The answer of a call about one job, which may ask for a revision of it.
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
    /// The job has another revision than the one that the caller has seen, and nothing was changed. This is the job as
    /// it is.
    Stale(Box<JobRecord>),
    /// There is no such job.
    NoJob,
}

impl<T> JobAnswer<T> {
    /// Returns what a call that was carried out answered.
    pub fn done(self) -> Option<T> {
        match self {
            Self::Done(answer) => Some(answer),
            Self::Stale(_) | Self::NoJob => None,
        }
    }
}
