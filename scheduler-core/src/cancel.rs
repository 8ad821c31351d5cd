//! A request to stop, seen by the run that it is meant for.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use tokio::sync::Notify;

/// By its timeout: this attempt has to stop, and the run may be tried again.
const TIMED_OUT: u8 = 1;
/// By whoever cancelled the run.
const ASKED: u8 = 2;
/// By whoever waits for its end no longer.
const FORCED: u8 = 3;

/// Raised and never lowered; waiters are woken.
#[derive(Debug, Default)]
pub(crate) struct CancelFlag {
    level: AtomicU8,
    /// Whether the body has learned that it was asked.
    seen: AtomicBool,
    notify: Notify,
}

impl CancelFlag {
    /// Asks the attempt to stop, since it takes too long.
    pub(crate) fn time_out(&self) {
        self.raise(TIMED_OUT);
    }

    /// Asks the run to stop, for good.
    pub(crate) fn ask(&self) {
        self.raise(ASKED);
    }

    /// Tells whoever polls the run to drop it.
    pub(crate) fn force(&self) {
        self.raise(FORCED);
    }

    fn raise(&self, level: u8) {
        self.level.fetch_max(level, Ordering::AcqRel);
        self.notify.notify_waiters();
    }

    /// Returns `true` if the run was asked to stop, other than by its timeout.
    pub(crate) fn is_asked(&self) -> bool {
        self.level.load(Ordering::Acquire) >= ASKED
    }

    pub(crate) fn is_forced(&self) -> bool {
        self.level.load(Ordering::Acquire) >= FORCED
    }

    /// Whether the body has to stop, for whatever reason; it knows from then on.
    pub(crate) fn see(&self) -> bool {
        let must_stop = self.level.load(Ordering::Acquire) >= TIMED_OUT;
        if must_stop {
            self.seen.store(true, Ordering::Release);
        }
        must_stop
    }

    /// Whether the body knows that it was asked.
    pub(crate) fn is_seen(&self) -> bool {
        self.seen.load(Ordering::Acquire)
    }

    /// Waits until the body has to stop, which knows from then on.
    pub(crate) async fn seen(&self) {
        self.reached(TIMED_OUT).await;
        self.see();
    }

    pub(crate) async fn asked(&self) {
        self.reached(ASKED).await;
    }

    pub(crate) async fn forced(&self) {
        self.reached(FORCED).await;
    }

    async fn reached(&self, level: u8) {
        loop {
            let mut notified = std::pin::pin!(self.notify.notified());
            // Registered before the level is read, so that a rise in between is not missed.
            notified.as_mut().enable();
            if self.level.load(Ordering::Acquire) >= level {
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
    async fn a_rise_before_and_after_the_wait_wakes_it() {
        let flag = std::sync::Arc::new(CancelFlag::default());
        let waiter = tokio::spawn({
            let flag = flag.clone();
            async move { flag.forced().await }
        });
        tokio::task::yield_now().await;
        flag.ask();
        tokio::task::yield_now().await;
        assert!(!waiter.is_finished() && flag.is_asked());
        assert!(!flag.is_seen());
        flag.force();
        waiter.await.unwrap();
        flag.asked().await;
        assert!(flag.see() && flag.is_seen());
    }

    #[tokio::test]
    async fn timeout_stops_the_body_and_not_the_run() {
        let flag = CancelFlag::default();
        flag.time_out();
        flag.seen().await;
        assert!(flag.is_seen() && !flag.is_asked());
        flag.ask();
        assert!(flag.is_asked() && !flag.is_forced());
    }

    #[test]
    fn looking_before_it_is_asked_leaves_no_trace() {
        let flag = CancelFlag::default();
        assert!(!flag.see());
        flag.ask();
        assert!(!flag.is_seen());
    }
}
