//! `interval = "5m"` and `date = "2026-12-31T23:59:00Z"`: triggers that are one text.

use scheduler_triggers::Trigger;
use syn::{Lit, LitStr};

use super::options::{TriggerOptions, has_offset};
use crate::attr::entry::{self, Entry, Value};
use crate::attr::job_keys::{SETTINGS, TRIGGER_OPTIONS};
use crate::attr::keys::{Habit, Key, Keys};
use crate::attr::trigger_error;
use crate::attr::value::one_text;
use crate::errors::Errors;

const INTERVAL: Keys = Keys {
    owner: "`interval(…)`",
    groups: &[TRIGGER_OPTIONS],
    around: SETTINGS,
    habits: &[
        Habit::other("seconds", "write `interval = \"30s\"`"),
        Habit::other("minutes", "write `interval = \"5m\"`"),
        Habit::other("hours", "write `interval = \"1h\"`"),
        Habit::other("days", "write `interval = \"1d\"`"),
        Habit::other("weeks", "write `interval = \"1w\"`"),
    ],
};

const DATE: Keys = Keys {
    owner: "`date(…)`",
    groups: INTERVAL.groups,
    around: SETTINGS,
    habits: &[],
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

/// `key = "text"`, or `key("text", timezone = "…")`.
fn text_and_inside(key: &Key, entry: &Entry, errors: &Errors) -> (Option<LitStr>, TriggerOptions) {
    let Value::List(group) = &entry.value else {
        return (duration_or_text(key, entry, errors), TriggerOptions::none());
    };
    let list = entry::entries(group.stream(), errors);
    let keys = if key.name == "interval" {
        &INTERVAL
    } else {
        &DATE
    };
    let mut given = keys.sort(list.keyed, errors);
    let text = one_text(key, entry, &list.bare, errors);
    (text, TriggerOptions::take(&mut given))
}

/// A bare number lacks its unit.
fn duration_or_text(key: &Key, entry: &Entry, errors: &Errors) -> Option<LitStr> {
    match &entry.value {
        Value::Expr(syn::Expr::Lit(syn::ExprLit {
            lit: Lit::Int(number),
            ..
        })) if key.name == "interval" && number.suffix().is_empty() => {
            errors.on(
                number,
                format!("`interval` takes a duration with a unit: write `interval = \"{number}s\"` for seconds"),
            );
            None
        }
        _ => entry.text(key, errors),
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
        .map_err(|error| trigger_error::report(text, &error, 0, errors))
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
        .map_err(|error| trigger_error::report(text, &error, 0, errors))
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
                    "this date has no offset and no time zone, so it names no instant: write `date = \"{}Z\"` for UTC, or add `timezone = \"Europe/Berlin\"`",
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
