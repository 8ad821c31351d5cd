//! A second implementation of the calendar interval: date by date.

use chrono::{Datelike, NaiveDate, TimeDelta};

/// The dates of a calendar interval, beginning with `start`.
#[derive(Clone, Debug)]
pub(crate) struct Dates {
    pub(crate) start: NaiveDate,
    pub(crate) months: u32,
    pub(crate) days: u32,
}

impl Dates {
    pub(crate) fn until(&self, last: NaiveDate) -> Vec<NaiveDate> {
        std::iter::successors(Some(self.start), |date| self.after(*date))
            .take_while(|date| *date <= last)
            .collect()
    }

    fn after(&self, date: NaiveDate) -> Option<NaiveDate> {
        let reached = if self.months == 0 {
            date
        } else {
            (1..=100).find_map(|times| {
                let months = date.year().cast_unsigned() * 12 + date.month0() + times * self.months;
                NaiveDate::from_ymd_opt((months / 12).cast_signed(), months % 12 + 1, date.day())
            })?
        };
        Some(reached + TimeDelta::days(self.days.into()))
    }
}
