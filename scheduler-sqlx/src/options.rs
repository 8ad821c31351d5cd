//! How a store is set up.

use std::time::Duration;

/// What a [`SqlStoreBuilder`](crate::SqlStoreBuilder) has decided.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) lease: Duration,
    pub(crate) answer_within: Duration,
    pub(crate) keep_for: Option<Duration>,
    pub(crate) keep_runs: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(15),
            answer_within: Duration::from_secs(10),
            keep_for: Some(Duration::from_secs(30 * 86_400)),
            keep_runs: Some(1_000_000),
        }
    }
}

impl Options {
    /// A node beats three times within its lease.
    pub(crate) fn beat_every(&self) -> Duration {
        self.lease / 3
    }

    pub(crate) fn lease_micros(&self) -> i64 {
        i64::try_from(self.lease.as_micros()).unwrap_or(i64::MAX)
    }
}
