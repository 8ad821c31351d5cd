//! A cron trigger: sets of values, and the search for the next match.

mod build;
pub(crate) mod days;
pub(crate) mod dialect;
mod expression;
pub(crate) mod field;
mod item;
mod item_error;
pub(crate) mod keyword;
#[cfg(feature = "cron")]
mod schedule;
mod values;

use crate::bounds::Bounds;
use crate::civil::{DAY, END_OF_YEARS, weekday};
use crate::cron::days::{ALL_DAYS, ALL_MONTHS, Month, Special};
use crate::zone::Zone;
use crate::zone::gap_fold::{Fold, Gap, next_instant};

/// One bit per value of each field. Kept small: a scheduler may hold a million of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cron {
    pub(crate) seconds: u64,
    pub(crate) minutes: u64,
    pub(crate) hours: u32,
    pub(crate) days: u32,
    pub(crate) months: u16,
    pub(crate) weekdays: u8,
    /// Either the day or the weekday is enough, since both are restricted.
    pub(crate) either: bool,
    /// `true` if hour or minute contains a `*`, a range or a step.
    pub(crate) frequency: bool,
    /// Written field by field instead of as one expression.
    pub(crate) keyword: bool,
    pub(crate) gap: Option<Gap>,
    pub(crate) fold: Option<Fold>,
    pub(crate) zone: Option<Zone>,
    pub(crate) special: Option<Box<Special>>,
    pub(crate) bounds: Option<Box<Bounds>>,
    /// The fields as written, in canonical spelling.
    pub(crate) text: Box<str>,
}

impl Cron {
    /// Returns the first fire time after `after`, in microseconds. `steps` counts the months searched.
    pub(crate) fn next_micros(&self, after: i64, steps: &mut u64) -> Option<i64> {
        let next = self.next_second(after.div_euclid(1_000_000), steps)?;
        Some(next * 1_000_000)
    }

    /// As [`next_micros`](Self::next_micros), in seconds.
    pub(crate) fn next_second(&self, after: i64, steps: &mut u64) -> Option<i64> {
        let bounds = self.bounds.as_deref();
        let after = match bounds {
            Some(bounds) => after.max(bounds.from.saturating_sub(1).div_euclid(1_000_000)),
            None => after,
        };
        let zone = self.zone.unwrap_or(Zone::UTC);
        let next = if zone == Zone::UTC {
            self.first_local(after + 1, steps)?
        } else {
            next_instant(
                zone.offsets()?,
                self.effective_gap(),
                self.effective_fold(),
                after,
                |from| self.first_local(from, steps),
            )?
        };
        match bounds {
            Some(bounds) if next * 1_000_000 > bounds.until => None,
            _ => Some(next),
        }
    }

    pub(crate) fn effective_gap(&self) -> Gap {
        let default = if self.frequency { Gap::Skip } else { Gap::Next };
        self.gap.unwrap_or(default)
    }

    pub(crate) fn effective_fold(&self) -> Fold {
        let default = if self.frequency {
            Fold::Both
        } else {
            Fold::First
        };
        self.fold.unwrap_or(default)
    }

    /// Returns the first matching local second at or after `from`, counted from the local epoch.
    #[inline]
    pub(crate) fn first_local(&self, from: i64, steps: &mut u64) -> Option<i64> {
        let from = from.max(0);
        if from >= END_OF_YEARS {
            return None;
        }
        *steps += 1;
        let today = u32::try_from(from / DAY).ok()?;
        let second = u32::try_from(from % DAY).ok()?;
        let local = if self.is_weekly() {
            self.first_in_week(today, second)
        } else {
            self.first_in_months(today, second, steps)?
        };
        (local < END_OF_YEARS).then_some(local)
    }

    /// Returns `true` if only weekdays restrict the days, so no date is needed.
    fn is_weekly(&self) -> bool {
        self.days == ALL_DAYS
            && self.months == ALL_MONTHS
            && self.weekdays != 0
            && !self.either
            && self.special.is_none()
    }

    fn first_in_week(&self, today: u32, second: u32) -> i64 {
        // One bit per day, from today to the same weekday of the next week.
        let days = (u32::from(self.weekdays) * 0x81) >> weekday(today.into());
        if days & 1 == 1
            && let Some(second) = self.first_second(second)
        {
            return i64::from(today) * DAY + second;
        }
        let day = today + (days & !1).trailing_zeros();
        i64::from(day) * DAY + self.first_of_day()
    }

    /// Searches the rest of the month, then the first matching day of each later month that the fields allow: at most
    /// 1,560 months, since the years are bounded.
    #[inline(never)]
    fn first_in_months(&self, today: u32, second: u32, steps: &mut u64) -> Option<i64> {
        let mut number = Month::number_of(today);
        let mut month = Month::at(number)?;
        let day = today - month.first + 1;
        let mut days = if self.has_month(number) {
            self.days_of(month) & (u32::MAX << day)
        } else {
            0
        };
        if days >> day & 1 == 1 {
            if let Some(second) = self.first_second(second) {
                return Some(i64::from(today) * DAY + second);
            }
            days &= !(1 << day);
        }
        while days == 0 {
            number = self.next_month(number)?;
            *steps += 1;
            month = Month::at(number)?;
            days = self.days_of(month);
        }
        let day = month.first + days.trailing_zeros() - 1;
        Some(i64::from(day) * DAY + self.first_of_day())
    }

    fn has_month(&self, number: usize) -> bool {
        self.months >> (number % 12 + 1) & 1 == 1 && self.has_year(number / 12)
    }

    /// Returns the first month after this one that the fields `month` and `year` allow.
    fn next_month(&self, number: usize) -> Option<usize> {
        let months = u32::from(self.months) >> 1;
        // One bit per month, from the one after this to the same month of the next year.
        let ahead = (months << 12 | months) >> (number % 12 + 1);
        let next = number + 1 + ahead.trailing_zeros() as usize;
        if self.has_year(next / 12) {
            return Some(next);
        }
        let year = self.special.as_ref()?.year_from(next / 12)?;
        Some(year * 12 + months.trailing_zeros() as usize)
    }

    /// Returns `true` if the year, counted from the first one, is among its years.
    fn has_year(&self, year: usize) -> bool {
        self.special.as_ref().is_none_or(|special| {
            let word = special.years.get(year / 64);
            word.is_some_and(|word| word >> (year % 64) & 1 == 1)
        })
    }

    /// Returns the matching days of a month, one bit each.
    fn days_of(&self, month: Month) -> u32 {
        let special = self.special.as_deref();
        let (day, nth, weeks) = special.map_or((0, 0, ALL_DAYS), |named| month.named_by(named));
        let by_day = self.days | day;
        let by_weekday = month.on_weekdays(self.weekdays) | nth;
        let days = if self.either {
            by_day | by_weekday
        } else {
            by_day & by_weekday
        };
        days & weeks & month.all()
    }

    fn first_of_day(&self) -> i64 {
        self.second_of_day(self.hours.trailing_zeros(), self.minutes.trailing_zeros())
    }

    fn second_of_day(&self, hour: u32, minute: u32) -> i64 {
        i64::from((hour * 60 + minute) * 60 + self.seconds.trailing_zeros())
    }

    /// Returns the first matching second of a day, at or after `from`.
    fn first_second(&self, from: u32) -> Option<i64> {
        let (hour, minute, second) = (from / 3600, from / 60 % 60, from % 60);
        if self.hours >> hour & 1 == 1 {
            if self.minutes >> minute & 1 == 1 {
                let seconds = self.seconds & (u64::MAX << second);
                if seconds != 0 {
                    return Some(i64::from(from - second + seconds.trailing_zeros()));
                }
            }
            let minutes = self.minutes & (u64::MAX << minute << 1);
            if minutes != 0 {
                return Some(self.second_of_day(hour, minutes.trailing_zeros()));
            }
        }
        let hours = self.hours & (u32::MAX << hour << 1);
        (hours != 0)
            .then(|| self.second_of_day(hours.trailing_zeros(), self.minutes.trailing_zeros()))
    }

    /// Returns `true` if some local time within the bounds matches, with a margin for the zone's offset: `false` proves
    /// that the trigger can never fire.
    pub(crate) fn can_fire(&self) -> bool {
        const MARGIN: i64 = 2 * DAY;
        let (from, until) = match &self.bounds {
            None => (0, i64::MAX),
            Some(bounds) => (
                bounds.from.div_euclid(1_000_000).saturating_sub(MARGIN),
                bounds.until.div_euclid(1_000_000).saturating_add(MARGIN),
            ),
        };
        if self.months == 0 || self.hours == 0 || self.minutes == 0 || self.seconds == 0 {
            return false;
        }
        self.first_local(from, &mut 0)
            .is_some_and(|first| first <= until)
    }
}
