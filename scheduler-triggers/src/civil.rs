//! Days and dates of the civil calendar, as arithmetic on whole numbers.
//!
//! Days count from 1970-01-01. The searches call this once per month, which is why it does not use a date type.

/// The first year in which a trigger can fire.
pub(crate) const FIRST_YEAR: i32 = 1970;
/// The last year in which a trigger can fire.
pub(crate) const LAST_YEAR: i32 = 2099;

pub(crate) const DAY: i64 = 86_400;
/// The first local second after the last year.
pub(crate) const END_OF_YEARS: i64 = days_from_date(LAST_YEAR + 1, 1, 1) * DAY;

/// Returns the days since 1970-01-01 of a date in 1970 or later.
#[allow(clippy::cast_sign_loss)] // no year before 1970 gets here
pub(crate) const fn days_from_date(year: i32, month: u32, day: u32) -> i64 {
    // The year begins in March, so that the leap day is its last.
    let shifted = month <= 2;
    let year = (year - if shifted { 1 } else { 0 }) as u32;
    let month = if shifted { month + 12 } else { month };
    let century = year / 100;
    let year_days = 1461 * year / 4 - century + century / 4;
    let month_days = (979 * month - 2919) / 32;
    (year_days + month_days + day - 1) as i64 - 719_468
}

/// Returns the (year, month, day) of a day since 1970-01-01, for days from 1970 on.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss
)]
pub(crate) const fn date_from_days(days: i64) -> (i32, u32, u32) {
    // Neri and Schneider's Euclidean affine functions: divisions by constants only.
    let n1 = 4 * (days + 719_468) as u32 + 3;
    let century = n1 / 146_097;
    let n2 = (n1 % 146_097) | 3;
    let product = 2_939_745 * n2 as u64;
    let year_of_century = (product >> 32) as u32;
    let day_of_year = (product as u32) / 2_939_745 / 4;
    let n3 = 2_141 * day_of_year + 197_913;
    let late = day_of_year >= 306;
    let year = 100 * century + year_of_century + if late { 1 } else { 0 };
    let month = (n3 >> 16) - if late { 12 } else { 0 };
    (year as i32, month, (n3 & 0xffff) / 2_141 + 1)
}

/// Returns the weekday of a day since 1970-01-01; Sunday is 0.
#[allow(clippy::cast_sign_loss, clippy::cast_possible_truncation)]
pub(crate) const fn weekday(days: i64) -> u32 {
    (days + 4).rem_euclid(7) as u32
}

pub(crate) const fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

pub(crate) const fn days_in_month(year: i32, month: u32) -> u32 {
    match month {
        2 => 28 + is_leap(year) as u32,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Returns the ISO 8601 week (1-53) of a day since 1970-01-01, for days from 1970 on.
#[allow(clippy::cast_sign_loss, clippy::cast_possible_truncation)]
pub(crate) const fn iso_week(days: i64) -> u32 {
    // A week belongs to the year of its Thursday.
    let thursday = days - ((weekday(days) + 6) % 7) as i64 + 3;
    let (year, _, _) = date_from_days(thursday);
    ((thursday - days_from_date(year, 1, 1)) / 7 + 1) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{Datelike, NaiveDate};

    #[test]
    fn agrees_with_chrono_on_every_day() {
        let epoch = NaiveDate::from_ymd_opt(1970, 1, 1).unwrap();
        for (days, date) in (0..).zip(epoch.iter_days().take(48_000)) {
            let triple = (date.year(), date.month(), date.day());
            assert_eq!(date_from_days(days), triple);
            assert_eq!(days_from_date(triple.0, triple.1, triple.2), days);
            assert_eq!(weekday(days), date.weekday().num_days_from_sunday());
            assert_eq!(iso_week(days), date.iso_week().week());
            assert_eq!(is_leap(triple.0), date.leap_year());
        }
        assert_eq!(days_in_month(2100, 2), 28);
        assert_eq!(days_in_month(2000, 2), 29);
    }
}
