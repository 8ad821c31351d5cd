//! Filling in what a trigger leaves open until it is added.

use chrono::{DateTime, TimeDelta, Utc};

use crate::error::TriggerError;
use crate::trigger::Trigger;
use crate::zone::Zone;

impl Trigger {
    /// Fills in what was left out, also in the triggers inside: the time zone, the start of an interval (`now` + its
    /// length), the first date and the time of a calendar interval (today in its zone, midnight), and the instant of a
    /// date without one (`now`). A user-defined trigger does so [itself](crate::CustomTrigger::resolve).
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
    /// If the bounds contradict each other once the zone is known, or a filled-in instant is outside of the years 1970
    /// to 2099.
    pub fn resolve(&self, now: DateTime<Utc>, default_zone: Zone) -> Result<Self, TriggerError> {
        self.clone().into_resolved(now, default_zone)
    }

    /// As [`resolve`](Self::resolve), without a copy of the trigger.
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
        self.edit(|kind| kind.resolve(now, default_zone))?;
        Ok(self)
    }

    /// Returns `true` if nothing is left for [`resolve`](Self::resolve) to fill in.
    ///
    /// ```
    /// use scheduler_triggers::{Trigger, Zone};
    /// assert!(!Trigger::cron("@daily")?.is_resolved());
    /// assert!(Trigger::cron("@daily")?.timezone(Zone::UTC)?.is_resolved());
    /// # Ok::<(), scheduler_triggers::TriggerError>(())
    /// ```
    pub fn is_resolved(&self) -> bool {
        self.kind_of().is_resolved()
    }

    /// Returns `true` if `resolved` is the result of resolving this trigger at some instant: the parts that
    /// [`resolve`](Self::resolve) filled in are not compared.
    ///
    /// A date of `now` resolves to a different instant each time, so it never matches.
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
        // Everything that depends on the instant is filled in, except for a date of `now`, which cannot be resolved
        // before the first year.
        let early = DateTime::UNIX_EPOCH - TimeDelta::microseconds(1);
        let filled = self.filled_from(resolved);
        filled
            .into_resolved(early, default_zone)
            .is_ok_and(|filled| filled == *resolved)
    }

    /// Returns this trigger with the values that another one got when it was resolved.
    pub(crate) fn filled_from(&self, resolved: &Self) -> Self {
        let mut filled = self.clone();
        filled.edit(|kind| kind.fill_from(resolved.kind_of()));
        filled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
                // A trigger that leaves its start open matches any start.
                let is_open = (other, index) == (6, 8);
                assert_eq!(found, other == index || is_open, "{written}: {resolved}");
            }
        }
        let resolved = Trigger::now().resolve(now, Zone::UTC).unwrap();
        assert!(!Trigger::now().resolves_to(&resolved, Zone::UTC));
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
