//! Decides from all clocks of this process whether a lease still holds.
//!
//! | clock | the machine is suspended | a virtual machine is paused | the time of day is set |
//! | --- | --- | --- | --- |
//! | monotonic | stops | stops | |
//! | boot time | advances | may stop | |
//! | time of day | advances | is behind, and set later | jumps |
//!
//! So if the monotonic clock or boot time says that a lease has run out, it has. The time of day may have been set on
//! a healthy node: on its own, it only requires a confirmation.

use std::time::Duration;

use chrono::TimeDelta;

use crate::clock::Reading;

/// What is known about a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The lease holds.
    Holds,
    /// Only the time of day says that the lease has run out. Nothing new starts until a heartbeat confirms it.
    Unconfirmed,
    /// The lease has run out: everything held under it stops.
    RanOut,
}

/// Decides about a lease of this length, counted from when the last confirmed heartbeat was sent.
///
/// Without a boot-time clock, only the time of day reveals that the machine was suspended, so it is trusted.
pub(crate) fn standing(length: Duration, sent: &Reading, now: &Reading) -> Standing {
    let passed = now.monotonic.saturating_duration_since(sent.monotonic);
    let since_boot = sent.boot.zip(now.boot);
    let passed_since_boot = since_boot.map(|(sent, now)| now.saturating_sub(sent));
    if passed >= length || passed_since_boot.is_some_and(|passed| passed >= length) {
        return Standing::RanOut;
    }
    let length = TimeDelta::from_std(length).unwrap_or(TimeDelta::MAX);
    let is_over_by_day = now.wall.signed_duration_since(sent.wall) >= length;
    match (is_over_by_day, passed_since_boot) {
        (false, _) => Standing::Holds,
        (true, Some(_)) => Standing::Unconfirmed,
        (true, None) => Standing::RanOut,
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;
    use crate::clock::monotonic_now;

    const LENGTH: Duration = Duration::from_secs(15);

    /// Checks a lease this many seconds after its last heartbeat, by each clock.
    fn after(monotonic: u64, boot: Option<u64>, wall: i64) -> Standing {
        let sent = Reading {
            monotonic: monotonic_now(),
            boot: boot.map(|_| Duration::from_secs(1_000)),
            wall: DateTime::UNIX_EPOCH,
        };
        let now = Reading {
            monotonic: sent.monotonic + Duration::from_secs(monotonic),
            boot: boot.map(|boot| Duration::from_secs(1_000 + boot)),
            wall: sent.wall + TimeDelta::seconds(wall),
        };
        standing(LENGTH, &sent, &now)
    }

    #[test]
    fn a_lease_holds_for_its_length() {
        assert_eq!(after(14, Some(14), 14), Standing::Holds);
        assert_eq!(after(15, Some(15), 15), Standing::RanOut);
        assert_eq!(after(14, None, 14), Standing::Holds);
        assert_eq!(after(15, None, 15), Standing::RanOut);
    }

    #[test]
    fn clock_set_forward_requires_a_confirmation() {
        assert_eq!(after(1, Some(1), 3_600), Standing::Unconfirmed);
        assert_eq!(after(1, Some(1), 15), Standing::Unconfirmed);
        assert_eq!(after(1, Some(1), 14), Standing::Holds);
    }

    #[test]
    fn clock_set_back_does_not_extend_a_lease() {
        assert_eq!(after(14, Some(14), -3_600), Standing::Holds);
        assert_eq!(after(15, Some(15), -3_600), Standing::RanOut);
    }

    #[test]
    fn suspended_machine_loses_its_lease() {
        assert_eq!(after(1, Some(15), 15), Standing::RanOut);
        assert_eq!(after(1, Some(15), -3_600), Standing::RanOut);
    }

    #[test]
    fn paused_virtual_machine_requires_a_confirmation_once_its_clock_is_set() {
        assert_eq!(after(1, Some(1), 600), Standing::Unconfirmed);
    }

    #[test]
    fn without_a_boot_time_clock_the_time_of_day_is_trusted() {
        assert_eq!(after(1, None, 15), Standing::RanOut);
    }

    proptest! {
        #[test]
        fn expired_lease_stays_expired(
            monotonic in 0_u64..40,
            boot in proptest::option::of(0_u64..40),
            wall in -100_i64..100,
            more in 0_u64..40,
        ) {
            if after(monotonic, boot, wall) == Standing::RanOut {
                let later = boot.map(|boot| boot + more);
                let wall = wall + more.cast_signed();
                prop_assert_eq!(after(monotonic + more, later, wall), Standing::RanOut);
            }
        }

        #[test]
        fn no_lease_outlives_its_length(monotonic in 15_u64..40, boot: Option<u16>, wall in -100_i64..100) {
            prop_assert_eq!(after(monotonic, boot.map(u64::from), wall), Standing::RanOut);
        }
    }
}
