//! A context for calling a task's function.

use std::sync::{Arc, OnceLock};

use chrono::{DateTime, Utc};

use crate::cancel::{CancelFlag, Cancellation};
use crate::error::Error;
use crate::id::{JobId, RunId};
use crate::run::RunKind;
use crate::store::ClaimedRun;
use crate::task::arguments::Arguments;
use crate::task::context::JobContext;
use crate::task::data::DataMap;
use crate::task::started_run::{Home, StartedRun};

/// Creates a context for the first attempt of a run of this job, scheduled for 1970.
///
/// It has no data, no arguments and no scheduler, and is never cancelled.
///
/// # Errors
/// Returns [`Error::InvalidName`] if the id is invalid.
///
/// ```
/// use scheduler_core::prelude::*;
///
/// #[task]
/// async fn report(ctx: JobContext) -> String {
///     format!("{} #{}", ctx.job_id(), ctx.attempt())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), scheduler_core::Error> {
/// let text = report(scheduler_core::testing::context("weekly")?).await;
/// assert_eq!(text, "weekly #1");
/// # Ok(())
/// # }
/// ```
pub fn context(job_id: &str) -> Result<JobContext, Error> {
    ContextBuilder::new(job_id).build()
}

/// Builds a context with the properties that a test needs: attempt, fire time, values, arguments.
///
/// ```
/// use scheduler_core::prelude::*;
/// use scheduler_core::testing::ContextBuilder;
///
/// #[task]
/// async fn gives_up(ctx: JobContext) -> Result<(), String> {
///     if ctx.attempt() > 2 { Ok(()) } else { Err("not yet".into()) }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), scheduler_core::Error> {
/// let third = ContextBuilder::new("job").attempt(3).data(String::from("a value")).build()?;
/// assert_eq!(third.data::<String>().as_deref().map(String::as_str), Some("a value"));
/// assert!(gives_up(third).await.is_ok());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a context is made by `.build()`"]
pub struct ContextBuilder {
    job_id: String,
    kind: RunKind,
    attempt: u32,
    scheduled_for: DateTime<Utc>,
    arguments: Arguments,
    data: DataMap,
    is_cancelled: bool,
}

impl ContextBuilder {
    /// Begins a context for a run of this job.
    pub fn new(job_id: impl Into<String>) -> Self {
        Self {
            job_id: job_id.into(),
            kind: RunKind::Scheduled,
            attempt: 1,
            scheduled_for: DateTime::UNIX_EPOCH,
            arguments: Arguments::new(),
            data: DataMap::default(),
            is_cancelled: false,
        }
    }

    /// Sets what caused the run (default: a fire time).
    pub fn kind(mut self, kind: RunKind) -> Self {
        self.kind = kind;
        self
    }

    /// Sets the attempt (default: 1).
    pub fn attempt(mut self, attempt: u32) -> Self {
        self.attempt = attempt;
        self
    }

    /// Sets the nominal fire time (default: the beginning of 1970).
    pub fn scheduled_for(mut self, instant: DateTime<Utc>) -> Self {
        self.scheduled_for = instant;
        self
    }

    /// Sets the job's arguments (default: none).
    pub fn arguments(mut self, arguments: impl Into<Arguments>) -> Self {
        self.arguments = arguments.into();
        self
    }

    /// Provides a value, as [`Builder::data`](crate::Builder::data) does.
    pub fn data<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        self.data.insert(Arc::new(value));
        self
    }

    /// Marks the run as one whose cancellation was requested.
    pub fn cancelled(mut self) -> Self {
        self.is_cancelled = true;
        self
    }

    /// Creates the context.
    ///
    /// # Errors
    /// Returns [`Error::InvalidName`] if the id is invalid.
    pub fn build(self) -> Result<JobContext, Error> {
        let cancel = CancelFlag::default();
        if self.is_cancelled {
            cancel.raise(Cancellation::Requested);
        }
        Ok(JobContext(Arc::new(StartedRun {
            run: ClaimedRun {
                task: self.job_id.as_str().into(),
                job_id: JobId::new(self.job_id)?,
                run_id: RunId::from_u128(1),
                kind: self.kind,
                attempt: self.attempt,
                failures: self.attempt.saturating_sub(1),
                scheduled_for: self.scheduled_for,
                due_at: self.scheduled_for,
                arguments: self.arguments,
                policies: Arc::default(),
            },
            cancel,
            home: Home::without_scheduler(self.data),
            index: 0,
            handover: OnceLock::new(),
        })))
    }
}
