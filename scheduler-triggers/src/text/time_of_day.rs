//! Reading and writing times of day.

use chrono::{NaiveTime, Timelike};

use crate::error::TriggerError;
use crate::moment::is_leap_second;

/// Returns the second of the day of `HH:MM` or `HH:MM:SS`.
pub(crate) fn parse_time(text: &str) -> Result<u32, TriggerError> {
    let format = if text.len() <= 5 { "%H:%M" } else { "%H:%M:%S" };
    match NaiveTime::parse_from_str(text, format) {
        Ok(time) if !is_leap_second(time) => Ok(time.num_seconds_from_midnight()),
        _ => Err(refused(text)),
    }
}

#[cold]
fn refused(text: &str) -> TriggerError {
    let error = |message: String| {
        TriggerError::new(message)
            .in_field("time")
            .at(0..text.len())
            .allow("00:00:00 to 23:59:59")
            .in_text(text)
    };
    if text.ends_with(":60") {
        return error(format!(
            "`{text}` is a leap second, which is not counted here: it may be the second 59, or the \
             second 0 of the next minute"
        ));
    }
    if matches!(text, "24:00" | "24:00:00") {
        return error(format!(
            "`{text}` is not a time of day: the end of a day is `00:00` of the next"
        ));
    }
    let no_time = error(format!("`{text}` is not a time of day"));
    match with_half_of_day(text) {
        Some(time) => no_time.meant(Some(time)),
        None => no_time.example("02:30:00"),
    }
}

/// Returns `9pm` and `9:30 AM` in the form that is accepted here.
fn with_half_of_day(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let (time, noon) = match lower.strip_suffix("pm") {
        Some(time) => (time, 12),
        None => (lower.strip_suffix("am")?, 0),
    };
    let (hour, minute) = time.trim().split_once(':').unwrap_or((time.trim(), "00"));
    let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
    let known = (1..=12).contains(&hour) && minute < 60;
    known.then(|| format!("{:02}:{minute:02}", hour % 12 + noon))
}

pub(crate) fn format_time(second: u32) -> String {
    format!(
        "{:02}:{:02}:{:02}",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_day() {
        assert_eq!(parse_time("02:30"), Ok(9_000));
        assert_eq!(parse_time("23:59:59"), Ok(86_399));
        for text in ["24:00", "2", "02:30:00.5", "x", "", "23:59:60", "24:30"] {
            assert!(parse_time(text).is_err(), "{text}");
        }
        assert_eq!(format_time(9_000), "02:30:00");
        for (text, meant) in [
            ("9am", Some("09:00")),
            ("12am", Some("00:00")),
            ("12:05 PM", Some("12:05")),
            ("9:30pm", Some("21:30")),
            ("13pm", None),
            ("24:00", None),
            ("23:59:60", None),
        ] {
            let error = parse_time(text).unwrap_err();
            assert_eq!(error.suggestion(), meant, "{error}");
        }
    }
}
