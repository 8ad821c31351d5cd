//! What both benchmarks use: typical expressions, and how each crate writes them.

use chrono::{DateTime, Utc};

/// A name and a crontab expression of five fields.
pub const EXPRESSIONS: [(&str, &str); 12] = [
    ("every_minute", "* * * * *"),
    ("every_5_minutes", "*/5 * * * *"),
    ("hourly", "0 * * * *"),
    ("daily", "0 6 * * *"),
    ("workdays", "0 9 * * MON-FRI"),
    ("office_hours", "*/15 9-17 * * MON-FRI"),
    ("weekly", "0 0 * * SUN"),
    ("monthly", "0 0 1 * *"),
    ("quarterly", "30 2 1 1,4,7,10 *"),
    ("yearly", "59 23 31 12 *"),
    ("the_31st", "0 0 31 * *"),
    ("leap_day", "0 0 29 2 *"),
];

/// Instants to start from, spread over a year so that no branch is always right.
pub fn starts() -> Vec<DateTime<Utc>> {
    (0..64)
        .filter_map(|step| DateTime::from_timestamp(1_767_225_600 + step * 487_651, 123_456_000))
        .collect()
}

/// The expression with the second in front, as the crate `cron` wants it.
pub fn with_seconds(expr: &str) -> String {
    format!("0 {expr}")
}
