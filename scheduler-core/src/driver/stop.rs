//! Coming to an end: what runs is waited for, asked to stop, and at last left behind.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::Driver;
use super::outcome::Told;
use crate::cancel::Cancellation;
use crate::clock::{monotonic_now, sleep};
use crate::engine::order::Order;
use crate::engine::shutdown_report::{EndedRun, Stopped, UnfinishedRun};
use crate::executor::{Report, ReportEvent};
use crate::id::{RunId, RunSet};
use crate::plan::Verdict;
use crate::run::RunState;
use crate::store::StoreError;

/// How long a run whose cancellation was requested at the deadline has until it is dropped, and how long a
/// dropped one has until it must have reported.
pub(super) const LAST_CALL: Duration = Duration::from_millis(500);

/// How long a call of the store may take meanwhile, until it counts as lost.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long to wait for an answer of the store, with so much time left.
pub(super) fn patience(left: Option<Duration>) -> Duration {
    left.unwrap_or(PATIENCE).clamp(LAST_CALL, PATIENCE)
}

impl EndedRun {
    /// `None` for a thread that returned after its attempt had ended.
    pub(super) fn of_report(report: &Report) -> Option<Self> {
        let ReportEvent::Ended { outcome, .. } = &report.event else {
            return None;
        };
        let error = outcome.clone().into_record().0.map(Arc::from);
        Some(Self::of(report.run(), outcome.state(), error))
    }
}

impl Driver {
    /// Carries out an order to stop.
    pub(super) async fn stop(mut self, mut order: watch::Receiver<Option<Order>>) -> Stopped {
        self.port.close();
        self.upkeep.give_up();
        let left = order.borrow().as_ref().and_then(Order::left);
        self.drain(patience(left)).await;
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
                () = self.port.woken() => self.drain(patience(left)).await,
                () = self.lease_expired() => self.drain(patience(left)).await,
                () = sleep(left.unwrap_or(super::MAX_SLEEP).min(super::MAX_SLEEP)) => {}
                _ = order.changed() => {}
            }
        }
        if !self.is_drained(&callers) {
            self.stop_late_runs(&callers).await;
        }
        let left = self.take_left();
        self.port.set_live(self.live.len());
        if self.is_drained(&[]) {
            self.leave().await;
        } else {
            tokio::spawn(self.linger());
        }
        left
    }

    /// Takes out the report, and adds runs that are still running and outcomes that are not written yet.
    fn take_left(&mut self) -> Stopped {
        let mut left = std::mem::take(&mut self.left);
        left.unwritten.extend(self.unwritten.ended());
        left.unwritten.extend(self.not_released());
        // The thread of a run that has timed out may go on: each run is reported once, by how it ended.
        let ended = left.unwritten.iter().chain(&left.failed);
        let ended = ended.map(|run| run.run_id);
        let ended: RunSet = ended
            .chain(left.cancelled.iter().map(|run| run.run_id))
            .collect();
        let live = self.live.iter();
        let running = live.filter(|context| !ended.contains(&context.run_id()));
        left.running = running
            .map(|context| UnfinishedRun::of(&context.run))
            .collect();
        left
    }

    /// Asks what still runs at the deadline to stop, then drops it.
    async fn stop_late_runs(&mut self, callers: &[RunId]) {
        let late = |this: &Self, cancellation: Cancellation| {
            let runs = this.live.in_order().into_iter();
            for context in runs.filter(|context| !callers.contains(&context.run_id())) {
                this.engine.cancel(context, cancellation);
            }
        };
        late(self, Cancellation::Requested);
        self.last_call(callers).await;
        late(self, Cancellation::Forced);
        self.last_call(callers).await;
    }

    /// Counts a run that has ended and is recorded, for the report of a shutdown.
    pub(super) fn count_reported(&mut self, told: &Told) {
        if !self.engine.is_stopping() || matches!(told.verdict, Verdict::Retry(_)) {
            return;
        }
        let run = &told.run.run;
        match told.state {
            RunState::Failed | RunState::TimedOut => {
                let error = told.error.as_deref().map(Arc::from);
                self.left.failed.push(EndedRun::of(run, told.state, error));
            }
            RunState::Cancelled => self.left.cancelled.push(UnfinishedRun::of(run)),
            _ => self.left.completed += 1,
        }
    }

    /// Counts a run whose outcome the store refused, because this node no longer holds it.
    pub(super) fn count_late(&mut self, report: &Report) {
        if self.engine.is_stopping() {
            self.left.unwritten.extend(EndedRun::of_report(report));
        }
    }

    /// Counts the runs that this node loses with its lease.
    pub(super) fn count_fenced(&mut self) {
        if !self.engine.is_stopping() {
            return;
        }
        self.give_up_ready();
        let ended: Vec<EndedRun> = self.unwritten.ended().collect();
        let not_released: Vec<EndedRun> = self.not_released().collect();
        self.left.unwritten.extend(not_released);
        let has_ended: RunSet = ended.iter().map(|run| run.run_id).collect();
        self.left.unwritten.extend(ended);
        for context in self.live.in_order() {
            if !has_ended.contains(&context.run_id()) {
                let error = Some("the lease of this node ran out".into());
                let run = EndedRun::of(&context.run, RunState::Cancelled, error);
                self.left.unwritten.push(run);
            }
        }
    }

    /// The runs that the store has not taken back yet.
    fn not_released(&self) -> impl Iterator<Item = EndedRun> {
        let runs = self.unreleased.iter();
        runs.map(|run| EndedRun::of(run, RunState::Queued, None))
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
            self.drain(PATIENCE).await;
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
    fn give_up_ready(&mut self) {
        self.unreleased.extend(self.backlog.take_all());
    }

    async fn release(&mut self) -> Result<(), StoreError> {
        if !self.unreleased.is_empty() {
            // On an error they are kept: releasing twice does nothing.
            let runs = self.unreleased.iter().map(|run| run.run_id).collect();
            self.port.store().release(self.node, runs).await?;
            for run in self.unreleased.drain(..) {
                if run.attempt == 1 {
                    self.left.released += 1;
                } else {
                    self.left.waiting.push(UnfinishedRun::of(&run));
                }
            }
        }
        Ok(())
    }

    /// Records what has ended and releases what was not started. Given up when the lease runs out,
    /// or when the store does not answer for so long.
    async fn drain(&mut self, patience: Duration) {
        self.take_inbox();
        let (port, engine) = (self.port.clone(), self.engine.clone());
        let has_lease = self.has_joined && self.heartbeats.is_some();
        let asks = self.asks_when_it_stops();
        let done = tokio::select! {
            biased;
            () = port.membership().expired(engine.clock()), if has_lease => Err(StoreError::fenced()),
            done = self.hand_over() => done,
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

    /// Returns `true` if handing over makes a call of the store.
    fn asks_when_it_stops(&self) -> bool {
        !self.unwritten.is_empty()
            || !self.unreleased.is_empty()
            || !self.live.is_empty()
            || self.backlog.len() > 0
            || self.is_unconfirmed
    }

    async fn hand_over(&mut self) -> Result<(), StoreError> {
        let written = self.write_outcomes().await;
        self.give_up_ready();
        written?;
        self.release_unconfirmed().await?;
        self.release().await?;
        self.stop_cancelled().await
    }

    /// Waits a last moment for runs to report.
    async fn last_call(&mut self, callers: &[RunId]) {
        let end = monotonic_now() + LAST_CALL;
        while !self.is_drained(callers) {
            let left = end.saturating_duration_since(monotonic_now());
            if left.is_zero() {
                return;
            }
            tokio::select! {
                biased;
                () = self.port.woken() => self.drain(LAST_CALL).await,
                () = self.lease_expired() => self.drain(LAST_CALL).await,
                () = sleep(left) => {}
            }
        }
    }
}
