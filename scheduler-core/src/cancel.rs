//! Cancellation of a run, as seen by the run itself.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

/// How urgently an attempt has to stop. Each level includes the ones before it.
///
/// The body of a task does not distinguish them ([`JobContext::is_cancelled`](crate::JobContext::is_cancelled)). An
/// [`Executor`](crate::Executor) receives the level, to pass it on to where the body runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
#[repr(u8)]
pub enum Cancellation {
    /// The attempt has exceeded its timeout. The run may be tried again.
    TimedOut = 1,
    /// The run was cancelled and is not tried again.
    Requested = 2,
    /// The end of the run is no longer awaited, as after the deadline of a shutdown, or another node may hold the
    /// run. The body is ended without its cooperation.
    Forced = 3,
}

/// The cancellation level, which is raised and never lowered. Raising it wakes waiters.
#[derive(Debug, Default)]
pub(crate) struct CancelFlag {
    level: AtomicU8,
    /// If `true`, the body has noticed the cancellation.
    seen: AtomicBool,
    notify: Notify,
}

impl CancelFlag {
    /// Raises the level. A level lower than the current one changes nothing.
    pub(crate) fn raise(&self, level: Cancellation) {
        self.level.fetch_max(level as u8, Ordering::AcqRel);
        self.notify.notify_waiters();
    }

    /// Returns `true` if the run was cancelled other than by its timeout.
    pub(crate) fn is_asked(&self) -> bool {
        self.has_reached(Cancellation::Requested)
    }

    pub(crate) fn is_forced(&self) -> bool {
        self.has_reached(Cancellation::Forced)
    }

    /// Returns `true` if the body has to stop, for whatever reason, and records that the body has noticed.
    pub(crate) fn see(&self) -> bool {
        let must_stop = self.has_reached(Cancellation::TimedOut);
        if must_stop {
            self.seen.store(true, Ordering::Release);
        }
        must_stop
    }

    /// Returns `true` if the body has noticed the cancellation.
    pub(crate) fn is_seen(&self) -> bool {
        self.seen.load(Ordering::Acquire)
    }

    /// Waits until the body has to stop, and records that the body has noticed.
    pub(crate) async fn seen(&self) {
        self.reached(Cancellation::TimedOut).await;
        self.see();
    }

    pub(crate) async fn asked(&self) {
        self.reached(Cancellation::Requested).await;
    }

    pub(crate) async fn forced(&self) {
        self.reached(Cancellation::Forced).await;
    }

    fn has_reached(&self, level: Cancellation) -> bool {
        self.level.load(Ordering::Acquire) >= level as u8
    }

    async fn reached(&self, level: Cancellation) {
        loop {
            let mut notified = std::pin::pin!(self.notify.notified());
            // Registered before the level is read, so that an increase in between is not missed.
            notified.as_mut().enable();
            if self.has_reached(level) {
                return;
            }
            notified.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn raising_the_level_wakes_a_waiter_before_and_after_it_waits() {
        let flag = std::sync::Arc::new(CancelFlag::default());
        let waiter = tokio::spawn({
            let flag = flag.clone();
            async move { flag.forced().await }
        });
        tokio::task::yield_now().await;
        flag.raise(Cancellation::Requested);
        tokio::task::yield_now().await;
        assert!(!waiter.is_finished() && flag.is_asked());
        assert!(!flag.is_seen());
        flag.raise(Cancellation::Forced);
        waiter.await.unwrap();
        flag.asked().await;
        assert!(flag.see() && flag.is_seen());
    }

    #[tokio::test]
    async fn timeout_stops_the_body_but_not_the_run() {
        let flag = CancelFlag::default();
        flag.raise(Cancellation::TimedOut);
        flag.seen().await;
        assert!(flag.is_seen() && !flag.is_asked());
        flag.raise(Cancellation::Requested);
        assert!(flag.is_asked() && !flag.is_forced());
    }

    #[test]
    fn checking_before_cancellation_is_not_noticing_it() {
        let flag = CancelFlag::default();
        assert!(!flag.see());
        flag.raise(Cancellation::Requested);
        assert!(!flag.is_seen());
    }
}
