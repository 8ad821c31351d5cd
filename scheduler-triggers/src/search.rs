//! The search for the next fire time, and for all that follow.

use std::iter::FusedIterator;

use chrono::{DateTime, Utc};

use crate::effort::{Effort, Exhausted};
use crate::moment::from_micros;
use crate::trigger::Trigger;

impl Trigger {
    /// Returns the first fire time after an instant; `None` if there is none, and for [`now`](Trigger::now) until it is
    /// resolved.
    ///
    /// An interval whose start is not yet known counts from the epoch, 1970-01-01T00:00Z, and a calendar interval from
    /// that day; [`resolve`](Trigger::resolve) fills in the start, as for a job.
    ///
    /// ```
    /// use chrono::DateTime;
    /// use scheduler_triggers::Trigger;
    /// let next = Trigger::cron("@daily")?.next_after(DateTime::UNIX_EPOCH).unwrap();
    /// assert_eq!(next.to_rfc3339(), "1970-01-02T00:00:00+00:00");
    /// # Ok::<(), scheduler_triggers::TriggerError>(())
    /// ```
    pub fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.kind_of().next_after(after)
    }

    /// As [`next_after`](Self::next_after), with a budget of steps.
    ///
    /// # Errors
    /// [`Exhausted`] if the budget was used up before the answer was known, and for every later search with it.
    ///
    /// ```
    /// use chrono::DateTime;
    /// use scheduler_triggers::{Effort, Trigger};
    /// let mut effort = Effort::steps(1_000);
    /// let next = Trigger::cron("@daily")?.next_within(DateTime::UNIX_EPOCH, &mut effort)?;
    /// assert!(next.is_some() && effort.used() < 10);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn next_within(
        &self,
        after: DateTime<Utc>,
        effort: &mut Effort,
    ) -> Result<Option<DateTime<Utc>>, Exhausted> {
        let next = self.search(after.timestamp_micros(), effort);
        effort.answer(next.map(from_micros))
    }

    /// Returns the fire times after an instant, one after another.
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

    /// Starts a search, in microseconds since the epoch. Also returns `None` if the budget is used up.
    pub(crate) fn search(&self, after: i64, effort: &mut Effort) -> Option<i64> {
        if !effort.begin_search() {
            return None;
        }
        self.kind_of().next(after, effort)
    }
}

/// The fire times of a trigger; returned by [`Trigger::upcoming`].
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
                let mut effort = Effort::steps(u64::MAX);
                trigger.next_within(after, &mut effort).unwrap();
                assert!(effort.used() <= 1_561, "{expr}: {effort:?}");
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
