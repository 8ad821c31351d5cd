//! A fixed interval of elapsed time.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::bounds::{Bound, Bounds};
use crate::civil::{DAY, END_OF_YEARS};
use crate::definition_text::definition_duration;
use crate::describe::options::{describe_bounds, describe_zone};
use crate::describe::wording::spell_duration;
use crate::effort::Effort;
use crate::error::TriggerError;
use crate::kind::{Build, FieldValue, Fields, KindSpec, TriggerKind, as_kind};
use crate::moment::When;
use crate::options::Options;
use crate::text::duration::{as_calendar, format_duration, parse_duration};
use crate::text::parse::errors_in;
use crate::trigger::Trigger;
use crate::warnings;
use crate::zone::Zone;

pub(super) static SPEC: KindSpec = KindSpec {
    name: "interval",
    word: "every",
    title: "an interval",
    example: "every 5m",
    after_word: Some("every"),
    fields: &["every"],
    options: &["start", "end", "timezone"],
    build: Build::Fields(build),
};

fn build(fields: &Fields<'_>) -> Result<Trigger, TriggerError> {
    every_of(fields.require("every")?)
}

/// Returns the interval, or errors whose advice has not been checked yet.
pub(crate) fn every_of(text: &str) -> Result<Trigger, TriggerError> {
    let whole = 0..text.len();
    parse_duration(text)
        .map_err(|error| match as_calendar(text) {
            Some(calendar) => error.write_whole(calendar).whole_of(&whole),
            None => error,
        })
        .map_err(|error| error.in_field("every"))
        .and_then(|every| {
            Trigger::interval(every).map_err(|error| error.at(whole.clone()).in_text(text))
        })
}

/// The last microsecond at which a trigger may fire.
const LAST_MICRO: i64 = END_OF_YEARS * 1_000_000 - 1;
const MILLISECOND: i64 = 1_000;

/// `from + k * every`, in microseconds of elapsed time.
///
/// Kept small, since interval jobs do not share their triggers: each counts from its own instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Interval {
    every: i64,
    from: i64,
    until: i64,
    /// How the bounds were written, unless that is only the instant `from`, or nothing.
    written: Option<Box<Written>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Written {
    start: Option<When>,
    end: Option<When>,
    zone: Option<Zone>,
}

impl Trigger {
    /// Creates a trigger that fires each time `every` has passed; the minimum is 1 ms.
    ///
    /// ```
    /// use std::time::Duration;
    /// use scheduler_triggers::Trigger;
    /// let trigger = Trigger::interval(Duration::from_secs(90))?;
    /// assert_eq!(trigger.to_string(), "every 1m 30s");
    /// # Ok::<(), scheduler_triggers::TriggerError>(())
    /// ```
    ///
    /// # Errors
    /// If the interval is shorter than a millisecond.
    pub fn interval(every: Duration) -> Result<Self, TriggerError> {
        Ok(Self::new(Interval::new(every)?))
    }

    /// Creates an interval from text such as `90m`; see [`parse_duration`].
    ///
    /// ```
    /// use scheduler_triggers::Trigger;
    /// assert_eq!(Trigger::every("90m")?, Trigger::every("1h 30m")?);
    /// # Ok::<(), scheduler_triggers::TriggerError>(())
    /// ```
    ///
    /// # Errors
    /// If the text is not a duration or shorter than a millisecond.
    pub fn every(text: &str) -> Result<Self, TriggerError> {
        // The advice is a duration, or the text of another trigger.
        let errors_in = |text: &str| match every_of(text) {
            Ok(_) => 0,
            Err(_) => errors_in(text),
        };
        every_of(text).map_err(|error| error.checked(text, errors_in))
    }

    /// Returns the length of an interval; `None` for other triggers.
    ///
    /// ```
    /// use std::time::Duration;
    /// use scheduler_triggers::Trigger;
    /// assert_eq!(Trigger::every("5m").unwrap().interval_length(), Some(Duration::from_secs(300)));
    /// ```
    pub fn interval_length(&self) -> Option<Duration> {
        as_kind::<Interval>(self.kind_of()).map(Interval::length)
    }

    /// Returns this trigger counting from the start of `old`: an interval without a start takes that of the interval
    /// that it replaces.
    ///
    /// ```
    /// use scheduler_triggers::Trigger;
    /// let old = Trigger::every("5m")?.start("2026-01-01T00:00:00Z")?;
    /// let new = Trigger::every("10m")?.with_anchor_of(&old);
    /// assert_eq!(new.start_instant(), old.start_instant());
    /// # Ok::<(), scheduler_triggers::TriggerError>(())
    /// ```
    #[must_use]
    pub fn with_anchor_of(&self, old: &Self) -> Self {
        match as_kind::<Interval>(self.kind_of()) {
            Some(_) => self.filled_from(old),
            None => self.clone(),
        }
    }
}

impl TriggerKind for Interval {
    fn spec(&self) -> &'static KindSpec {
        &SPEC
    }

    fn next(&self, after: i64, effort: &mut Effort) -> Option<i64> {
        effort.charge(0);
        self.next_micros(after)
    }

    fn latest_in(&self, after: i64, until: i64, _: &mut Effort) -> Option<i64> {
        let count = self.count_until(until);
        if count == 0 {
            return None;
        }
        let latest = self.origin() + (count - 1) * self.every;
        (latest > after).then_some(latest)
    }

    fn count_in(&self, after: i64, until: i64) -> Option<u64> {
        let count = self.count_until(until) - self.count_until(after);
        Some(u64::try_from(count).unwrap_or(0))
    }

    fn options(&self) -> Options {
        Options {
            zone: self.written.as_ref().and_then(|written| written.zone),
            bounds: self.bounds(),
            ..Options::NONE
        }
    }

    fn set_zone(&mut self, zone: Zone) -> Result<(), TriggerError> {
        let Bounds { start, end, .. } = self.bounds();
        if !self.bounds().needs_zone() {
            return Err(TriggerError::new(
                "an interval counts elapsed time and has no time zone; only a start or end \
                 without an offset needs one",
            )
            .in_field("timezone"));
        }
        *self = self.within(Bounds::new(start, end, zone)?, Some(zone));
        Ok(())
    }

    fn set_bound(&mut self, bound: Bound, at: When) -> Result<(), TriggerError> {
        let zone = self.zone();
        *self = self.within(self.bounds().with(bound, at, zone)?, zone);
        Ok(())
    }

    fn lacks(&self, option: &'static str) -> TriggerError {
        TriggerError::new(format!(
            "an interval has no {option}: it counts elapsed time, which no clock change touches"
        ))
        .in_field(option)
    }

    fn resolve(&mut self, now: DateTime<Utc>, default_zone: Zone) -> Result<(), TriggerError> {
        let zone = self.zone().unwrap_or(default_zone);
        let first = now.timestamp_micros().saturating_add(self.every);
        let Bounds { start, end, .. } = self.bounds();
        let start = match start {
            Some(start) => start,
            None => When::Instant(first).checked_first_fire("every")?,
        };
        let bounds = Bounds::new(Some(start), end, zone)?;
        let zone = bounds.needs_zone().then_some(zone);
        *self = self.within(bounds, zone);
        Ok(())
    }

    fn is_resolved(&self) -> bool {
        self.anchor().is_some() && (self.zone().is_some() || !self.bounds().needs_zone())
    }

    fn fill_from(&mut self, resolved: &dyn TriggerKind) {
        let anchor = as_kind::<Self>(resolved).and_then(Self::anchor);
        let (None, Some(anchor)) = (self.anchor(), anchor) else {
            return;
        };
        let (zone, start) = (self.zone(), When::Instant(anchor));
        // If its end is before that start, it keeps its own.
        if let Ok(bounds) = self.bounds().with(Bound::Start, start, zone) {
            *self = self.within(bounds, zone);
        }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "every {}", format_duration(self.length()))
    }

    fn fields(&self) -> Vec<(&'static str, FieldValue<'_>)> {
        vec![("every", FieldValue::Text(format_duration(self.length())))]
    }

    fn write_definition(&self, text: &mut String) {
        text.push_str("every ");
        text.push_str(&definition_duration(self.length()));
    }

    fn describe(&self) -> String {
        let mut text = match self.days() {
            // A calendar day may have 23 or 25 hours.
            Some(1) => "every 24 hours".to_owned(),
            Some(days) => format!("every {days} days of 24 hours"),
            None => format!("every {}", spell_duration(self.length())),
        };
        text.push_str(&describe_bounds(&self.bounds()));
        if let Some(zone) = self.zone() {
            text.push_str(&describe_zone(zone));
        }
        text
    }

    fn warnings(&self, now: DateTime<Utc>) -> Vec<String> {
        let about_days = self.days().and_then(|days| {
            warnings::periods::of_interval(days, &self.bounds(), self.zone(), now.timestamp())
        });
        about_days.into_iter().collect()
    }
}

impl Interval {
    /// Returns its length in units of 24 hours, if there is no remainder.
    fn days(&self) -> Option<i64> {
        const DAY_MICROS: i64 = DAY * 1_000_000;
        (self.every % DAY_MICROS == 0).then_some(self.every / DAY_MICROS)
    }

    fn new(every: Duration) -> Result<Self, TriggerError> {
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
                .example("1s"));
        }
        Ok(Self {
            every: micros,
            from: Bounds::NONE.from,
            until: Bounds::NONE.until,
            written: None,
        })
    }

    /// Returns the same interval within other bounds, which are read in this zone.
    fn within(&self, bounds: Bounds, zone: Option<Zone>) -> Self {
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

    fn bounds(&self) -> Bounds {
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

    fn length(&self) -> Duration {
        Duration::from_micros(self.every.unsigned_abs())
    }

    /// Returns the start, if it is known.
    pub(super) fn anchor(&self) -> Option<i64> {
        (self.from != Bounds::NONE.from).then_some(self.from)
    }

    fn last(&self) -> i64 {
        self.until.min(LAST_MICRO)
    }

    /// Returns the origin from which fire times are counted: the epoch while the start is not known.
    fn origin(&self) -> i64 {
        self.anchor().unwrap_or(0)
    }

    fn next_micros(&self, after: i64) -> Option<i64> {
        let anchor = self.origin();
        let next = if after < anchor {
            anchor
        } else {
            // Both are within a few hundred millennia, so the difference fits.
            let passed = (after.min(LAST_MICRO) - anchor) / self.every;
            anchor.checked_add((passed + 1).checked_mul(self.every)?)?
        };
        (next > after && next <= self.last()).then_some(next)
    }

    /// Returns the number of fire times up to and including an instant.
    fn count_until(&self, until: i64) -> i64 {
        // A start on the last evening of 2099 west of Greenwich is beyond the last instant.
        let until = until.min(self.last());
        let origin = self.origin();
        if until >= origin {
            (until - origin) / self.every + 1
        } else {
            0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_interval_has_no_time_before_its_start() {
        let longest = interval(i64::MAX, 0, None);
        assert_eq!(
            longest.latest_in(i64::MIN, -1, &mut Effort::unlimited()),
            None
        );
        assert_eq!(
            longest.latest_in(i64::MIN, 0, &mut Effort::unlimited()),
            Some(0)
        );
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
        assert_eq!(ten.next_micros(i64::MIN), Some(5_000));
        assert_eq!(ten.next_micros(4_999), Some(5_000));
        assert_eq!(ten.next_micros(5_000), Some(15_000));
        assert_eq!(ten.next_micros(24_999), Some(25_000));
        assert_eq!(ten.next_micros(25_000), None);
        assert_eq!(ten.next_micros(i64::MAX), None);
    }

    #[test]
    fn windows_are_arithmetic() {
        let ten = interval(10_000, 5_000, None);
        assert_eq!(ten.latest_in(5_000, 14_999, &mut Effort::unlimited()), None);
        assert_eq!(
            ten.latest_in(4_999, 14_999, &mut Effort::unlimited()),
            Some(5_000)
        );
        assert_eq!(ten.count_in(i64::MIN, 25_000), Some(3));
        assert_eq!(ten.count_in(5_000, 25_000), Some(2));
        assert_eq!(ten.count_in(25_000, 5_000), Some(0));
    }

    #[test]
    fn a_millisecond_is_the_least() {
        assert!(Interval::new(Duration::from_millis(1)).is_ok());
        assert!(Interval::new(Duration::from_micros(999)).is_err());
        assert!(Interval::new(Duration::ZERO).is_err());
        assert!(Interval::new(Duration::MAX).is_err());
    }
}
