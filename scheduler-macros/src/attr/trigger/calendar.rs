//! `calendar_interval(months = 1, time = "02:30")`.

use scheduler_triggers::Trigger;

use super::modifier::Modifiers;
use super::plain::finish;
use crate::attr::entry::{self, Entry, Value};
use crate::attr::keys::{Given, Key, Keys};
use crate::attr::told::{self, trigger_error};
use crate::errors::Errors;

const KEYS: Keys = Keys {
    owner: "`calendar_interval(…)`",
    all: &[
        Key::new("years", "years = 1"),
        Key::new("months", "months = 1"),
        Key::new("weeks", "weeks = 1"),
        Key::new("days", "days = 1"),
        Key::new("time", "time = \"02:30\""),
        Key::new("timezone", "timezone = \"Europe/Berlin\""),
        Key::or("start", "start_date", "start_date = \"2026-01-31\""),
        Key::or("end", "end_date", "end_date = \"2026-12-31\""),
        Key::new("gap", "gap = \"skip\""),
        Key::new("fold", "fold = \"both\""),
    ],
    inside_job: true,
    habits: &[
        ("year", "write `years = 1`"),
        ("month", "write `months = 1`"),
        ("week", "write `weeks = 1`"),
        ("day", "write `days = 1`"),
        (
            "hours",
            "it counts whole days; elapsed hours are `interval = \"6h\"`",
        ),
        (
            "minutes",
            "it counts whole days; elapsed minutes are `interval = \"5m\"`",
        ),
        ("hour", "write the time of day as `time = \"02:30\"`"),
        ("minute", "write the time of day as `time = \"02:30\"`"),
        ("at", "write the time of day as `time = \"02:30\"`"),
        ("tz", "write `timezone = \"Europe/Berlin\"`"),
    ],
};

const COUNTS: [&str; 4] = ["years", "months", "weeks", "days"];

pub(super) fn read(
    key: &Key,
    entry: &Entry,
    beside: Modifiers,
    errors: &Errors,
) -> Option<Trigger> {
    let Value::List(group) = &entry.value else {
        errors.on(
            entry.tokens(),
            format!(
                "`calendar_interval` takes its entries in parentheses: write `{}`",
                key.sample
            ),
        );
        finish(None, beside, errors);
        return None;
    };
    let list = entry::entries(group.stream(), errors);
    for literal in &list.bare {
        errors.on(
            literal,
            format!("this value has no key, as in `{}`", key.sample),
        );
    }
    let before = errors.count();
    let mut given = KEYS.sort(list.keyed, errors);
    let modifiers = beside.join(Modifiers::take(&mut given), errors);
    let trigger = build(entry, &mut given, before, errors);
    finish(trigger, modifiers, errors)
}

fn build(entry: &Entry, given: &mut Given, before: usize, errors: &Errors) -> Option<Trigger> {
    let mut builder = Trigger::calendar_interval();
    let mut total = 0_u64;
    let counts = given.take_all(&COUNTS);
    for (key, entry) in &counts {
        let Some(count) = entry.count(key, errors) else {
            continue;
        };
        total += u64::from(count);
        builder = match key.name {
            "years" => builder.years(count),
            "months" => builder.months(count),
            "weeks" => builder.weeks(count),
            _ => builder.days(count),
        };
    }
    let time = given
        .take("time")
        .map(|(key, entry)| entry.text(key, errors));
    if let Some(Some(time)) = &time {
        // Checked alone, so that its mistake is told beside those of the counts.
        if let Err(error) = Trigger::calendar_interval()
            .days(1)
            .time(time.value())
            .build()
        {
            trigger_error(time, &error, 0, errors);
        }
        builder = builder.time(time.value());
    }
    if total == 0 && errors.count() == before {
        let message = if counts.is_empty() {
            "this calendar interval does not say how often: add `months = 1`, or `years`, `weeks` or `days`"
        } else {
            "this calendar interval is zero, so it would never go on: write `months = 1` or more"
        };
        match counts.as_slice() {
            [(_, count)] => errors.on(count.tokens(), message),
            _ => errors.on(&entry.key, message),
        }
    }
    if errors.count() > before {
        return None;
    }
    builder
        .build()
        .map_err(|error| errors.on(entry.tokens(), told::sentence(&error)))
        .ok()
}
