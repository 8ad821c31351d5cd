//! The loop of a driver: it calls the store, passes events to [`Runs`] and carries out the commands that it gets
//! back. It makes no decisions about runs.

use std::fmt::from_fn;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;

use super::capacity_guard::CapacityGuard;
use super::clock_watch::ClockWatch;
use super::lease::Lease;
use super::outage::Outage;
use super::publish::{publish_end, publish_late, report_paused, report_unreadable, run_event};
use super::runs::{Command, Event, Permit, Runs};
use super::stop::patience;
use super::task_lookup::TaskLookup;
use super::upkeep::{self, Upkeep};
use super::{Driver, Engine, Reading, StorePort};
use crate::clock::{monotonic_now, sleep};
use crate::engine::order::Order;
use crate::engine::shutdown_report::Stopped;
use crate::event::EventKind;
use crate::executor::{Assignment, Reporter};
use crate::health::Duty;
use crate::metrics;
use crate::node::NodeId;
use crate::panic::panic_text;
use crate::store::{ClaimRequest, POLL_EVERY, RunRef, StoreError};
use crate::task::context::JobContext;
use crate::task::started_run::StartedRun;

/// The longest sleep of a driver where time is virtual and the store asks for longer ones, as databases do. Each call
/// takes real time, a day should pass at once, and moving the clock wakes the driver.
const MAX_VIRTUAL_SLEEP: Duration = Duration::from_secs(900);

/// When to ask again for due jobs that were not claimed. They wait for capacity, whose release wakes the driver, or
/// for another node.
const OVERDUE: TimeDelta = TimeDelta::seconds(1);

/// The result of a step.
enum Step {
    /// There is nothing to do for this long.
    Done(Duration),
    /// The lease had run out, or may have. The next step joins again or continues with a renewed lease.
    /// `has_answered` is `true` if the store itself reported this.
    Fenced { has_answered: bool },
    /// The store failed.
    Failed(StoreError),
}

impl Driver {
    pub(crate) fn new(engine: Arc<Engine>, port: Arc<StorePort>) -> Self {
        let now = Reading::of(engine.clock());
        Self {
            lease: Lease::new(engine.clone(), port.clone()),
            runs: Runs::new(engine.new_identity(), engine.home.clone()),
            task_lookup: TaskLookup::new(port.clock().clone(), port.sink()),
            clock_watch: ClockWatch::new(now),
            outage: Outage::default(),
            upkeep: Upkeep::new(now.monotonic),
            engine,
            port,
        }
    }

    /// Joins before the first step, so that runs can be requested as soon as the scheduler has started.
    pub(crate) async fn joined(mut self) -> Result<Self, StoreError> {
        self.lease.join_in_time(self.runs.node()).await?;
        Ok(self)
    }

    /// Runs until an order to stop is carried out. A panic is reported at once, because no job of this store runs
    /// from then on.
    pub(crate) async fn run(self) -> Stopped {
        let (engine, port) = (self.engine.clone(), self.port.clone());
        let panic = match tokio::spawn(self.run_to_end()).await {
            Ok(stopped) => return stopped,
            Err(error) => error.try_into_panic(),
        };
        if let Ok(payload) = panic {
            let (store, text) = (port.name().clone(), panic_text(payload));
            let text: Arc<str> =
                format!("the driver panicked, and no job of this store runs: {text}").into();
            tracing::error!(%store, error = %text, "the driver of a store has ended");
            engine.warn(format!("store `{store}`: {text}"));
            port.set_error(Some((port.now(), text.clone())), false);
            engine.publish(|| EventKind::StoreFailed { store, error: text });
        }
        Stopped::default()
    }

    async fn run_to_end(mut self) -> Stopped {
        let mut order = self.port.orders();
        self.port.store().subscribe(self.port.wake_handle());
        let longest_sleep = self.longest_sleep();
        if longest_sleep > POLL_EVERY {
            self.upkeep.duties.recur_every(longest_sleep);
        }
        loop {
            let wait = match self.step_within_lease(longest_sleep).await {
                Step::Done(wait) => {
                    self.store_works();
                    wait
                }
                Step::Fenced { has_answered } => self.outage.wait_to_join(has_answered),
                Step::Failed(error) => self.store_failed(&error),
            };
            self.port.set_live(self.runs.live());
            metrics::runs_live(self.engine.permits_in_use());
            metrics::lease_age(self.port.name(), self.port.membership().heartbeat_age());
            if order.borrow().is_some() {
                return self.stop(order).await;
            }
            if self.outage.is_on() {
                self.back_off(wait, &mut order).await;
            } else {
                self.rest(wait, &mut order).await;
            }
            self.port.set_asleep_until(None);
        }
    }

    /// Returns the longest sleep of the driver. A virtual clock wakes it before time passes.
    fn longest_sleep(&self) -> Duration {
        match self.engine.clock().as_virtual() {
            Some(clock) if self.port.store().poll_every() > POLL_EVERY => {
                clock.enter_driver(self.port.wake_handle());
                MAX_VIRTUAL_SLEEP
            }
            _ => POLL_EVERY,
        }
    }

    /// Waits for the next try while the store fails. Only an order to stop or an expired lease cuts that short: every
    /// other wake-up would need the store.
    async fn back_off(&mut self, wait: Duration, order: &mut watch::Receiver<Option<Order>>) {
        let start = monotonic_now();
        let mut wait = wait;
        loop {
            tokio::select! {
                biased;
                _ = order.changed() => return,
                () = self.lease.expired() => return,
                () = self.port.wanted() => wait = Outage::shortened(wait),
                () = sleep(wait.saturating_sub(start.elapsed())) => return,
            }
        }
    }

    /// Sleeps until the next step while secondary duties are carried out.
    async fn rest(&mut self, wait: Duration, order: &mut watch::Receiver<Option<Order>>) {
        let start = monotonic_now();
        loop {
            let left = wait.saturating_sub(start.elapsed());
            self.upkeep
                .start_duty(&self.engine, &self.port, wait.is_zero());
            let until_duty = self.upkeep.duties.next_due();
            let until_duty = until_duty.map(|at| at.saturating_duration_since(monotonic_now()));
            let mut at_work = self.upkeep.take();
            let mut ended = None;
            let mut is_over = true;
            tokio::select! {
                biased;
                _ = order.changed() => {}
                report = upkeep::ended(&mut at_work) => ended = Some(report),
                () = self.port.woken() => let_others_go_first().await,
                () = self.lease.expired() => {}
                () = sleep(until_duty.map_or(left, |until| until.min(left))) => {
                    is_over = until_duty.is_none_or(|until| until >= left);
                }
            }
            self.upkeep.put_back(at_work);
            if let Some(report) = ended {
                is_over = self.upkeep.end_duty(&self.engine, &self.port, report);
            }
            if is_over {
                return;
            }
        }
    }

    /// Takes one step, abandoned as soon as the lease runs out: a store that does not answer must not keep this node
    /// from stopping its runs.
    async fn step_within_lease(&mut self, longest_sleep: Duration) -> Step {
        let mut order = self.port.orders();
        if !self.lease.is_known() {
            let result = tokio::select! {
                biased;
                result = self.step(longest_sleep) => result,
                () = out_of_patience(&mut order) => Err(no_answer()),
            };
            return result.map_or_else(Step::Failed, Step::Done);
        }
        if !self.lease.has_joined() {
            // There is no lease yet that could run out.
            let joined = tokio::select! {
                biased;
                joined = self.lease.join_in_time(self.runs.node()) => joined,
                () = out_of_patience(&mut order) => Err(no_answer()),
            };
            if let Err(error) = joined {
                return Step::Failed(error);
            }
        }
        let (port, engine) = (self.port.clone(), self.engine.clone());
        let (result, has_answered) = tokio::select! {
            biased;
            result = self.step(longest_sleep) => (result, true),
            () = port.membership().expired(engine.clock()) => (Err(StoreError::fenced()), false),
            // Heartbeats may still get through, in which case nothing else would detect this.
            () = sleep(port.membership().patience()) => (Err(no_answer()), false),
            () = out_of_patience(&mut order) => (Err(no_answer()), false),
        };
        let is_refused = matches!(&result, Err(error) if error.is_fenced());
        if self.lease.has_joined() && (is_refused || !self.lease.may_go_on()) {
            if self.lease.is_still_ours().await {
                return Step::Fenced { has_answered: true };
            }
            self.fence();
            return Step::Fenced { has_answered };
        }
        result.map_or_else(Step::Failed, Step::Done)
    }

    /// Does all pending work. Returns how long there is nothing to do.
    async fn step(&mut self, longest_sleep: Duration) -> Result<Duration, StoreError> {
        self.watch_clock();
        self.lease.keep(self.runs.node()).await?;
        self.take_inbox();
        self.settle().await?;
        if let Some(at) = self.port.membership().take_lost() {
            self.upkeep.duties.want(Duty::TakeOver, at);
        }
        if self.port.membership().take_needs_repair() {
            self.upkeep.want_repair(monotonic_now());
        }
        // The answers may have taken longer than the lease lasts: other nodes may already be running the runs that
        // wait here.
        self.lease.keep(self.runs.node()).await?;
        self.start_waiting();
        let mut next_due = None;
        let is_claiming = self.engine.is_claiming();
        let asked_at = self.port.now();
        let may_claim_more = is_claiming && self.claim(asked_at).await?;
        // Also while there is more to claim, which may continue for any length of time.
        self.pass_on_cancellations().await?;
        // A run whose cancellation was requested between two attempts has ended with that.
        if may_claim_more || self.runs.has_unwritten() {
            return Ok(Duration::ZERO);
        }
        // During an outage the store is always called: a step without a call cannot show that the store works.
        if is_claiming || self.outage.is_on() {
            let due = self.next_due(asked_at).await?;
            next_due = due.filter(|_| is_claiming).map(|at| {
                if at > asked_at {
                    at
                } else {
                    asked_at + OVERDUE
                }
            });
        }
        let now = self.port.now();
        let due_in = next_due.map(|at| (at - now).to_std().unwrap_or_default());
        let attempt_at = self.runs.next_attempt();
        let attempt_in = attempt_at.map(|at| at.saturating_duration_since(monotonic_now()));
        let next = due_in.into_iter().chain(attempt_in).min();
        let poll = self.port.store().poll_every().min(longest_sleep);
        let poll = jittered(poll, self.runs.node());
        let wait = next.map_or(poll, |wait| wait.clamp(Duration::from_millis(1), poll));
        self.port.set_asleep_until(Some(now + wait));
        Ok(wait)
    }

    fn watch_clock(&mut self) {
        let now = Reading::of(self.engine.clock());
        let jump = self.clock_watch.look(now);
        if let Some(jump) = jump {
            let seconds = jump.num_seconds();
            tracing::warn!(seconds, "the wall clock jumped");
            self.engine
                .warn(format!("the wall clock jumped by {seconds} s"));
            self.engine.publish(|| EventKind::ClockJumped(jump));
        }
        let went_back = self.port.clock().take_went_back();
        if went_back || jump.is_some_and(|jump| jump < TimeDelta::zero()) {
            // Watermarks may be ahead of the clock now.
            self.upkeep.duties.want(Duty::Repair, now.monotonic);
        }
    }

    /// Takes what handles and executors have put into the inbox.
    pub(super) fn take_inbox(&mut self) {
        let inbox = self.port.take_inbox();
        // Runs that ended have freed capacity that runs of another store may be waiting for.
        let ended = inbox.reports.iter();
        let executors = ended.map(|report| &*report.run().policies.executor);
        self.engine.share_capacity(&self.port, executors);
        self.on(Event::Reported(inbox.reports));
        for (node, run) in inbox.manual {
            self.on(Event::Requested(node, run));
        }
    }

    /// Has the store record the ends of runs and take back runs that were not started.
    pub(super) async fn settle(&mut self) -> Result<(), StoreError> {
        if self.runs.has_unwritten() {
            let unwritten = self.runs.unwritten();
            let ends = unwritten.len();
            // On an error everything stays unwritten. Finishing is conditional, so retrying is safe.
            let answers = self
                .port
                .store()
                .finish(self.runs.node(), unwritten)
                .await?;
            if answers.len() != ends {
                let answers = answers.len();
                return Err(StoreError::new(format!(
                    "`finish` was given {ends} ends of attempts and gave {answers} answers: a store answers to each"
                )));
            }
            self.note_stopping();
            self.on(Event::Recorded(answers, monotonic_now()));
        }
        if self.port.take_unconfirmed() {
            self.on(Event::AnswerLost);
        }
        if self.runs.is_unconfirmed() {
            let held = self.port.store().list_held(self.runs.node()).await?;
            // Manual runs started during the call are about to be handed in, or already were.
            let asked_for = self.port.asked_for();
            self.take_inbox();
            self.on(Event::Held(held, asked_for));
        }
        if self.runs.has_to_release() {
            // On an error they are kept: releasing twice has no further effect.
            let (runs, now) = (self.runs.to_release(), self.port.now());
            let store = self.port.store();
            let cancelled = store.release(self.runs.node(), runs, now).await?;
            self.engine.report_cancelled(&cancelled);
            self.on(Event::Released);
        }
        Ok(())
    }

    /// Stops runs whose cancellation was requested, on whichever node.
    pub(super) async fn pass_on_cancellations(&mut self) -> Result<(), StoreError> {
        if self.runs.live() > 0 {
            let node = self.runs.node();
            let cancellations = self.port.store().list_cancellations(node).await?;
            self.on(Event::CancelRequested(cancellations, self.port.now()));
        }
        Ok(())
    }

    /// Starts waiting runs, as far as executors have capacity.
    fn start_waiting(&mut self) {
        let engine = self.engine.clone();
        let mut reserve = |executor: &str| match engine.executor(executor) {
            Some(executor) if executor.reserve(1) == 1 => Permit::Taken,
            Some(_) => Permit::Full,
            None => Permit::Unknown,
        };
        self.on(Event::Ready(monotonic_now(), &mut reserve));
    }

    /// Claims due runs, as far as there is capacity. Returns `true` if there may be more.
    async fn claim(&mut self, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let batch = self.engine.batch();
        let mut capacity = CapacityGuard::reserve(&self.engine, &self.port, batch);
        self.on(Event::ClaimSent);
        let request = ClaimRequest::new(
            self.runs.node(),
            now,
            self.engine.claimable(),
            capacity.reserved(),
            self.engine.run_ids(),
        )
        .limit(batch);
        let mut claim = self.port.store().claim(&request).await?;
        for skipped in &claim.skipped {
            self.engine.publish_added(&skipped.job_id);
        }
        self.engine.report_skipped(&claim.skipped);
        self.engine.report_cancelled(&claim.cancelled);
        for RunRef { job_id, run_id } in claim.queued.drain(..) {
            self.engine.publish_added(&job_id);
            self.engine.publish(|| EventKind::Queued { job_id, run_id });
        }
        for job_id in claim.ended.drain(..) {
            tracing::debug!(%job_id, "the job's trigger has ended");
            self.engine.publish(|| EventKind::JobFinished(job_id));
        }
        for broken in claim.broken.drain(..) {
            report_paused(&self.engine, broken);
        }
        for unreadable in claim.unreadable.drain(..) {
            report_unreadable(&self.engine, &self.port, unreadable);
        }
        // The answer may have taken longer than the lease lasts, in which case other nodes take these runs over.
        self.lease.keep(self.runs.node()).await?;
        // One job may start several runs at once, more than were reserved.
        let mut take = |executor: &str| capacity.take(executor);
        self.on(Event::ClaimAnswered(claim.runs, &mut take));
        Ok(claim.more || capacity.is_there_again())
    }

    /// Returns when the next job becomes due for which there is capacity.
    async fn next_due(&self, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, StoreError> {
        let capacity = self.engine.free_capacity();
        let request = ClaimRequest::new(
            self.runs.node(),
            now,
            self.engine.claimable(),
            &capacity,
            self.engine.run_ids(),
        );
        self.port.store().next_due(&request).await
    }

    /// Continues under another identity and stops everything held under the current one.
    pub(super) fn fence(&mut self) {
        let (lost, running) = (self.runs.node(), self.runs.started());
        tracing::error!(node = %lost, store = %self.port.name(), running, "the lease ran out: running attempts are stopped");
        self.engine.warn(format!(
            "the lease of this node in store `{}` ran out: {running} run(s) were stopped",
            self.port.name(),
        ));
        self.lease.lose(lost);
        self.take_inbox();
        self.note_stopping();
        self.on(Event::Fenced(self.engine.new_identity()));
        let store = self.port.name().clone();
        self.engine
            .publish(|| EventKind::LeaseLost { store, node: lost });
    }

    /// Counts the runs that end from now on, because the scheduler has begun to stop.
    pub(super) fn note_stopping(&mut self) {
        if self.engine.is_stopping() {
            self.on(Event::Stopping);
        }
    }

    /// Passes an event to the runs and carries out the resulting commands.
    pub(super) fn on(&mut self, event: Event<'_>) {
        let (engine, port, task_lookup) = (&self.engine, &self.port, &mut self.task_lookup);
        let mut not_started = Vec::new();
        self.runs.on(event, &mut |command| match command {
            Command::Start(started) => not_started.extend(start(engine, task_lookup, started)),
            Command::Stop(started, level) => engine.cancel(&started, level),
            Command::Publish(end) => publish_end(engine, end),
            Command::PublishLate(run) => publish_late(engine, &run.run),
            Command::LogDisowned(run) => {
                // The answer came after the lease ran out: the node that takes the run over starts it.
                tracing::warn!(job_id = %run.job_id, run_id = %run.run_id, "a manual run is no longer held by this node");
            }
            Command::LogUnknownExecutor(run) => {
                // The job was moved to another executor after the manual run was requested.
                tracing::warn!(job_id = %run.job_id, run_id = %run.run_id, executor = %run.policies.executor, "no such executor in this program: the run is released");
            }
            Command::LogUnconfirmed(runs) => {
                tracing::warn!(runs, store = %port.name(), "runs whose claim was not answered are released");
            }
        });
        for started in not_started {
            self.on(Event::NotStarted(started));
        }
    }

    pub(super) fn store_works(&mut self) {
        if self.outage.end() {
            let store = self.port.name().clone();
            tracing::info!(%store, "the store works again");
            self.port.set_error(None, false);
            self.engine.publish(|| EventKind::StoreRecovered { store });
        }
    }

    /// Reports that the store failed. Returns how long to wait.
    pub(super) fn store_failed(&mut self, error: &StoreError) -> Duration {
        let wait = self.outage.fail();
        let (store, text): (_, Arc<str>) = (self.port.name().clone(), error.to_string().into());
        tracing::error!(%store, error = %text, retry_in = ?wait, "the store failed");
        let failure = (self.port.now(), text.clone());
        self.port.set_error(Some(failure), error.is_unreachable());
        self.engine
            .publish(|| EventKind::StoreFailed { store, error: text });
        wait
    }
}

/// Hands one attempt to its executor, where a permit is reserved. Returns the attempt if this program lacks its task
/// or its executor.
fn start(
    engine: &Engine,
    task_lookup: &mut TaskLookup,
    started: Arc<StartedRun>,
) -> Option<Arc<StartedRun>> {
    let run = &started.run;
    let Some((task, destination)) = task_lookup.of(run, engine) else {
        // A store hands out only runs that the node can claim, but the job of a manual run may have been replaced
        // meanwhile.
        tracing::error!(job_id = %run.job_id, task = %run.task, "no such task or executor in this program");
        if let Some(executor) = engine.executor(&run.policies.executor) {
            executor.release(1);
        }
        return Some(started);
    };
    let span = tracing::info_span!(
        "run",
        job_id = %run.job_id,
        run_id = %run.run_id,
        attempt = run.attempt,
        // Formatted only on demand: some features of `tracing` evaluate fields even if no subscriber is interested.
        scheduled_for = %from_fn(|f| f.write_str(&run.scheduled_for.to_rfc3339())),
        // Recorded by the executor when the attempt ends.
        outcome = tracing::field::Empty,
        error = tracing::field::Empty,
    );
    engine.publish_added(&run.job_id);
    engine.publish(|| EventKind::Started(run_event(run)));
    tracing::debug!(parent: &span, job_id = %run.job_id, "started");
    if let Some(handover) = destination.executor.handover(&destination.clock) {
        started.hand_over(handover);
    }
    let reporter = Reporter::new(started.clone(), destination.clone(), span);
    let context = JobContext(started);
    destination
        .executor
        .submit(Assignment { context, task }, reporter);
    None
}

/// Completes some time after an order to stop has arrived, so that a store that does not answer cannot delay the
/// stop.
async fn out_of_patience(order: &mut watch::Receiver<Option<Order>>) {
    let left = match order.wait_for(Option::is_some).await {
        Ok(order) => order.as_ref().and_then(Order::left),
        Err(_) => None,
    };
    sleep(patience(left)).await;
}

fn no_answer() -> StoreError {
    StoreError::unreachable("no answer")
}

/// Lets ready tasks run before the driver takes its inbox. The first run that ends wakes the driver, which would
/// otherwise take a step for each of them. This wake-up enters a queue that other threads can steal from; `yield_now`
/// would wait for this thread, which one of the other tasks may block.
async fn let_others_go_first() {
    let mut is_first = true;
    std::future::poll_fn(|cx| {
        if std::mem::take(&mut is_first) {
            cx.waker().wake_by_ref();
            return std::task::Poll::Pending;
        }
        std::task::Poll::Ready(())
    })
    .await;
}

/// Returns a little less than `poll`, by a different amount on every node, so that the nodes do not poll all at once.
fn jittered(poll: Duration, node: NodeId) -> Duration {
    let share = u32::try_from(node.as_u64() % 256).unwrap_or(0);
    poll.saturating_sub(poll / 1024 * share)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::port::AskedFor;
    use crate::executor::{Report, ReportEvent};
    use crate::id::RunId;
    use crate::run::{AttemptOutcome, RunKind};
    use crate::scheduler::Scheduler;
    use crate::store::{ManualRequest, MemoryStore};

    async fn driver() -> Driver {
        let builder = Scheduler::builder().client().without_static_jobs();
        let scheduler = builder.start().await.unwrap();
        let (store, clock) = (Arc::new(MemoryStore::new()), scheduler.0.shared_clock());
        let port = StorePort::new("default".into(), store, clock);
        Driver::new(scheduler.0, port)
    }

    #[tokio::test(start_paused = true)]
    async fn run_of_an_unknown_task_takes_no_permit_and_is_released() {
        let mut driver = driver().await;
        let context = crate::testing::context("no such task").unwrap();
        let run_id = context.run_id();
        let run = context.0.run.clone();
        driver.on(Event::Requested(driver.runs.node(), run));
        driver.start_waiting();
        assert!(driver.engine.permits_in_use().all(|(_, taken)| taken == 0));
        assert_eq!(driver.runs.to_release(), [run_id]);
    }

    #[tokio::test(start_paused = true)]
    async fn reported_run_is_not_kept_when_the_lease_runs_out() {
        let mut driver = driver().await;
        let context = crate::testing::context("job").unwrap();
        let mut take_permit = |_: &str| Permit::Taken;
        let claim = Event::ClaimAnswered(vec![context.0.run.clone()], &mut take_permit);
        let mut started = None;
        driver.runs.on(claim, &mut |command| match command {
            Command::Start(run) => started = Some(run),
            other => panic!("{other:?}"),
        });
        let started = started.expect("it was permitted");
        let event = ReportEvent::ended(&started, AttemptOutcome::Cancelled(None), false);
        driver.on(Event::Reported(vec![Report {
            run: started.clone(),
            started_at: DateTime::UNIX_EPOCH,
            finished_at: DateTime::UNIX_EPOCH,
            event,
        }]));
        assert_eq!(driver.runs.live(), 1);
        driver.fence();
        assert_eq!(driver.runs.live(), 0);
        assert_eq!(Arc::strong_count(&started), 1);
    }

    #[crate::task(crate = crate)]
    async fn nothing() {}

    /// Runs a closure once, on the first warning.
    struct AtWarning(std::sync::Mutex<Option<Box<dyn FnOnce() + Send>>>);

    impl tracing::Subscriber for AtWarning {
        fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
            tracing::span::Id::from_u64(1)
        }

        fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

        fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

        fn event(&self, event: &tracing::Event<'_>) {
            let is_warning = *event.metadata().level() == tracing::Level::WARN;
            if let Some(once) = self.0.lock().unwrap().take_if(|_| is_warning) {
                once();
            }
        }

        fn enter(&self, _: &tracing::span::Id) {}

        fn exit(&self, _: &tracing::span::Id) {}
    }

    #[tokio::test(start_paused = true)]
    async fn manual_run_handed_in_after_the_inbox_was_taken_is_not_released() {
        let store = MemoryStore::new();
        let builder = Scheduler::builder().client().without_static_jobs();
        let scheduler = builder.store(store.clone()).start().await.unwrap();
        let job = nothing::job().id("job").cron("0 0 1 1 *");
        scheduler.add_job(job).await.unwrap();
        let clock = scheduler.0.shared_clock();
        let port = StorePort::new("default".into(), Arc::new(store), clock);
        let port: &'static Arc<StorePort> = Box::leak(Box::new(port));
        let mut driver = Driver::new(scheduler.0.clone(), port.clone());
        let (node, run_id) = (driver.runs.node(), RunId::from_u128(7));
        let call = AskedFor::new(port, run_id);
        let request =
            ManualRequest::new("job", RunKind::Manual, run_id, DateTime::UNIX_EPOCH).holder(node);
        let asked = port.store().run_now(&request).await.unwrap();
        let run = asked.done().and_then(|asked| asked.start).unwrap();
        driver.on(Event::AnswerLost);
        // The warning about another node's run comes after the inbox was taken, so a run handed in at that point is
        // not in it.
        let of_another = crate::testing::context("job").unwrap().0.run.clone();
        port.start(NodeId::new(99), of_another).unwrap();
        let hand_in = Box::new(move || {
            port.start(node, run).unwrap();
            call.settle();
        });
        let subscriber = AtWarning(std::sync::Mutex::new(Some(hand_in)));
        let subscribed = tracing::subscriber::set_default(subscriber);
        driver.settle().await.unwrap();
        drop(subscribed);
        driver.take_inbox();
        assert_eq!(driver.runs.live(), 1, "it is about to start");
        let held = port.store().list_held(node).await.unwrap();
        assert_eq!(held, [run_id], "any node would start what was released");
    }
}
