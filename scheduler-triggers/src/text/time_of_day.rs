//! Reading and writing times of day.

use chrono::{NaiveTime, Timelike};

use crate::error::TriggerError;

/// The second of the day of `HH:MM` or `HH:MM:SS`.
pub(crate) fn parse_time(text: &str) -> Result<u32, TriggerError> {
    let format = if text.len() <= 5 { "%H:%M" } else { "%H:%M:%S" };
    NaiveTime::parse_from_str(text, format)
        .map(|time| time.num_seconds_from_midnight())
        .map_err(|_| {
            TriggerError::new(format!("`{text}` is no time of day"))
                .in_field("time")
                .at(0..text.len())
                .allow("00:00:00 to 23:59:59")
                .write("02:30:00")
                .in_text(text)
        })
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
        for text in ["24:00", "2", "02:30:00.5", "x", ""] {
            assert!(parse_time(text).is_err(), "{text}");
        }
        assert_eq!(format_time(9_000), "02:30:00");
    }
}
