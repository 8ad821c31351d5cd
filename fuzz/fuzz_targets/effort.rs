//! No search takes more steps than its budget allows, and one that keeps within it finds what a search
//! without a budget finds. Triggers are made of costly parts; each that costs more than all before it
//! is printed.

#![no_main]

use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use libfuzzer_sys::fuzz_target;
use scheduler_triggers::{Effort, Trigger, Zone};

const BUDGET: u64 = 100_000;
/// A part of a trigger is not interrupted: what it may take beyond the budget.
const ONE_PART: u64 = 2 * 1_560 + 17;
/// What the look at a part costs that warnings are about.
const ONE_LOOK: u64 = 101 + ONE_PART;

/// Parts that fire often, hardly ever, or never together.
const PARTS: [&str; 19] = [
    "every 1ms start=2026-01-01",
    "every 10ms start=2026-01-01",
    "every 10ms start=2026-01-01T00:00:00.001Z",
    "every 1001ms start=2026-01-01",
    "every 1003ms start=2026-01-01T00:00:00.001Z",
    "cron * * * * * *",
    "cron * * * * * * timezone=Africa/Casablanca",
    "cron 0 0 9 * * *",
    "cron 0 0 10 * * * timezone=Europe/Berlin",
    "cron 0 0 0 29 2 ? 2096 timezone=Asia/Tehran",
    "cron 0 0 0 29 2 mon#5 *",
    "cron year=2099 week=53 day_of_week=mon hour=0 timezone=Africa/Casablanca",
    "cron 30 1-2 * * * timezone=Antarctica/Troll gap=next fold=first",
    "calendar months=1 days=1 start=1970-01-31 time=02:30 timezone=Africa/Casablanca",
    "calendar months=1 days=19000 start=1970-01-31",
    "calendar days=9 start=2098-01-31 time=02:30",
    "cron 0 0 0 1W,2W,3W,4W,15W,30W,31W 2 mon#1,tue#2,wed#3,thu#4,fri#5 2099",
    "cron year=2099 week=2,53 day_of_week=mon hour=0",
    "at 2099-01-01T00:00:00Z",
];

static WORST: AtomicU64 = AtomicU64::new(0);

fuzz_target!(|input: (u32, u32, &[u8])| {
    let (seconds, width, shape) = input;
    let Some(trigger) = build(&mut shape.iter().copied(), 0) else {
        return;
    };
    let Some(after) = DateTime::from_timestamp(i64::from(seconds), 0) else {
        return;
    };
    let Ok(trigger) = trigger.resolve(after, Zone::UTC) else {
        return;
    };
    next(&trigger, after);
    let until = after + TimeDelta::seconds(i64::from(width % 100_000));
    window(&trigger, after, until);

    let mut effort = Effort::steps(BUDGET);
    let warnings = trigger.warnings_within(after, &mut effort);
    assert!(effort.used() <= BUDGET + ONE_LOOK, "{trigger}: {effort:?}");
    if !effort.is_exhausted() {
        assert_eq!(warnings, trigger.warnings(after), "{trigger}");
    }
});

/// Reads a trigger from bytes: `and` and `or` of parts, as deep and as many as are allowed.
fn build(bytes: &mut impl Iterator<Item = u8>, depth: usize) -> Option<Trigger> {
    let byte = bytes.next()?;
    if byte < 64 && depth < 7 {
        let children: Vec<Trigger> = (0..2 + byte % 24)
            .map_while(|_| build(bytes, depth + 1))
            .collect();
        return match byte & 32 {
            0 => Trigger::and(children).ok(),
            _ => Trigger::or(children).ok(),
        };
    }
    PARTS[usize::from(byte) % PARTS.len()].parse().ok()
}

fn next(trigger: &Trigger, after: DateTime<Utc>) {
    let mut effort = Effort::steps(BUDGET);
    let found = trigger.next_within(after, &mut effort);
    assert!(effort.used() <= BUDGET + ONE_PART, "{trigger}: {effort:?}");
    assert_eq!(found.is_err(), effort.is_exhausted(), "{trigger}");
    if let Ok(found) = found {
        assert_eq!(found, trigger.next_after(after), "{trigger} {after}");
    }
    let steps = effort.used();
    if steps > WORST.fetch_max(steps, Ordering::Relaxed) {
        eprintln!("{steps} steps from {after}: {trigger}");
    }
}

fn window(trigger: &Trigger, after: DateTime<Utc>, until: DateTime<Utc>) {
    let mut effort = Effort::steps(BUDGET);
    let latest = trigger.latest_within(after, until, &mut effort);
    assert!(effort.used() <= BUDGET + ONE_PART, "{trigger}: {effort:?}");
    if let Ok(latest) = latest {
        assert_eq!(latest, trigger.latest_in(after, until), "{trigger} {after}");
    }
    let mut effort = Effort::steps(BUDGET);
    let count = trigger.count_within(after, until, 20, &mut effort);
    assert!(effort.used() <= BUDGET + ONE_PART, "{trigger}: {effort:?}");
    if !effort.is_exhausted() {
        assert_eq!(count, trigger.count_in(after, until, 20), "{trigger}");
    }
}
