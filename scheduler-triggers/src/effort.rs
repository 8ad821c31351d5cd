//! The amount of work that a search may do, and has done.

use std::fmt;
use std::sync::Arc;

/// How often an `and`, including those inside it, proceeds to the next common candidate of its children before it ends.
const MAX_LEAPS: u32 = 100_000;
/// Steps between two checks whether the search is still wanted: some 100 µs.
const SLICE: u64 = 1_000;

/// A budget for searches, in steps: one for each call to a part of a trigger, and one for each month that a part
/// searches. A step takes 5 to 50 ns in a release build.
///
/// Use one budget for all searches of a request. Nearly all triggers need two or three steps for a fire time; those
/// made of others by `and` may need millions. A search whose budget is used up returns [`Exhausted`], which cannot be
/// confused with "there is no fire time".
///
/// A part is not interrupted while it searches through its months, of which there are 1,560 until 2099, so a search
/// ends at most 3,200 steps beyond its budget.
///
/// ```
/// use chrono::DateTime;
/// use scheduler_triggers::{Effort, Trigger};
///
/// // They meet every 1,003,002 ms: each fire time takes about a thousand leaps.
/// let rare: Trigger =
///     "and(every 1001ms start=2026-01-01; every 1002ms start=2026-01-01T00:00:00.001Z)".parse()?;
/// let mut effort = Effort::steps(1_000);
/// assert!(rare.next_within(DateTime::UNIX_EPOCH, &mut effort).is_err());
/// assert!(effort.is_exhausted());
///
/// let mut effort = Effort::steps(10_000);
/// assert!(rare.next_within(DateTime::UNIX_EPOCH, &mut effort)?.is_some());
/// assert!(effort.used() > 1_000);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Effort {
    used: u64,
    limit: u64,
    /// When to check whether any are left: at the limit, or at the end of a slice.
    look_at: u64,
    /// The leaps of the current search.
    pub(crate) leaps: u32,
    is_exhausted: bool,
    is_stopped: bool,
    stop: Option<Arc<dyn Fn() -> bool + Send + Sync>>,
}

impl Effort {
    /// Creates a budget of this many steps.
    pub const fn steps(limit: u64) -> Self {
        Self {
            used: 0,
            limit,
            look_at: limit,
            leaps: 0,
            is_exhausted: false,
            is_stopped: false,
            stop: None,
        }
    }

    /// For searches that are only bounded by their leaps.
    pub(crate) const fn unlimited() -> Self {
        Self::steps(u64::MAX)
    }

    /// Ends searches early once `stop` returns `true`; it is called every thousand steps.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicBool, Ordering};
    ///
    /// use chrono::DateTime;
    /// use scheduler_triggers::{Effort, Trigger};
    ///
    /// let never: Trigger =
    ///     "and(every 10ms start=2026-01-01T00:00:00.001Z; every 10ms start=2026-01-01)".parse()?;
    /// let has_left = Arc::new(AtomicBool::new(false));
    /// let seen = has_left.clone();
    /// let mut effort = Effort::steps(1_000_000).until(move || seen.load(Ordering::Relaxed));
    /// has_left.store(true, Ordering::Relaxed); // from another thread, usually
    /// let stopped = never.next_within(DateTime::UNIX_EPOCH, &mut effort).unwrap_err();
    /// assert!(stopped.is_stopped && stopped.steps <= 1_000);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn until(mut self, stop: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        self.stop = Some(Arc::new(stop));
        self.look_at = self.used;
        self
    }

    /// Returns the steps that searches have taken so far.
    pub fn used(&self) -> u64 {
        self.used
    }

    /// Returns the steps that are left.
    pub fn left(&self) -> u64 {
        self.limit.saturating_sub(self.used)
    }

    /// Returns `true` if a search was cut off because no steps were left or it was stopped.
    pub fn is_exhausted(&self) -> bool {
        self.is_exhausted
    }

    /// Returns `true` if a search was stopped; see [`until`](Self::until).
    pub fn is_stopped(&self) -> bool {
        self.is_stopped
    }

    /// Runs searches that may take at most `steps` of the remaining steps.
    ///
    /// ```
    /// use chrono::DateTime;
    /// use scheduler_triggers::{Effort, Trigger};
    ///
    /// let never: Trigger =
    ///     "and(every 10ms start=2026-01-01T00:00:00.001Z; every 10ms start=2026-01-01)".parse()?;
    /// let mut effort = Effort::steps(1_000);
    /// let found = effort.at_most(100, |part| never.next_within(DateTime::UNIX_EPOCH, part));
    /// assert!(found.is_err());
    /// assert!(!effort.is_exhausted() && effort.left() <= 900);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn at_most<T>(&mut self, steps: u64, search: impl FnOnce(&mut Self) -> T) -> T {
        let limit = self.limit;
        self.limit = limit.min(self.used.saturating_add(steps));
        self.look_at = self.look_at.min(self.limit);
        let found = search(self);
        self.limit = limit;
        if !self.is_stopped {
            self.is_exhausted &= self.used >= limit;
            self.look_at = match self.stop {
                _ if self.is_exhausted => 0,
                Some(_) => self.used,
                None => limit,
            };
        }
        found
    }

    /// Adds a search of a part through this many months.
    pub(crate) fn charge(&mut self, months: u64) {
        self.used = self.used.saturating_add(1 + months);
    }

    /// Returns `true` if a search may take another step.
    #[inline]
    pub(crate) fn may_go_on(&mut self) -> bool {
        self.used < self.look_at || self.look()
    }

    #[cold]
    fn look(&mut self) -> bool {
        let is_wanted = !self.is_stopped && self.stop.as_ref().is_none_or(|stop| !stop());
        self.is_stopped = !is_wanted;
        self.is_exhausted |= self.is_stopped || self.used >= self.limit;
        self.look_at = match self.stop {
            _ if self.is_exhausted => 0,
            Some(_) => self.limit.min(self.used.saturating_add(SLICE)),
            None => self.limit,
        };
        !self.is_exhausted
    }

    /// Returns `true` if a search may begin; resets its leaps.
    pub(crate) fn begin_search(&mut self) -> bool {
        self.leaps = 0;
        self.may_go_on()
    }

    /// Returns `true` if an `and` may proceed to its next candidate.
    pub(crate) fn leap(&mut self) -> bool {
        let is_left = self.leaps < MAX_LEAPS && self.may_go_on();
        self.leaps += u32::from(is_left);
        is_left
    }

    /// Returns the result of a search that began with this budget: a search that was cut off has none.
    pub(crate) fn answer<T>(&self, found: Option<T>) -> Result<Option<T>, Exhausted> {
        if self.is_exhausted {
            return Err(Exhausted {
                steps: self.used,
                is_stopped: self.is_stopped,
            });
        }
        Ok(found)
    }
}

impl fmt::Debug for Effort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Effort")
            .field("used", &self.used)
            .field("limit", &self.limit)
            .field("is_exhausted", &self.is_exhausted)
            .finish_non_exhaustive()
    }
}

/// The error of a search that was cut off before its answer was known; see [`Effort`].
///
/// ```
/// use chrono::DateTime;
/// use scheduler_triggers::{Effort, Trigger};
///
/// let never: Trigger =
///     "and(every 10ms start=2026-01-01T00:00:00.001Z; every 10ms start=2026-01-01)".parse()?;
/// let cut_off = never.next_within(DateTime::UNIX_EPOCH, &mut Effort::steps(100)).unwrap_err();
/// assert_eq!(cut_off.to_string(), "the search was ended after 100 steps");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exhausted {
    /// The total steps of all searches with this budget.
    pub steps: u64,
    /// `true` if it was stopped, `false` if no steps were left.
    pub is_stopped: bool,
}

impl fmt::Display for Exhausted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { steps, is_stopped } = self;
        let what = if *is_stopped { "stopped" } else { "ended" };
        write!(f, "the search was {what} after {steps} steps")
    }
}

impl std::error::Error for Exhausted {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Trigger;
    use chrono::DateTime;
    use std::sync::atomic::{AtomicU64, Ordering};

    fn never() -> Trigger {
        "and(every 10ms start=2026-01-01T00:00:00.001Z; every 10ms start=2026-01-01)"
            .parse()
            .unwrap()
    }

    #[test]
    fn last_step_of_a_budget_still_counts() {
        let hourly = Trigger::cron("@hourly").unwrap();
        let mut effort = Effort::steps(2);
        let from = DateTime::UNIX_EPOCH;
        assert!(hourly.next_within(from, &mut effort).unwrap().is_some());
        assert_eq!((effort.used(), effort.is_exhausted()), (2, false));
        assert!(hourly.next_within(from, &mut effort).is_err());
        assert!(effort.is_exhausted());
    }

    #[test]
    fn share_of_a_budget_leaves_the_rest() {
        let mut effort = Effort::steps(1_000);
        for _ in 0..5 {
            let part = effort.at_most(100, |part| never().next_within(DateTime::UNIX_EPOCH, part));
            assert!(part.is_err());
        }
        assert!(!effort.is_exhausted() && effort.left() >= 500);
        let rest = never().next_within(DateTime::UNIX_EPOCH, &mut effort);
        assert!(rest.is_err() && effort.is_exhausted());
        assert_eq!(effort.used(), 1_000);
    }

    #[test]
    fn stopped_search_ends_within_a_slice_and_stays_stopped() {
        let asked = Arc::new(AtomicU64::new(0));
        let count = asked.clone();
        let mut effort =
            Effort::steps(1_000_000).until(move || count.fetch_add(1, Ordering::Relaxed) == 3);
        let found = effort.at_most(500_000, |part| {
            never().next_within(DateTime::UNIX_EPOCH, part)
        });
        assert!(found.unwrap_err().is_stopped);
        assert!(effort.used() <= 4 * SLICE, "{effort:?}");
        assert!(
            never()
                .next_within(DateTime::UNIX_EPOCH, &mut effort)
                .is_err()
        );
        assert_eq!(asked.load(Ordering::Relaxed), 4, "it is not asked again");
    }

    #[test]
    fn budgeted_search_keeps_its_budget_and_agrees_with_the_plain_one() {
        let often = "every 10ms start=2026-01-01T00:00:00.001Z";
        let rare = "cron 0 0 0 29 2 ? 2096 timezone=Asia/Tehran";
        let mut texts = vec![
            format!("and({often}; every 10ms start=2026-01-01)"),
            format!("and({often}; or(every 10ms start=2026-01-01; {rare}))"),
            format!("or({rare}; and({often}; every 1003ms start=2026-01-01))"),
            format!("and(or({rare}; @daily); or({often}; cron * * * * * *))"),
        ];
        texts.extend([rare, often, "@daily", "0 0 29 2 *"].map(str::to_owned));
        texts.push("calendar months=1 days=1 start=1970-01-31".to_owned());
        let from = DateTime::UNIX_EPOCH + chrono::TimeDelta::days(20_454);
        let until = from + chrono::TimeDelta::seconds(60);
        for text in texts {
            let trigger: Trigger = text.parse().unwrap();
            let next = trigger.next_after(from);
            let latest = trigger.latest_in(from, until);
            let count = trigger.count_in(from, until, 9);
            for limit in [1, 2, 3, 10, 100, 1_000, 10_000, 10_000_000] {
                let most = limit + 1_561;
                let mut effort = Effort::steps(limit);
                let found = trigger.next_within(from, &mut effort);
                assert!(effort.used() <= most, "{text}: {effort:?}");
                assert!(found.is_err() || found == Ok(next), "{text}: {found:?}");
                let mut effort = Effort::steps(limit);
                let found = trigger.latest_within(from, until, &mut effort);
                assert!(effort.used() <= most, "{text}: {effort:?}");
                assert!(found.is_err() || found == Ok(latest), "{text}: {found:?}");
                let mut effort = Effort::steps(limit);
                let found = trigger.count_within(from, until, 9, &mut effort);
                assert!(effort.used() <= most, "{text}: {effort:?}");
                assert!(found == count || (!found.exact && found.value <= count.value));
                let mut effort = Effort::steps(limit);
                trigger.warnings_within(from, &mut effort);
                assert!(effort.used() <= most + 101, "{text}: {effort:?}");
            }
            let mut effort = Effort::steps(10_000_000);
            assert_eq!(trigger.next_within(from, &mut effort), Ok(next), "{text}");
        }
    }
}
