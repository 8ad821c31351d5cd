//! The run loop: one task per store that sleeps until something is due, claims it, hands it to the
//! executors and records how it ended.

mod backlog;
mod duties;
mod fence;
mod heartbeat;
mod live;
mod outage;
mod outcome;
mod reserved_capacity;
mod stop;
mod task_lookup;
mod unconfirmed;
mod upkeep;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::cancel::Cancellation;
use crate::clock::{monotonic_now, sleep};
use crate::engine::Engine;
use crate::engine::order::Order;
use crate::engine::port::StorePort;
use crate::engine::shutdown_report::Stopped;
use crate::event::EventKind;
use crate::executor::ReportSink;
use crate::health::Duty;
use crate::id::{JobId, RunId, RunSet};
use crate::metrics;
use crate::node::NodeId;
use crate::store::{ClaimRequest, ClaimedRun, StoreError, Unreadable};
use crate::task::started_run::StartedRun;
use backlog::Backlog;
use fence::Step;
use heartbeat::Heartbeats;
use live::Live;
use outage::Outage;
pub(crate) use outcome::Unwritten;
use reserved_capacity::ReservedCapacity;
use task_lookup::TaskLookup;
use upkeep::Upkeep;

/// No sleep is longer, so that clock changes and suspended machines are noticed.
const MAX_SLEEP: Duration = Duration::from_secs(30);

/// The same where time is virtual and the store asks for longer sleeps, as databases do: each look takes real
/// time, a day should pass at once, and whoever moves the clock wakes the driver.
const MAX_VIRTUAL_SLEEP: Duration = Duration::from_secs(900);

/// When to ask again for what is due and was not handed out: it waits for capacity, and
/// whoever frees some wakes the driver, or for another node.
const OVERDUE: TimeDelta = TimeDelta::seconds(1);

/// How far the wall clock may move against the monotonic one before it is called a jump.
const JUMP: TimeDelta = crate::store_clock::NOTABLE;

/// The run loop of one store.
pub(crate) struct Driver {
    engine: Arc<Engine>,
    port: Arc<StorePort>,
    /// Runs that this driver holds and executors carry out.
    live: Live,
    /// Those of them that were asked to stop, which are not asked again.
    asked: RunSet,
    task_lookup: TaskLookup,
    backlog: Backlog,
    sink: ReportSink,
    unwritten: Unwritten,
    /// Runs to be released, which the store could not be told yet.
    unreleased: Vec<ClaimedRun>,
    /// What the report of a shutdown is made of.
    left: Stopped,
    outage: Outage,
    last_seen: (DateTime<Utc>, Instant),
    /// What is done beside claiming.
    upkeep: Upkeep,
    /// The present identity.
    node: NodeId,
    /// Heartbeats, once the store has answered that it knows leases.
    heartbeats: Option<Heartbeats>,
    has_joined: bool,
    /// Runs of an identity that this node has lost; their executors have not reported yet.
    fenced: HashMap<(RunId, u32), Arc<StartedRun>>,
    /// Whether the store may know of runs that this driver was not told of.
    is_unconfirmed: bool,
    /// Whether a virtual clock wakes this driver before time passes.
    is_woken_by_clock: bool,
}

impl Driver {
    pub(crate) fn new(engine: Arc<Engine>, port: Arc<StorePort>) -> Self {
        let last_seen = (engine.now(), monotonic_now());
        let node = engine.new_identity();
        Self {
            engine,
            live: Live::default(),
            asked: RunSet::default(),
            task_lookup: TaskLookup::default(),
            backlog: Backlog::default(),
            sink: port.sink(),
            unwritten: Unwritten::default(),
            unreleased: Vec::new(),
            left: Stopped::default(),
            outage: Outage::default(),
            last_seen,
            upkeep: Upkeep::new(last_seen.1),
            node,
            heartbeats: None,
            has_joined: false,
            fenced: HashMap::new(),
            is_unconfirmed: false,
            is_woken_by_clock: false,
            port,
        }
    }

    /// Runs until an order to stop is carried out.
    pub(crate) async fn run(mut self) -> Stopped {
        let mut order = self.port.orders();
        self.port.store().subscribe(self.port.wake_handle());
        if self.port.store().poll_every() > MAX_SLEEP
            && let Some(clock) = self.engine.clock().as_virtual()
        {
            clock.enter_driver(self.port.wake_handle());
            self.is_woken_by_clock = true;
            self.upkeep.duties.recur_every(MAX_VIRTUAL_SLEEP);
        }
        loop {
            let wait = match self.step_within_lease().await {
                Step::Done(wait) => {
                    self.store_works();
                    wait
                }
                Step::Fenced { has_answered } => self.outage.wait_to_join(has_answered),
                Step::Failed(error) => self.store_failed(&error),
            };
            self.port.set_live(self.live.len() + self.backlog.len());
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

    /// Waits for the next try while the store fails. Nothing but an order to stop, or a lease that runs out,
    /// cuts that short: whoever wakes the driver wants something of the store.
    async fn back_off(&mut self, wait: Duration, order: &mut watch::Receiver<Option<Order>>) {
        let start = monotonic_now();
        let mut wait = wait;
        loop {
            tokio::select! {
                biased;
                _ = order.changed() => return,
                () = self.lease_expired() => return,
                () = self.port.wanted() => wait = Outage::shortened(wait),
                () = sleep(wait.saturating_sub(start.elapsed())) => return,
            }
        }
    }

    /// Sleeps until the next step, and has secondary duties carried out meanwhile.
    async fn rest(&mut self, wait: Duration, order: &mut watch::Receiver<Option<Order>>) {
        let start = monotonic_now();
        loop {
            let left = wait.saturating_sub(start.elapsed());
            self.start_duty(wait.is_zero());
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
                () = self.lease_expired() => {}
                () = sleep(until_duty.map_or(left, |until| until.min(left))) => {
                    is_over = until_duty.is_none_or(|until| until >= left);
                }
            }
            self.upkeep.put_back(at_work);
            if let Some(report) = ended {
                is_over = self.end_duty(report);
            }
            if is_over {
                return;
            }
        }
    }

    /// Does what there is to do. Returns how long there is nothing to do.
    async fn step(&mut self) -> Result<Duration, StoreError> {
        self.watch_clock();
        self.keep_membership().await?;
        self.take_inbox();
        self.write_outcomes().await?;
        self.release_unconfirmed().await?;
        if let Some(at) = self.port.membership().take_lost() {
            self.upkeep.duties.want(Duty::TakeOver, at);
        }
        if self.port.membership().take_needs_repair() {
            self.upkeep.want_repair(monotonic_now());
        }
        // The answers may have taken longer than the lease lasts: others may run by now what waits here.
        self.keep_membership().await?;
        self.start_ready();
        let mut next_due = None;
        let is_claiming = self.engine.is_claiming();
        let asked_at = self.now();
        if is_claiming && self.claim(asked_at).await? {
            return Ok(Duration::ZERO);
        }
        self.stop_cancelled().await?;
        // A run between attempts that was asked to stop has ended with that.
        if !self.unwritten.is_empty() {
            return Ok(Duration::ZERO);
        }
        // While it fails, the store is asked in any case: a step that asks nothing cannot tell that it works.
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
        let now = self.now();
        let due_in = next_due.map(|at| (at - now).to_std().unwrap_or_default());
        let retry_at = self.backlog.next_retry();
        let retry_in = retry_at.map(|at| at.saturating_duration_since(monotonic_now()));
        let next = due_in.into_iter().chain(retry_in).min();
        let poll = self.port.store().poll_every().min(self.longest_sleep());
        let poll = jittered(poll, self.node);
        let wait = next.map_or(poll, |wait| wait.clamp(Duration::from_millis(1), poll));
        self.port.set_asleep_until(Some(now + wait));
        Ok(wait)
    }

    /// Now, by the clock of the store, so that all nodes agree.
    fn now(&self) -> DateTime<Utc> {
        self.port.now()
    }

    /// How long the driver sleeps at most.
    fn longest_sleep(&self) -> Duration {
        if self.is_woken_by_clock {
            MAX_VIRTUAL_SLEEP
        } else {
            MAX_SLEEP
        }
    }

    /// Notices that the wall clock was set, or that the machine slept.
    fn watch_clock(&mut self) {
        let (wall, monotonic) = (self.engine.now(), monotonic_now());
        let jump = jump_between((self.last_seen.1, self.last_seen.0), (monotonic, wall));
        if jump.abs() > JUMP {
            tracing::warn!(seconds = jump.num_seconds(), "the wall clock jumped");
            self.engine
                .warn(format!("the wall clock jumped by {} s", jump.num_seconds()));
            self.engine.publish(|| EventKind::ClockJumped(jump));
        }
        self.last_seen = (wall, monotonic);
        let went_back = self.port.clock().take_went_back();
        if jump < -JUMP || went_back {
            // Watermarks may be ahead of the clock now.
            self.upkeep.duties.want(Duty::Repair, monotonic);
        }
    }

    /// Claims what is due, as far as there is capacity. Returns `true` if there may be more.
    async fn claim(&mut self, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let batch = self.engine.batch();
        let capacity = ReservedCapacity::reserve(&self.engine, &self.port, batch);
        let request = ClaimRequest {
            node: self.node,
            now,
            claimable: self.engine.claimable(),
            capacity: capacity.reserved(),
            limit: batch,
            run_ids: self.engine.run_ids(),
        };
        // Should the answer be lost, the store may know of runs that this driver does not.
        let was_unconfirmed = std::mem::replace(&mut self.is_unconfirmed, true);
        let mut claim = self.port.store().claim(&request).await?;
        for skipped in &claim.skipped {
            self.engine.publish_added(&skipped.job_id);
        }
        self.engine.report_skipped(&claim.skipped);
        for (job_id, run_id) in claim.queued.drain(..) {
            self.engine.publish_added(&job_id);
            self.engine.publish(|| EventKind::Queued { job_id, run_id });
        }
        for job_id in claim.ended.drain(..) {
            tracing::debug!(%job_id, "the job's trigger has ended");
            self.engine.publish(|| EventKind::JobFinished(job_id));
        }
        for (job_id, problem) in claim.broken.drain(..) {
            self.report_paused(job_id, &problem);
        }
        for unreadable in claim.unreadable.drain(..) {
            self.report_unreadable(unreadable);
        }
        // The answer may have taken longer than the lease lasts: others take these runs over.
        self.keep_membership().await?;
        self.is_unconfirmed = was_unconfirmed;
        let has_capacity_again = self.start_claimed(std::mem::take(&mut claim.runs), capacity);
        Ok(claim.more || has_capacity_again)
    }

    /// Returns when something becomes due for which there is capacity.
    async fn next_due(&self, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, StoreError> {
        let capacity = self.engine.free_capacity();
        let request = ClaimRequest {
            node: self.node,
            now,
            claimable: self.engine.claimable(),
            capacity: &capacity,
            limit: 0,
            run_ids: self.engine.run_ids(),
        };
        self.port.store().next_due(&request).await
    }

    /// Stops the runs that anybody, on whatever node, asked to stop.
    async fn stop_cancelled(&mut self) -> Result<(), StoreError> {
        if self.live.is_empty() && self.backlog.len() == 0 && self.backlog.after_body.is_empty() {
            return Ok(());
        }
        let asked = self.port.store().cancellations(self.node).await?;
        // The store tells of a run until it has ended, and there may be thousands.
        let is_new = |run: &RunId| !self.asked.contains(run);
        let mut asked: RunSet = asked.into_iter().filter(is_new).collect();
        asked.retain(|run| !self.cancel_queued(*run));
        if asked.is_empty() {
            return Ok(());
        }
        for context in self.live.iter() {
            if asked.contains(&context.run_id()) {
                self.engine.cancel(context, Cancellation::Requested);
                self.asked.insert(context.run_id());
            }
        }
        Ok(())
    }

    /// Says that a record cannot be read; each is told once.
    pub(super) fn report_unreadable(&self, unreadable: Unreadable) {
        let Unreadable { id, problem } = unreadable;
        tracing::error!(job_id = %id, problem, "the record cannot be read and is left alone");
        self.engine.warn(format!(
            "the record of `{id}` in store `{}` cannot be read and is left alone: {problem}",
            self.port.name()
        ));
        self.engine.publish(|| EventKind::Unreadable {
            store: self.port.name().clone(),
            record: id.into(),
            problem: problem.into(),
        });
    }

    /// Says that a job was paused because its trigger cannot be asked.
    fn report_paused(&self, job_id: JobId, problem: &str) {
        tracing::error!(%job_id, problem, "the job was paused");
        self.engine
            .warn(format!("job `{job_id}` was paused: {problem}"));
        self.engine.publish(|| EventKind::JobPaused(job_id));
    }

    /// Ends a run that waits for its next attempt. Whether there was one.
    fn cancel_queued(&mut self, run: RunId) -> bool {
        let now = self.now();
        let context = |run| Arc::new(StartedRun::new(run, &self.engine.home, Live::NOWHERE));
        if let Some(waiting) = self.backlog.take(run) {
            self.unwritten.cancelled(context(waiting), now, false);
        } else if let Some(timed_out) = self.backlog.take_after_body(run) {
            self.unwritten.cancelled(context(timed_out), now, true);
        } else {
            return false;
        }
        true
    }

    fn take_inbox(&mut self) {
        let inbox = self.port.take_inbox();
        // Runs that ended have freed capacity, which runs of another store may wait for.
        let ended = inbox.reports.iter();
        let executors = ended.map(|report| &*report.run().policies.executor);
        self.engine.share_capacity(&self.port, executors);
        let reports = self.without_fenced(inbox.reports);
        self.unwritten.add(reports);
        for (node, run) in inbox.manual {
            if node == self.node {
                self.backlog.push(run);
            } else {
                // Its answer came after the lease ran out: whoever takes it over starts it.
                tracing::warn!(job_id = %run.job_id, run_id = %run.run_id, "a manual run is not this node's any more");
            }
        }
    }

    fn store_works(&mut self) {
        if self.outage.end() {
            let store = self.port.name().clone();
            tracing::info!(%store, "the store works again");
            self.port.set_error(None, false);
            self.engine.publish(|| EventKind::StoreRecovered { store });
        }
    }

    /// Says that the store failed. Returns how long to wait.
    fn store_failed(&mut self, error: &StoreError) -> Duration {
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

/// By how much the wall clock was set between two looks at both clocks.
fn jump_between(earlier: (Instant, DateTime<Utc>), later: (Instant, DateTime<Utc>)) -> TimeDelta {
    let passed = TimeDelta::from_std(later.0.saturating_duration_since(earlier.0));
    (later.1 - earlier.1) - passed.unwrap_or(TimeDelta::MAX)
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.port.abandon();
    }
}

/// Lets what is ready run before the driver looks: the first run that ends wakes it, and it would look
/// for each of them. It queues where other threads take it from: `yield_now` would wait for this thread,
/// which one of the others may block.
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

/// A little less than that, another part of it on every node, so that nodes do not look all at once.
fn jittered(poll: Duration, node: NodeId) -> Duration {
    let share = u32::try_from(node.as_u64() % 256).unwrap_or(0);
    poll.saturating_sub(poll / 1024 * share)
}
