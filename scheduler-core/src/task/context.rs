//! What a run knows of itself.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::arguments::Arguments;
use super::data::DataMap;
use crate::cancel::CancelFlag;
use crate::id::{JobId, RunId};
use crate::run::RunKind;
use crate::scheduler::Scheduler;

/// The run that a task's function carries out.
///
/// It knows its job, its fire time, its attempt, and whether it was asked to stop.
///
/// A parameter of this type is injected. Cheap to clone; every clone is the same run.
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
pub struct JobContext(pub(crate) Arc<ContextInner>);

pub(crate) struct ContextInner {
    pub(crate) job_id: JobId,
    pub(crate) task: Arc<str>,
    pub(crate) run_id: RunId,
    pub(crate) kind: RunKind,
    pub(crate) attempt: u32,
    pub(crate) scheduled_for: DateTime<Utc>,
    pub(crate) arguments: Arguments,
    pub(crate) data: Arc<DataMap>,
    pub(crate) cancel: CancelFlag,
    pub(crate) scheduler: Option<Scheduler>,
}

impl JobContext {
    /// Returns the job's id.
    pub fn job_id(&self) -> &str {
        self.0.job_id.as_str()
    }

    /// Returns the name of the task.
    pub fn task(&self) -> &str {
        &self.0.task
    }

    /// Returns the run's id; it stays the same over its attempts.
    pub fn run_id(&self) -> RunId {
        self.0.run_id
    }

    /// Tells whether a fire time, a call or the start of the process caused the run.
    pub fn kind(&self) -> RunKind {
        self.0.kind
    }

    /// Returns which start of this run it is, from 1.
    pub fn attempt(&self) -> u32 {
        self.0.attempt
    }

    /// Returns the nominal fire time: without jitter, and however late the run started.
    ///
    /// For a manual or start-up run, the instant that it was asked for.
    pub fn scheduled_for(&self) -> DateTime<Utc> {
        self.0.scheduled_for
    }

    /// Returns what tells this attempt from every other start of the same run.
    ///
    /// Of two writers with the same run, the one with the greater attempt is the one that holds it:
    /// give the pair to the system that is written to, and let it refuse the smaller one.
    pub fn fencing_token(&self) -> (RunId, u32) {
        (self.0.run_id, self.0.attempt)
    }

    /// Returns the job's arguments.
    pub fn arguments(&self) -> &Arguments {
        &self.0.arguments
    }

    /// Returns a value that the application provided with `.data(value)`; `None` if there is none.
    ///
    /// A parameter `Data<T>` is better: that a value is missing is then found at start.
    pub fn data<T: ?Sized + Send + Sync + 'static>(&self) -> Option<super::data::Data<T>> {
        self.0.data.get::<T>()
    }

    /// Whether the run was asked to stop.
    ///
    /// By [`cancel_run`](Scheduler::cancel_run), by its timeout, by `overlap = "cancel_running"` or
    /// by a shutdown at its deadline.
    pub fn is_cancelled(&self) -> bool {
        self.0.cancel.is_asked()
    }

    /// Waits until the run is asked to stop.
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
    /// assert_eq!(scheduler.runs(&RunFilter::new()).await?[0].state, RunState::Cancelled);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn cancelled(&self) {
        self.0.cancel.asked().await;
    }

    /// Returns the scheduler that runs this, to add, change or remove jobs.
    ///
    /// `None` in a context made by [`testing::context`](crate::testing::context).
    pub fn scheduler(&self) -> Option<&Scheduler> {
        self.0.scheduler.as_ref()
    }
}

impl fmt::Debug for JobContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobContext")
            .field("job_id", &self.0.job_id)
            .field("run_id", &self.0.run_id)
            .field("attempt", &self.0.attempt)
            .field("scheduled_for", &self.0.scheduled_for)
            .finish_non_exhaustive()
    }
}
