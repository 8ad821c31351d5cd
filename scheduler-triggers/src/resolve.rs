//! Filling in what a trigger leaves to the moment at which it is added.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};

use crate::bounds::Bounds;
use crate::kinds::calendar_interval::Calendar;
use crate::civil::{FIRST_YEAR, LAST_YEAR};
use crate::kinds::date::Date;
use crate::error::TriggerError;
use crate::kinds::interval::Interval;
use crate::moment::When;
use crate::trigger::{Kind, Trigger};
use crate::zone::Zone;

impl Trigger {
    /// Fills in what was left out, in the triggers inside too: the time zone, the start of an
    /// interval (`now` + its length), the first date and the time of a calendar interval (today
    /// in its zone, midnight), and the instant of a date without one (`now`). A trigger of the user's
    /// own does so [itself](crate::CustomTrigger::resolve).
    ///
    /// ```
    /// use chrono::{DateTime, TimeDelta};
    /// use scheduler_triggers::{Trigger, Zone};
    /// let now = DateTime::UNIX_EPOCH;
    /// let trigger = Trigger::every("5m")?.resolve(now, Zone::UTC)?;
    /// assert_eq!(trigger.next_after(now), Some(now + TimeDelta::minutes(5)));
    /// # Ok::<(), scheduler_triggers::TriggerError>(())
    /// ```
    ///
    /// # Errors
    /// When the bounds contradict each other once the zone is known, or what is filled in lies
    /// outside the years 1970 to 2099.
    pub fn resolve(&self, now: DateTime<Utc>, default_zone: Zone) -> Result<Self, TriggerError> {
        self.clone().into_resolved(now, default_zone)
    }

    /// The same for a trigger that is not needed any more as it is: without a copy of it.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve).
    ///
    /// ```
    /// use chrono::DateTime;
    /// use scheduler_triggers::{Trigger, Zone};
    /// let trigger = Trigger::cron("@daily")?.into_resolved(DateTime::UNIX_EPOCH, Zone::UTC)?;
    /// assert!(trigger.is_resolved());
    /// # Ok::<(), scheduler_triggers::TriggerError>(())
    /// ```
    pub fn into_resolved(
        mut self,
        now: DateTime<Utc>,
        default_zone: Zone,
    ) -> Result<Self, TriggerError> {
        match &mut self.0 {
            Kind::Interval(interval) => resolve_interval(interval, now, default_zone)?,
            Kind::Calendar(calendar) => {
                if calendar.zone.is_none() {
                    self.set_zone(default_zone)?;
                }
                if let Kind::Calendar(calendar) = &mut self.0 {
                    fill_calendar(Arc::make_mut(calendar), now)?;
                }
            }
            Kind::Cron(cron) if cron.zone.is_none() => self.set_zone(default_zone)?,
            Kind::Date(date) => {
                let at = match date.at {
                    Some(at) => at,
                    None => first_fire(When::Instant(now.timestamp_micros()), "at")?,
                };
                let zone = if at.needs_zone() {
                    date.zone.or(Some(default_zone))
                } else {
                    None
                };
                *date = Arc::new(Date::new(Some(at), zone));
            }
            Kind::And(children) | Kind::Or(children) => {
                let resolved: Result<Arc<[Self]>, _> = children
                    .iter()
                    .map(|child| child.resolve(now, default_zone))
                    .collect();
                *children = resolved?;
            }
            Kind::Custom(custom) => {
                if let Some(resolved) = custom.resolve(now, default_zone)? {
                    *custom = resolved;
                }
            }
            Kind::Cron(_) => {}
        }
        Ok(self)
    }

    /// Whether nothing is left for [`resolve`](Self::resolve) to fill in.
    ///
    /// ```
    /// use scheduler_triggers::{Trigger, Zone};
    /// assert!(!Trigger::cron("@daily")?.is_resolved());
    /// assert!(Trigger::cron("@daily")?.timezone(Zone::UTC)?.is_resolved());
    /// # Ok::<(), scheduler_triggers::TriggerError>(())
    /// ```
    pub fn is_resolved(&self) -> bool {
        match &self.0 {
            Kind::Interval(interval) => {
                interval.anchor().is_some()
                    && (interval.zone().is_some() || !interval.bounds().needs_zone())
            }
            Kind::Cron(cron) => cron.zone.is_some(),
            Kind::Calendar(calendar) => {
                calendar.zone.is_some() && calendar.start.is_some() && calendar.time.is_some()
            }
            Kind::Date(date) => date
                .at
                .is_some_and(|at| date.zone.is_some() || !at.needs_zone()),
            Kind::And(children) | Kind::Or(children) => children.iter().all(Self::is_resolved),
            Kind::Custom(_) => true,
        }
    }

    /// Returns `true` if `resolved` is what this trigger, as it is written, was resolved to at some
    /// instant: what [`resolve`](Self::resolve) filled in is not compared.
    ///
    /// A date of `now` is another instant each time, so it never is.
    ///
    /// ```
    /// use chrono::DateTime;
    /// use scheduler_triggers::{Trigger, Zone};
    /// let written = Trigger::every("5m")?;
    /// let resolved = written.resolve(DateTime::UNIX_EPOCH, Zone::UTC)?;
    /// assert!(written.resolves_to(&resolved, Zone::UTC));
    /// assert!(!Trigger::every("6m")?.resolves_to(&resolved, Zone::UTC));
    /// # Ok::<(), scheduler_triggers::TriggerError>(())
    /// ```
    pub fn resolves_to(&self, resolved: &Self, default_zone: Zone) -> bool {
        let filled = match (&self.0, &resolved.0) {
            (Kind::Interval(_), Kind::Interval(_)) => self.with_anchor_of(resolved),
            (Kind::Calendar(written), Kind::Calendar(found)) => {
                let mut filled = Calendar::clone(written);
                filled.start = filled.start.or(found.start);
                Self(Kind::Calendar(Arc::new(filled)))
            }
            (Kind::And(written), Kind::And(found)) | (Kind::Or(written), Kind::Or(found)) => {
                let mut pairs = written.iter().zip(found.iter());
                return written.len() == found.len()
                    && pairs.all(|(written, found)| written.resolves_to(found, default_zone));
            }
            (Kind::Date(date), _) if date.at.is_none() => return false,
            _ => self.clone(),
        };
        // All that depends on the instant is filled in.
        let filled = filled.into_resolved(DateTime::UNIX_EPOCH, default_zone);
        filled.is_ok_and(|filled| filled == *resolved)
    }

    /// This trigger, counting from where `old` counted: an interval without a start takes that
    /// of the interval that it replaces.
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
        let (Kind::Interval(new), Kind::Interval(old)) = (&self.0, &old.0) else {
            return self.clone();
        };
        let (None, Some(anchor)) = (new.anchor(), old.anchor()) else {
            return self.clone();
        };
        let zone = new.zone();
        let start = Some(When::Instant(anchor));
        match Bounds::new(start, new.bounds().end, zone.unwrap_or(Zone::UTC)) {
            Ok(bounds) => Self(Kind::Interval(Arc::new(new.within(bounds, zone)))),
            // An end before the old start: the new trigger stands on its own.
            Err(_) => self.clone(),
        }
    }
}

fn resolve_interval(
    interval: &mut Arc<Interval>,
    now: DateTime<Utc>,
    default_zone: Zone,
) -> Result<(), TriggerError> {
    let zone = interval.zone().unwrap_or(default_zone);
    let first = now.timestamp_micros().saturating_add(interval.every);
    let Bounds { start, end, .. } = interval.bounds();
    let start = match start {
        Some(start) => start,
        None => first_fire(When::Instant(first), "every")?,
    };
    let bounds = Bounds::new(Some(start), end, zone)?;
    let zone = bounds.needs_zone().then_some(zone);
    let resolved = interval.within(bounds, zone);
    match Arc::get_mut(interval) {
        Some(own) => *own = resolved,
        None => *interval = Arc::new(resolved),
    }
    Ok(())
}

fn fill_calendar(calendar: &mut Calendar, now: DateTime<Utc>) -> Result<(), TriggerError> {
    calendar.time.get_or_insert(0);
    if calendar.start.is_none() {
        let zone = calendar.zone.unwrap_or(Zone::UTC);
        let seconds = now.timestamp();
        let offset = zone
            .offsets()
            .map_or(0, |offsets| offsets.segment(offsets.locate(seconds)).offset);
        let today = DateTime::from_timestamp(seconds + offset, 0).unwrap_or(now);
        // West of Greenwich the epoch itself is a moment of 1969.
        let today = today.date_naive().max(NaiveDate::default());
        first_fire(When::Date(today), "start")?;
        calendar.start = Some(today);
    }
    Ok(())
}

/// A time that was filled in must be one that could have been written.
fn first_fire(at: When, field: &'static str) -> Result<When, TriggerError> {
    at.checked().map_err(|_| {
        TriggerError::new(format!(
            "the first fire time `{at}` is out of range, which is {FIRST_YEAR}-{LAST_YEAR}"
        ))
        .in_field(field)
        .allow(format!("{FIRST_YEAR}-{LAST_YEAR}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CustomTrigger;

    #[test]
    fn what_is_filled_in_can_be_written() {
        let now: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
        for (text, now) in [
            ("every 90000d", now),
            ("every 5m", DateTime::<Utc>::MIN_UTC),
            ("every 5m", DateTime::<Utc>::MAX_UTC),
            ("at now", DateTime::<Utc>::MAX_UTC),
            ("calendar days=1", DateTime::<Utc>::MAX_UTC),
        ] {
            let error = text.parse::<Trigger>().unwrap().resolve(now, Zone::UTC);
            assert!(error.is_err(), "{text} {now}");
        }
    }

    #[test]
    fn written_trigger_is_found_again_in_what_it_was_resolved_to() {
        let now: DateTime<Utc> = "2026-01-01T12:00:00Z".parse().unwrap();
        let written: Vec<Trigger> = [
            "every 5m",
            "every 5m start=2026-01-01",
            "every 5m end=2026-12-31",
            "every 6m",
            "cron 0 6 * * *",
            "cron 0 6 * * * start=2026-01-01",
            "calendar days=2",
            "calendar days=2 time=06:00",
            "calendar days=2 start=2026-01-03",
            "at 2026-12-31T00:00:00",
            "or(every 5m; calendar days=2)",
            "or(calendar days=2; every 5m)",
            "or(every 5m; calendar days=2; cron 0 6 * * *)",
            "and(cron 0 6 * * *; cron 0 * * * *)",
        ]
        .map(|text| text.parse().unwrap())
        .into();
        for (index, trigger) in written.iter().enumerate() {
            let resolved = trigger.resolve(now, Zone::UTC).unwrap();
            for (other, written) in written.iter().enumerate() {
                let found = written.resolves_to(&resolved, Zone::UTC);
                // One that leaves its start open goes on from any.
                let is_open = (other, index) == (6, 8);
                assert_eq!(found, other == index || is_open, "{written}: {resolved}");
            }
        }
        let resolved = Trigger::now().resolve(now, Zone::UTC).unwrap();
        assert!(!Trigger::now().resolves_to(&resolved, Zone::UTC));
    }

    /// Passes every question on, and what is left open only if it is told to.
    #[derive(Debug)]
    struct Wrapper {
        inner: Trigger,
        resolves: bool,
    }

    impl CustomTrigger for Wrapper {
        fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
            self.inner.next_after(after)
        }

        fn resolve(
            &self,
            now: DateTime<Utc>,
            zone: Zone,
        ) -> Result<Option<Arc<dyn CustomTrigger>>, TriggerError> {
            if !self.resolves {
                return Ok(None);
            }
            let inner = self.inner.resolve(now, zone)?;
            Ok(Some(Arc::new(Self { inner, ..*self })))
        }
    }

    /// The first fire time of a trigger that wraps another one, alone and inside of others.
    fn first_of_wrapped(text: &str, resolves: bool, zone: Zone) -> Vec<String> {
        let wrapped = || {
            let inner = text.parse().unwrap();
            Trigger::custom(Wrapper { inner, resolves })
        };
        let minutely = || Trigger::cron("* * * * *").unwrap();
        let late = || Trigger::at("2099-01-01T00:00:00Z").unwrap();
        let now: DateTime<Utc> = "2026-01-01T00:01:30Z".parse().unwrap();
        [
            wrapped(),
            Trigger::or(vec![late(), wrapped()]).unwrap(),
            Trigger::and(vec![minutely(), wrapped()]).unwrap(),
            Trigger::or(vec![late(), Trigger::and(vec![wrapped()]).unwrap()]).unwrap(),
            Trigger::custom(Wrapper {
                inner: wrapped(),
                resolves,
            }),
        ]
        .into_iter()
        .map(|trigger| trigger.resolve(now, zone).unwrap())
        .map(|trigger| {
            trigger
                .next_after(now)
                .map(|at| at.to_rfc3339())
                .unwrap_or_default()
        })
        .collect()
    }

    #[test]
    fn wrapped_trigger_that_is_not_resolved_counts_from_the_epoch() {
        for (text, first) in [
            ("every 5m", "2026-01-01T00:05:00+00:00"),
            ("every 5m end=2026-01-02", "2026-01-01T00:05:00+00:00"),
            ("calendar days=2", "2026-01-03T00:00:00+00:00"),
            ("calendar months=1 time=06:30", "2026-01-01T06:30:00+00:00"),
            ("0 6 * * *", "2026-01-01T06:00:00+00:00"),
        ] {
            let found = first_of_wrapped(text, false, Zone::UTC);
            assert_eq!(found, [first; 5], "{text}");
        }
    }

    #[cfg(feature = "time-zones")]
    #[test]
    fn wrapped_trigger_is_resolved_through_its_wrapper() {
        for (text, first) in [
            ("every 5m", "2026-01-01T00:06:30+00:00"),
            ("0 6 * * *", "2026-01-01T22:00:00+00:00"),
            ("calendar days=2", "2026-01-02T16:00:00+00:00"),
        ] {
            let found = first_of_wrapped(text, true, Zone::Asia__Shanghai);
            // None of the instants of the interval lies on a whole minute.
            let expected = if text == "every 5m" {
                [first, first, "", first, first]
            } else {
                [first; 5]
            };
            assert_eq!(found, expected, "{text}");
        }
    }

    #[cfg(feature = "time-zones")]
    #[test]
    fn calendars_can_begin_at_the_epoch() {
        let daily: Trigger = "calendar days=1".parse().unwrap();
        let apia = daily.resolve(DateTime::UNIX_EPOCH, Zone::Pacific__Apia);
        let text = apia.unwrap().to_string();
        assert_eq!(
            text,
            "calendar days=1 time=00:00:00 start=1970-01-01 timezone=Pacific/Apia"
        );
    }
}
