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

/// The run that a task's function carries out: its job, its fire time, its attempt, and whether it
/// was asked to stop.
///
/// ```
/// use scheduler_core::prelude::*;
///
/// #[task]
/// async fn export(ctx: JobContext) -> Result<(), std::io::Error> {
///     for page in 0..100 {
///         if ctx.is_cancelled() {
///             break; // a timeout, a cancelled run, or the end of the scheduler
///         }
///         tracing::info!(page, due = %ctx.scheduled_for(), attempt = ctx.attempt());
///     }
///     Ok(())
/// }
/// # let _ = export;
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
    /// The job's id.
    pub fn job_id(&self) -> &str {
        self.0.job_id.as_str()
    }

    /// The name of the task.
    pub fn task(&self) -> &str {
        &self.0.task
    }

    /// The run's id; it stays the same over its attempts.
    pub fn run_id(&self) -> RunId {
        self.0.run_id
    }

    /// Whether a fire time, a call or the start of the process caused the run.
    pub fn kind(&self) -> RunKind {
        self.0.kind
    }

    /// Which start of this run it is, from 1.
    pub fn attempt(&self) -> u32 {
        self.0.attempt
    }

    /// The nominal fire time: without jitter, and however late the run started.
    /// For a manual or start-up run, the instant that it was asked for.
    pub fn scheduled_for(&self) -> DateTime<Utc> {
        self.0.scheduled_for
    }

    /// What tells this attempt from every other start of the same run: of two writers with the same
    /// run, the one with the greater attempt is the one that holds it.
    pub fn fencing_token(&self) -> (RunId, u32) {
        (self.0.run_id, self.0.attempt)
    }

    /// The job's arguments.
    pub fn arguments(&self) -> &Arguments {
        &self.0.arguments
    }

    /// A value that the application provided with `.data(value)`.
    pub fn data<T: Send + Sync + 'static>(&self) -> Option<super::data::Data<T>> {
        self.0.data.get::<T>().map(super::data::Data::from)
    }

    /// Whether the run was asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.0.cancel.is_asked()
    }

    /// Waits until the run is asked to stop.
    ///
    /// # Cancel safety
    /// Can be dropped and called again.
    pub async fn cancelled(&self) {
        self.0.cancel.asked().await;
    }

    /// The scheduler that runs this, to add, change or remove jobs; `None` in a context made by
    /// [`testing::context`](crate::testing::context).
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
