//! The fields of a cron expression, and their values.

use crate::civil::{FIRST_YEAR, LAST_YEAR};
use crate::suggest;

/// A cron field, most significant first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Field {
    Year,
    Month,
    Day,
    Week,
    DayOfWeek,
    Hour,
    Minute,
    Second,
}

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
pub(crate) const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

pub(crate) const LONG_MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
pub(crate) const LONG_WEEKDAYS: [&str; 7] = [
    "sunday",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
];

impl Field {
    pub(crate) const ALL: [Self; 8] = [
        Self::Year,
        Self::Month,
        Self::Day,
        Self::Week,
        Self::DayOfWeek,
        Self::Hour,
        Self::Minute,
        Self::Second,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Year => "year",
            Self::Month => "month",
            Self::Day => "day",
            Self::Week => "week",
            Self::DayOfWeek => "day_of_week",
            Self::Hour => "hour",
            Self::Minute => "minute",
            Self::Second => "second",
        }
    }

    #[cfg_attr(not(feature = "serde"), allow(dead_code))] // of use to the JSON form alone
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }

    #[allow(clippy::cast_sign_loss)] // the years are positive
    pub(crate) const fn min(self) -> u32 {
        match self {
            Self::Year => FIRST_YEAR as u32,
            Self::Month | Self::Day | Self::Week => 1,
            _ => 0,
        }
    }

    /// Returns the largest value; for weekdays that of Saturday, though 7 is also accepted for Sunday.
    #[allow(clippy::cast_sign_loss)]
    pub(crate) const fn max(self) -> u32 {
        match self {
            Self::Year => LAST_YEAR as u32,
            Self::Month => 12,
            Self::Day => 31,
            Self::Week => 53,
            Self::DayOfWeek => 6,
            Self::Hour => 23,
            Self::Minute | Self::Second => 59,
        }
    }

    /// Returns the number of its values, after which repeating fields start over.
    pub(crate) const fn size(self) -> u32 {
        self.max() - self.min() + 1
    }

    /// Returns `true` if it is part of the time of day.
    pub(crate) const fn is_of_day(self) -> bool {
        matches!(self, Self::Hour | Self::Minute | Self::Second)
    }

    /// Returns the values that it takes, for an error message.
    pub(crate) fn allowed(self, numbers: bool) -> String {
        match self {
            Self::DayOfWeek if numbers => "0-7 or sun-sat".to_owned(),
            Self::DayOfWeek => "mon-sun".to_owned(),
            Self::Month => "1-12 or jan-dec".to_owned(),
            _ => format!("{}-{}", self.min(), self.max()),
        }
    }

    /// Returns the value of a name.
    pub(crate) fn value_of(self, name: &str) -> Option<u32> {
        let name = <[u8; 3]>::try_from(name.as_bytes()).ok()?;
        let name = name.map(|byte| byte.to_ascii_lowercase());
        (self.min()..)
            .zip(self.names())
            .find_map(|(value, known)| (known.as_bytes() == name).then_some(value))
    }

    /// Returns the short name for a long, misspelt or differently shortened one.
    pub(crate) fn short_for(self, name: &str) -> Option<&'static str> {
        let long: &[&str] = match self {
            Self::Month => &LONG_MONTHS,
            Self::DayOfWeek | Self::Day => &LONG_WEEKDAYS,
            _ => &[],
        };
        let short = if self == Self::Day {
            &WEEKDAYS
        } else {
            self.names()
        };
        let near = || suggest::nearest(name, long.iter().copied().filter(|_| name.len() > 4));
        long.iter()
            .position(|long| name.len() >= 3 && long.starts_with(name))
            .or_else(|| near().and_then(|near| long.iter().position(|long| *long == near)))
            .and_then(|index| short.get(index).copied())
    }

    /// Returns the short name for a full one.
    pub(crate) fn named_in_full(self, name: &str) -> Option<&'static str> {
        let long: &[&str] = match self {
            Self::Month => &LONG_MONTHS,
            Self::DayOfWeek => &LONG_WEEKDAYS,
            _ => &[],
        };
        let index = long.iter().position(|long| *long == name)?;
        self.names().get(index).copied()
    }

    pub(crate) fn names(self) -> &'static [&'static str] {
        match self {
            Self::Month => &MONTHS,
            Self::DayOfWeek => &WEEKDAYS,
            _ => &[],
        }
    }
}
