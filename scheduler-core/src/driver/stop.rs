//! Coming to an end: what runs is waited for, asked to stop, and at last left behind.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::watch;
use tokio::time::Instant;

use super::Driver;
use crate::cancel::CancelFlag;
use crate::clock::{monotonic_now, sleep};
use crate::id::{JobId, RunId, RunSet};
use crate::store::StoreError;
use crate::task::context::JobContext;

/// How long a run that was asked to stop at the deadline has until it is dropped, and how long a
/// dropped one has until it must have reported.
pub(super) const LAST_CALL: Duration = Duration::from_millis(500);

/// How long a call of the store may take meanwhile, until it counts as lost.
const PATIENCE: Duration = Duration::from_secs(5);

/// An order to stop.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Order {
    /// Until when what runs is waited for; `None`: as long as it takes.
    pub(crate) deadline: Option<Instant>,
    /// Runs that wait for this very end, and so are not waited for.
    pub(crate) callers: Vec<RunId>,
}

impl Order {
    /// The order that is left of two: the earliest deadline, and all callers.
    pub(super) fn merge(&mut self, other: Self) {
        self.deadline = self.deadline.into_iter().chain(other.deadline).min();
        self.callers.extend(other.callers);
    }

    /// How long there is until the deadline, where there is one.
    pub(super) fn left(&self) -> Option<Duration> {
        let deadline = self.deadline?;
        Some(deadline.saturating_duration_since(monotonic_now()))
    }
}

/// How long to wait for an answer of the store, with so much time left.
pub(super) fn patience(left: Option<Duration>) -> Duration {
    left.unwrap_or(PATIENCE).clamp(LAST_CALL, PATIENCE)
}

/// A run that had not ended when the scheduler stopped; part of a
/// [`ShutdownReport`](crate::ShutdownReport).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnfinishedRun {
    /// Its job.
    pub job_id: JobId,
    /// The run.
    pub run_id: RunId,
    /// Its attempt.
    pub attempt: u32,
    /// Its nominal fire time.
    pub scheduled_for: DateTime<Utc>,
}

/// What one driver leaves.
#[derive(Debug, Default)]
pub(crate) struct Stopped {
    /// Runs that ended by themselves after the order.
    pub(crate) completed: usize,
    /// Runs that were stopped at the deadline.
    pub(crate) cancelled: Vec<UnfinishedRun>,
    /// Runs that go on: on threads that cannot be stopped, and those that ordered the end themselves.
    pub(crate) running: Vec<UnfinishedRun>,
    /// Runs that were waiting for their next attempt.
    pub(crate) waiting: Vec<UnfinishedRun>,
    /// Claimed and never started; given back to the store.
    pub(crate) released: usize,
}

impl Driver {
    /// Carries out an order to stop.
    pub(super) async fn stop(mut self, mut order: watch::Receiver<Option<Order>>) -> Stopped {
        let mut stopped = Stopped::default();
        self.port.close();
        self.upkeep.give_up();
        let left = order.borrow().as_ref().and_then(Order::left);
        self.drain(&mut stopped, patience(left)).await;
        let before = self.live.len() + stopped.waiting.len();
        let mut callers;
        loop {
            let left;
            (left, callers) = match order.borrow_and_update().clone() {
                Some(order) => (order.left(), order.callers),
                None => (None, Vec::new()),
            };
            if self.is_drained(&callers) || left == Some(Duration::ZERO) {
                break;
            }
            tokio::select! {
                biased;
                () = self.port.woken() => self.drain(&mut stopped, patience(left)).await,
                () = self.lease_expired() => self.drain(&mut stopped, patience(left)).await,
                () = sleep(left.unwrap_or(super::MAX_SLEEP).min(super::MAX_SLEEP)) => {}
                _ = order.changed() => {}
            }
        }
        let left = self.live.len() + stopped.waiting.len();
        stopped.completed = before.saturating_sub(left);
        if !self.is_drained(&callers) {
            self.stop_late_runs(&mut stopped, &callers).await;
        }
        stopped.running = self.unfinished(&[]).collect();
        self.port.set_live(self.live.len());
        if self.is_drained(&[]) {
            self.leave().await;
        } else {
            tokio::spawn(self.linger());
        }
        stopped
    }

    /// Asks what still runs at the deadline to stop, then drops it.
    async fn stop_late_runs(&mut self, stopped: &mut Stopped, callers: &[RunId]) {
        stopped.cancelled = self.unfinished(callers).collect();
        let late = |this: &Self, tell: fn(&CancelFlag)| {
            let runs = this.live.in_order().into_iter();
            for context in runs.filter(|context| !callers.contains(&context.run_id())) {
                tell(&context.0.cancel);
            }
        };
        late(self, CancelFlag::ask);
        self.last_call(stopped, callers).await;
        late(self, CancelFlag::force);
        self.last_call(stopped, callers).await;
        let live: RunSet = self.live.iter().map(JobContext::run_id).collect();
        stopped.cancelled.retain(|run| !live.contains(&run.run_id));
    }

    /// Records how runs end that were left behind: callers of the shutdown, and threads that could
    /// not be stopped.
    async fn linger(mut self) {
        while !self.is_drained(&[]) {
            tokio::select! {
                biased;
                () = self.port.woken() => {}
                () = self.lease_expired() => {}
            }
            self.drain(&mut Stopped::default(), PATIENCE).await;
            self.port.set_live(self.live.len());
        }
        self.leave().await;
    }

    fn is_drained(&self, callers: &[RunId]) -> bool {
        self.unwritten.is_empty()
            && self.unreleased.is_empty()
            && self
                .live
                .iter()
                .all(|context| callers.contains(&context.run_id()))
    }

    /// Gives up what no executor carries out: it waits in the store for the next scheduler.
    fn give_up_ready(&mut self, stopped: &mut Stopped) {
        let (fresh, tried) = self.ready.take_all();
        stopped.released += fresh.len();
        let runs = fresh.iter().chain(&tried);
        self.unreleased.extend(runs.map(|run| run.run_id));
        stopped
            .waiting
            .extend(tried.into_iter().map(|run| UnfinishedRun {
                job_id: run.job_id,
                run_id: run.run_id,
                attempt: run.attempt,
                scheduled_for: run.scheduled_for,
            }));
    }

    async fn release(&mut self) -> Result<(), StoreError> {
        if !self.unreleased.is_empty() {
            // On an error they are kept: giving back twice does nothing.
            self.port
                .store()
                .release(self.node, self.unreleased.clone())
                .await?;
            self.unreleased.clear();
        }
        Ok(())
    }

    /// Records what has ended and gives back what was not started. Given up when the lease runs out,
    /// or when the store does not answer for so long.
    async fn drain(&mut self, stopped: &mut Stopped, patience: Duration) {
        self.take_inbox();
        let (port, scheduler) = (self.port.clone(), self.scheduler.clone());
        let has_lease = self.has_joined && self.keeper.is_some();
        let asks = self.asks_when_it_stops();
        let done = tokio::select! {
            biased;
            () = port.membership().expired(scheduler.clock()), if has_lease => Err(StoreError::fenced()),
            done = self.hand_over(stopped) => done,
            () = sleep(patience) => Err(StoreError::unreachable("no answer")),
        };
        match done {
            // One that was not asked may still fail.
            Ok(()) if asks => self.store_works(),
            Ok(()) => {}
            Err(error) if error.is_fenced() => {
                if self.is_still_ours().await {
                    self.port.wake();
                } else {
                    // Whoever took over what ran records how it ends.
                    self.fence();
                }
            }
            Err(error) => {
                let wait = self.store_failed(&error).min(LAST_CALL);
                tokio::select! {
                    biased;
                    () = self.lease_expired() => {}
                    () = sleep(wait) => {}
                }
                self.port.wake();
            }
        }
    }

    /// Whether handing over asks the store anything.
    fn asks_when_it_stops(&self) -> bool {
        !self.unwritten.is_empty()
            || !self.unreleased.is_empty()
            || !self.live.is_empty()
            || self.ready.len() > 0
            || self.in_doubt
    }

    async fn hand_over(&mut self, stopped: &mut Stopped) -> Result<(), StoreError> {
        let written = self.write_outcomes().await;
        self.give_up_ready(stopped);
        written?;
        self.settle_doubts().await?;
        self.release().await?;
        self.stop_asked().await
    }

    /// Waits a last moment for runs to report.
    async fn last_call(&mut self, stopped: &mut Stopped, callers: &[RunId]) {
        let end = monotonic_now() + LAST_CALL;
        while !self.is_drained(callers) {
            let left = end.saturating_duration_since(monotonic_now());
            if left.is_zero() {
                return;
            }
            tokio::select! {
                biased;
                () = self.port.woken() => self.drain(stopped, LAST_CALL).await,
                () = self.lease_expired() => self.drain(stopped, LAST_CALL).await,
                () = sleep(left) => {}
            }
        }
    }

    fn unfinished(&self, callers: &[RunId]) -> impl Iterator<Item = UnfinishedRun> {
        let runs = self.live.iter();
        let runs = runs.filter(|context| !callers.contains(&context.run_id()));
        runs.map(|context| UnfinishedRun {
            job_id: context.0.run.job_id.clone(),
            run_id: context.run_id(),
            attempt: context.attempt(),
            scheduled_for: context.scheduled_for(),
        })
    }
}
