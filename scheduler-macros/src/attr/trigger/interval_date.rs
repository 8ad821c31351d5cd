//! `interval = "5m"` and `date = "2026-12-31T23:59:00Z"`: triggers that consist of one text.

use scheduler_triggers::Trigger;
use syn::LitStr;

use super::options::{TriggerOptions, has_offset};
use crate::attr::entry::{self, Entry, Value};
use crate::attr::habit::Words;
use crate::attr::job_keys::{SETTINGS, TRIGGER_OPTIONS};
use crate::attr::keys::{Key, Keys};
use crate::attr::trigger_error;
use crate::attr::trigger_words::{self, is_trigger_word};
use crate::attr::unit;
use crate::attr::value::{duration_text, one_text};
use crate::errors::Errors;

const INTERVAL: Keys = Keys {
    owner: "`interval(…)`",
    groups: &[TRIGGER_OPTIONS],
    around: SETTINGS,
    habits: &[],
    triggers: &[],
    check: None,
};

const DATE: Keys = Keys {
    owner: "`date(…)`",
    groups: INTERVAL.groups,
    around: SETTINGS,
    habits: &[],
    triggers: &[],
    check: None,
};

pub(super) fn read(
    key: &Key,
    entry: &Entry,
    beside: TriggerOptions,
    errors: &Errors,
) -> Option<Trigger> {
    let (text, inside) = text_and_inside(key, entry, errors);
    let options = beside.join(inside, errors);
    if key.name == "interval" {
        interval(text.as_ref(), options, errors)
    } else {
        date(text.as_ref(), options, errors)
    }
}

/// Parses `key = "text"`, or `key("text", timezone = "…")`.
fn text_and_inside(key: &Key, entry: &Entry, errors: &Errors) -> (Option<LitStr>, TriggerOptions) {
    let Value::List(group) = &entry.value else {
        return (duration_or_text(key, entry, errors), TriggerOptions::none());
    };
    let mut list = entry::entries(group.stream(), errors);
    if unit::take(&mut list, errors) {
        return (None, TriggerOptions::none());
    }
    let is_part = |entry: &Entry| is_trigger_word(entry);
    if list.bare.is_empty() && list.keyed.iter().any(is_part) {
        let (words, options) = list.keyed.into_iter().partition(is_part);
        of_words(key, entry, words, &options, errors);
        return (None, TriggerOptions::none());
    }
    let keys = if key.name == "interval" {
        &INTERVAL
    } else {
        &DATE
    };
    let mut given = keys.sort(list.keyed, errors);
    let text = one_text(key, entry, &list.bare, errors);
    (text, TriggerOptions::take(&mut given))
}

/// Reports `interval(hours = 1, minutes = 30)`, and suggests the trigger as text.
fn of_words(key: &Key, entry: &Entry, words: Vec<Entry>, options: &[Entry], errors: &Errors) {
    let words = Words {
        entries: words.iter().collect(),
        unclear: !options.iter().all(is_option),
        has_zone: options.iter().any(|entry| entry.name() == "timezone"),
        kind: Some(key.name.to_owned()),
    };
    let trigger = (!words.unclear)
        .then(|| trigger_words::trigger(&words))
        .flatten();
    let name = key.name;
    let beside: Vec<String> = options
        .iter()
        .map(|entry| format!(", {}", entry.written()))
        .collect();
    let beside = beside.concat();
    let same_kind = format!("{name} = ");
    errors.on(
        entry.tokens(),
        match trigger {
            // Options may be inside the parentheses or next to the key.
            Some(text) if text.starts_with(&same_kind) && !text.contains('`') => {
                format!("`{name}` takes one text: write `{text}{beside}`")
            }
            Some(text) => format!("`{name}` takes one text: write `{text}`"),
            None => format!("`{name}` takes one text, as in `{}`", key.sample),
        },
    );
}

fn is_option(entry: &Entry) -> bool {
    TRIGGER_OPTIONS.iter().any(|key| key.is(&entry.name()))
}

/// Parses a text. For a duration that is not a text, such as a bare number, the missing unit is reported.
fn duration_or_text(key: &Key, entry: &Entry, errors: &Errors) -> Option<LitStr> {
    if key.name == "interval" {
        duration_text(key, entry, errors)
    } else {
        entry.text(key, errors)
    }
}

fn interval(text: Option<&LitStr>, options: TriggerOptions, errors: &Errors) -> Option<Trigger> {
    let mut options = options.only(
        &["timezone", "start", "end"],
        "does nothing for an interval, which counts elapsed time whatever the clocks show: leave it out",
        errors,
    );
    if !options.has("start") && !options.has("end") {
        options.refuse(
            "timezone",
            "an interval counts elapsed time, so it has no time zone: leave `timezone` out, or use `cron`",
            errors,
        );
    }
    let text = text?;
    let trigger = Trigger::every(&text.value())
        .map_err(|error| trigger_error::report_unless_other(text, &error, "interval", errors))
        .ok();
    options.apply_to(trigger, errors)
}

fn date(text: Option<&LitStr>, options: TriggerOptions, errors: &Errors) -> Option<Trigger> {
    let mut options = options.only(
        &["timezone"],
        "does nothing for a date, which fires once: leave it out",
        errors,
    );
    let text = text?;
    let value = text.value();
    let trigger = Trigger::at(&value)
        .map_err(|error| trigger_error::report_unless_other(text, &error, "date", errors))
        .ok();
    if trigger.is_some() {
        if has_offset(&value) {
            options.refuse(
                "timezone",
                "the date has an offset already, so the time zone would do nothing: leave out one of them",
                errors,
            );
        } else if !options.has("timezone") {
            errors.on(
                text,
                format!(
                    "this date has no offset and no time zone, so it names no instant: write `date = \"{}Z\"` for UTC, or name its zone as `timezone = \"…\"`",
                    with_time(&value)
                ),
            );
            return None;
        }
    }
    options.apply_to(trigger, errors)
}

fn with_time(text: &str) -> String {
    let text = text.trim();
    match text.len() {
        10 => format!("{text}T00:00:00"),
        16 => format!("{text}:00"),
        _ => text.to_owned(),
    }
}
