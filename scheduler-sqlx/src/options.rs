//! The options of a store.

use std::time::Duration;

use scheduler_core::testing::{Hold, hold_virtual_time, is_time_virtual};

/// The shortest lease under virtual time. A lease is measured by the database's clock, which is real, and by the
/// node's: a day of virtual time passes within a second, which the 17,280 heartbeats of a short lease would prevent.
const VIRTUAL_LEASE: Duration = Duration::from_secs(3_600);

/// The options set by a [`SqlStoreBuilder`](crate::SqlStoreBuilder).
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) lease: Duration,
    pub(crate) answer_within: Duration,
    pub(crate) keep_for: Option<Duration>,
    pub(crate) keep_runs: Option<u64>,
    /// `true` if the pool is the store's own, `false` if it is the application's.
    pub(crate) owns_pool: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(15),
            answer_within: Duration::from_secs(10),
            keep_for: Some(Duration::from_secs(30 * 86_400)),
            keep_runs: Some(1_000_000),
            owns_pool: false,
        }
    }
}

impl Options {
    /// Returns how long a node counts as alive without a heartbeat.
    pub(crate) fn lease(&self) -> Duration {
        if is_time_virtual() {
            self.lease.max(VIRTUAL_LEASE)
        } else {
            self.lease
        }
    }

    /// Returns the heartbeat interval: a third of the lease.
    pub(crate) fn heartbeat_every(&self) -> Duration {
        self.lease() / 3
    }

    /// Returns how long to wait for one of the store's own connections: less than for the answer to a call or a
    /// heartbeat, so that time remains to find out why there is none.
    pub(crate) fn connect_within(&self) -> Duration {
        self.answer_within.min(self.lease() / 2) / 4 * 3
    }

    pub(crate) fn lease_micros(&self) -> i64 {
        i64::try_from(self.lease().as_micros()).unwrap_or(i64::MAX)
    }

    /// Pauses virtual time during a call to the database, which answers in real time.
    pub(crate) fn hold_virtual_time(&self) -> Hold {
        hold_virtual_time(self.answer_within)
    }
}
