//! Waking a driver that sleeps.

use std::fmt;
use std::sync::Weak;

use chrono::{DateTime, Utc};

use crate::driver::StorePort;

/// Wakes the driver of a scheduler; stores are given one by [`Store::subscribe`](super::Store::subscribe).
///
/// Waking too often costs a look into the store; waking too seldom costs nothing but time, because
/// drivers look by themselves [now and then](super::Store::poll_every).
#[derive(Clone)]
pub struct Wake(Weak<StorePort>);

impl Wake {
    pub(crate) fn new(port: Weak<StorePort>) -> Self {
        Self(port)
    }

    /// Wakes the driver: something changed. Returns whether there still is one.
    pub fn wake(&self) -> bool {
        let port = self.0.upgrade();
        port.inspect(|port| port.wake()).is_some()
    }

    /// Wakes the driver if it means to sleep beyond `due`. Returns whether there still is one.
    pub fn wake_for(&self, due: DateTime<Utc>) -> bool {
        let port = self.0.upgrade();
        port.inspect(|port| {
            if port.sleeps_beyond(due) {
                port.wake();
            }
        })
        .is_some()
    }

    /// Whether there still is a driver to be woken.
    pub fn is_wanted(&self) -> bool {
        self.0.strong_count() > 0
    }
}

impl fmt::Debug for Wake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wake").finish_non_exhaustive()
    }
}
