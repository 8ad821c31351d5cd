//! Tracks whether the store is failing, judging by the driver's steps, and how long to wait before the next try.

use std::time::Duration;

/// The waits between tries while a store fails, doubling from the first to the last.
const FIRST: Duration = Duration::from_millis(100);
const LAST: Duration = Duration::from_secs(30);

/// How soon after its last try the driver tries again once a call of a handle has been refused.
const WANTED: Duration = Duration::from_secs(2);

/// See the module documentation. An outage lasts from the first failure until a whole step has succeeded. A lease
/// that ran out meanwhile does not count as a success, and neither does a step that made no store call.
#[derive(Debug, Default)]
pub(super) struct Outage {
    /// The number of failures in a row.
    failures: u32,
}

impl Outage {
    pub(super) fn is_on(&self) -> bool {
        self.failures > 0
    }

    /// Records a failure. Returns how long to wait before the next try.
    pub(super) fn fail(&mut self) -> Duration {
        self.failures = self.failures.saturating_add(1);
        self.wait()
    }

    /// Returns how long to wait after losing the lease before this node joins again: next to nothing, unless the
    /// store is failing. A store that itself reported the loss can be called right away.
    pub(super) fn wait_to_join(&self, has_answered: bool) -> Duration {
        if has_answered { FIRST } else { self.wait() }
    }

    /// Ends the outage. Returns `true` if there was one.
    pub(super) fn end(&mut self) -> bool {
        std::mem::take(&mut self.failures) > 0
    }

    /// Shortens a wait once a call of a handle has been refused.
    pub(super) fn shortened(wait: Duration) -> Duration {
        wait.min(WANTED)
    }

    fn wait(&self) -> Duration {
        let doublings = self.failures.saturating_sub(1).min(16);
        FIRST.saturating_mul(1 << doublings).min(LAST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_30_s_and_restart_after_a_success() {
        let mut outage = Outage::default();
        let waits: Vec<u128> = (0..11).map(|_| outage.fail().as_millis()).collect();
        let doubled = [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600];
        assert_eq!(waits[..9], doubled);
        assert_eq!(waits[9..], [30_000, 30_000]);
        assert!(outage.is_on() && outage.end());
        assert!(!outage.is_on() && !outage.end());
        assert_eq!(outage.fail(), FIRST);
    }

    #[test]
    fn lost_lease_does_not_shorten_the_wait_while_the_store_fails() {
        let mut outage = Outage::default();
        assert_eq!(outage.wait_to_join(false), FIRST);
        for _ in 0..5 {
            outage.fail();
        }
        assert_eq!(outage.wait_to_join(false), Duration::from_millis(1_600));
        assert_eq!(outage.wait_to_join(true), FIRST);
        assert!(outage.is_on(), "it does not count as a success either");
    }

    #[test]
    fn refused_call_shortens_long_waits_and_leaves_short_ones_unchanged() {
        assert_eq!(Outage::shortened(LAST), WANTED);
        assert_eq!(Outage::shortened(FIRST), FIRST);
    }
}
