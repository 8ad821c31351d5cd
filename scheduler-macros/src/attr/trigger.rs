//! The trigger of a job: which one, and what it means, checked by `scheduler-triggers` itself.

mod calendar;
mod cron;
mod modifier;
mod nested;
mod plain;

use proc_macro2::Span;
use scheduler_triggers::Trigger;

use super::entry::Entry;
use super::keys::{Given, Key};
use crate::errors::Errors;
use modifier::Modifiers;

/// The keys that are triggers.
const TRIGGERS: [&str; 6] = ["interval", "cron", "calendar_interval", "date", "or", "and"];

/// Takes the one trigger out of an attribute's entries and gives its text form.
///
/// `told`: something that may have been the trigger was told already.
pub(super) fn only_one(
    span: Span,
    given: &mut Given,
    told: bool,
    errors: &Errors,
) -> Option<String> {
    let mut triggers = given.take_all(&TRIGGERS).into_iter();
    let modifiers = Modifiers::take(given);
    let Some((key, entry)) = triggers.next() else {
        if !told && !given.meant_any(&TRIGGERS) {
            errors.at(
                span,
                "this job has no trigger: add `interval = \"5m\"`, `cron = \"0 6 * * *\"`, `calendar_interval(…)` or `date = \"…\"`\na task without a trigger of its own is marked `#[task]`",
            );
        }
        return None;
    };
    for (_, second) in triggers {
        let (first, other) = (entry.name(), second.name());
        errors.on(
            &second.key,
            format!(
                "`{other}` is a second trigger beside `{first}`, and a job has one: remove one, or write `or({first} = …, {other} = …)`"
            ),
        );
    }
    let trigger = one(key, &entry, modifiers, errors)?;
    Some(trigger.to_string())
}

/// Reads one trigger, with what stands beside it.
fn one(key: &Key, entry: &Entry, beside: Modifiers, errors: &Errors) -> Option<Trigger> {
    match key.name {
        "cron" => cron::read(key, entry, beside, errors),
        "calendar_interval" => calendar::read(key, entry, beside, errors),
        "or" | "and" => nested::read(key, entry, beside, errors),
        _ => plain::read(key, entry, beside, errors),
    }
}

/// What a text without a key was probably meant as.
pub(super) fn guess(literal: &str) -> String {
    let text = literal.trim_matches('"');
    let key = if Trigger::every(text).is_ok() {
        "interval"
    } else if Trigger::cron(text).is_ok() {
        "cron"
    } else if Trigger::at(text).is_ok() {
        "date"
    } else {
        return format!("write `cron = {literal}`, `interval = {literal}` or `date = {literal}`");
    };
    format!("write `{key} = {literal}`")
}
