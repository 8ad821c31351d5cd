//! The frozen text of triggers, from which hashes of job definitions are computed.
//!
//! A copy of the output of `Display` when the first hash was stored. The output of `Display` may change, but this one
//! must not: every stored job would appear to have changed. Each kind writes its own part.

use std::fmt::Write;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat};

use crate::moment::When;
use crate::options::Options;
use crate::trigger::Trigger;
use crate::zone::gap_fold::{Fold, Gap};

impl Trigger {
    /// Returns the text of this trigger that stays the same across versions of this library, for stored hashes.
    ///
    /// Its wording is that of the first release. Use [`Display`](std::fmt::Display) to show a trigger, and to store it.
    ///
    /// ```
    /// use scheduler_triggers::Trigger;
    /// assert_eq!(Trigger::every("90m")?.definition_text(), "every 1h 30m");
    /// # Ok::<(), scheduler_triggers::TriggerError>(())
    /// ```
    pub fn definition_text(&self) -> String {
        let mut text = String::new();
        self.kind_of().write_definition(&mut text);
        write_options(&mut text, &self.kind_of().options());
        text
    }
}

/// Returns the text of a duration that stays the same across versions of this library, for stored hashes.
///
/// ```
/// use std::time::Duration;
/// use scheduler_triggers::definition_duration;
/// assert_eq!(definition_duration(Duration::from_secs(5_400)), "1h 30m");
/// assert_eq!(definition_duration(Duration::ZERO), "0s");
/// ```
pub fn definition_duration(duration: Duration) -> String {
    const UNITS: [(&str, u128); 7] = [
        ("w", 604_800_000_000),
        ("d", 86_400_000_000),
        ("h", 3_600_000_000),
        ("m", 60_000_000),
        ("s", 1_000_000),
        ("ms", 1_000),
        ("us", 1),
    ];
    let mut rest = duration.as_micros();
    let mut parts = Vec::new();
    for (unit, size) in UNITS {
        // Weeks only without a remainder.
        if rest < size || (unit == "w" && !rest.is_multiple_of(size)) {
            continue;
        }
        parts.push(format!("{}{unit}", rest / size));
        rest %= size;
    }
    if parts.is_empty() {
        parts.push("0s".to_owned());
    }
    parts.join(" ")
}

fn write_options(text: &mut String, options: &Options) {
    if let Some(zone) = options.zone {
        text.push_str(" timezone=");
        text.push_str(zone.name());
    }
    for (name, bound) in [
        (" start=", options.bounds.start),
        (" end=", options.bounds.end),
    ] {
        if let Some(bound) = bound {
            text.push_str(name);
            write_frozen_when(text, bound);
        }
    }
    text.push_str(match options.gap {
        Some(Gap::Next) => " gap=next",
        Some(Gap::Skip) => " gap=skip",
        None => "",
    });
    text.push_str(match options.fold {
        Some(Fold::First) => " fold=first",
        Some(Fold::Both) => " fold=both",
        None => "",
    });
}

/// Writes the frozen text of a time of day.
pub(crate) fn write_frozen_time(text: &mut String, second_of_day: u32) {
    let (hour, minute, second) = (
        second_of_day / 3_600,
        second_of_day / 60 % 60,
        second_of_day % 60,
    );
    put(text, format_args!("{hour:02}:{minute:02}:{second:02}"));
}

/// Writes the frozen text of an instant, or of a local time or date.
pub(crate) fn write_frozen_when(text: &mut String, when: When) {
    match when {
        When::Instant(micros) => {
            let instant = DateTime::from_timestamp_micros(micros).unwrap_or_default();
            text.push_str(&instant.to_rfc3339_opts(SecondsFormat::AutoSi, true));
        }
        When::Wall(wall) => put(
            text,
            format_args!("{}", wall.format("%Y-%m-%dT%H:%M:%S%.f")),
        ),
        When::Date(date) => put(text, format_args!("{}", date.format("%Y-%m-%d"))),
    }
}

fn put(text: &mut String, part: std::fmt::Arguments<'_>) {
    // Writing to a `String` cannot fail.
    let _ = text.write_fmt(part);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Part of stored hashes: if this test fails, every stored job would appear to have changed. Fix the code, not the
    /// test.
    const FROZEN: [(&str, &str); 24] = [
        ("every 90m", "every 1h 30m"),
        ("every 14d", "every 2w"),
        ("every 10d", "every 10d"),
        ("every 1500ms", "every 1s 500ms"),
        ("every 1h1us", "every 1h 1us"),
        (
            "every 5m start=2026-01-01T00:00:00+02:00",
            "every 5m start=2025-12-31T22:00:00Z",
        ),
        (
            "every 5m start=2026-01-01T00:00 end=2026-12-31 timezone=UTC",
            "every 5m timezone=UTC start=2026-01-01T00:00:00 end=2026-12-31",
        ),
        ("cron  0  6 * *  MON-fri", "cron 0 6 * * mon-fri"),
        ("cron @daily", "cron 0 0 * * *"),
        (
            "cron */15 8-18/2 1,15 jan-mar 5L",
            "cron */15 8-18/2 1,15 jan-mar 5L",
        ),
        (
            "cron 0 0 12 LW * fri#2 2090-2095",
            "cron 0 0 12 LW * fri#2 2090-2095",
        ),
        ("cron 0 12 15W * ?", "cron 0 12 15W * ?"),
        (
            "cron 0 6 * * * timezone=UTC start=2026-01-01 gap=skip fold=both",
            "cron 0 6 * * * timezone=UTC start=2026-01-01 gap=skip fold=both",
        ),
        (
            "cron 0 6 * * * end=2026-01-01T00:00:00.25Z gap=next fold=first",
            "cron 0 6 * * * end=2026-01-01T00:00:00.250Z gap=next fold=first",
        ),
        (
            "cron hour=6 day_of_week=mon-fri",
            "cron day_of_week=mon-fri hour=6",
        ),
        ("cron minute=*/5", "cron minute=*/5"),
        (
            "calendar months=1 time=02:30",
            "calendar months=1 time=02:30:00",
        ),
        (
            "calendar years=1 weeks=2 days=3 start=2026-01-31 end=2030-01-01 timezone=UTC",
            "calendar years=1 weeks=2 days=3 start=2026-01-31 timezone=UTC end=2030-01-01",
        ),
        ("at now", "at now"),
        ("at 2026-12-31T23:59:00+01:00", "at 2026-12-31T22:59:00Z"),
        (
            "at 2026-12-31T23:59:00.000001",
            "at 2026-12-31T23:59:00.000001",
        ),
        (
            "at 2026-12-31T23:59 timezone=UTC",
            "at 2026-12-31T23:59:00 timezone=UTC",
        ),
        (
            "or(cron 0 6 * * *; every 5m start=2026-01-01T00:00:00Z)",
            "or(cron 0 6 * * *; every 5m start=2026-01-01T00:00:00Z)",
        ),
        (
            "and(or(cron 0 6 * * *); cron * * * * *)",
            "and(or(cron 0 6 * * *); cron * * * * *)",
        ),
    ];

    #[test]
    fn definition_text_is_frozen() {
        for (written, frozen) in FROZEN {
            let trigger: Trigger = written.parse().unwrap();
            assert_eq!(trigger.definition_text(), frozen, "{written}");
        }
    }

    /// Shows that the copy is exact. Remove this test when the output of `Display` changes.
    #[test]
    fn definition_text_is_what_is_displayed_so_far() {
        for (written, _) in FROZEN {
            let trigger: Trigger = written.parse().unwrap();
            assert_eq!(trigger.definition_text(), trigger.to_string(), "{written}");
        }
    }
}
