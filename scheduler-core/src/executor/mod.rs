//! Executors carry out runs. An executor receives each attempt as data and reports how it ended. Where the body runs
//! — on the runtime, on a thread, in another process — is up to the executor.

mod assignment;
mod attempt;
mod body;
mod cancel_grace;
mod current;
mod local;
mod outcome;
mod reporter;
mod shared;
mod task_pool;
mod thread_pool;
mod trace;

use std::fmt;
use std::sync::Arc;

use crate::cancel::Cancellation;
use crate::id::RunId;
pub use assignment::Assignment;
pub(crate) use current::current_run;
pub use local::LocalExecutor;
pub(crate) use local::shared;
pub use outcome::Outcome;
pub use reporter::Reporter;
pub(crate) use reporter::{Destination, Report, ReportEvent, ReportSink};
pub(crate) use shared::SharedExecutor;

/// The executor of sync tasks that name none.
pub(crate) const SYNC_NAME: &str = "sync";

/// Carries out the runs of jobs that name it (policy `executor`); added by
/// [`Builder::executor`](crate::Builder::executor).
///
/// A [`LocalExecutor`] runs tasks in this process, which is what most programs want. Implement this trait to run
/// bodies somewhere else, such as in a child process or on workers behind a queue. All decisions remain with the
/// scheduler: it claims runs, counts how many an executor has, enforces timeouts, decides about the next attempt and
/// records outcomes. An executor delivers an [`Assignment`] to the body and an [`Outcome`] back.
///
/// The task itself must still be known in this program (`#[task]`), because its name and arguments are checked when a
/// job is added. An executor that runs bodies elsewhere does not call the function in this process.
///
/// # Rules
/// - [`submit`](Self::submit) and [`cancel`](Self::cancel) return at once, because the loop that claims calls them.
///   Anything slower belongs in a task or thread of the executor. They are called inside the scheduler's tokio
///   runtime.
/// - Each assignment ends through its [`Reporter`], exactly once. If the reporter is dropped without a report, for
///   example together with the connection to a worker, the attempt ends as failed and is retried according to the
///   job's `retries`.
/// - An outcome that arrives after the attempt was given up (it timed out, or the lease of this node ran out) is
///   reported like any other and has no effect. Two attempts of one run may be in progress at once: their writes are
///   distinguished by the [fencing token](Assignment::fencing_token).
///
/// ```
/// use scheduler_core::prelude::*;
/// use scheduler_core::{Assignment, Cancellation, Executor, Outcome, Reporter, RunId};
///
/// /// Stands for whatever runs the bodies, here one that greets everybody.
/// #[derive(Debug)]
/// struct Remote;
///
/// impl Executor for Remote {
///     fn capacity(&self) -> usize {
///         8
///     }
///
///     fn submit(&self, assignment: Assignment, reporter: Reporter) {
///         tokio::spawn(async move {
///             // As a message: {"job_id":"hello","task":"greet_from_afar","arguments":{"name":"Ada"},…}
///             let message = serde_json::to_value(&assignment).unwrap_or_default();
///             let greeting = format!("hello, {}", message["arguments"]["name"].as_str().unwrap_or("?"));
///             reporter.report(Outcome::succeeded().with_value(greeting.into()));
///         });
///     }
///
///     fn cancel(&self, _run: RunId, _attempt: u32, _cancellation: Cancellation) {}
/// }
///
/// #[task]
/// async fn greet_from_afar(name: String) {}
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let clock = scheduler_core::testing::VirtualClock::at("2026-01-01T00:00:00Z")?;
/// # let builder = Scheduler::builder().clock(clock.clone()).without_static_jobs();
/// let scheduler = builder.executor("remote", Remote).start().await?;
/// let job = greet_from_afar::job("Ada".into()).id("hello").trigger(Trigger::now()).executor("remote");
/// scheduler.add_job(job).await?;
/// # clock.settle().await;
/// let runs = scheduler.list_runs(&scheduler_core::RunFilter::new()).await?.items;
/// assert_eq!(runs[0].value.as_deref(), Some("\"hello, Ada\""));
/// # Ok(())
/// # }
/// ```
pub trait Executor: fmt::Debug + Send + Sync + 'static {
    /// Returns how many runs it carries out at once. It is never given more; further jobs wait in their store, where
    /// other nodes may take them.
    ///
    /// This is called before each claim, so the value may change, for example with the number of available workers.
    fn capacity(&self) -> usize;

    /// Begins to carry out one attempt.
    fn submit(&self, assignment: Assignment, reporter: Reporter);

    /// Passes on that an attempt has to stop. The attempt may have ended by now. The method may be called more than
    /// once, each time with a higher level.
    ///
    /// The attempt then ends as its body decides, and the executor reports that.
    fn cancel(&self, run: RunId, attempt: u32, cancellation: Cancellation);

    /// Returns `true` if the executor itself ends attempts that exceed their [timeout](Assignment::timeout).
    /// Otherwise, which is the default, the scheduler records the timeout and [cancels](Self::cancel) the attempt,
    /// which keeps its permit until the executor reports its end.
    fn enforces_timeouts(&self) -> bool {
        false
    }

    /// Frees resources not used since the previous call. Called about once a minute.
    fn trim(&self) {}
}

impl<E: Executor + ?Sized> Executor for Arc<E> {
    fn capacity(&self) -> usize {
        (**self).capacity()
    }

    fn submit(&self, assignment: Assignment, reporter: Reporter) {
        (**self).submit(assignment, reporter);
    }

    fn cancel(&self, run: RunId, attempt: u32, cancellation: Cancellation) {
        (**self).cancel(run, attempt, cancellation);
    }

    fn enforces_timeouts(&self) -> bool {
        (**self).enforces_timeouts()
    }

    fn trim(&self) {
        (**self).trim();
    }
}
