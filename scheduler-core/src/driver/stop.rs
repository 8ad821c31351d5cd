//! Stopping: running attempts are waited for, then cancelled, and finally abandoned.

use std::time::Duration;

use tokio::sync::watch;

use super::Driver;
use super::runs::Event;
use crate::cancel::Cancellation;
use crate::clock::{monotonic_now, sleep};
use crate::engine::order::Order;
use crate::engine::shutdown_report::Stopped;
use crate::id::RunId;
use crate::store::{POLL_EVERY, StoreError};

/// How long a run cancelled at the deadline has before it is dropped, and how long a dropped run has to report.
const LAST_CALL: Duration = Duration::from_millis(500);

/// How long a store call may take during the stop before it counts as lost.
const PATIENCE: Duration = Duration::from_secs(5);

/// Returns how long to wait for an answer of the store, given the time that is left.
pub(super) fn patience(left: Option<Duration>) -> Duration {
    left.unwrap_or(PATIENCE).clamp(LAST_CALL, PATIENCE)
}

impl Driver {
    /// Carries out an order to stop.
    pub(super) async fn stop(mut self, mut order: watch::Receiver<Option<Order>>) -> Stopped {
        self.port.close();
        self.upkeep.give_up();
        self.note_stopping();
        self.on(Event::Draining);
        let left = order.borrow().as_ref().and_then(Order::left);
        self.drain(patience(left)).await;
        let mut callers;
        loop {
            let left;
            (left, callers) = match order.borrow_and_update().clone() {
                Some(order) => (order.left(), order.callers),
                None => (None, Vec::new()),
            };
            if self.runs.are_drained(&callers) || left == Some(Duration::ZERO) {
                break;
            }
            tokio::select! {
                biased;
                () = self.port.woken() => self.drain(patience(left)).await,
                () = self.lease.expired() => self.drain(patience(left)).await,
                () = sleep(left.unwrap_or(POLL_EVERY).min(POLL_EVERY)) => {}
                _ = order.changed() => {}
            }
        }
        if !self.runs.are_drained(&callers) {
            self.stop_late_runs(&callers).await;
        }
        let stopped = self.runs.take_stopped();
        self.port.set_live(self.runs.live());
        if self.runs.are_drained(&[]) {
            self.lease.leave(self.runs.node()).await;
        } else {
            tokio::spawn(self.linger());
        }
        stopped
    }

    /// Cancels the attempts that still run at the deadline, then drops them.
    async fn stop_late_runs(&mut self, callers: &[RunId]) {
        for level in [Cancellation::Requested, Cancellation::Forced] {
            self.on(Event::DeadlinePassed(callers, level));
            self.last_call(callers).await;
        }
    }

    /// Records how abandoned runs end: callers of the shutdown, and threads that could not be stopped.
    async fn linger(mut self) {
        while !self.runs.are_drained(&[]) {
            tokio::select! {
                biased;
                () = self.port.woken() => {}
                () = self.lease.expired() => {}
            }
            self.drain(PATIENCE).await;
            self.port.set_live(self.runs.live());
        }
        self.lease.leave(self.runs.node()).await;
    }

    /// Records ends and releases runs that were not started. Gives up when the lease runs out or the store does not
    /// answer within `patience`.
    async fn drain(&mut self, patience: Duration) {
        self.take_inbox();
        let (port, engine) = (self.port.clone(), self.engine.clone());
        let has_lease = self.lease.is_held();
        let asks = self.runs.concern_the_store();
        let done = tokio::select! {
            biased;
            () = port.membership().expired(engine.clock()), if has_lease => Err(StoreError::fenced()),
            done = self.hand_over() => done,
            () = sleep(patience) => Err(StoreError::unreachable("no answer")),
        };
        match done {
            // A store that was not called may still be failing.
            Ok(()) if asks => self.store_works(),
            Ok(()) => {}
            Err(error) if error.is_fenced() => {
                if self.lease.is_still_ours().await {
                    self.port.wake();
                } else {
                    // The node that took the runs over records how they end.
                    self.fence();
                }
            }
            Err(error) => {
                let wait = self.store_failed(&error).min(LAST_CALL);
                tokio::select! {
                    biased;
                    () = self.lease.expired() => {}
                    () = sleep(wait) => {}
                }
                self.port.wake();
            }
        }
    }

    async fn hand_over(&mut self) -> Result<(), StoreError> {
        self.settle().await?;
        self.pass_on_cancellations().await
    }

    /// Gives runs a last moment to report.
    async fn last_call(&mut self, callers: &[RunId]) {
        let end = monotonic_now() + LAST_CALL;
        while !self.runs.are_drained(callers) {
            let left = end.saturating_duration_since(monotonic_now());
            if left.is_zero() {
                return;
            }
            tokio::select! {
                biased;
                () = self.port.woken() => self.drain(LAST_CALL).await,
                () = self.lease.expired() => self.drain(LAST_CALL).await,
                () = sleep(left) => {}
            }
        }
    }
}
