//! `calendar_interval(months = 1, time = "02:30")`.

use scheduler_triggers::Trigger;

use super::options::TriggerOptions;
use crate::attr::entry::{self, Entry, Value};
use crate::attr::habit::{Answer, Habit, Words};
use crate::attr::job_keys::SETTINGS;
use crate::attr::keys::{Given, Key, Keys};
use crate::attr::trigger_error::{self, Form};
use crate::attr::written;
use crate::errors::Errors;

const COUNTS: &[Key] = &[
    Key::new("years", "years = 1"),
    Key::new("months", "months = 1"),
    Key::new("weeks", "weeks = 1"),
    Key::new("days", "days = 1"),
];

/// The time of day, and the trigger options; bounds are dates here.
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
        Habit::new(&["year"], Answer::Key("years")),
        Habit::new(&["month"], Answer::Key("months")),
        Habit::new(&["week"], Answer::Key("weeks")),
        Habit::new(
            &["day", "day_of_month"],
            Answer::Note(
                "every so many days is `days`, and the day of the month is that of `start_date`",
            ),
        ),
        Habit::new(
            &["day_of_week", "weekday"],
            Answer::Note(
                "the weekday is that of `start_date`, and one of each week is a field of `cron(…)`",
            ),
        ),
        Habit::new(
            &["hours", "minutes", "seconds"],
            Answer::Note("it counts whole days; elapsed time is an `interval`"),
        ),
        Habit::new(
            &["hour", "minute", "second"],
            Answer::Together("time", time_of_day),
        ),
        Habit::new(&["at", "time_of_day", "at_time"], Answer::Key("time")),
        Habit::new(&["tz", "zone", "time_zone"], Answer::Zone),
    ],
    triggers: &[],
    check: None,
};

/// Reads `hour = 2, minute = 30` as a time of day.
fn time_of_day(words: &Words<'_>) -> Option<String> {
    let mut parts = [0; 3];
    for entry in &words.entries {
        let index = ["hour", "minute", "second"]
            .iter()
            .position(|part| *part == entry.name())?;
        parts[index] = written::integer(entry.given()?)?;
    }
    let [hour, minute, second] = parts;
    Some(if second == 0 {
        format!("time = \"{hour:02}:{minute:02}\"")
    } else {
        format!("time = \"{hour:02}:{minute:02}:{second:02}\"")
    })
}

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
        // Checked separately, so that its mistake is reported together with those of the counts.
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
