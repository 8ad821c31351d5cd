//! `calendar_interval(months = 1, time = "02:30")`.

use scheduler_triggers::Trigger;

use super::options::TriggerOptions;
use crate::attr::entry::{self, Entry, Value};
use crate::attr::job_keys::SETTINGS;
use crate::attr::keys::{Given, Habit, Key, Keys};
use crate::attr::trigger_error::{self, Form};
use crate::errors::Errors;

const COUNTS: &[Key] = &[
    Key::new("years", "years = 1"),
    Key::new("months", "months = 1"),
    Key::new("weeks", "weeks = 1"),
    Key::new("days", "days = 1"),
];

/// The time of day, and the trigger options: here bounds are dates.
const TIMES: &[Key] = &[
    Key::text("time", "time = \"02:30\""),
    Key::text("timezone", "timezone = \"Europe/Berlin\""),
    Key::text("start", "start_date = \"2026-01-31\"").or("start_date"),
    Key::text("end", "end_date = \"2026-12-31\"").or("end_date"),
    Key::text("gap", "gap = \"skip\""),
    Key::text("fold", "fold = \"both\""),
];

const KEYS: Keys = Keys {
    owner: "`calendar_interval(…)`",
    groups: &[COUNTS, TIMES],
    around: SETTINGS,
    habits: &[
        Habit::of("year", "years", "write `years = 1`"),
        Habit::of("month", "months", "write `months = 1`"),
        Habit::of("week", "weeks", "write `weeks = 1`"),
        Habit::of("day", "days", "write `days = 1`"),
        Habit::other(
            "hours",
            "it counts whole days; elapsed hours are `interval = \"6h\"`",
        ),
        Habit::other(
            "minutes",
            "it counts whole days; elapsed minutes are `interval = \"5m\"`",
        ),
        Habit::of(
            "hour",
            "time",
            "write the time of day as `time = \"02:30\"`",
        ),
        Habit::of(
            "minute",
            "time",
            "write the time of day as `time = \"02:30\"`",
        ),
        Habit::of("at", "time", "write the time of day as `time = \"02:30\"`"),
        Habit::of("tz", "timezone", "write `timezone = \"Europe/Berlin\"`"),
    ],
};

pub(super) fn read(
    key: &Key,
    entry: &Entry,
    beside: TriggerOptions,
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
        beside.apply_to(None, errors);
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
    let options = beside.join(TriggerOptions::take(&mut given), errors);
    let trigger = build(entry, &mut given, before, errors);
    options.apply_to(trigger, errors)
}

fn build(entry: &Entry, given: &mut Given, before: usize, errors: &Errors) -> Option<Trigger> {
    let mut builder = Trigger::calendar_interval();
    let mut total = 0_u64;
    let counts = given.take_all(COUNTS);
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
        // Checked alone, so that its mistake is reported beside those of the counts.
        if let Err(error) = Trigger::calendar_interval()
            .days(1)
            .time(time.value())
            .build()
        {
            trigger_error::report(time, &error, 0, errors);
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
        .map_err(|error| errors.on(entry.tokens(), trigger_error::sentence(&error, Form::Text)))
        .ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn habits_name_the_keys_that_they_advise() {
        super::KEYS.check_habits();
    }
}
