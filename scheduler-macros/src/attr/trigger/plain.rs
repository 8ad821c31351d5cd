//! Triggers that are one text: `interval` and `date`.

use scheduler_triggers::Trigger;
use syn::{Lit, LitStr};

use super::modifier::{Modifiers, has_offset};
use crate::attr::entry::{self, Entry, Value};
use crate::attr::keys::{Key, Keys};
use crate::attr::told::trigger_error;
use crate::errors::Errors;

const INTERVAL: Keys = Keys {
    owner: "`interval(…)`",
    all: &[
        Key::new("timezone", "timezone = \"Europe/Berlin\""),
        Key::or("start", "start_date", "start = \"2026-01-01T00:00:00Z\""),
        Key::or("end", "end_date", "end = \"2026-12-31T23:59:59Z\""),
        Key::new("gap", "gap = \"skip\""),
        Key::new("fold", "fold = \"both\""),
    ],
    inside_job: true,
    habits: &[
        ("seconds", "write `interval = \"30s\"`"),
        ("minutes", "write `interval = \"5m\"`"),
        ("hours", "write `interval = \"1h\"`"),
        ("days", "write `interval = \"1d\"`"),
        ("weeks", "write `interval = \"1w\"`"),
    ],
};

const DATE: Keys = Keys {
    owner: "`date(…)`",
    all: INTERVAL.all,
    inside_job: true,
    habits: &[],
};

pub(super) fn read(
    key: &Key,
    entry: &Entry,
    beside: Modifiers,
    errors: &Errors,
) -> Option<Trigger> {
    let (text, inside) = text_and_inside(key, entry, errors);
    let modifiers = beside.join(inside, errors);
    if key.name == "interval" {
        interval(text.as_ref(), modifiers, errors)
    } else {
        date(text.as_ref(), modifiers, errors)
    }
}

/// `key = "text"`, or `key("text", timezone = "…")`.
fn text_and_inside(key: &Key, entry: &Entry, errors: &Errors) -> (Option<LitStr>, Modifiers) {
    let Value::List(group) = &entry.value else {
        return (duration_or_text(key, entry, errors), Modifiers::none());
    };
    let list = entry::entries(group.stream(), errors);
    let keys = if key.name == "interval" {
        &INTERVAL
    } else {
        &DATE
    };
    let mut given = keys.sort(list.keyed, errors);
    let text = one_text(key, entry, &list.bare, errors);
    (text, Modifiers::take(&mut given))
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

/// The one text among the literals without a key.
pub(super) fn one_text(key: &Key, entry: &Entry, bare: &[Lit], errors: &Errors) -> Option<LitStr> {
    match bare {
        [Lit::Str(text)] => Some(text.clone()),
        [] => {
            errors.on(
                &entry.key,
                format!("`{}` has no text: write `{}`", key.name, key.sample),
            );
            None
        }
        [Lit::Str(_), second, ..] => {
            errors.on(
                second,
                format!("`{}` takes one text: remove this one", key.name),
            );
            None
        }
        [other, ..] => {
            errors.on(
                other,
                format!(
                    "`{}` takes a text in quotes, as in `{}`",
                    key.name, key.sample
                ),
            );
            None
        }
    }
}

fn interval(text: Option<&LitStr>, modifiers: Modifiers, errors: &Errors) -> Option<Trigger> {
    let mut modifiers = modifiers.only(
        &["timezone", "start", "end"],
        "does nothing for an interval, which counts elapsed time whatever the clocks show: leave it out",
        errors,
    );
    if !modifiers.has("start") && !modifiers.has("end") {
        modifiers.refuse(
            "timezone",
            "an interval counts elapsed time, so it has no time zone: leave `timezone` out, or use `cron`",
            errors,
        );
    }
    let text = text?;
    let trigger = Trigger::every(&text.value())
        .map_err(|error| trigger_error(text, &error, 0, errors))
        .ok();
    finish(trigger, modifiers, errors)
}

fn date(text: Option<&LitStr>, modifiers: Modifiers, errors: &Errors) -> Option<Trigger> {
    let mut modifiers = modifiers.only(
        &["timezone"],
        "does nothing for a date, which fires once: leave it out",
        errors,
    );
    let text = text?;
    let value = text.value();
    let trigger = Trigger::at(&value)
        .map_err(|error| trigger_error(text, &error, 0, errors))
        .ok();
    if trigger.is_some() {
        if has_offset(&value) {
            modifiers.refuse(
                "timezone",
                "the date has an offset already, so the time zone would do nothing: leave out one of them",
                errors,
            );
        } else if !modifiers.has("timezone") {
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
    finish(trigger, modifiers, errors)
}

/// Applies the modifiers even without a trigger, so that their own mistakes are told too.
pub(super) fn finish(
    trigger: Option<Trigger>,
    modifiers: Modifiers,
    errors: &Errors,
) -> Option<Trigger> {
    if trigger.is_none() {
        // Any trigger that takes every modifier serves for the check.
        let any = Trigger::cron("* * * * *").ok()?;
        modifiers.apply(any, errors);
        return None;
    }
    modifiers.apply(trigger?, errors)
}

fn with_time(text: &str) -> String {
    let text = text.trim();
    match text.len() {
        10 => format!("{text}T00:00:00"),
        16 => format!("{text}:00"),
        _ => text.to_owned(),
    }
}
