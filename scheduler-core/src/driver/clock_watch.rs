//! Detects that the wall clock was set or the machine slept.

use chrono::TimeDelta;

use crate::clock::Reading;
use crate::store_clock::NOTABLE;

/// See the module documentation.
pub(super) struct ClockWatch {
    last_seen: Reading,
}

impl ClockWatch {
    pub(super) fn new(now: Reading) -> Self {
        Self { last_seen: now }
    }

    /// Returns how far the wall clock has moved against the monotonic clock since the last call, if that is notable.
    pub(super) fn look(&mut self, now: Reading) -> Option<TimeDelta> {
        let earlier = std::mem::replace(&mut self.last_seen, now);
        let passed = now.monotonic.saturating_duration_since(earlier.monotonic);
        let passed = TimeDelta::from_std(passed).unwrap_or(TimeDelta::MAX);
        let jump = (now.wall - earlier.wall) - passed;
        (jump.abs() > NOTABLE).then_some(jump)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chrono::DateTime;

    use super::*;
    use crate::clock::monotonic_now;

    #[test]
    fn jump_is_reported_once_by_the_movement_of_the_wall_clock_alone() {
        let start = Reading {
            monotonic: monotonic_now(),
            boot: None,
            wall: DateTime::UNIX_EPOCH,
        };
        let mut watch = ClockWatch::new(start);
        let mut look = |monotonic, wall| {
            watch.look(Reading {
                monotonic: start.monotonic + Duration::from_secs(monotonic),
                boot: None,
                wall: start.wall + TimeDelta::seconds(wall),
            })
        };
        assert_eq!(look(30, 31), None);
        assert_eq!(look(60, 3_661), Some(TimeDelta::seconds(3_600)));
        assert_eq!(look(90, 3_691), None);
        assert_eq!(look(91, 92), Some(TimeDelta::seconds(-3_600)));
    }
}
