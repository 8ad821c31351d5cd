//! The next fire time, and all that follow.

use std::iter::FusedIterator;

use chrono::{DateTime, Timelike, Utc};

use crate::combine;
use crate::effort::Effort;
use crate::moment::from_micros;
use crate::trigger::{Kind, Trigger};

impl Trigger {
    /// The first fire time after an instant; `None` when there is none, and for an interval
    /// whose start is not yet known.
    ///
    /// ```
    /// use chrono::DateTime;
    /// use scheduler_triggers::Trigger;
    /// let next = Trigger::cron("@daily")?.next_after(DateTime::UNIX_EPOCH).unwrap();
    /// assert_eq!(next.to_rfc3339(), "1970-01-02T00:00:00+00:00");
    /// # Ok::<(), scheduler_triggers::TriggerError>(())
    /// ```
    pub fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if let Kind::Cron(cron) = &self.0 {
            // What is asked most often needs no microseconds. A leap second counts as the next.
            let seconds =
                after.timestamp() + i64::from(after.timestamp_subsec_nanos() / 1_000_000_000);
            return DateTime::from_timestamp(cron.next_second(seconds, &mut 0)?, 0);
        }
        self.next_micros(after.timestamp_micros(), &mut Effort::default())
            .map(from_micros)
    }

    /// As `next_after`, with the number of months that the search looked at.
    #[doc(hidden)]
    pub fn next_after_counted(&self, after: DateTime<Utc>) -> (Option<DateTime<Utc>>, u64) {
        let mut effort = Effort::default();
        let next = self.next_micros(after.timestamp_micros(), &mut effort);
        (next.map(from_micros), effort.months)
    }

    /// The fire times after an instant, one after the other.
    ///
    /// ```
    /// use chrono::DateTime;
    /// use scheduler_triggers::Trigger;
    /// let trigger = Trigger::cron("@daily")?;
    /// assert_eq!(trigger.upcoming(DateTime::UNIX_EPOCH).take(3).count(), 3);
    /// # Ok::<(), scheduler_triggers::TriggerError>(())
    /// ```
    pub fn upcoming(&self, after: DateTime<Utc>) -> Upcoming<'_> {
        Upcoming {
            trigger: self,
            after: Some(after),
        }
    }

    /// In microseconds since the epoch.
    pub(crate) fn next_micros(&self, after: i64, effort: &mut Effort) -> Option<i64> {
        match &self.0 {
            Kind::Cron(cron) => cron.next(after, &mut effort.months),
            Kind::Interval(interval) => interval.next(after),
            Kind::Calendar(calendar) => calendar.next(after, &mut effort.months),
            Kind::Date(date) => date.next(after),
            Kind::And(children) => combine::all_next(children, after, i64::MAX, effort),
            Kind::Or(children) => combine::any_next(children, after, effort),
            // A bad implementation must not break what everything else relies on.
            Kind::Custom(custom) => custom
                .next_after(from_micros(after))
                .map(whole_micros)
                .filter(|next| *next > after),
        }
    }
}

/// Rounded up: rounded down, an instant would be found again after itself, and end the trigger.
fn whole_micros(at: DateTime<Utc>) -> i64 {
    at.timestamp_micros() + i64::from(!at.nanosecond().is_multiple_of(1_000))
}

/// The fire times of a trigger; made by [`Trigger::upcoming`].
///
/// ```
/// use chrono::DateTime;
/// use scheduler_triggers::Trigger;
/// let once = Trigger::at("2026-12-31T23:59:00Z")?;
/// assert_eq!(once.upcoming(DateTime::UNIX_EPOCH).count(), 1);
/// # Ok::<(), scheduler_triggers::TriggerError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "an iterator does nothing unless asked"]
pub struct Upcoming<'a> {
    trigger: &'a Trigger,
    after: Option<DateTime<Utc>>,
}

impl Iterator for Upcoming<'_> {
    type Item = DateTime<Utc>;

    fn next(&mut self) -> Option<DateTime<Utc>> {
        self.after = self.trigger.next_after(self.after?);
        self.after
    }
}

impl FusedIterator for Upcoming<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CustomTrigger;

    #[derive(Debug)]
    struct Backwards;

    impl CustomTrigger for Backwards {
        fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
            Some(after)
        }
    }

    #[test]
    fn a_bad_custom_trigger_ends() {
        let trigger = Trigger::custom(Backwards);
        assert_eq!(trigger.upcoming(DateTime::UNIX_EPOCH).count(), 0);
        let both = Trigger::and(vec![trigger, Trigger::cron("@daily").unwrap()]).unwrap();
        assert!(both.is_custom());
        assert_eq!(both.next_after(DateTime::UNIX_EPOCH), None);
    }

    #[derive(Debug)]
    struct Nanoseconds;

    impl CustomTrigger for Nanoseconds {
        fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
            let anchor = DateTime::from_timestamp_nanos(1_500);
            Some(if after < anchor {
                anchor
            } else {
                let passed = (after - anchor).num_seconds();
                anchor + chrono::TimeDelta::seconds(passed + 1)
            })
        }
    }

    #[test]
    fn a_custom_trigger_finer_than_microseconds_goes_on() {
        let trigger = Trigger::custom(Nanoseconds);
        let fires: Vec<_> = trigger
            .upcoming(DateTime::UNIX_EPOCH)
            .take(3)
            .map(|at| at.timestamp_micros())
            .collect();
        assert_eq!(fires, [2, 1_000_002, 2_000_002]);
    }

    #[test]
    fn searches_are_bounded() {
        let rarest = [
            "0 0 0 29 2 mon#5 *",
            "0 0 0 31 12 * 2099",
            "0 0 29 2 *",
            "59 59 23 31 12 fri#5 *",
        ];
        for expr in rarest {
            let trigger = Trigger::cron(expr).unwrap();
            for after in [
                DateTime::<Utc>::MIN_UTC,
                DateTime::UNIX_EPOCH,
                DateTime::<Utc>::MAX_UTC,
            ] {
                let (_, steps) = trigger.next_after_counted(after);
                assert!(steps <= 1_560, "{expr}: {steps}");
            }
        }
    }

    #[test]
    fn and_gives_up_after_its_leaps() {
        let every = |start: &str| Trigger::every("10ms").unwrap().start(start).unwrap();
        let never = Trigger::and(vec![
            every("2026-01-01T00:00:00.001Z"),
            every("2026-01-01T00:00:00Z"),
        ])
        .unwrap();
        assert_eq!(never.next_after(DateTime::UNIX_EPOCH), None);
    }
}
