//! Which days of a month a cron expression names, as one bit per day.

use crate::civil::{date_from_days, days_in_month, iso_week, weekday};

/// The rarer ways to name a day. Absent in most expressions, and therefore kept apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Special {
    /// The last day of the month.
    pub(crate) last: bool,
    /// The last Monday-to-Friday of the month.
    pub(crate) last_workday: bool,
    /// The workdays nearest to these days.
    pub(crate) nearest: u32,
    /// `2nd tue` of the field `day`; see [`nth_bit`].
    pub(crate) day_nth: u64,
    /// `tue#2` of the field `day_of_week`.
    pub(crate) weekday_nth: u64,
    /// The ISO weeks.
    pub(crate) weeks: u64,
    /// The years from 1970, one bit each.
    pub(crate) years: [u64; 3],
}

pub(crate) const ALL_WEEKS: u64 = (1 << 54) - 2;
pub(crate) const ALL_YEARS: [u64; 3] = [u64::MAX, u64::MAX, 0b11];
pub(crate) const ALL_DAYS: u32 = u32::MAX - 1;
pub(crate) const ALL_WEEKDAYS: u8 = 0x7f;

impl Special {
    pub(crate) const NONE: Self = Self {
        last: false,
        last_workday: false,
        nearest: 0,
        day_nth: 0,
        weekday_nth: 0,
        weeks: ALL_WEEKS,
        years: ALL_YEARS,
    };
}

/// The number of the occurrence that means "the last one".
pub(crate) const LAST: u32 = 6;

/// The bit of the `nth` (1-5, or [`LAST`]) occurrence of a weekday in a month.
pub(crate) const fn nth_bit(nth: u32, weekday: u32) -> u64 {
    1 << ((nth - 1) * 7 + weekday)
}

/// A month as the day rules see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Month {
    /// Days since 1970-01-01 of its first day.
    pub(crate) first: i64,
    /// The weekday of its first day.
    weekday: u32,
    length: u32,
}

impl Month {
    pub(crate) fn new(year: i32, month: u32, first: i64) -> Self {
        Self {
            first,
            weekday: weekday(first),
            length: days_in_month(year, month),
        }
    }

    /// One bit per day that exists.
    pub(crate) fn all(self) -> u32 {
        u32::MAX >> (31 - self.length) & ALL_DAYS
    }

    /// The days that fall on a set of weekdays.
    pub(crate) fn on_weekdays(self, weekdays: u8) -> u32 {
        if weekdays == ALL_WEEKDAYS {
            return ALL_DAYS;
        }
        // The pattern of a week, repeated and then moved to where the month begins.
        let weeks = u64::from(weekdays) * 0x08_1020_4081;
        #[allow(clippy::cast_possible_truncation)] // 31 days are looked at
        let days = ((weeks >> self.weekday) << 1) as u32;
        days & ALL_DAYS
    }

    /// The days named by `L`, `LW` and `15W`.
    pub(crate) fn special_days(self, special: &Special) -> u32 {
        let mut days = self.on_nth(special.day_nth);
        if special.last {
            days |= 1 << self.length;
        }
        if special.last_workday {
            let back = match self.weekday_of(self.length) {
                0 => 2,
                6 => 1,
                _ => 0,
            };
            days |= 1 << (self.length - back);
        }
        let mut nearest = special.nearest & self.all();
        while nearest != 0 {
            days |= 1 << self.nearest_workday(nearest.trailing_zeros());
            nearest &= nearest - 1;
        }
        days
    }

    /// The days named by a set of [`nth_bit`]s.
    pub(crate) fn on_nth(self, mut set: u64) -> u32 {
        let mut days = 0;
        while set != 0 {
            let bit = set.trailing_zeros();
            set &= set - 1;
            let first = (bit % 7 + 7 - self.weekday) % 7 + 1;
            let day = if bit / 7 + 1 == LAST {
                first + (self.length - first) / 7 * 7
            } else {
                first + bit / 7 * 7
            };
            days |= 1_u64 << day;
        }
        // The fifth may fall beyond the month.
        #[allow(clippy::cast_possible_truncation)]
        let days = days as u32;
        days & self.all()
    }

    /// The days that lie in a set of ISO weeks.
    pub(crate) fn in_weeks(self, weeks: u64) -> u32 {
        if weeks == ALL_WEEKS {
            return ALL_DAYS;
        }
        let (mut days, mut day) = (0, 1);
        while day <= self.length {
            let until_sunday = (7 - self.weekday_of(day)) % 7;
            if weeks >> iso_week(self.first + i64::from(day) - 1) & 1 == 1 {
                days |= ((2_u64 << until_sunday) - 1) << day;
            }
            day += until_sunday + 1;
        }
        #[allow(clippy::cast_possible_truncation)]
        let days = days as u32;
        days
    }

    fn weekday_of(self, day: u32) -> u32 {
        (self.weekday + day - 1) % 7
    }

    /// The workday nearest to a day, without leaving the month.
    fn nearest_workday(self, day: u32) -> u32 {
        match self.weekday_of(day) {
            6 if day == 1 => 3,
            6 => day - 1,
            0 if day == self.length => day - 2,
            0 => day + 1,
            _ => day,
        }
    }
}

/// The first month and day from which a search for `days` begins.
pub(crate) fn month_of(days: i64) -> (i32, u32, u32, Month) {
    let (year, month, day) = date_from_days(days);
    let first = days - i64::from(day) + 1;
    (year, month, day, Month::new(year, month, first))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::civil::days_from_date;

    fn month(year: i32, month: u32) -> Month {
        Month::new(year, month, days_from_date(year, month, 1))
    }

    fn days(mask: u32) -> Vec<u32> {
        (1..=31).filter(|day| mask >> day & 1 == 1).collect()
    }

    #[test]
    fn weekdays_repeat_from_where_the_month_begins() {
        // March 2026 begins on a Sunday.
        assert_eq!(days(month(2026, 3).on_weekdays(1)), [1, 8, 15, 22, 29]);
        assert_eq!(days(month(2026, 5).on_weekdays(1 << 6)), [2, 9, 16, 23, 30]);
    }

    #[test]
    fn nearest_workday_stays_in_its_month() {
        let with = |nearest| Special {
            nearest,
            ..Special::NONE
        };
        // 1 August 2026 is a Saturday, 31 May 2026 a Sunday.
        assert_eq!(days(month(2026, 8).special_days(&with(1 << 1))), [3]);
        assert_eq!(days(month(2026, 5).special_days(&with(1 << 31))), [29]);
        assert_eq!(days(month(2026, 6).special_days(&with(1 << 31))), [0; 0]);
        assert_eq!(days(month(2026, 8).special_days(&with(1 << 15))), [14]);
        assert_eq!(days(month(2026, 8).special_days(&with(1 << 16))), [17]);
    }

    #[test]
    fn nth_and_last_weekdays() {
        let march = month(2026, 3);
        assert_eq!(days(march.on_nth(nth_bit(2, 2))), [10]);
        assert_eq!(days(march.on_nth(nth_bit(5, 5))), [0; 0]);
        assert_eq!(days(march.on_nth(nth_bit(LAST, 5))), [27]);
        assert_eq!(days(march.on_nth(nth_bit(5, 0))), [29]);
    }

    #[test]
    fn weeks_are_those_of_iso_8601() {
        // Week 53 of 2026 lies in two years.
        assert_eq!(days(month(2026, 12).in_weeks(1 << 53)), [28, 29, 30, 31]);
        assert_eq!(days(month(2027, 1).in_weeks(1 << 53) & ALL_DAYS), [1, 2, 3]);
    }

    #[test]
    fn last_days() {
        let special = Special {
            last: true,
            last_workday: true,
            ..Special::NONE
        };
        // 28 February 2026 is a Saturday.
        assert_eq!(days(month(2026, 2).special_days(&special)), [27, 28]);
        assert_eq!(month(2024, 2).all().count_ones(), 29);
        assert_eq!(month(2026, 1).all(), ALL_DAYS);
    }
}
