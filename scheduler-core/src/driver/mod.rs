//! The run loop: one task per store that sleeps until something is due, claims it, hands it to the
//! executors and records how it ended.

mod outcome;
mod port;
mod ready;
mod stop;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

use crate::clock::{monotonic_now, sleep};
use crate::event::EventKind;
use crate::executor::Reporter;
use crate::id::{JobId, RunId};
use crate::scheduler::Scheduler;
use crate::store::{ClaimRequest, StoreError};
use crate::task::context::JobContext;
pub(crate) use outcome::Unwritten;
pub(crate) use port::StorePort;
use ready::Ready;
pub use stop::UnfinishedRun;
pub(crate) use stop::{Order, Stopped};

/// No sleep is longer, so that clock changes and suspended machines are noticed.
const MAX_SLEEP: Duration = Duration::from_secs(30);

/// When to ask again for what is due and was not handed out: it waits for room, and whoever makes
/// room wakes the driver, or for another node.
const OVERDUE: TimeDelta = TimeDelta::seconds(1);

/// How far the wall clock may move against the monotonic one before it is called a jump.
const JUMP: TimeDelta = TimeDelta::seconds(1);

/// Waits between tries while a store fails: doubling from the first to the last.
const RETRY_STORE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(30));

/// The run loop of one store.
pub(crate) struct Driver {
    scheduler: Scheduler,
    port: Arc<StorePort>,
    /// Runs that this driver holds and executors carry out.
    live: HashMap<RunId, JobContext>,
    /// Those of them that were asked to stop: they are not tried again.
    asked: HashSet<RunId>,
    ready: Ready,
    reporter: Reporter,
    unwritten: Unwritten,
    /// Runs to be given back, which the store could not be told yet.
    unreleased: Vec<RunId>,
    /// Failures of the store in a row.
    failures: u32,
    last_seen: (DateTime<Utc>, Instant),
    /// Whether stored marks were compared with the clock; a clock may have been wrong before the start.
    marks_seen: bool,
}

impl Driver {
    pub(crate) fn new(scheduler: Scheduler, port: Arc<StorePort>) -> Self {
        let last_seen = (scheduler.now(), monotonic_now());
        Self {
            scheduler,
            live: HashMap::new(),
            asked: HashSet::new(),
            ready: Ready::default(),
            reporter: port.reporter(),
            unwritten: Unwritten::default(),
            unreleased: Vec::new(),
            failures: 0,
            last_seen,
            marks_seen: false,
            port,
        }
    }

    /// Runs until an order to stop is carried out.
    pub(crate) async fn run(mut self) -> Stopped {
        let mut order = self.port.orders();
        loop {
            let step = self.step().await;
            let wait = match step {
                Ok(wait) => {
                    self.store_works();
                    wait
                }
                Err(error) => self.store_failed(&error),
            };
            self.port.set_live(self.live.len() + self.ready.len());
            if order.borrow().is_some() {
                return self.stop(order).await;
            }
            tokio::select! {
                () = self.port.woken() => {}
                () = sleep(wait) => {}
                _ = order.changed() => {}
            }
        }
    }

    /// Does what there is to do. Returns how long there is nothing to do.
    async fn step(&mut self) -> Result<Duration, StoreError> {
        self.watch_clock().await?;
        self.take_inbox();
        self.write_outcomes().await?;
        self.start_ready();
        let mut next_due = None;
        if self.scheduler.is_claiming() {
            let asked_at = self.scheduler.now();
            let more = self.claim(asked_at).await?;
            // A run between attempts that was asked to stop has ended with this claim.
            if more || !self.unwritten.is_empty() {
                return Ok(Duration::ZERO);
            }
            let due = self.port.store().next_due().await?;
            next_due = due.map(|at| {
                if at > asked_at {
                    at
                } else {
                    asked_at + OVERDUE
                }
            });
        }
        let now = self.scheduler.now();
        let next = next_due.into_iter().chain(self.ready.next_retry()).min();
        Ok(next.map_or(MAX_SLEEP, |at| {
            (at - now)
                .to_std()
                .unwrap_or_default()
                .clamp(Duration::from_millis(1), MAX_SLEEP)
        }))
    }

    /// Notices that the wall clock was set, or that the machine slept.
    async fn watch_clock(&mut self) -> Result<(), StoreError> {
        let (wall, monotonic) = (self.scheduler.now(), monotonic_now());
        let passed = TimeDelta::from_std(monotonic - self.last_seen.1).unwrap_or(TimeDelta::MAX);
        let jump = (wall - self.last_seen.0) - passed;
        if jump.abs() > JUMP {
            tracing::warn!(seconds = jump.num_seconds(), "the wall clock jumped");
            self.scheduler
                .warn(format!("the wall clock jumped by {} s", jump.num_seconds()));
            self.scheduler.publish(|| EventKind::ClockJumped(jump));
        }
        self.last_seen = (wall, monotonic);
        self.marks_seen &= jump >= -JUMP;
        if !self.marks_seen {
            self.heal_marks(wall).await?;
            self.marks_seen = true;
        }
        Ok(())
    }

    /// Continues jobs that had been dealt with up to an instant far ahead of the clock.
    async fn heal_marks(&self, now: DateTime<Utc>) -> Result<(), StoreError> {
        for job_id in self.port.store().heal_marks(now).await? {
            tracing::warn!(%job_id, "the job's mark was ahead of the clock and was set to now");
            self.scheduler.warn(format!(
                "job `{job_id}` had been dealt with up to an instant far ahead of the clock; it continues from now"
            ));
            self.scheduler.publish(|| EventKind::MarkReset(job_id));
        }
        Ok(())
    }

    /// Takes what is due, as far as there is room. Whether there may be more.
    async fn claim(&mut self, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let batch = self.scheduler.batch();
        let room = self.scheduler.reserve_room(batch);
        let request = ClaimRequest {
            now,
            claimable: self.scheduler.claimable(),
            room: &room,
            limit: batch,
            run_ids: self.scheduler.run_ids(),
        };
        let claimed = self.port.store().claim(&request).await;
        let mut claim = match claimed {
            Ok(claim) => claim,
            Err(error) => {
                self.give_back(room);
                return Err(error);
            }
        };
        for run in std::mem::take(&mut claim.cancel) {
            self.cancel(run);
        }
        for dropped in &claim.dropped {
            self.scheduler.tell_added(&dropped.job_id);
        }
        self.scheduler.report_drops(&claim.dropped);
        for (job_id, run_id) in claim.queued.drain(..) {
            self.scheduler.tell_added(&job_id);
            self.scheduler
                .publish(|| EventKind::Queued { job_id, run_id });
        }
        for job_id in claim.ended.drain(..) {
            tracing::debug!(%job_id, "the job's trigger has ended");
            self.scheduler.publish(|| EventKind::JobFinished(job_id));
        }
        for (job_id, problem) in claim.broken.drain(..) {
            self.tell_broken(job_id, &problem);
        }
        let room_again = self.start_claimed(std::mem::take(&mut claim.runs), room);
        Ok(claim.more || room_again)
    }

    /// Says that a job was paused because its trigger cannot be asked.
    fn tell_broken(&self, job_id: JobId, problem: &str) {
        tracing::error!(%job_id, problem, "the job was paused");
        self.scheduler
            .warn(format!("job `{job_id}` was paused: {problem}"));
        self.scheduler.publish(|| EventKind::JobPaused(job_id));
    }

    /// Asks a run to stop. A run that still waits for its next attempt ends at once.
    fn cancel(&mut self, run: RunId) {
        let now = self.scheduler.now();
        if let Some(waiting) = self.ready.take(run) {
            self.unwritten.cancelled(waiting, now, false);
        } else if let Some(timed_out) = self.ready.take_after_body(run) {
            self.unwritten.cancelled(timed_out, now, true);
        } else if let Some(context) = self.live.get(&run) {
            context.0.cancel.ask();
            self.asked.insert(run);
        }
    }

    fn take_inbox(&mut self) {
        let inbox = self.port.take_inbox();
        // Runs that ended made room, which runs of another store may wait for.
        let ended = inbox.reports.iter();
        let executors = ended.map(|report| &*report.run.policies.executor);
        self.scheduler.share_room(&self.port, executors);
        self.unwritten.add(inbox.reports);
        for run in inbox.manual {
            self.ready.push(run);
        }
        for run in inbox.cancel {
            self.cancel(run);
        }
    }

    fn store_works(&mut self) {
        if std::mem::take(&mut self.failures) > 0 {
            let store = self.port.name().clone();
            tracing::info!(%store, "the store works again");
            self.port.set_error(None);
            self.scheduler
                .publish(|| EventKind::StoreRecovered { store });
        }
    }

    /// Says that the store failed. Returns how long to wait.
    fn store_failed(&mut self, error: &StoreError) -> Duration {
        let (first, last) = RETRY_STORE;
        let wait = first.saturating_mul(1 << self.failures.min(16)).min(last);
        self.failures = self.failures.saturating_add(1);
        let (store, text): (_, Arc<str>) = (self.port.name().clone(), error.to_string().into());
        tracing::error!(%store, error = %text, retry_in = ?wait, "the store failed");
        self.port
            .set_error(Some((self.scheduler.now(), text.clone())));
        self.scheduler
            .publish(|| EventKind::StoreFailed { store, error: text });
        wait
    }
}
