//! The context of a run.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::arguments::Arguments;
use super::data::{DataMap, DataRemedy, Requirement};
use super::started_run::StartedRun;
use crate::id::RunId;
use crate::run::RunKind;

/// The run that a task's function carries out.
///
/// It provides the job, the fire time, the attempt, and whether the run was cancelled.
///
/// A parameter of this type is injected. Cheap to clone; every clone refers to the same run. A clone that outlives
/// the run keeps the run's arguments and values, but neither the scheduler nor its stores.
///
/// ```
/// use scheduler_core::prelude::*;
///
/// #[task]
/// async fn export(ctx: JobContext) -> u32 {
///     let mut pages = 0;
///     while pages < 3 && !ctx.is_cancelled() {
///         tracing::info!(pages, due = %ctx.scheduled_for(), attempt = ctx.attempt());
///         pages += 1;
///     }
///     pages
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), scheduler_core::Error> {
/// let ctx = scheduler_core::testing::context("weekly")?;
/// assert_eq!((ctx.job_id(), ctx.task(), ctx.attempt()), ("weekly", "weekly", 1));
/// assert_eq!(ctx.fencing_token(), (ctx.run_id(), 1));
/// assert!(ctx.arguments().is_empty() && ctx.scheduler().is_none());
/// assert_eq!(export(ctx).await, 3);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct JobContext(pub(crate) Arc<StartedRun>);

impl JobContext {
    /// Returns the job's id.
    pub fn job_id(&self) -> &str {
        self.0.run.job_id.as_str()
    }

    /// Returns the name of the task.
    pub fn task(&self) -> &str {
        &self.0.run.task
    }

    /// Returns the run's id, which is the same for all of its attempts.
    pub fn run_id(&self) -> RunId {
        self.0.run.run_id
    }

    /// Returns what caused the run: a fire time, a call or the start of the process.
    pub fn kind(&self) -> RunKind {
        self.0.run.kind
    }

    /// Returns the number of this attempt, counted from 1.
    pub fn attempt(&self) -> u32 {
        self.0.run.attempt
    }

    /// Returns the nominal fire time, without jitter and however late the run started.
    ///
    /// For a manual or start-up run, this is the instant at which it was requested.
    pub fn scheduled_for(&self) -> DateTime<Utc> {
        self.0.run.scheduled_for
    }

    /// Returns a token that distinguishes this attempt from every other attempt of the same run.
    ///
    /// Of two writers for the same run, the one with the greater attempt holds it. Pass the token to the system that
    /// is written to, and let it refuse the smaller one.
    pub fn fencing_token(&self) -> (RunId, u32) {
        (self.0.run.run_id, self.0.run.attempt)
    }

    /// Returns the job's arguments.
    pub fn arguments(&self) -> &Arguments {
        &self.0.run.arguments
    }

    /// Returns a value that the application provided with `.data(value)`, or `None` if there is none.
    ///
    /// Prefer a `Data<T>` parameter: a missing value is then detected at start.
    pub fn data<T: ?Sized + Send + Sync + 'static>(&self) -> Option<super::data::Data<T>> {
        self.data_map().get::<T>()
    }

    fn data_map(&self) -> &DataMap {
        &self.0.home.data
    }

    pub(super) fn missing_data(&self, needed: &Requirement) -> Option<DataRemedy> {
        self.data_map().missing(needed)
    }

    /// Returns `true` once the run was cancelled: by [`cancel_run`](crate::Scheduler::cancel_run), by its timeout, by
    /// `overlap = "cancel_running"` or by a shutdown at its deadline.
    ///
    /// How the run is recorded then depends on what its function returns afterwards:
    ///
    /// | the function returns | the run is |
    /// | --- | --- |
    /// | `Ok(…)` | succeeded: it reports that it has completed its work |
    /// | `Err(…)`, after `is_cancelled` returned `true` or [`cancelled`](Self::cancelled) completed | cancelled; the error is kept in the record of the run |
    /// | `Err(…)`, without having noticed | failed, for another reason |
    /// | `()` or a value that is not a `Result`, after having noticed | cancelled; a value is kept in the record of the run |
    /// | the same, without having noticed | succeeded: it did not stop early |
    ///
    /// However it ends, a run whose cancellation was requested is not tried again, unless its timeout requested it.
    /// The same applies to async and sync tasks. A task that may complete its work despite a cancellation returns a
    /// `Result`.
    pub fn is_cancelled(&self) -> bool {
        self.0.cancel.see()
    }

    /// Waits until the run is cancelled; see [`is_cancelled`](Self::is_cancelled) for how the run is recorded.
    ///
    /// # Cancel safety
    /// Can be dropped and called again.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use scheduler_core::prelude::*;
    /// use scheduler_core::testing::VirtualClock;
    /// use scheduler_core::{RunFilter, RunState};
    ///
    /// #[task]
    /// async fn consume_queue(ctx: JobContext) -> Result<(), String> {
    ///     tokio::select! {
    ///         () = ctx.cancelled() => Err("stopped".into()),
    ///         () = tokio::time::sleep(Duration::from_secs(3_600)) => Ok(()),
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let clock = VirtualClock::at("2026-01-01T00:00:00Z")?;
    /// # let builder = Scheduler::builder().clock(clock.clone()).without_static_jobs();
    /// # let scheduler = builder.start().await?;
    /// scheduler.add_job(consume_queue::job().trigger(Trigger::now())).await?;
    /// # clock.settle().await;
    /// scheduler.shutdown(Shutdown::abort()).await;
    /// // An error after the cancellation counts as cancelled, not as failed.
    /// assert_eq!(scheduler.list_runs(&RunFilter::new()).await?.items[0].state, RunState::Cancelled);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn cancelled(&self) {
        self.0.cancel.seen().await;
    }
}

impl fmt::Debug for JobContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobContext")
            .field("job_id", &self.0.run.job_id)
            .field("run_id", &self.0.run.run_id)
            .field("attempt", &self.0.run.attempt)
            .field("scheduled_for", &self.0.run.scheduled_for)
            .finish_non_exhaustive()
    }
}
