//! What a run knows of itself.

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
/// It knows its job, its fire time, its attempt, and whether it was asked to stop.
///
/// A parameter of this type is injected. Cheap to clone; every clone is the same run. A clone that outlives the
/// run keeps what the run was given (arguments, values), but neither the scheduler nor its stores.
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

    /// Returns the run's id; it stays the same over its attempts.
    pub fn run_id(&self) -> RunId {
        self.0.run.run_id
    }

    /// Tells whether a fire time, a call or the start of the process caused the run.
    pub fn kind(&self) -> RunKind {
        self.0.run.kind
    }

    /// Returns which start of this run it is, from 1.
    pub fn attempt(&self) -> u32 {
        self.0.run.attempt
    }

    /// Returns the nominal fire time: without jitter, and however late the run started.
    ///
    /// For a manual or start-up run, the instant that it was asked for.
    pub fn scheduled_for(&self) -> DateTime<Utc> {
        self.0.run.scheduled_for
    }

    /// Returns what tells this attempt from every other start of the same run.
    ///
    /// Of two writers with the same run, the one with the greater attempt is the one that holds it:
    /// give the pair to the system that is written to, and let it refuse the smaller one.
    pub fn fencing_token(&self) -> (RunId, u32) {
        (self.0.run.run_id, self.0.run.attempt)
    }

    /// Returns the job's arguments.
    pub fn arguments(&self) -> &Arguments {
        &self.0.run.arguments
    }

    /// Returns a value that the application provided with `.data(value)`; `None` if there is none.
    ///
    /// A parameter `Data<T>` is better: that a value is missing is then found at start.
    pub fn data<T: ?Sized + Send + Sync + 'static>(&self) -> Option<super::data::Data<T>> {
        self.data_map().get::<T>()
    }

    fn data_map(&self) -> &DataMap {
        &self.0.home.data
    }

    pub(super) fn missing_data(&self, needed: &Requirement) -> Option<DataRemedy> {
        self.data_map().missing(needed)
    }

    /// Returns `true` once the run was asked to stop: by [`cancel_run`](crate::Scheduler::cancel_run), by
    /// its timeout, by `overlap = "cancel_running"` or by a shutdown at its deadline.
    ///
    /// How the run is recorded then depends on what its function returns afterwards:
    ///
    /// | the function returns | the run is |
    /// | --- | --- |
    /// | `Ok(…)` | succeeded: it says itself that it has done its work |
    /// | `Err(…)`, after `is_cancelled` returned `true` or [`cancelled`](Self::cancelled) completed | cancelled; the error is kept in the record of the run |
    /// | `Err(…)`, without having noticed | failed, for a reason of its own |
    /// | `()` or a value that is not a `Result`, after having noticed | cancelled; a value is kept in the record of the run |
    /// | the same, without having noticed | succeeded: it did not stop early |
    ///
    /// However it ends, a run whose cancellation was requested is not tried again, unless its timeout requested it.
    /// The same holds for async and sync tasks. A task that may finish its work although it was asked
    /// to stop returns a `Result`.
    pub fn is_cancelled(&self) -> bool {
        self.0.cancel.see()
    }

    /// Waits until the run is asked to stop; see [`is_cancelled`](Self::is_cancelled) for how the run
    /// is recorded.
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
    /// // An error after it was asked to stop counts as cancelled, not as failed.
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
