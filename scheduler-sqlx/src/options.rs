//! How a store is set up.

use std::time::Duration;

use scheduler_core::testing::{Hold, hold_virtual_time, is_time_virtual};

/// The shortest lease where time is virtual. A lease goes by the database's clock, which is real, and by the
/// node's: a day of virtual time passes within a second, and with 17,280 heartbeats it would not.
const VIRTUAL_LEASE: Duration = Duration::from_secs(3_600);

/// What a [`SqlStoreBuilder`](crate::SqlStoreBuilder) has decided.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) lease: Duration,
    pub(crate) answer_within: Duration,
    pub(crate) keep_for: Option<Duration>,
    pub(crate) keep_runs: Option<u64>,
    /// Whether the pool is the store's own, and none of the application's.
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
    /// How long a node counts as alive without a heartbeat.
    pub(crate) fn lease(&self) -> Duration {
        if is_time_virtual() {
            self.lease.max(VIRTUAL_LEASE)
        } else {
            self.lease
        }
    }

    /// A node heartbeats three times within its lease.
    pub(crate) fn heartbeat_every(&self) -> Duration {
        self.lease() / 3
    }

    /// How long to wait for a connection of the store's own: less than for the answer to a call, and to a heartbeat,
    /// so that there is time to find out why there is none.
    pub(crate) fn connect_within(&self) -> Duration {
        self.answer_within.min(self.lease() / 2) / 4 * 3
    }

    pub(crate) fn lease_micros(&self) -> i64 {
        i64::try_from(self.lease().as_micros()).unwrap_or(i64::MAX)
    }

    /// Keeps virtual time from passing while the database is asked: it answers in real time.
    pub(crate) fn hold_virtual_time(&self) -> Hold {
        hold_virtual_time(self.answer_within)
    }
}
