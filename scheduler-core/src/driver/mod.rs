//! The run loop: one task per store that sleeps until something is due, claims it, hands it to the
//! executors and records how it ended.

mod outcome;
mod port;
mod ready;
mod stop;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

use crate::clock::{monotonic_now, sleep};
use crate::event::EventKind;
use crate::executor::Reporter;
use crate::id::RunId;
use crate::scheduler::Scheduler;
use crate::store::{Claim, ClaimRequest, StoreError};
use crate::task::context::JobContext;
pub(crate) use outcome::Unwritten;
pub(crate) use port::StorePort;
use ready::Ready;
pub use stop::UnfinishedRun;
pub(crate) use stop::{Order, Stopped};

/// No sleep is longer, so that clock changes and suspended machines are noticed.
const MAX_SLEEP: Duration = Duration::from_secs(30);

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
    ready: Ready,
    reporter: Reporter,
    unwritten: Unwritten,
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
            ready: Ready::default(),
            reporter: port.reporter(),
            unwritten: Unwritten::default(),
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
            if self.claim().await?.more {
                return Ok(Duration::ZERO);
            }
            next_due = self.port.store().next_due().await?;
        }
        let now = self.scheduler.now();
        let next = next_due.into_iter().chain(self.ready.next_retry()).min();
        Ok(next.map_or(MAX_SLEEP, |at| {
            // What is due and was not claimed waits for room, and whoever makes room wakes this.
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

    /// Takes what is due, as far as there is room.
    async fn claim(&mut self) -> Result<Claim, StoreError> {
        let batch = self.scheduler.batch();
        let room = self.scheduler.reserve_room(batch);
        let request = ClaimRequest {
            now: self.scheduler.now(),
            claimable: self.scheduler.claimable(),
            room: &room,
            limit: batch,
            run_ids: self.scheduler.run_ids(),
        };
        let claimed = self.port.store().claim(&request).await;
        let mut claim = match claimed {
            Ok(claim) => claim,
            Err(error) => {
                self.scheduler.give_back(room);
                return Err(error);
            }
        };
        for run in std::mem::take(&mut claim.cancel) {
            self.cancel(run);
        }
        self.scheduler.report_drops(&claim.dropped);
        for (job_id, run_id) in claim.queued.drain(..) {
            self.scheduler
                .publish(|| EventKind::Queued { job_id, run_id });
        }
        for job_id in claim.ended.drain(..) {
            tracing::debug!(%job_id, "the job's trigger has ended");
            self.scheduler.publish(|| EventKind::JobFinished(job_id));
        }
        let runs = std::mem::take(&mut claim.runs);
        self.start_claimed(runs, room);
        Ok(claim)
    }

    /// Asks a run to stop. A run that still waits for its next attempt ends at once.
    fn cancel(&mut self, run: RunId) {
        if let Some(context) = self.live.get(&run) {
            context.0.cancel.ask();
        } else if let Some(waiting) = self.ready.take(run) {
            self.unwritten.cancelled(waiting, self.scheduler.now());
        }
    }

    fn take_inbox(&mut self) {
        let inbox = self.port.take_inbox();
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
