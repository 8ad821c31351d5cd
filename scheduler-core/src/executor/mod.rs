//! What carries runs out, with a limit on how many at once.
//!
//! An executor receives a run as data and reports how the attempt ended; nothing in the driver
//! assumes that the function runs in this process.

mod attempt;
mod blocking;
mod current;
mod task_pool;
mod threads;
mod trace;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::runtime::Handle;

use crate::clock::Clock;
use crate::panic::panic_text;
use crate::run::AttemptOutcome;
use crate::store::ClaimedRun;
use crate::store_clock::StoreClock;
use crate::task::context::JobContext;
use crate::task::definition::{TaskBody, TaskDefinition};
use crate::task::output::TaskOutput;
use crate::testing::Hold;
pub(crate) use current::current_run;
use task_pool::IdleTask;
pub(crate) use task_pool::TaskPool;
use threads::Threads;

/// The executor of sync tasks that name none.
pub(crate) const SYNC_NAME: &str = "sync";

/// Sets up a named executor: how many runs it carries out at once.
///
/// Two are there without being set up: `"default"` (10,000 async runs) and `"sync"` (32 threads,
/// for sync tasks that name none). A run that finds its executor full waits; jobs of others go on.
///
/// ```
/// use scheduler_core::prelude::*;
/// use scheduler_core::Executor;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), scheduler_core::Error> {
/// // At most two of the heavy reports at once, whatever else goes on.
/// let scheduler = Scheduler::builder()
///     .executor("reports", Executor::with_limit(2))
/// #   .without_static_jobs()
///     .start()
///     .await?;
/// let health = scheduler.health();
/// let reports = health.executors.iter().find(|executor| &*executor.name == "reports");
/// assert_eq!(reports.map(|executor| executor.limit), Some(2));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Executor {
    limit: usize,
}

impl Executor {
    /// Carries out at most so many runs at once (at least 1).
    ///
    /// Async tasks go on the runtime, sync tasks on as many threads of its own, which are started
    /// as they are needed.
    pub fn with_limit(limit: usize) -> Self {
        Self {
            limit: limit.max(1),
        }
    }

    pub(crate) fn default_async() -> Self {
        Self::with_limit(10_000)
    }

    pub(crate) fn default_sync() -> Self {
        Self::with_limit(32)
    }
}

/// One attempt on its way through an executor.
#[derive(Debug)]
pub(crate) struct Assignment {
    pub(crate) context: JobContext,
    pub(crate) task: &'static TaskDefinition,
    pub(crate) span: tracing::Span,
}

/// A place in an executor, and who is told how the attempt in it ends.
pub(crate) struct Place {
    pub(crate) executor: Arc<LocalExecutor>,
    /// The clock of the store that the run is of.
    pub(crate) clock: Arc<StoreClock>,
    pub(crate) reporter: Reporter,
}

impl JobContext {
    /// Gives the place back, and then reports the end of the attempt in it.
    fn end(self, times: Times, event: ReportEvent, idle_task: Option<IdleTask>) {
        if let Some(place) = &self.0.place {
            place.executor.release(1);
        }
        self.report(times, event, idle_task);
    }

    fn report(self, times: Times, event: ReportEvent, idle_task: Option<IdleTask>) {
        let (started_at, finished_at) = times;
        let context = self.clone();
        if let Some(place) = &self.0.place {
            (place.reporter)(Report {
                context,
                started_at,
                finished_at,
                event,
                idle_task,
            });
        }
    }

    /// Now, in the time of the run's store.
    fn now(&self) -> DateTime<Utc> {
        let place = self.0.place.as_ref();
        place.map_or(DateTime::UNIX_EPOCH, |place| place.clock.now())
    }

    /// Keeps virtual time from passing while an async body waits, where the clock is to.
    fn hold_virtual_time(&self) -> Option<Hold> {
        let place = self.0.place.as_ref()?;
        place.executor.clock.as_virtual()?.hold_for_run()
    }
}

/// When an attempt started and when it ended.
type Times = (DateTime<Utc>, DateTime<Utc>);

/// How an attempt went.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) context: JobContext,
    pub(crate) started_at: DateTime<Utc>,
    pub(crate) finished_at: DateTime<Utc>,
    pub(crate) event: ReportEvent,
    /// The task that is idle again.
    pub(crate) idle_task: Option<IdleTask>,
}

impl Report {
    pub(crate) fn run(&self) -> &ClaimedRun {
        &self.context.0.run
    }

    /// Whether a thread still works on the attempt.
    pub(crate) fn body_goes_on(&self) -> bool {
        matches!(
            self.event,
            ReportEvent::Ended {
                body_runs: true,
                ..
            }
        )
    }
}

#[derive(Debug)]
pub(crate) enum ReportEvent {
    /// The attempt has ended.
    Ended {
        outcome: AttemptOutcome,
        /// The run had been asked to stop by then. Kept, so that the log, the store and the events agree on
        /// what follows; a [`Verdict`](crate::plan::Verdict) here would make each report larger by a quarter.
        is_asked: bool,
        /// It has timed out, but its thread still works.
        body_runs: bool,
    },
    /// The thread of an attempt that ended before has returned.
    BodyReturned,
}

impl ReportEvent {
    /// The attempt has ended; its thread may go on.
    pub(crate) fn ended(context: &JobContext, outcome: AttemptOutcome, body_runs: bool) -> Self {
        Self::Ended {
            is_asked: context.0.cancel.is_asked(),
            outcome,
            body_runs,
        }
    }
}

/// Takes reports; called from any thread.
pub(crate) type Reporter = Arc<dyn Fn(Report) + Send + Sync>;

/// An executor at work.
#[derive(Debug)]
pub(crate) struct LocalExecutor {
    limit: usize,
    in_use: AtomicUsize,
    /// Whether somebody found no capacity since it was last asked.
    missed: AtomicBool,
    threads: Threads,
    runtime: Handle,
    clock: Arc<dyn Clock>,
}

impl LocalExecutor {
    pub(crate) fn new(
        name: &str,
        setup: Executor,
        runtime: Handle,
        clock: Arc<dyn Clock>,
    ) -> Arc<Self> {
        Arc::new(Self {
            limit: setup.limit,
            in_use: AtomicUsize::new(0),
            missed: AtomicBool::new(false),
            threads: Threads::new(name, setup.limit),
            runtime,
            clock,
        })
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    pub(crate) fn in_use(&self) -> usize {
        self.in_use.load(Ordering::Acquire)
    }

    /// Reserves up to `wanted` places; the answer says how many.
    pub(crate) fn reserve(&self, wanted: usize) -> usize {
        match self.try_reserve(wanted) {
            0 if self.miss() => self.try_reserve(wanted),
            reserved => reserved,
        }
    }

    /// Notes that somebody found no capacity. Whether there is some by now: who frees it looks at the
    /// note after that, so that one of the two always sees the other.
    pub(crate) fn miss(&self) -> bool {
        self.missed.swap(true, Ordering::SeqCst);
        self.in_use.load(Ordering::SeqCst) < self.limit
    }

    /// Returns `true` if somebody found no capacity since this was last asked.
    pub(crate) fn take_missed(&self) -> bool {
        self.missed.swap(false, Ordering::SeqCst)
    }

    fn try_reserve(&self, wanted: usize) -> usize {
        let mut reserved = 0;
        let update = self
            .in_use
            .try_update(Ordering::SeqCst, Ordering::SeqCst, |in_use| {
                reserved = wanted.min(self.limit.saturating_sub(in_use));
                (reserved > 0).then_some(in_use + reserved)
            });
        if update.is_ok() { reserved } else { 0 }
    }

    /// Gives reserved places back.
    pub(crate) fn release(&self, count: usize) {
        self.in_use.fetch_sub(count, Ordering::SeqCst);
    }

    /// Carries out one attempt in a place that was reserved and that its context names; the place is
    /// released before the attempt's end is reported.
    pub(crate) fn submit(&self, task_pool: &mut TaskPool, assignment: Assignment) {
        if assignment.task.is_sync {
            blocking::submit(self, assignment);
        } else {
            task_pool.carry_out(self, assignment);
        }
    }
}

/// How long a run whose cancellation was requested may go on before it is dropped at its next await.
const CANCEL_GRACE: Duration = Duration::from_secs(5);

/// Makes the body of an attempt. Reading its arguments and what is injected is the user's code as
/// well, and may panic.
fn make_body(assignment: &Assignment) -> Result<TaskBody, AttemptOutcome> {
    let _entered = assignment.span.enter();
    let start = AssertUnwindSafe(|| (assignment.task.start)(&assignment.context));
    match catch_unwind(start) {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(failure)) => Err(AttemptOutcome::Failed(failure.into_text())),
        Err(payload) => Err(AttemptOutcome::Panicked(panic_text(payload))),
    }
}

/// What a finished body came to. Whether it stopped early because it was asked to, is known by whether it
/// noticed; only an `Ok` says itself that it did not.
fn outcome_of(output: TaskOutput, context: &JobContext) -> AttemptOutcome {
    let cancel = &context.0.cancel;
    match output {
        TaskOutput::Returned(value) if cancel.is_seen() => AttemptOutcome::Cancelled(value),
        TaskOutput::Returned(value) | TaskOutput::Succeeded(value) => {
            AttemptOutcome::Succeeded(value)
        }
        TaskOutput::Failed(failure) if cancel.is_seen() => {
            AttemptOutcome::GaveUp(failure.into_text())
        }
        TaskOutput::Failed(failure) => AttemptOutcome::Failed(failure.into_text()),
    }
}
