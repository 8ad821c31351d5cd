//! Every so much elapsed time.

use std::time::Duration;

use crate::bounds::Bounds;
use crate::civil::END_OF_YEARS;
use crate::error::TriggerError;
use crate::moment::When;
use crate::zone::Zone;

/// The last microsecond at which any trigger fires.
pub(crate) const LAST_MICRO: i64 = END_OF_YEARS * 1_000_000 - 1;
const MILLISECOND: i64 = 1_000;

/// `from + k * every`, in microseconds of elapsed time.
///
/// Every job that runs at an interval has one of its own, since it counts from its own instant: so
/// this is kept small.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Interval {
    pub(crate) every: i64,
    from: i64,
    until: i64,
    /// How the bounds were written, unless that is the instant `from` alone, or nothing.
    written: Option<Box<Written>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Written {
    start: Option<When>,
    end: Option<When>,
    zone: Option<Zone>,
}

impl Interval {
    pub(crate) fn new(every: Duration) -> Result<Self, TriggerError> {
        let micros = i64::try_from(every.as_micros()).map_err(|_| {
            TriggerError::new("the interval is longer than the years that a trigger covers")
                .in_field("every")
        })?;
        if micros < MILLISECOND {
            let message = match micros {
                0 => "the interval is 0, which would fire without end",
                _ => "the interval is shorter than a millisecond",
            };
            return Err(TriggerError::new(message)
                .in_field("every")
                .allow("1ms or more")
                .write("1s"));
        }
        Ok(Self {
            every: micros,
            from: Bounds::NONE.from,
            until: Bounds::NONE.until,
            written: None,
        })
    }

    /// The same interval within other bounds, which are read in this zone.
    pub(crate) fn within(&self, bounds: Bounds, zone: Option<Zone>) -> Self {
        let Bounds {
            start,
            end,
            from,
            until,
        } = bounds;
        let is_plain = zone.is_none()
            && end.is_none()
            && start.is_none_or(|start| start == When::Instant(from));
        let written = Written { start, end, zone };
        Self {
            every: self.every,
            from,
            until,
            written: (!is_plain).then(|| Box::new(written)),
        }
    }

    pub(crate) fn bounds(&self) -> Bounds {
        let (start, end) = match self.written.as_deref() {
            Some(written) => (written.start, written.end),
            None if self.from == Bounds::NONE.from => (None, None),
            None => (Some(When::Instant(self.from)), None),
        };
        Bounds {
            start,
            end,
            from: self.from,
            until: self.until,
        }
    }

    /// The zone that its bounds are read in, where they need one.
    pub(crate) fn zone(&self) -> Option<Zone> {
        self.written.as_ref().and_then(|written| written.zone)
    }

    /// The start, once it is known.
    pub(crate) fn anchor(&self) -> Option<i64> {
        (self.from != Bounds::NONE.from).then_some(self.from)
    }

    fn last(&self) -> i64 {
        self.until.min(LAST_MICRO)
    }

    /// What fire times are counted from: the epoch, as long as no start is known.
    fn origin(&self) -> i64 {
        self.anchor().unwrap_or(0)
    }

    pub(crate) fn next(&self, after: i64) -> Option<i64> {
        let anchor = self.origin();
        let next = if after < anchor {
            anchor
        } else {
            // Both lie within a few hundred millennia, so the difference fits.
            let passed = (after.min(LAST_MICRO) - anchor) / self.every;
            anchor.checked_add((passed + 1).checked_mul(self.every)?)?
        };
        (next > after && next <= self.last()).then_some(next)
    }

    /// The number of fire times up to and including an instant.
    fn count_until(&self, until: i64) -> i64 {
        // A start on the last evening of 2099 west of Greenwich lies beyond the last instant.
        let until = until.min(self.last());
        let origin = self.origin();
        if until >= origin {
            (until - origin) / self.every + 1
        } else {
            0
        }
    }

    pub(crate) fn count_in(&self, after: i64, until: i64) -> u64 {
        let count = self.count_until(until) - self.count_until(after);
        u64::try_from(count).unwrap_or(0)
    }

    pub(crate) fn latest_in(&self, after: i64, until: i64) -> Option<i64> {
        let count = self.count_until(until);
        if count == 0 {
            return None;
        }
        let latest = self.origin() + (count - 1) * self.every;
        (latest > after).then_some(latest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_interval_has_no_time_before_its_start() {
        let longest = interval(i64::MAX, 0, None);
        assert_eq!(longest.latest_in(i64::MIN, -1), None);
        assert_eq!(longest.latest_in(i64::MIN, 0), Some(0));
    }

    fn interval(every: i64, start: i64, end: Option<i64>) -> Interval {
        let end = end.map(When::Instant);
        let bounds = Bounds::new(Some(When::Instant(start)), end, Zone::UTC).unwrap();
        let micros = Duration::from_micros(u64::try_from(every).unwrap());
        Interval::new(micros).unwrap().within(bounds, None)
    }

    #[test]
    fn a_plain_interval_is_small_and_bounds_come_back_as_they_were_written() {
        assert!(size_of::<Interval>() <= 32, "{}", size_of::<Interval>());
        let plain = interval(10_000, 5_000, None);
        assert!(plain.written.is_none());
        assert_eq!(plain.bounds().start, Some(When::Instant(5_000)));
        assert_eq!((plain.bounds().end, plain.zone()), (None, None));
        let day = When::parse("2026-03-29").unwrap();
        for (start, end) in [(None, None), (None, Some(day)), (Some(day), Some(day))] {
            let bounds = Bounds::new(start, end, Zone::UTC).unwrap();
            assert_eq!(plain.within(bounds, None).bounds(), bounds);
            assert_eq!(
                plain.within(bounds, Some(Zone::UTC)).zone(),
                Some(Zone::UTC)
            );
        }
    }

    #[test]
    fn counts_from_its_start() {
        let ten = interval(10_000, 5_000, Some(25_000));
        assert_eq!(ten.next(i64::MIN), Some(5_000));
        assert_eq!(ten.next(4_999), Some(5_000));
        assert_eq!(ten.next(5_000), Some(15_000));
        assert_eq!(ten.next(24_999), Some(25_000));
        assert_eq!(ten.next(25_000), None);
        assert_eq!(ten.next(i64::MAX), None);
    }

    #[test]
    fn windows_are_arithmetic() {
        let ten = interval(10_000, 5_000, None);
        assert_eq!(ten.latest_in(5_000, 14_999), None);
        assert_eq!(ten.latest_in(4_999, 14_999), Some(5_000));
        assert_eq!(ten.count_in(i64::MIN, 25_000), 3);
        assert_eq!(ten.count_in(5_000, 25_000), 2);
        assert_eq!(ten.count_in(25_000, 5_000), 0);
    }

    #[test]
    fn a_millisecond_is_the_least() {
        assert!(Interval::new(Duration::from_millis(1)).is_ok());
        assert!(Interval::new(Duration::from_micros(999)).is_err());
        assert!(Interval::new(Duration::ZERO).is_err());
        assert!(Interval::new(Duration::MAX).is_err());
    }
}
