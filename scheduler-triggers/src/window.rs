//! The fire times within a window, without listing them.

use chrono::{DateTime, Utc};

use crate::effort::{Effort, Exhausted};
use crate::moment::from_micros;
use crate::trigger::Trigger;

/// The number of fire times in a window; returned by [`Trigger::count_in`].
///
/// ```
/// use scheduler_triggers::Count;
/// let count = Count { value: 1000, exact: false };
/// assert_eq!(count.to_string(), "more than 1000");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Count {
    /// The number counted.
    pub value: u64,
    /// `true` if there are no more than that.
    pub exact: bool,
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.exact {
            f.write_str("more than ")?;
        }
        write!(f, "{}", self.value)
    }
}

impl Trigger {
    /// Returns the latest fire time after `after` and not after `until`.
    ///
    /// Computed by arithmetic for intervals and by bisection for others, so the width of the window does not matter.
    ///
    /// ```
    /// use scheduler_triggers::Trigger;
    /// let trigger = Trigger::cron("@hourly")?;
    /// let latest = trigger.latest_in("2016-01-01T00:00:00Z".parse()?, "2026-01-01T09:30:00Z".parse()?);
    /// assert_eq!(latest, Some("2026-01-01T09:00:00Z".parse()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn latest_in(&self, after: DateTime<Utc>, until: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let (after, until) = (after.timestamp_micros(), until.timestamp_micros());
        self.kind_of()
            .latest_in(after, until, &mut Effort::unlimited())
            .map(from_micros)
    }

    /// As [`latest_in`](Self::latest_in), with a budget of steps.
    ///
    /// # Errors
    /// [`Exhausted`] if the budget was used up before the answer was known.
    ///
    /// ```
    /// use scheduler_triggers::{Effort, Trigger};
    /// let (after, until) = ("2016-01-01T00:00:00Z".parse()?, "2026-01-01T09:30:00Z".parse()?);
    /// let mut effort = Effort::steps(1_000);
    /// let latest = Trigger::cron("@hourly")?.latest_within(after, until, &mut effort)?;
    /// assert_eq!(latest, Some("2026-01-01T09:00:00Z".parse()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn latest_within(
        &self,
        after: DateTime<Utc>,
        until: DateTime<Utc>,
        effort: &mut Effort,
    ) -> Result<Option<DateTime<Utc>>, Exhausted> {
        let (after, until) = (after.timestamp_micros(), until.timestamp_micros());
        let latest = self.kind_of().latest_in(after, until, effort);
        effort.answer(latest.map(from_micros))
    }

    /// Returns the number of fire times after `after` and not after `until`: exact for intervals, counted up to `cap`
    /// for others.
    ///
    /// ```
    /// use scheduler_triggers::{Count, Trigger};
    /// let trigger = Trigger::cron("@hourly")?;
    /// let (after, until) = ("2026-01-01T00:00:00Z".parse()?, "2026-01-02T00:00:00Z".parse()?);
    /// assert_eq!(trigger.count_in(after, until, 100), Count { value: 24, exact: true });
    /// assert_eq!(trigger.count_in(after, until, 10), Count { value: 10, exact: false });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn count_in(&self, after: DateTime<Utc>, until: DateTime<Utc>, cap: u64) -> Count {
        self.count_within(after, until, cap, &mut Effort::unlimited())
    }

    /// As [`count_in`](Self::count_in), with a budget of steps: if it is used up, returns the count so far, which is
    /// then not exact.
    ///
    /// ```
    /// use scheduler_triggers::{Effort, Trigger};
    /// let (after, until) = ("2026-01-01T00:00:00Z".parse()?, "2026-01-02T00:00:00Z".parse()?);
    /// let mut effort = Effort::steps(20);
    /// let count = Trigger::cron("@hourly")?.count_within(after, until, 100, &mut effort);
    /// assert!(!count.exact && count.value < 24);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn count_within(
        &self,
        after: DateTime<Utc>,
        until: DateTime<Utc>,
        cap: u64,
        effort: &mut Effort,
    ) -> Count {
        let (after, until) = (after.timestamp_micros(), until.timestamp_micros());
        let kind = self.kind_of();
        if let Some(value) = kind.count_in(after, until) {
            return Count { value, exact: true };
        }
        let (mut value, mut at) = (0, after);
        while let Some(next) = kind.next_up_to(at, until, effort) {
            if value == cap {
                return Count {
                    value,
                    exact: false,
                };
            }
            value += 1;
            at = next;
        }
        let exact = !effort.is_exhausted();
        Count { value, exact }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CustomTrigger;
    use chrono::TimeDelta;
    use std::sync::atomic::{AtomicI64, Ordering};

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn the_latest_is_found_in_any_window() {
        let until = at("2026-06-15T12:34:56.789Z");
        for text in ["* * * * * *", "*/7 3 * * *", "0 0 29 2 *", "0 0 1 1 *"] {
            let trigger = Trigger::cron(text).unwrap();
            let all = trigger.upcoming(at("2026-06-15T12:30:00Z"));
            let listed = all.take_while(|next| *next <= until).last();
            assert_eq!(trigger.latest_in(at("2026-06-15T12:30:00Z"), until), listed);
            let ever = trigger
                .latest_in(at("1990-01-01T00:00:00Z"), until)
                .unwrap();
            assert!(trigger.next_after(ever).unwrap() > until, "{text}");
        }
    }

    /// Answers depending on the number of calls.
    #[derive(Debug, Default)]
    struct Moody(AtomicI64);

    impl CustomTrigger for Moody {
        fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
            let asked = self.0.fetch_add(1, Ordering::Relaxed);
            Some(after + TimeDelta::microseconds(1 + asked % 7 * 1_000_000))
        }
    }

    #[test]
    fn a_custom_trigger_that_contradicts_itself_ends() {
        let trigger = Trigger::custom(Moody::default());
        let (early, late) = (at("2026-01-01T00:00:00Z"), at("2026-01-02T00:00:00Z"));
        let latest = trigger.latest_in(early, late);
        assert!(latest.is_some_and(|latest| latest > early && latest <= late));
    }

    #[test]
    fn empty_windows() {
        let trigger = Trigger::cron("@daily").unwrap();
        let (early, late) = (at("2026-01-01T00:00:00Z"), at("2026-01-01T12:00:00Z"));
        assert_eq!(trigger.latest_in(early, late), None);
        assert_eq!(trigger.latest_in(late, early), None);
        assert_eq!(
            trigger.count_in(late, early, 5),
            Count {
                value: 0,
                exact: true
            }
        );
    }
}
