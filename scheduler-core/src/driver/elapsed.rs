//! The time between two recorded instants. This is on a hot path.

use std::time::Duration;

use chrono::{DateTime, Timelike, Utc};

/// Returns the time from one instant to a later one, or zero if it is earlier.
#[inline]
pub(super) fn between(earlier: DateTime<Utc>, later: DateTime<Utc>) -> Duration {
    let (from, to) = (earlier.naive_utc(), later.naive_utc());
    if from.date() == to.date() {
        // Fast path: most runs start on the day they are due, and splitting dates is expensive.
        let of_day = |at: chrono::NaiveDateTime| {
            Duration::new(at.num_seconds_from_midnight().into(), at.nanosecond())
        };
        return of_day(to).saturating_sub(of_day(from));
    }
    // Instants are whole microseconds and are subtracted as such.
    let micros = later.timestamp_micros() - earlier.timestamp_micros();
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_between_instants_is_exact_within_a_day_and_across_midnight() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let (late, later) = (
            at("2026-03-01T23:59:58.000001Z"),
            at("2026-03-01T23:59:59.5Z"),
        );
        assert_eq!(between(late, later), Duration::from_micros(1_499_999));
        assert_eq!(between(later, late), Duration::ZERO);
        let next_day = at("2026-03-02T00:00:01Z");
        assert_eq!(between(later, next_day), Duration::from_millis(1_500));
        assert_eq!(between(next_day, later), Duration::ZERO);
    }
}
