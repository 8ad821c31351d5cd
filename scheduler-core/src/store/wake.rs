//! Waking a sleeping driver.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Weak};

use chrono::{DateTime, Utc};
use tokio::sync::Notify;

/// Wakes the driver of a scheduler. Stores receive one by [`Store::subscribe`](super::Store::subscribe).
///
/// An unnecessary wake-up costs a check of the store. A missing one costs only time, because drivers also check the
/// store [on their own](super::Store::poll_every).
#[derive(Clone)]
pub struct Wake(Weak<Sleep>);

impl Wake {
    pub(crate) fn new(sleep: &Arc<Sleep>) -> Self {
        Self(Arc::downgrade(sleep))
    }

    /// Wakes the driver because something changed. Returns `true` if there still is a driver.
    pub fn wake(&self) -> bool {
        let sleep = self.0.upgrade();
        sleep.inspect(|sleep| sleep.wake()).is_some()
    }

    /// Wakes the driver if it intends to sleep beyond `due`. Returns `true` if there still is a driver.
    pub fn wake_for(&self, due: DateTime<Utc>) -> bool {
        let sleep = self.0.upgrade();
        sleep
            .inspect(|sleep| {
                if sleep.goes_beyond(due) {
                    sleep.wake();
                }
            })
            .is_some()
    }

    /// Returns `true` if there still is a driver to wake.
    pub fn is_wanted(&self) -> bool {
        self.0.strong_count() > 0
    }
}

impl fmt::Debug for Wake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wake").finish_non_exhaustive()
    }
}

/// The sleep of one driver, which others may end.
#[derive(Debug)]
pub(crate) struct Sleep {
    wake: Notify,
    /// How long the driver intends to sleep, in microseconds of the store's time. `i64::MAX` while it is awake: it
    /// may have checked already, and has to check again before it sleeps.
    until: AtomicI64,
}

impl Sleep {
    pub(crate) fn new() -> Self {
        Self {
            wake: Notify::new(),
            until: AtomicI64::new(i64::MAX),
        }
    }

    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    pub(crate) async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Returns `true` if the driver might sleep past this instant.
    pub(crate) fn goes_beyond(&self, due: DateTime<Utc>) -> bool {
        due.timestamp_micros() < self.until.load(Ordering::Acquire)
    }

    pub(crate) fn set_until(&self, until: Option<DateTime<Utc>>) {
        let micros = until.map_or(i64::MAX, |until| until.timestamp_micros());
        self.until.store(micros, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn awake_driver_is_woken_for_any_due_time() {
        let sleep = Sleep::new();
        let (now, second) = (DateTime::UNIX_EPOCH, chrono::TimeDelta::seconds(1));
        assert!(sleep.goes_beyond(now));
        sleep.set_until(Some(now + second));
        assert!(sleep.goes_beyond(now) && !sleep.goes_beyond(now + second));
        sleep.set_until(None);
        assert!(sleep.goes_beyond(now + second));
    }
}
