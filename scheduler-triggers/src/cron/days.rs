//! The days of a month that a cron expression names, as one bit per day.

use crate::civil::{FIRST_YEAR, LAST_YEAR, days_from_date, iso_week, weekday};

/// The rarer ways to name a day. Stored separately, since most expressions do not use them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Special {
    /// The last day of the month.
    pub(crate) last: bool,
    /// The last Monday-to-Friday of the month.
    pub(crate) last_workday: bool,
    /// The workdays nearest to these days.
    pub(crate) nearest: u32,
    /// Days counted back from the last day: bit 3 is `L-3`.
    pub(crate) before_last: u32,
    /// The workdays nearest to days that are counted back from the last day: bit 3 is `L-3W`.
    pub(crate) nearest_before_last: u32,
    /// `2nd tue` in the field `day`; see [`nth_bit`].
    pub(crate) day_nth: u64,
    /// `tue#2` in the field `day_of_week`.
    pub(crate) weekday_nth: u64,
    /// The ISO weeks.
    pub(crate) weeks: u64,
    /// The years from 1970, one bit each.
    pub(crate) years: [u64; 3],
}

pub(crate) const ALL_WEEKS: u64 = (1 << 54) - 2;
pub(crate) const ALL_YEARS: [u64; 3] = [u64::MAX, u64::MAX, 0b11];
pub(crate) const ALL_MONTHS: u16 = (1 << 13) - 2;
pub(crate) const ALL_DAYS: u32 = u32::MAX - 1;
pub(crate) const ALL_WEEKDAYS: u8 = 0x7f;

impl Special {
    pub(crate) const NONE: Self = Self {
        last: false,
        last_workday: false,
        nearest: 0,
        before_last: 0,
        nearest_before_last: 0,
        day_nth: 0,
        weekday_nth: 0,
        weeks: ALL_WEEKS,
        years: ALL_YEARS,
    };

    /// Returns `true` if days are counted back from the last day of a month.
    pub(crate) fn before_last_of_any(&self) -> bool {
        self.before_last != 0 || self.nearest_before_last != 0
    }

    /// Returns the first of its years that is not before `year`, both counted from the first year.
    pub(crate) fn year_from(&self, year: usize) -> Option<usize> {
        let (first, bit) = (year / 64, year % 64);
        let words = self.years.iter().enumerate().skip(first);
        words
            .map(|(at, word)| {
                (
                    at,
                    if at == first {
                        word >> bit << bit
                    } else {
                        *word
                    },
                )
            })
            .find(|(_, word)| *word != 0)
            .map(|(at, word)| at * 64 + word.trailing_zeros() as usize)
    }
}

/// The number of the occurrence that means "the last one".
pub(crate) const LAST: u32 = 6;

/// Returns the bit of the `nth` (1-5, or [`LAST`]) occurrence of a weekday in a month.
pub(crate) const fn nth_bit(nth: u32, weekday: u32) -> u64 {
    1 << ((nth - 1) * 7 + weekday)
}

pub(crate) const YEARS: usize = (LAST_YEAR - FIRST_YEAR + 1) as usize;

/// The first day of each month, and of the month after the last year, in days since 1970-01-01.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss
)]
static FIRSTS: [u16; YEARS * 12 + 1] = {
    let mut firsts = [0; YEARS * 12 + 1];
    let mut at = 0;
    while at < firsts.len() {
        let (year, month) = (FIRST_YEAR + at as i32 / 12, at as u32 % 12 + 1);
        firsts[at] = days_from_date(year, month, 1) as u16;
        at += 1;
    }
    firsts
};

/// A month, as the day rules need it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Month {
    /// Its first day, in days since 1970-01-01.
    pub(crate) first: u32,
    length: u32,
}

impl Month {
    /// Returns a month by its number, counted from January 1970; `None` after the last year.
    pub(crate) fn at(number: usize) -> Option<Self> {
        let [first, next, ..] = FIRSTS.get(number..)? else {
            return None;
        };
        Some(Self {
            first: u32::from(*first),
            length: u32::from(next - first),
        })
    }

    /// Returns the number of the month that contains a day, given in days since 1970-01-01.
    pub(crate) fn number_of(day: u32) -> usize {
        // By the mean length of a month, rounded up by half a month: this estimate is never too low.
        let number = ((day + 15) * 48 / 1461) as usize;
        let too_late = FIRSTS
            .get(number)
            .is_some_and(|first| u32::from(*first) > day);
        number - usize::from(too_late)
    }

    /// Returns one bit per day that exists.
    pub(crate) fn all(self) -> u32 {
        u32::MAX >> (31 - self.length) & ALL_DAYS
    }

    /// Returns the days that fall on a set of weekdays.
    pub(crate) fn on_weekdays(self, weekdays: u8) -> u32 {
        if weekdays == ALL_WEEKDAYS {
            return ALL_DAYS;
        }
        // The pattern of a week, repeated and then shifted to the first weekday of the month.
        let weeks = u64::from(weekdays) * 0x08_1020_4081;
        let first = weekday(self.first.into());
        #[allow(clippy::cast_possible_truncation)] // 31 days are looked at
        let days = ((weeks >> first) << 1) as u32;
        days & ALL_DAYS
    }

    /// Returns the days that the rarer ways name in the field `day` and in `day_of_week`, and the days that the weeks
    /// allow.
    #[inline(never)]
    pub(crate) fn named_by(self, special: &Special) -> (u32, u32, u32) {
        (
            self.special_days(special),
            self.on_nth(special.weekday_nth),
            self.in_weeks(special.weeks),
        )
    }

    /// Returns the days named by `L`, `LW`, `15W`, `L-3` and `L-3W`.
    fn special_days(self, special: &Special) -> u32 {
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
        days |= self.before_last(special.before_last);
        let nearest = special.nearest | self.before_last(special.nearest_before_last);
        if nearest != 0 {
            days |= self.nearest_workdays(nearest);
        }
        days
    }

    /// Returns the days that are counted back from the last day, given as one bit per number of days. A month that is
    /// too short has none.
    pub(crate) fn before_last(self, set: u32) -> u32 {
        (set.reverse_bits() >> (31 - self.length)) & self.all()
    }

    /// Returns the days named by a set of [`nth_bit`]s; all at once, since a set may contain all of them.
    fn on_nth(self, set: u64) -> u32 {
        /// The first day of each of the five numbered weeks, and all of their days.
        const WEEKS: u64 = 1 | 1 << 7 | 1 << 14 | 1 << 21 | 1 << 28;
        const DAYS: u64 = (1 << 35) - 1;
        if set == 0 {
            return 0;
        }
        // Each week of the set begins with a Sunday; rotated, it begins with the weekday of the 1st.
        let turned = |weeks: u64, by: u32| {
            let kept = WEEKS * (0x7f >> by);
            ((weeks >> by) & kept) | ((weeks << (7 - by)) & DAYS & !kept)
        };
        let numbered = turned(set & DAYS, self.weekday_of(1)) << 1;
        let last = turned(set >> 35 & 0x7f, self.weekday_of(self.length - 6)) & 0x7f;
        // The fifth may be beyond the end of the month.
        #[allow(clippy::cast_possible_truncation)]
        let days = (numbered | last << (self.length - 6)) as u32;
        days & self.all()
    }

    /// Returns the days in a set of ISO weeks.
    fn in_weeks(self, weeks: u64) -> u32 {
        if weeks == ALL_WEEKS {
            return ALL_DAYS;
        }
        let (mut days, mut day) = (0, 1);
        let mut week = iso_week(self.first.into());
        while day <= self.length {
            let until_sunday = (7 - self.weekday_of(day)) % 7;
            if weeks >> week & 1 == 1 {
                days |= ((2_u64 << until_sunday) - 1) << day;
            }
            day += until_sunday + 1;
            // Each year has 52 weeks, and some have one more.
            week = match week {
                52.. => iso_week(i64::from(self.first + day) - 1),
                _ => week + 1,
            };
        }
        #[allow(clippy::cast_possible_truncation)]
        let days = days as u32;
        days
    }

    fn weekday_of(self, day: u32) -> u32 {
        (weekday(self.first.into()) + day - 1) % 7
    }

    /// Returns the workdays nearest to a set of days, without leaving the month.
    fn nearest_workdays(self, days: u32) -> u32 {
        let days = days & self.all();
        let saturdays = days & self.on_weekdays(1 << 6);
        let sundays = days & self.on_weekdays(1);
        let (first, last) = (1 << 1, 1 << self.length);
        let mut nearest = days & !saturdays & !sundays;
        nearest |= (saturdays & !first) >> 1 | (saturdays & first) << 2;
        nearest | (sundays & !last) << 1 | (sundays & last) >> 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::civil::{DAY, END_OF_YEARS, date_from_days, days_in_month};

    fn month(year: usize, month: usize) -> Month {
        Month::at((year - 1970) * 12 + month - 1).unwrap()
    }

    #[test]
    fn each_day_lies_in_its_month() {
        let end = u32::try_from(END_OF_YEARS / DAY).unwrap();
        for day in 0..end {
            let (year, month, of_month) = date_from_days(day.into());
            let number = Month::number_of(day);
            let found = Month::at(number).unwrap();
            assert_eq!(year - 1970, i32::try_from(number / 12).unwrap());
            assert_eq!(month as usize, number % 12 + 1);
            assert_eq!(of_month, day - found.first + 1);
            assert_eq!(found.length, days_in_month(year, month));
        }
        for day in [end, u32::MAX / 86_400] {
            assert!(Month::at(Month::number_of(day)).is_none());
        }
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
    fn days_before_the_last_are_counted_back_from_it() {
        assert_eq!(days(month(2026, 2).before_last(1 << 3)), [25]);
        assert_eq!(days(month(2024, 2).before_last(1 << 3)), [26]);
        assert_eq!(days(month(2026, 12).before_last(1 << 30 | 1 << 1)), [1, 30]);
        // A month has no day before its first.
        assert_eq!(days(month(2026, 4).before_last(1 << 30)), [0; 0]);
        assert_eq!(days(month(2026, 2).before_last(1 << 28)), [0; 0]);
        assert_eq!(days(month(2024, 2).before_last(1 << 28)), [1]);
        // 28 November 2026 is a Saturday, 1 February 2026 a Sunday.
        let with = |count: u32| Special {
            nearest_before_last: 1 << count,
            ..Special::NONE
        };
        assert_eq!(days(month(2026, 11).special_days(&with(2))), [27]);
        assert_eq!(days(month(2026, 2).special_days(&with(27))), [2]);
        assert_eq!(days(month(2026, 11).special_days(&with(30))), [0; 0]);
    }

    /// Compared day by day with a literal implementation.
    #[test]
    fn sets_of_days_are_what_each_of_them_names() {
        let mut dice = 1_u64;
        for number in 0..YEARS * 12 {
            let month = Month::at(number).unwrap();
            let of = |day: u32| (month.weekday_of(day) as usize, day);
            dice ^= dice << 13;
            dice ^= dice >> 7;
            dice ^= dice << 17;
            for set in [dice & ((1 << 42) - 1), (1 << 42) - 1, 1 << (dice % 42)] {
                let named = (1..=month.length).filter(|day| {
                    let (weekday, day) = of(*day);
                    let is_last = day + 7 > month.length;
                    let bit = |nth| nth_bit(nth, u32::try_from(weekday).unwrap());
                    set & bit((day - 1) / 7 + 1) != 0 || is_last && set & bit(LAST) != 0
                });
                assert_eq!(
                    days(month.on_nth(set)),
                    named.collect::<Vec<_>>(),
                    "{month:?}"
                );
            }
            #[allow(clippy::cast_possible_truncation)]
            for set in [dice as u32 & ALL_DAYS, ALL_DAYS] {
                let mut nearest: Vec<u32> = (1..=month.length)
                    .filter(|day| set >> day & 1 == 1)
                    .map(|day| match of(day) {
                        (6, 1) => 3,
                        (6, _) => day - 1,
                        (0, day) if day == month.length => day - 2,
                        (0, _) => day + 1,
                        _ => day,
                    })
                    .collect();
                nearest.sort_unstable();
                nearest.dedup();
                assert_eq!(days(month.nearest_workdays(set)), nearest, "{month:?}");
            }
            let weeks = dice & ALL_WEEKS & !(1 << 7);
            let named = (1..=month.length).filter(|day| {
                let week = iso_week(i64::from(month.first + day) - 1);
                weeks >> week & 1 == 1
            });
            let found = month.in_weeks(weeks) & month.all();
            assert_eq!(days(found), named.collect::<Vec<_>>(), "{month:?}");
        }
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
        // Week 53 of 2026 spans two years.
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
