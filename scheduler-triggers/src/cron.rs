//! A cron trigger: sets of values, and the search for the next one.

use crate::bounds::Bounds;
use crate::civil::{DAY, END_OF_YEARS, FIRST_YEAR, LAST_YEAR, days_in_month};
use crate::clock_change::{Fold, Gap, next_instant};
use crate::days::{Month, Special, month_of};
use crate::zone::Zone;

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
    /// Hour or minute holds a `*`, a range or a step.
    pub(crate) frequency: bool,
    /// Written field by field, rather than as one expression.
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
    /// The first fire time after `after`, in microseconds. `steps` counts the months looked at.
    pub(crate) fn next(&self, after: i64, steps: &mut u64) -> Option<i64> {
        let bounds = self.bounds.as_deref();
        let after = match bounds {
            Some(bounds) => after.max(bounds.from.saturating_sub(1)),
            None => after,
        };
        let seconds = after.div_euclid(1_000_000);
        let zone = self.zone.unwrap_or(Zone::UTC);
        let next = if zone == Zone::UTC {
            self.first_local(seconds + 1, steps)?
        } else {
            next_instant(
                zone.offsets()?,
                self.effective_gap(),
                self.effective_fold(),
                seconds,
                |from| self.first_local(from, steps),
            )?
        };
        let micros = next * 1_000_000;
        match bounds {
            Some(bounds) if micros > bounds.until => None,
            _ => Some(micros),
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

    /// The first matching local second at or after `from`, counted from the local epoch.
    ///
    /// Looks at the rest of the month, then at the first matching day of each later month that
    /// the fields allow: at most 1,560 months, since the years are bounded.
    pub(crate) fn first_local(&self, from: i64, steps: &mut u64) -> Option<i64> {
        let from = from.max(0);
        if from >= END_OF_YEARS {
            return None;
        }
        let today = from / DAY;
        let (mut year, mut month, day, mut frame) = month_of(today);
        *steps += 1;
        if self.has_year(year) && self.months >> month & 1 == 1 {
            let mut days = self.days_of(frame) & (u32::MAX << day);
            if days >> day & 1 == 1 {
                if let Some(second) = self.first_second(from % DAY) {
                    return Some(today * DAY + second);
                }
                days &= !(1 << day);
            }
            if days != 0 {
                return Some(self.on_day(frame, days));
            }
        }
        loop {
            (year, month, frame) = self.next_month(year, month, frame)?;
            *steps += 1;
            let days = self.days_of(frame);
            if days != 0 {
                return Some(self.on_day(frame, days));
            }
        }
    }

    /// The first month after this one that the fields `month` and `year` allow.
    fn next_month(&self, year: i32, month: u32, frame: Month) -> Option<(i32, u32, Month)> {
        let later = u32::from(self.months) & (u32::MAX << (month + 1));
        if later != 0 && self.has_year(year) {
            let next = later.trailing_zeros();
            let first = (month..next).fold(frame.first, |first, month| {
                first + i64::from(days_in_month(year, month))
            });
            return Some((year, next, Month::new(year, next, first)));
        }
        let year = (year + 1..=LAST_YEAR).find(|year| self.has_year(*year))?;
        let next = self.months.trailing_zeros();
        let first = crate::civil::days_from_date(year, next, 1);
        Some((year, next, Month::new(year, next, first)))
    }

    fn has_year(&self, year: i32) -> bool {
        match &self.special {
            None => true,
            Some(special) => {
                let bit = usize::try_from(year - FIRST_YEAR).unwrap_or(usize::MAX);
                special
                    .years
                    .get(bit / 64)
                    .is_some_and(|word| word >> (bit % 64) & 1 == 1)
            }
        }
    }

    /// The matching days of a month, one bit each.
    fn days_of(&self, month: Month) -> u32 {
        let Some(special) = &self.special else {
            let days = if self.either {
                self.days | month.on_weekdays(self.weekdays)
            } else {
                self.days & month.on_weekdays(self.weekdays)
            };
            return days & month.all();
        };
        let by_day = self.days | month.special_days(special);
        let by_weekday = if self.weekdays == 0 {
            0
        } else {
            month.on_weekdays(self.weekdays)
        } | month.on_nth(special.weekday_nth);
        let days = if self.either {
            by_day | by_weekday
        } else {
            by_day & by_weekday
        };
        days & month.in_weeks(special.weeks) & month.all()
    }

    fn on_day(&self, month: Month, days: u32) -> i64 {
        let day = month.first + i64::from(days.trailing_zeros()) - 1;
        day * DAY + self.second_of_day(self.hours.trailing_zeros(), self.minutes.trailing_zeros())
    }

    fn second_of_day(&self, hour: u32, minute: u32) -> i64 {
        i64::from((hour * 60 + minute) * 60 + self.seconds.trailing_zeros())
    }

    /// The first matching second of a day, at or after one.
    fn first_second(&self, from: i64) -> Option<i64> {
        let from = u32::try_from(from).ok()?;
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

    /// Whether some local time within the bounds matches, with a margin for the zone's offset:
    /// `false` is a proof that the trigger can never fire.
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
