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

/// Whether a key is a trigger, or goes beside one.
pub(super) fn is_key(name: &str) -> bool {
    TRIGGERS.contains(&name) || modifier::NAMES.contains(&name)
}

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

#[cfg(test)]
mod tests {
    use proc_macro2::Span;

    use crate::attr::JobAttr;
    use crate::errors::Errors;

    fn trigger(attr: &str) -> Result<String, String> {
        let errors = Errors::default();
        let job = JobAttr::read(Span::call_site(), attr.parse().unwrap(), &errors);
        match errors.finish() {
            Ok(()) => Ok(job.trigger.unwrap()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn bounds_of_a_zone_are_not_compared_with_instants_while_its_offset_is_unknown() {
        for attr in [
            r#"cron = "@hourly", timezone = "Asia/Shanghai", start = "2026-01-01T08:00:00", end = "2026-01-01T01:00:00Z""#,
            r#"interval = "5m", timezone = "America/New_York", start = "2026-01-01T08:00:00Z", end = "2026-01-01T04:00:00""#,
        ] {
            assert!(trigger(attr).is_ok(), "{attr}: {:?}", trigger(attr));
        }
    }

    #[test]
    fn modifiers_stand_inside_or_beside() {
        let beside = trigger(r#"cron = "0 6 * * *", timezone = "UTC", gap = "skip""#);
        let inside = trigger(r#"cron("0 6 * * *", timezone = "UTC", gap = "skip")"#);
        let mixed = trigger(r#"cron("0 6 * * *", gap = "skip"), timezone = "UTC""#);
        assert!(beside.is_ok(), "{beside:?}");
        assert_eq!(beside, inside);
        assert_eq!(beside, mixed);
    }

    #[test]
    fn triggers_nest() {
        let text = trigger(
            r#"and(or(cron = "0 6 * * *", cron = "0 7 * * *"), calendar_interval(days = 2, start_date = "2026-01-01"))"#,
        );
        assert!(
            text.as_ref().is_ok_and(|text| text.starts_with("and(or(")),
            "{text:?}"
        );
    }
}
