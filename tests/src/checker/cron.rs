//! Cron expressions of numbers, in UTC.

use std::str::FromStr;

use chrono::{DateTime, Datelike, Timelike};

/// A cron expression that can be tested for one second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cron {
    second: Field,
    minute: Field,
    hour: Field,
    day: Field,
    month: Field,
    weekday: Field,
}

impl Cron {
    /// Returns `true` if it fires at this second since 1970.
    pub(super) fn has(&self, second: i64) -> bool {
        let Some(at) = DateTime::from_timestamp(second, 0) else {
            return false;
        };
        let day = self.day.has(at.day());
        let weekday = at.weekday().num_days_from_sunday();
        // Sunday has two numbers, 0 and 7.
        let weekday = self.weekday.has(weekday) || weekday == 0 && self.weekday.has(7);
        let date = if self.day.is_restricted() && self.weekday.is_restricted() {
            day || weekday
        } else {
            day && weekday
        };
        self.second.has(at.second())
            && self.minute.has(at.minute())
            && self.hour.has(at.hour())
            && self.month.has(at.month())
            && date
    }
}

impl FromStr for Cron {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fields: Vec<_> = text.split_whitespace().collect();
        let (second, rest) = match fields[..] {
            [_, _, _, _, _] => ("0", &fields[..]),
            [second, _, _, _, _, _] | [second, _, _, _, _, _, "*"] => (second, &fields[1..6]),
            _ => return Err("it does not have 5, 6 or 7 fields, or names a year".to_owned()),
        };
        Ok(Self {
            second: Field::parse(second, 0, 59)?,
            minute: Field::parse(rest[0], 0, 59)?,
            hour: Field::parse(rest[1], 0, 23)?,
            day: Field::parse(rest[2], 1, 31)?,
            month: Field::parse(rest[3], 1, 12)?,
            weekday: Field::parse(rest[4], 0, 7)?,
        })
    }
}

/// A field: a list of ranges with steps.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Field {
    begins_with_star: bool,
    ranges: Vec<(u32, u32, u32)>,
}

impl Field {
    fn parse(text: &str, min: u32, max: u32) -> Result<Self, String> {
        let number = |text: &str| {
            text.parse()
                .ok()
                .filter(|number| (min..=max).contains(number))
                .ok_or_else(|| format!("`{text}` is not known here"))
        };
        let mut ranges = Vec::new();
        for item in text.split(',') {
            let (range, step) = match item.split_once('/') {
                Some((range, step)) => (range, Some(step)),
                None => (item, None),
            };
            let (low, high) = match range.split_once('-') {
                _ if range == "*" => (min, max),
                Some((low, high)) => (number(low)?, number(high)?),
                // `5/15` continues to the end of the range.
                None if step.is_some() => (number(range)?, max),
                None => (number(range)?, number(range)?),
            };
            let step = match step.map(str::parse) {
                None => 1,
                Some(Ok(step)) if step > 0 && low <= high => step,
                Some(_) => return Err(format!("`{item}` is not known here")),
            };
            ranges.push((low, high, step));
        }
        Ok(Self {
            begins_with_star: text.starts_with('*'),
            ranges,
        })
    }

    fn has(&self, value: u32) -> bool {
        self.ranges.iter().any(|&(low, high, step)| {
            (low..=high).contains(&value) && (value - low).is_multiple_of(step)
        })
    }

    fn is_restricted(&self) -> bool {
        !self.begins_with_star
    }
}
