//! Reports from the executor of an attempt to the driver of its store.

use std::fmt;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tracing::Span;

use super::outcome::Outcome;
use super::shared::SharedExecutor;
use super::trace;
use crate::cancel::Cancellation;
use crate::clock::sleep;
use crate::id::RunId;
use crate::lock::lock;
use crate::redaction::Redaction;
use crate::run::AttemptOutcome;
use crate::store::ClaimedRun;
use crate::store_clock::StoreClock;
use crate::task::started_run::StartedRun;
use crate::testing::Hold;

/// The result of an attempt.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) run: Arc<StartedRun>,
    pub(crate) started_at: DateTime<Utc>,
    pub(crate) finished_at: DateTime<Utc>,
    pub(crate) event: ReportEvent,
}

impl Report {
    pub(crate) fn run(&self) -> &ClaimedRun {
        &self.run.run
    }
}

#[derive(Debug)]
pub(crate) enum ReportEvent {
    /// The attempt has ended.
    Ended {
        outcome: AttemptOutcome,
        /// If `true`, the run had been cancelled by then. Stored so that the log, the store and the events agree on
        /// what follows. A [`Verdict`](crate::plan::Verdict) here would make each report larger by a quarter.
        is_asked: bool,
        /// If `true`, the attempt has timed out but its body is still running.
        body_runs: bool,
    },
    /// The body of an attempt that ended before has returned.
    BodyReturned,
}

impl ReportEvent {
    /// Reports that the attempt has ended. Its body may continue.
    pub(crate) fn ended(run: &StartedRun, outcome: AttemptOutcome, body_runs: bool) -> Self {
        Self::Ended {
            is_asked: run.cancel.is_asked(),
            outcome,
            body_runs,
        }
    }
}

/// Receives reports; called from any thread.
pub(crate) type ReportSink = Arc<dyn Fn(Report) + Send + Sync>;

/// When an attempt started and when it ended.
pub(super) type Times = (DateTime<Utc>, DateTime<Utc>);

/// Which executor carries out a run and where its end is reported, shared by many runs.
pub(crate) struct Destination {
    pub(crate) executor: Arc<SharedExecutor>,
    /// The clock of the store that the run belongs to.
    pub(crate) clock: Arc<StoreClock>,
    pub(crate) sink: ReportSink,
    pub(crate) redaction: Redaction,
    pub(crate) runtime: Handle,
}

/// Receives the outcome of one attempt from its [`Executor`](crate::Executor).
///
/// It reports once. If it is dropped without a report, for example together with an executor's state about a worker,
/// it reports that the attempt failed.
#[must_use = "an attempt whose reporter is dropped has failed"]
pub struct Reporter(Option<Open>);

/// An attempt whose end has not been reported yet.
struct Open {
    run: Arc<StartedRun>,
    destination: Arc<Destination>,
    span: Span,
    watch: Option<Box<Watch>>,
}

/// Watches the timeout of an attempt whose body cannot be ended from here. Dropping it stops the timer.
struct Watch {
    timer: AbortHandle,
    /// If `true`, the attempt was ended by its executor or by the timer. The lock is held until the timer's report is
    /// sent, so that the return of the body is never reported first.
    has_ended: Arc<Mutex<bool>>,
}

impl Reporter {
    pub(crate) fn new(run: Arc<StartedRun>, destination: Arc<Destination>, span: Span) -> Self {
        Self(Some(Open {
            run,
            destination,
            span,
            watch: None,
        }))
    }

    /// Returns the run's id and the attempt to report on.
    pub fn fencing_token(&self) -> Option<(RunId, u32)> {
        self.0.as_ref().map(|open| open.run.fencing_token())
    }

    /// Reports how the attempt ended.
    ///
    /// It has no effect if the attempt was given up meanwhile: its timeout was recorded, or the lease of this node
    /// ran out.
    pub fn report(mut self, outcome: Outcome) {
        if let Some(open) = self.0.take() {
            let now = open.destination.clock.now();
            let duration = outcome.duration().map(TimeDelta::from_std);
            let by_duration = duration.and_then(|duration| now.checked_sub_signed(duration.ok()?));
            let handed_over = open.run.handed_over_at().unwrap_or(now);
            // The body cannot have started before it was handed over.
            let started_at = by_duration.map_or(handed_over, |at| {
                at.clamp(handed_over, now.max(handed_over))
            });
            let timeout = open.run.run.policies.timeout;
            open.end(started_at, outcome.into_attempt_outcome(timeout));
        }
    }

    #[cold]
    fn lose(&mut self) {
        if let Some(open) = self.0.take() {
            let started_at = open.run.handed_over_at();
            let started_at = started_at.unwrap_or_else(|| open.destination.clock.now());
            let text = "the executor lost the attempt: it reported no outcome";
            open.end(started_at, AttemptOutcome::Failed(text.into()));
        }
    }

    /// Reports the end of an attempt that started at this instant.
    pub(super) fn end(&mut self, started_at: DateTime<Utc>, outcome: AttemptOutcome) {
        if let Some(open) = self.0.take() {
            open.end(started_at, outcome);
        }
    }

    /// Reports nothing, unless a report was already sent.
    pub(super) fn discard(&mut self) {
        if self.0.is_some() {
            self.0 = None;
        }
    }

    /// Returns the current time of the run's store.
    pub(super) fn now(&self) -> DateTime<Utc> {
        let open = self.0.as_ref();
        open.map_or(DateTime::UNIX_EPOCH, |open| open.destination.clock.now())
    }

    /// Calls this function inside the run's span.
    pub(super) fn in_span<T>(&self, inside: impl FnOnce() -> T) -> T {
        let _entered = self.0.as_ref().map(|open| open.span.enter());
        inside()
    }

    /// Returns the runtime in which the scheduler was started.
    pub(super) fn runtime(&self) -> Option<&Handle> {
        self.0.as_ref().map(|open| &open.destination.runtime)
    }

    /// Keeps virtual time from passing while an async body waits, if the clock is set up that way.
    pub(super) fn hold_for_run(&self) -> Option<Hold> {
        let clock = &self.0.as_ref()?.destination.clock;
        clock.as_virtual()?.hold_for_run()
    }

    /// Keeps virtual time from passing while a sync body works, if time is virtual.
    pub(super) fn hold_for_sync_task(&self) -> Option<Hold> {
        let clock = &self.0.as_ref()?.destination.clock;
        clock
            .as_virtual()
            .map(|_| crate::testing::hold_for_sync_task())
    }

    /// Starts to watch the timeout: when the attempt exceeds it, a timeout is reported and the body is cancelled. The
    /// permit is released once the body has ended.
    ///
    /// Does nothing if the timeout is already watched, as when an executor that leaves timeouts to the scheduler
    /// passes the attempt on to one that does not. The timeout counts from when the first executor received it.
    pub(super) fn watch_timeout(&mut self, started_at: DateTime<Utc>) {
        let Some(open) = self.0.as_mut().filter(|open| open.watch.is_none()) else {
            return;
        };
        let Some(limit) = open.run.run.policies.timeout else {
            return;
        };
        let has_ended = Arc::new(Mutex::new(false));
        let timer = {
            let (run, destination) = (open.run.clone(), open.destination.clone());
            let (span, has_ended) = (open.span.clone(), has_ended.clone());
            async move {
                sleep(limit).await;
                let mut has_ended = lock(&has_ended);
                // The end may have come just as the timer woke, which can no longer be stopped then.
                if std::mem::replace(&mut *has_ended, true) {
                    return;
                }
                run.cancel.raise(Cancellation::TimedOut);
                let event = ReportEvent::ended(&run, AttemptOutcome::TimedOut(limit), true);
                let times = (started_at, destination.clock.now());
                trace::ended(span, &run.run, &event, times);
                let (id, attempt) = run.fencing_token();
                destination.send(run, times, event);
                drop(has_ended);
                destination
                    .executor
                    .cancel(id, attempt, Cancellation::TimedOut);
            }
        };
        open.watch = Some(Box::new(Watch {
            timer: open.destination.runtime.spawn(timer).abort_handle(),
            has_ended,
        }));
    }
}

impl Open {
    fn end(self, started_at: DateTime<Utc>, outcome: AttemptOutcome) {
        let Self {
            run,
            destination,
            span,
            watch,
        } = self;
        let event = if watch.is_some_and(|watch| watch.end()) {
            ReportEvent::BodyReturned
        } else {
            ReportEvent::ended(&run, destination.redaction.apply(outcome), false)
        };
        let times = (started_at, destination.clock.now());
        trace::ended(span, &run.run, &event, times);
        // Before the report, because the driver may check for capacity as soon as it is sent.
        destination.executor.release(1);
        destination.send(run, times, event);
    }
}

impl Watch {
    /// Ends it with the attempt. Returns `true` if the attempt had timed out.
    fn end(&self) -> bool {
        std::mem::replace(&mut *lock(&self.has_ended), true)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.timer.abort();
    }
}

impl Destination {
    fn send(&self, run: Arc<StartedRun>, (started_at, finished_at): Times, event: ReportEvent) {
        (self.sink)(Report {
            run,
            started_at,
            finished_at,
            event,
        });
    }
}

impl Drop for Reporter {
    #[inline]
    fn drop(&mut self) {
        if self.0.is_some() {
            self.lose();
        }
    }
}

impl fmt::Debug for Reporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Reporter")
            .field(&self.fencing_token())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;
    use crate::clock::{Clock, SystemClock};
    use crate::executor::LocalExecutor;
    use crate::policy::Policies;
    use crate::task::context::JobContext;
    use crate::task::started_run::Handover;

    impl Reporter {
        /// Creates a reporter that reports to a channel.
        pub(in crate::executor) fn collecting(
            context: &JobContext,
        ) -> (Self, mpsc::Receiver<Report>) {
            let (sender, reports) = mpsc::channel();
            let executor = SharedExecutor::new(LocalExecutor::with_limit(1), true);
            assert_eq!(executor.reserve(1), 1);
            let destination = Destination {
                executor,
                clock: Arc::new(StoreClock::new(Arc::new(SystemClock))),
                sink: Arc::new(move |report| {
                    let _ = sender.send(report);
                }),
                redaction: Redaction::default(),
                runtime: Handle::current(),
            };
            let reporter = Self::new(context.0.clone(), Arc::new(destination), Span::none());
            (reporter, reports)
        }
    }

    #[tokio::test]
    async fn attempt_lost_by_its_executor_fails() {
        let context = crate::testing::context("job").unwrap();
        let (reporter, reports) = Reporter::collecting(&context);
        drop(reporter);
        let report = reports.try_recv().unwrap();
        let has_failed = matches!(
            &report.event,
            ReportEvent::Ended {
                outcome: AttemptOutcome::Failed(_),
                body_runs: false,
                ..
            }
        );
        assert!(has_failed, "{:?}", report.event);
        assert!(reports.try_recv().is_err(), "once");
    }

    #[tokio::test]
    async fn duration_gives_a_start_no_earlier_than_the_handover() {
        let handed_over_at = SystemClock.now() - TimeDelta::seconds(60);
        let report_of = |seconds| {
            let context = crate::testing::context("job").unwrap();
            let run = StartedRun::new(context.0.run.clone(), &context.0.home, 0);
            run.hand_over(Handover {
                at: handed_over_at,
                is_watched: false,
            });
            let (reporter, reports) = Reporter::collecting(&JobContext(Arc::new(run)));
            let duration = Duration::from_secs(seconds);
            reporter.report(Outcome::succeeded().with_duration(duration));
            reports.try_recv().unwrap()
        };
        let report = report_of(10);
        let took = report.finished_at - report.started_at;
        assert!((9_900..10_100).contains(&took.num_milliseconds()), "{took}");
        assert_eq!(report_of(100).started_at, handed_over_at);
    }

    /// Returns the context of a run whose attempts may take ten seconds.
    fn with_timeout() -> JobContext {
        let context = crate::testing::context("job").unwrap();
        let mut run = context.0.run.clone();
        run.policies = Arc::new(Policies {
            timeout: Some(Duration::from_secs(10)),
            ..Policies::default()
        });
        JobContext(Arc::new(StartedRun::new(run, &context.0.home, 0)))
    }

    #[tokio::test(start_paused = true)]
    async fn attempt_watched_twice_times_out_once_counted_from_the_first() {
        let (mut reporter, reports) = Reporter::collecting(&with_timeout());
        let first = reporter.now();
        reporter.watch_timeout(first);
        reporter.watch_timeout(first + TimeDelta::seconds(5));
        sleep(Duration::from_secs(11)).await;
        let report = reports.try_recv().unwrap();
        assert_eq!(report.started_at, first);
        assert!(matches!(
            report.event,
            ReportEvent::Ended {
                outcome: AttemptOutcome::TimedOut(_),
                body_runs: true,
                ..
            }
        ));
        assert!(reports.try_recv().is_err(), "once");
        reporter.report(Outcome::succeeded());
        let event = reports.try_recv().unwrap().event;
        assert!(matches!(event, ReportEvent::BodyReturned), "{event:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn timer_that_has_woken_does_not_report_an_ended_attempt() {
        let context = with_timeout();
        let (mut reporter, reports) = Reporter::collecting(&context);
        reporter.watch_timeout(reporter.now());
        // As if the attempt ended on another thread while the timer is polled, when it can no longer be aborted.
        let watch = reporter.0.as_mut().and_then(|open| open.watch.take());
        let watch = watch.unwrap();
        assert!(!watch.end(), "it had not timed out");
        sleep(Duration::from_secs(11)).await;
        assert!(reports.try_recv().is_err());
        assert!(!context.0.cancel.is_asked());
        reporter.discard();
    }

    #[tokio::test(start_paused = true)]
    async fn discarded_attempt_is_not_reported() {
        let (mut reporter, reports) = Reporter::collecting(&with_timeout());
        reporter.watch_timeout(reporter.now());
        reporter.discard();
        sleep(Duration::from_secs(11)).await;
        assert!(reports.try_recv().is_err());
    }
}
