//! The trigger of a job: which one it is, and its meaning, checked by `scheduler-triggers` itself.

mod calendar;
mod cron;
mod guess;
mod interval_date;
mod nested;
mod options;

use proc_macro2::Span;
use scheduler_triggers::Trigger;

use super::entry::Entry;
use super::job_keys::TRIGGERS;
use super::keys::{Given, Key};
use crate::errors::Errors;
pub(super) use guess::guess;
use options::TriggerOptions;

/// Takes the single trigger out of an attribute's entries, and returns its text form.
///
/// If `may_be_lost`, something that may have been the trigger was reported as unreadable.
pub(super) fn only_one(
    span: Span,
    given: &mut Given,
    may_be_lost: bool,
    errors: &Errors,
) -> Option<String> {
    let mut triggers = given.take_all(TRIGGERS).into_iter();
    let options = TriggerOptions::take(given);
    let Some((key, entry)) = triggers.next() else {
        if !may_be_lost && !given.meant_any(TRIGGERS) {
            errors.at(
                span,
                "this job has no trigger: say when it runs with `interval`, `cron`, `calendar_interval` or `date`, as in `cron = \"0 6 * * *\"`\na task without a trigger of its own is marked `#[task]`",
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
    if key.name == "date" && given.meant("interval") {
        // Its time was written in other words, which were reported.
        return None;
    }
    let trigger = one(key, &entry, options, errors)?;
    Some(trigger.to_string())
}

/// Parses one trigger, with the options next to it.
fn one(key: &Key, entry: &Entry, beside: TriggerOptions, errors: &Errors) -> Option<Trigger> {
    match key.name {
        "cron" => cron::read(key, entry, beside, errors),
        "calendar_interval" => calendar::read(key, entry, beside, errors),
        "or" | "and" => nested::read(key, entry, beside, one, errors),
        _ => interval_date::read(key, entry, beside, errors),
    }
}
