//! No text panics a parser, whatever parses round-trips, and no search goes back or on for ever.

#![no_main]

use chrono::{DateTime, Utc};
use libfuzzer_sys::fuzz_target;
use scheduler_triggers::{Effort, Trigger, Zone, format_duration, parse_duration};

/// Months of 1970 to 2099, looked at once per answer and once more where clocks change.
const MAX_STEPS: u64 = 2 * 1_560 + 17;

/// Instants at the edges of what is handled: of `DateTime`, of the years, of the zone data.
const EDGES: [i64; 12] = [
    i64::MIN,
    -62_135_596_800, // year 1
    -86_400,         // 1969
    -1,
    0,
    1_774_746_000, // clocks go forward in Europe
    1_792_890_000, // and back
    4_070_908_800, // 2099
    4_102_444_799, // the last second of 2099
    4_102_444_800, // 2100
    4_102_704_000, // the end of the zone data
    i64::MAX,
];

const ZONES: [&str; 8] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Pacific/Apia",
    "Australia/Lord_Howe",
    "Antarctica/Troll",
    "Pacific/Kiritimati",
    "Africa/Casablanca",
];

fuzz_target!(|input: (u8, u8, i64, &str)| {
    let (kind, edge, seconds, text) = input;
    if let Ok(duration) = parse_duration(text) {
        assert_eq!(
            parse_duration(&format_duration(duration)),
            Ok(duration),
            "{text}"
        );
    }
    if let Err(error) = text.parse::<Zone>() {
        let _ = format!("{error} {error:#}");
    }
    let trigger = match kind % 4 {
        0 => Trigger::cron(text),
        1 => Trigger::at(text),
        _ => text.parse::<Trigger>(),
    };
    let after = instant(seconds);
    let edge = instant(EDGES[usize::from(edge) % EDGES.len()]);
    let zone = ZONES[usize::from(kind) % ZONES.len()];
    match trigger {
        Ok(trigger) => judge(&trigger, after, edge, zone),
        Err(error) => {
            let _ = format!("{error} {error:#}");
            for single in error.all() {
                if let Some(span) = single.span() {
                    assert!(
                        text.get(span.clone()).is_some(),
                        "{text:?}: {span:?} of {error}"
                    );
                }
            }
        }
    }
    match serde_json::from_str::<Trigger>(text) {
        Ok(trigger) => judge(&trigger, after, edge, zone),
        Err(error) => drop(error.to_string()),
    }
});

fn instant(seconds: i64) -> DateTime<Utc> {
    match DateTime::from_timestamp(seconds, 0) {
        Some(instant) => instant,
        None if seconds < 0 => DateTime::<Utc>::MIN_UTC,
        None => DateTime::<Utc>::MAX_UTC,
    }
}

/// Everything that holds for a trigger, whatever it is.
fn judge(trigger: &Trigger, after: DateTime<Utc>, edge: DateTime<Utc>, zone: &str) {
    round_trip(trigger);
    let _ = (trigger.describe(), trigger.warnings(after));
    for at in [after, edge] {
        search(trigger, at);
        if let Ok(resolved) = trigger.resolve(at, zone.parse().unwrap_or(Zone::UTC)) {
            assert!(resolved.is_resolved(), "{resolved}");
            round_trip(&resolved);
            search(&resolved, at);
            search(&resolved, after);
        }
    }
    // An `and` may leap 100,000 times in each of the searches that a window is made of.
    if matches!(trigger.kind(), "and" | "or") {
        return;
    }
    let (from, to) = (after.min(edge), after.max(edge));
    let latest = trigger.latest_in(from, to);
    let count = trigger.count_in(from, to, 20);
    assert_eq!(count.value == 0, latest.is_none(), "{trigger} {from} {to}");
    if let Some(latest) = latest {
        assert!(latest > from && latest <= to, "{trigger} {from} {to}");
        assert!(
            trigger.next_after(latest).is_none_or(|next| next > to),
            "{trigger} {from} {to}"
        );
    }
}

fn round_trip(trigger: &Trigger) {
    let written = trigger.to_string();
    assert_eq!(
        written.parse::<Trigger>().as_ref(),
        Ok(trigger),
        "{written}"
    );
    let Ok(json) = serde_json::to_string(trigger) else {
        panic!("{written} has no JSON form");
    };
    assert_eq!(
        serde_json::from_str::<Trigger>(&json).ok().as_ref(),
        Some(trigger),
        "{json}"
    );
}

fn search(trigger: &Trigger, after: DateTime<Utc>) {
    let mut effort = Effort::steps(u64::MAX);
    let next = trigger.next_within(after, &mut effort).unwrap_or_default();
    assert_eq!(next, trigger.next_after(after), "{trigger} {after}");
    let steps = effort.used();
    if let Some(next) = next {
        assert!(next > after, "{trigger} {after}");
    }
    if !matches!(trigger.kind(), "and" | "or") {
        assert!(steps <= MAX_STEPS, "{trigger}: {steps} steps");
        if let Some(next) = next {
            assert_eq!(
                trigger.latest_in(after, next),
                Some(next),
                "{trigger} {after}"
            );
        }
    }
}
