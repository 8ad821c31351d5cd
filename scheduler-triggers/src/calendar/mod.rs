//! A calendar interval: the step from one date to the next, and the search for the next date.

pub(crate) mod builder;

use chrono::{Datelike, NaiveDate};

use crate::bounds::Bounds;
use crate::civil::{
    DAY, END_OF_YEARS, FIRST_YEAR, LAST_YEAR, date_from_days, days_from_date, days_in_month,
};
use crate::moment::When;
use crate::zone::Zone;
use crate::zone::gap_fold::{Fold, Gap, next_instant};

/// The dates follow from the first one: years and months are added, keeping the day of the month, until the date
/// exists; then weeks and days are added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Calendar {
    pub(crate) years: u32,
    pub(crate) months: u32,
    pub(crate) weeks: u32,
    pub(crate) days: u32,
    /// The second of the day.
    pub(crate) time: Option<u32>,
    pub(crate) start: Option<NaiveDate>,
    pub(crate) bounds: Bounds,
    pub(crate) gap: Option<Gap>,
    pub(crate) fold: Option<Fold>,
    pub(crate) zone: Option<Zone>,
}

impl Calendar {
    pub(crate) fn next_micros(&self, after: i64, steps: &mut u64) -> Option<i64> {
        let seconds = after
            .max(self.bounds.from.saturating_sub(1))
            .div_euclid(1_000_000);
        let zone = self.zone.unwrap_or(Zone::UTC);
        let next = next_instant(
            zone.offsets()?,
            self.gap.unwrap_or(Gap::Next),
            self.fold.unwrap_or(Fold::First),
            seconds,
            |from| self.first_local(from, steps),
        )?;
        let micros = next * 1_000_000;
        (micros <= self.bounds.until).then_some(micros)
    }

    /// Returns the first date of the chain, at its time, at or after a local second.
    pub(crate) fn first_local(&self, from: i64, steps: &mut u64) -> Option<i64> {
        // Without a first date the chain begins at the epoch.
        let start = self.start.map_or(0, day_number);
        let time = i64::from(self.time.unwrap_or(0));
        // Rounded up: on the day of `from` itself the time may already have passed.
        let earliest = (from - time + DAY - 1).div_euclid(DAY);
        let day = if earliest <= start {
            start
        } else {
            self.first_day(start, earliest, steps)?
        };
        let last_day = match self.bounds.end {
            Some(When::Date(end)) => day_number(end),
            _ => END_OF_YEARS / DAY - 1,
        };
        (day <= last_day).then_some(day * DAY + time)
    }

    /// Returns the first day of the chain that is not before `least`, which is after `start`.
    fn first_day(&self, start: i64, least: i64, steps: &mut u64) -> Option<i64> {
        let months = i64::from(self.years) * 12 + i64::from(self.months);
        let days = i64::from(self.weeks) * 7 + i64::from(self.days);
        if months == 0 {
            let count = (least - start + days - 1) / days;
            return count.checked_mul(days)?.checked_add(start);
        }
        let (least_month, least_day) = month_and_day(least);
        let (mut month, mut day) = month_and_day(start);
        if days == 0 {
            // The day of the month stays the same, so most of the chain can be skipped.
            let leap = ((least_month - month - 1).max(0) / months) * months;
            month += leap;
            if leap > 0 && day <= length(month) && (month, day) >= (least_month, least_day) {
                return Some(day_of(month, day));
            }
        }
        while month <= LAST_MONTH {
            loop {
                *steps += 1;
                month += months;
                if month > LAST_MONTH {
                    return None;
                }
                if day <= length(month) {
                    break;
                }
            }
            // Carried over month by month: most of the chain is only stepped through.
            day += days;
            while day > length(month) && month <= LAST_MONTH {
                *steps += 1;
                day -= length(month);
                month += 1;
            }
            if (month, day) >= (least_month, least_day) {
                return (month <= LAST_MONTH).then(|| day_of(month, day));
            }
        }
        None
    }
}

fn day_number(date: NaiveDate) -> i64 {
    days_from_date(date.year(), date.month(), date.day())
}

/// Months are counted from January of the first year.
const LAST_MONTH: i64 = (LAST_YEAR - FIRST_YEAR) as i64 * 12 + 11;

fn month_and_day(day: i64) -> (i64, i64) {
    let (year, month, day) = date_from_days(day);
    let number = i64::from(year - FIRST_YEAR) * 12 + i64::from(month) - 1;
    (number, i64::from(day))
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // months and days are small
fn split(month: i64) -> (i32, u32) {
    ((month / 12) as i32 + FIRST_YEAR, (month % 12) as u32 + 1)
}

fn length(month: i64) -> i64 {
    let (year, month) = split(month);
    i64::from(days_in_month(year, month))
}

fn day_of(month: i64, day: i64) -> i64 {
    let (year, month) = split(month);
    days_from_date(year, month, 1) + day - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar(years: u32, months: u32, weeks: u32, days: u32, start: &str) -> Calendar {
        Calendar {
            years,
            months,
            weeks,
            days,
            time: None,
            start: Some(start.parse().unwrap()),
            bounds: Bounds::NONE,
            gap: None,
            fold: None,
            zone: None,
        }
    }

    fn dates(calendar: &Calendar, after: &str) -> Vec<String> {
        let after: NaiveDate = after.parse().unwrap();
        let mut at = day_number(after) * DAY * 1_000_000;
        std::iter::from_fn(|| {
            at = calendar.next_micros(at, &mut 0)?;
            Some(crate::moment::from_micros(at).date_naive().to_string())
        })
        .take(4)
        .collect()
    }

    #[test]
    fn months_without_the_day_are_passed_by() {
        let monthly = calendar(0, 1, 0, 0, "2026-01-31");
        assert_eq!(
            dates(&monthly, "2026-01-31"),
            ["2026-03-31", "2026-05-31", "2026-07-31", "2026-08-31"]
        );
        assert_eq!(dates(&monthly, "2031-06-30")[0], "2031-07-31");
        let leap = calendar(1, 0, 0, 0, "2024-02-29");
        assert_eq!(
            dates(&leap, "2024-02-29")[..2],
            ["2028-02-29", "2032-02-29"]
        );
    }

    #[test]
    fn each_month_that_is_passed_by_is_a_step() {
        let after = day_number("2026-03-08".parse().unwrap()) * DAY;
        for days in [1, 60, 400, 20_000] {
            let rare = calendar(0, 1, 0, days, "1970-01-31");
            let mut steps = 0;
            let next = rare.first_local(after, &mut steps).unwrap();
            let (month, _) = month_and_day(next.div_euclid(DAY));
            assert!(
                (month - 25..=month).contains(&i64::try_from(steps).unwrap()),
                "{days}: {steps} of {month}"
            );
        }
    }

    #[test]
    fn days_are_added_after_months() {
        let mixed = calendar(0, 1, 0, 1, "2026-01-30");
        assert_eq!(
            dates(&mixed, "2026-01-30"),
            ["2026-03-31", "2026-06-01", "2026-07-02", "2026-08-03"]
        );
    }

    #[test]
    fn whole_days_are_arithmetic() {
        let ten = calendar(0, 0, 1, 3, "2026-03-08");
        assert_eq!(dates(&ten, "2026-04-04")[..2], ["2026-04-07", "2026-04-17"]);
        assert_eq!(dates(&ten, "2020-01-01")[0], "2026-03-08");
    }
}
