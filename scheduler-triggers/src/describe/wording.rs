//! Wording that all descriptions share: lists, ordinals, names, dates and times.

use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, Timelike};

use crate::cron::field::{LONG_MONTHS, LONG_WEEKDAYS};

/// Longer lists are of no use to a reader.
pub(crate) const LONGEST_LIST: usize = 12;

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn joined<T: AsRef<str>>(parts: &[T], last: &str) -> String {
    match parts {
        [] => String::new(),
        [only] => only.as_ref().to_owned(),
        [first @ .., end] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} {last} {}", first.join(", "), end.as_ref())
        }
    }
}

/// `1st`, `2nd`, `23rd`.
pub(crate) fn ordinal(number: u32) -> String {
    let end = match (number % 100, number % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{number}{end}")
}

/// Returns the name of a month from 1 to 12.
pub(crate) fn month_name(month: u32) -> String {
    let index = month.saturating_sub(1) as usize;
    capitalised(LONG_MONTHS.get(index).copied().unwrap_or_default())
}

/// Returns the name of a weekday; Sunday is 0.
pub(crate) fn weekday_name(weekday: u32) -> String {
    capitalised(LONG_WEEKDAYS[(weekday % 7) as usize])
}

fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    letters
        .next()
        .map(|first| first.to_ascii_uppercase())
        .into_iter()
        .chain(letters)
        .collect()
}

/// `5 minutes`, `minute`: a count of one needs no number after "every".
pub(crate) fn counted(count: u32, unit: &str) -> String {
    match count {
        1 => unit.to_owned(),
        _ => format!("{count} {unit}s"),
    }
}

/// `09:00`, with seconds only if they are not 0.
pub(crate) fn clock(hour: u32, minute: u32, second: u32) -> String {
    match second {
        0 => format!("{hour:02}:{minute:02}"),
        _ => format!("{hour:02}:{minute:02}:{second:02}"),
    }
}

/// `09:00`, `09:00:15` or `09:00:15.250`.
pub(crate) fn time_of(wall: NaiveDateTime) -> String {
    let text = clock(wall.hour(), wall.minute(), wall.second());
    let micros = wall.nanosecond() / 1_000 % 1_000_000;
    match (micros, wall.second()) {
        (0, _) => text,
        (_, 0) => format!("{text}:00{}", wall.format("%.f")),
        _ => format!("{text}{}", wall.format("%.f")),
    }
}

/// `4 December 2026`.
pub(crate) fn date_of(wall: NaiveDateTime) -> String {
    wall.format("%-d %B %Y").to_string()
}

/// `4 December 2026 10:00`. Fractions of a second, as in an interval that began when it was added, are of no use to a
/// reader.
pub(crate) fn date_and_time(wall: NaiveDateTime) -> String {
    let whole = wall.with_nanosecond(0).unwrap_or(wall);
    format!("{} {}", date_of(wall), time_of(whole))
}

/// Returns a local time that is given in seconds since the local epoch.
pub(crate) fn wall(local: i64) -> NaiveDateTime {
    DateTime::from_timestamp(local, 0)
        .unwrap_or_default()
        .naive_utc()
}

/// `minute`, `5 minutes`, `1 hour 30 minutes`.
pub(crate) fn spell_duration(duration: Duration) -> String {
    const UNITS: [(&str, u128); 6] = [
        ("day", 86_400_000_000),
        ("hour", 3_600_000_000),
        ("minute", 60_000_000),
        ("second", 1_000_000),
        ("millisecond", 1_000),
        ("microsecond", 1),
    ];
    let mut rest = duration.as_micros();
    let mut parts = Vec::new();
    for (unit, size) in UNITS {
        if rest >= size {
            parts.push((rest / size, unit));
            rest %= size;
        }
    }
    if let [(1, unit)] = parts.as_slice() {
        return (*unit).to_owned();
    }
    let words: Vec<_> = parts
        .into_iter()
        .map(|(count, unit)| match count {
            1 => format!("1 {unit}"),
            _ => format!("{count} {unit}s"),
        })
        .collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_ordinals() {
        assert_eq!(joined(&["a", "b", "c"], "and"), "a, b and c");
        assert_eq!(joined(&["a", "b"], "or"), "a or b");
        assert_eq!(joined::<&str>(&[], "or"), "");
        let written: Vec<_> = [1, 2, 3, 4, 11, 12, 13, 21, 22, 23, 31, 111]
            .map(ordinal)
            .into();
        assert_eq!(
            written.join(" "),
            "1st 2nd 3rd 4th 11th 12th 13th 21st 22nd 23rd 31st 111th"
        );
    }
}
