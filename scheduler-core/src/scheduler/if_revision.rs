//! Calls that take effect only if the job has not changed since the caller read it.

use super::{RunNow, Scheduler};
use crate::error::Error;
use crate::job_record::JobRecord;
use crate::revision::Revision;
use crate::run::RunKind;

/// Calls that take effect only if the job has a given revision; from [`Scheduler::if_revision`].
#[derive(Debug, Clone, Copy)]
#[must_use = "nothing is called yet"]
pub struct IfRevision<'a> {
    scheduler: &'a Scheduler,
    seen: Option<Revision>,
}

impl Scheduler {
    /// Makes the next call conditional on the job having this revision, which the store checks in the same
    /// transaction. If the job was changed after the revision was read, nothing happens, and the call returns
    /// [`Error::StaleRevision`] with the current job.
    ///
    /// `None` accepts any revision. For edits, use [`JobPatch::if_revision`](crate::JobPatch::if_revision).
    ///
    /// ```
    /// use scheduler_core::Error;
    /// use scheduler_core::prelude::*;
    ///
    /// #[task]
    /// async fn bill_customers() {}
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), scheduler_core::Error> {
    /// # let scheduler = Scheduler::builder().without_static_jobs().start().await?;
    /// let job = bill_customers::job().id("invoices").interval("1h");
    /// let seen = scheduler.add_job(job).await?.revision();
    ///
    /// // Another user explains why the job has to stay.
    /// scheduler.pause_job_with_note("invoices", "until the audit is over").await?;
    ///
    /// match scheduler.if_revision(seen).remove_job("invoices").await {
    ///     Err(Error::StaleRevision { current, .. }) => {
    ///         assert_eq!(current.paused.as_deref(), Some("until the audit is over"));
    ///     }
    ///     other => panic!("expected a stale revision, found {other:?}"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn if_revision(&self, seen: impl Into<Option<Revision>>) -> IfRevision<'_> {
        IfRevision {
            scheduler: self,
            seen: seen.into(),
        }
    }
}

impl IfRevision<'_> {
    /// Pauses the job, like [`Scheduler::pause_job`].
    ///
    /// # Errors
    /// Returns [`Error::StaleRevision`], or an error of that call.
    pub async fn pause_job(&self, id: &str) -> Result<JobRecord, Error> {
        self.pause_job_with_note(id, "").await
    }

    /// Pauses the job with a note, like [`Scheduler::pause_job_with_note`].
    ///
    /// # Errors
    /// Returns [`Error::StaleRevision`], or an error of that call.
    pub async fn pause_job_with_note(&self, id: &str, note: &str) -> Result<JobRecord, Error> {
        self.scheduler.pause_seen(id, note, self.seen).await
    }

    /// Resumes the job, like [`Scheduler::resume_job`].
    ///
    /// # Errors
    /// Returns [`Error::StaleRevision`], or an error of that call.
    pub async fn resume_job(&self, id: &str) -> Result<JobRecord, Error> {
        self.scheduler.resume_seen(id, self.seen).await
    }

    /// Runs the job now, like [`Scheduler::run_job_now`].
    ///
    /// # Errors
    /// Returns [`Error::StaleRevision`], or an error of that call.
    pub async fn run_job_now(&self, id: &str) -> Result<RunNow, Error> {
        self.scheduler.run_as(id, RunKind::Manual, self.seen).await
    }

    /// Removes the job, like [`Scheduler::remove_job`].
    ///
    /// # Errors
    /// Returns [`Error::StaleRevision`], or an error of that call.
    pub async fn remove_job(&self, id: &str) -> Result<JobRecord, Error> {
        self.scheduler.remove_seen(id, self.seen).await
    }
}
