//! Instants and local times, as a user specifies them.

use std::fmt;

use chrono::format::{ParseError, ParseErrorKind};
use chrono::{
    DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, TimeDelta, Timelike,
    Utc,
};

use crate::civil::{FIRST_YEAR, LAST_YEAR, days_in_month};
use crate::describe::wording::month_name;
use crate::error::TriggerError;
use crate::zone::Zone;
use crate::zone::offsets::Instants;

/// A point in time for [`Trigger::start`](crate::Trigger::start) and [`Trigger::end`](crate::Trigger::end): an instant,
/// or a local time or date in the trigger's zone, as a value or as text.
///
/// ```
/// use scheduler_triggers::Trigger;
///
/// let by_text = Trigger::cron("@daily")?.start("2026-01-01T00:00:00Z")?;
/// let by_value = Trigger::cron("@daily")?.start(chrono::DateTime::UNIX_EPOCH)?;
/// # Ok::<(), scheduler_triggers::TriggerError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment(Given);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Given {
    When(When),
    Text(String),
}

impl Moment {
    pub(crate) fn read(self, key: &'static str) -> Result<When, TriggerError> {
        match self.0 {
            Given::When(when) => when.checked().map_err(|error| error.in_field(key)),
            Given::Text(text) => When::parse(&text).map_err(|error| error.in_field(key)),
        }
    }
}

impl From<DateTime<Utc>> for Moment {
    fn from(instant: DateTime<Utc>) -> Self {
        Self(Given::When(When::Instant(instant.timestamp_micros())))
    }
}

impl From<NaiveDateTime> for Moment {
    fn from(wall: NaiveDateTime) -> Self {
        Self(Given::When(When::Wall(to_micros(wall))))
    }
}

impl From<NaiveDate> for Moment {
    fn from(date: NaiveDate) -> Self {
        Self(Given::When(When::Date(date)))
    }
}

impl From<&str> for Moment {
    fn from(text: &str) -> Self {
        Self(Given::Text(text.to_owned()))
    }
}

impl From<String> for Moment {
    fn from(text: String) -> Self {
        Self(Given::Text(text))
    }
}

/// A point in time as written: an instant, a local time in some zone, or a whole day there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// Microseconds since the epoch.
    Instant(i64),
    Wall(NaiveDateTime),
    Date(NaiveDate),
}

const EXAMPLE: &str = "2026-12-31T23:59:00Z";

impl When {
    pub(crate) fn parse(text: &str) -> Result<Self, TriggerError> {
        let trimmed = text.trim();
        let whole = || 0..text.len();
        read(trimmed)
            .map_err(|refused| match refused {
                Refused::OutOfRange => TriggerError::new(out_of_range(trimmed)),
                Refused::LeapSecond => TriggerError::new(format!(
                    "`{trimmed}` is a leap second, which is not counted here: it may be the second \
                     59, or the second 0 of the next minute"
                )),
                Refused::Unreadable => {
                    TriggerError::new(format!("`{trimmed}` is not a date and time"))
                        .example(EXAMPLE)
                }
            })
            .and_then(Self::checked)
            .map_err(|error| error.at(whole()).in_text(text))
    }

    pub(crate) fn checked(self) -> Result<Self, TriggerError> {
        let year = self.rough().year();
        if (FIRST_YEAR..=LAST_YEAR).contains(&year) {
            return Ok(self);
        }
        Err(TriggerError::new(format!(
            "the year of `{self}` is out of range, which is {FIRST_YEAR}-{LAST_YEAR}"
        ))
        .allow(format!("{FIRST_YEAR}-{LAST_YEAR}")))
    }

    /// Checks a first fire time that was filled in: a user must be able to write the same one.
    pub(crate) fn checked_first_fire(self, field: &'static str) -> Result<Self, TriggerError> {
        self.checked().map_err(|_| {
            TriggerError::new(format!(
                "the first fire time `{self}` is out of range, which is {FIRST_YEAR}-{LAST_YEAR}"
            ))
            .in_field(field)
            .allow(format!("{FIRST_YEAR}-{LAST_YEAR}"))
        })
    }

    /// Returns the written time, regardless of the zone.
    pub(crate) fn rough(self) -> NaiveDateTime {
        match self {
            Self::Instant(micros) => from_micros(micros).naive_utc(),
            Self::Wall(wall) => wall,
            Self::Date(date) => date.into(),
        }
    }

    pub(crate) fn needs_zone(self) -> bool {
        !matches!(self, Self::Instant(_))
    }

    /// Returns the first instant that this means, in microseconds since the epoch.
    pub(crate) fn first_micros(self, zone: Zone) -> i64 {
        match self {
            Self::Instant(micros) => micros,
            _ => match wall_to_micros(self.rough(), zone) {
                Instants::Shown { first, .. } => first,
                Instants::Gap { end } => end,
            },
        }
    }

    /// Returns the last instant that this means, in microseconds since the epoch: a date is a whole day.
    pub(crate) fn last_micros(self, zone: Zone) -> i64 {
        match self {
            Self::Instant(micros) => micros,
            Self::Wall(wall) => match wall_to_micros(wall, zone) {
                Instants::Shown { last, .. } => last,
                Instants::Gap { end } => end,
            },
            // The last microsecond of the day may be shown twice, or be lost in a gap with the time after it.
            Self::Date(date) => {
                let next = NaiveDateTime::from(date) + TimeDelta::days(1);
                match wall_to_micros(next - TimeDelta::microseconds(1), zone) {
                    Instants::Shown { last, .. } => last,
                    Instants::Gap { end } => end - 1,
                }
            }
        }
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instant(micros) => {
                let instant = from_micros(*micros);
                f.write_str(&instant.to_rfc3339_opts(SecondsFormat::AutoSi, true))
            }
            Self::Wall(wall) => write!(f, "{}", wall.format("%Y-%m-%dT%H:%M:%S%.f")),
            Self::Date(date) => write!(f, "{date}"),
        }
    }
}

/// Why a text is not a moment.
#[derive(Clone, Copy)]
enum Refused {
    OutOfRange,
    LeapSecond,
    Unreadable,
}

impl From<ParseError> for Refused {
    fn from(error: ParseError) -> Self {
        match error.kind() {
            ParseErrorKind::OutOfRange | ParseErrorKind::Impossible => Self::OutOfRange,
            _ => Self::Unreadable,
        }
    }
}

/// Returns which part of a date and time is out of range, if that is clear.
#[cold]
fn out_of_range(text: &str) -> String {
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<u32>().ok();
    let year = text.get(..4).and_then(|year| year.parse::<i32>().ok());
    if let (Some(year), Some(month @ 1..=12), Some(day @ 29..=31)) =
        (year, number(5..7), number(8..10))
        && day > days_in_month(year, month)
    {
        return format!(
            "`{text}` does not exist: {} {year} has no day {day}",
            month_name(month)
        );
    }
    match number(11..13) {
        Some(24) => format!("`{text}` does not exist: the end of a day is `00:00` of the next"),
        _ => format!("`{text}` has a part that is out of range"),
    }
}

fn read(text: &str) -> Result<When, Refused> {
    let (day, rest) = text.split_at_checked(10).ok_or(Refused::Unreadable)?;
    if !day.as_bytes().first().is_some_and(u8::is_ascii_digit) {
        return Err(Refused::Unreadable);
    }
    let date = NaiveDate::parse_from_str(day, "%Y-%m-%d")?;
    if rest.is_empty() {
        return Ok(When::Date(date));
    }
    let time = rest
        .strip_prefix(['T', 't', ' '])
        .ok_or(Refused::Unreadable)?
        .trim();
    let (time, offset) = split_offset(time)?;
    let format = if time.len() == 5 {
        "%H:%M"
    } else {
        "%H:%M:%S%.f"
    };
    let time = NaiveTime::parse_from_str(time, format)?;
    if is_leap_second(time) {
        return Err(Refused::LeapSecond);
    }
    let wall = to_micros(date.and_time(time));
    Ok(match offset {
        None => When::Wall(wall),
        Some(seconds) => When::Instant(wall.and_utc().timestamp_micros() - seconds * 1_000_000),
    })
}

/// Returns `true` for the second 60, which `chrono` represents as a part of the second before it.
pub(crate) fn is_leap_second(time: NaiveTime) -> bool {
    time.nanosecond() >= 1_000_000_000
}

/// Splits `Z`, ` UTC` or `+08:00` off a time, and returns it in seconds east; there may be blanks in between.
fn split_offset(time: &str) -> Result<(&str, Option<i64>), Refused> {
    if let Some(time) = time.strip_suffix(['Z', 'z']) {
        return Ok((time.trim_end(), Some(0)));
    }
    if let Some((time, "UTC" | "utc")) = time.rsplit_once(' ') {
        return Ok((time.trim_end(), Some(0)));
    }
    let Some(at) = time.rfind(['+', '-']) else {
        return Ok((time, None));
    };
    let (time, offset) = time.split_at(at);
    let (sign, digits) = offset.split_at(1);
    let (hours, minutes) = match digits.split_once(':') {
        Some(pair) => pair,
        None => digits.split_at_checked(2).ok_or(Refused::Unreadable)?,
    };
    // `parse` would accept a sign, which is not allowed here.
    let number = |text: &str, below: i64| match text.parse::<u8>() {
        Ok(value) if text.len() == 2 && !text.starts_with('+') && i64::from(value) < below => {
            Ok(i64::from(value))
        }
        _ => Err(Refused::OutOfRange),
    };
    let minutes = if minutes.is_empty() {
        0
    } else {
        number(minutes, 60)?
    };
    let seconds = number(hours, 24)? * 3600 + minutes * 60;
    let seconds = if sign == "-" { -seconds } else { seconds };
    Ok((time.trim_end(), Some(seconds)))
}

/// Truncates to microseconds.
fn to_micros(wall: NaiveDateTime) -> NaiveDateTime {
    from_micros(wall.and_utc().timestamp_micros()).naive_utc()
}

/// Rounds up to microseconds: rounded down, an instant would be found again after itself, which would end a search.
pub(crate) fn whole_micros(at: DateTime<Utc>) -> i64 {
    at.timestamp_micros() + i64::from(!at.nanosecond().is_multiple_of(1_000))
}

/// Returns the nearest possible `DateTime`.
pub(crate) fn from_micros(micros: i64) -> DateTime<Utc> {
    let edge = if micros < 0 {
        DateTime::<Utc>::MIN_UTC
    } else {
        DateTime::<Utc>::MAX_UTC
    };
    DateTime::from_timestamp_micros(micros).unwrap_or(edge)
}

/// Returns the instants of a local time, in microseconds. If the zone's offsets are unknown, the time is read as UTC:
/// the result is then only used to check whether texts are well-formed.
fn wall_to_micros(wall: NaiveDateTime, zone: Zone) -> Instants {
    let micros = wall.and_utc().timestamp_micros();
    let (seconds, rest) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
    let found = zone.offsets().map_or(
        Instants::Shown {
            first: seconds,
            last: seconds,
        },
        |offsets| offsets.instants(seconds),
    );
    match found {
        Instants::Shown { first, last } => Instants::Shown {
            first: first * 1_000_000 + rest,
            last: last * 1_000_000 + rest,
        },
        Instants::Gap { end } => Instants::Gap {
            end: end * 1_000_000,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes() {
        for (text, canonical) in [
            ("2026-12-31T23:59:00Z", "2026-12-31T23:59:00Z"),
            ("2026-12-31 23:59:00.25Z", "2026-12-31T23:59:00.250Z"),
            ("2026-12-31T23:59:00+08:00", "2026-12-31T15:59:00Z"),
            ("2026-12-31T23:59-0330", "2027-01-01T03:29:00Z"),
            ("2026-12-31T23:59", "2026-12-31T23:59:00"),
            ("2026-12-31 23:59:00 +0800", "2026-12-31T15:59:00Z"),
            ("2026-12-31 23:59 +08:00", "2026-12-31T15:59:00Z"),
            ("2026-12-31 23:59:00  -05", "2027-01-01T04:59:00Z"),
            ("2026-12-31T23:59:00.5 Z", "2026-12-31T23:59:00.500Z"),
            ("2026-12-31 23:59:00 UTC", "2026-12-31T23:59:00Z"),
            ("2026-12-31", "2026-12-31"),
        ] {
            let when = When::parse(text).unwrap();
            assert_eq!(when.to_string(), canonical);
            assert_eq!(When::parse(canonical), Ok(when));
        }
    }

    #[test]
    fn a_leap_second_is_named_as_such() {
        let error = When::parse("2016-12-31T23:59:60Z").unwrap_err();
        assert!(error.message().contains("leap second"), "{error}");
        assert_eq!(error.suggestion(), None);
    }

    #[test]
    fn refuses_what_is_no_time() {
        for text in [
            "",
            "tomorrow",
            "2026-02-30",
            "2026-01-01T25:00:00Z",
            "2026-01-01T10:00:00+99:00",
            "2026-01-01T10:00:00+08:+5",
            "1969-12-31",
            "2100-01-01T00:00:00Z",
            "2026-01-01T",
            "2026-01-01 UTC",
            "2026-01-01 10:00 CET",
            "2026-01-01T23:59:60Z",
            "2026-01-01T23:59:60.5",
            "２０２６-01-01",
        ] {
            assert!(When::parse(text).is_err(), "{text}");
        }
    }
}
