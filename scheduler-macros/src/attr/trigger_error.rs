//! Errors of `scheduler-triggers`, worded for the author of an attribute.

use std::time::Duration;

use scheduler_triggers::{Trigger, TriggerError, format_duration};
use syn::LitStr;

use super::written;
use crate::carets::carets;
use crate::errors::Errors;

/// How the refused part is written in the attribute, which decides how a suggestion is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As one text, with its own words and letters.
    Text,
    /// As the fields of `cron(…)`.
    Fields,
}

/// Reports an error, and all errors found with it, on the literal. The parsed text begins at byte `offset` of the
/// literal's text.
pub(super) fn report(text: &LitStr, error: &TriggerError, offset: usize, errors: &Errors) {
    let value = text.value();
    for error in error.all() {
        errors.on(text, in_text(error, Form::Text, &value, offset));
    }
}

/// Reports an error in a trigger's text, unless the text is another trigger, or the same one in other words, as in
/// `cron = "every 5 minutes"`.
pub(super) fn report_unless_other(text: &LitStr, error: &TriggerError, key: &str, errors: &Errors) {
    let value = text.value();
    let value = value.trim();
    let both = (key == "interval").then(|| length_or_time(value)).flatten();
    if let Some(both) = both {
        errors.on(text, format!("\"{value}\" is not a duration: write {both}"));
        return;
    }
    if key == "date" && is_from_now(value) {
        errors.on(
            text,
            format!("\"{value}\" counts from now, and a date is known while compiling: mark the function `#[task]`, and add the job at run time with `add_job`"),
        );
        return;
    }
    if key == "cron"
        && let Some((cron, zone)) = written::zone_apart(value)
    {
        errors.on(
            text,
            format!("the time zone is a key of its own: write `cron = \"{cron}\", timezone = \"{zone}\"`"),
        );
        return;
    }
    match written::trigger(value, false) {
        Some(entry) => {
            let what = match key {
                "cron" => "not a cron expression",
                "interval" => "not a duration",
                _ => "not a date",
            };
            errors.on(text, format!("\"{value}\" is {what}: write `{entry}`"));
        }
        None => report(text, error, 0, errors),
    }
}

/// Reads `00:05`, which may be a duration or a time of day.
fn length_or_time(text: &str) -> Option<String> {
    let time = written::time_of_day(text)?;
    let (hour, minute, second) = time;
    let seconds = u64::from(hour * 3600 + minute * 60 + second);
    let is_plain = text.contains(':') && !text.contains(|c: char| c.is_alphabetic());
    (is_plain && seconds > 0).then(|| {
        let length = format_duration(Duration::from_secs(seconds));
        let daily = written::daily_at(time);
        format!("`interval = \"{length}\"` for a length, or `{daily}` for the time {text}")
    })
}

/// Returns `true` for texts such as `+5m` and `in 5 minutes`.
fn is_from_now(text: &str) -> bool {
    let length = text.strip_prefix("in ").unwrap_or(text);
    Trigger::every(length.trim_start_matches('+')).is_ok()
}

/// Formats one error, with the text and carets under the wrong part.
pub(super) fn in_text(error: &TriggerError, form: Form, text: &str, offset: usize) -> String {
    let mut message = sentence(error, form);
    if let Some(span) = error.span()
        && !text.is_empty()
    {
        message.push_str(&carets(text, span.start + offset..span.end + offset));
    }
    message
}

/// Says in one line what is wrong and how to fix it.
pub(super) fn sentence(error: &TriggerError, form: Form) -> String {
    match error.suggestion().and_then(|text| in_attribute(text, form)) {
        Some(write) => format!("{}; write {write}", error.message()),
        // The lines after the first repeat the text.
        None => error
            .with_carets("")
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned(),
    }
}

/// Converts a suggestion in a trigger's text form to the attribute's form; `None` if the two are the same.
fn in_attribute(suggestion: &str, form: Form) -> Option<String> {
    match suggestion {
        "start=2026-01-01T00:00:00Z" => Some(
            "`interval(\"…\", start = \"…\")`, with the instant from which it counts".to_owned(),
        ),
        "L" if form == Form::Fields => Some("`day = \"last\"` for the last day".to_owned()),
        _ => {
            if let Some(every) = suggestion.strip_prefix("every ") {
                let is_whole = Trigger::every(every).is_ok();
                return is_whole.then(|| format!("`interval = \"{every}\"`"));
            }
            let counts = suggestion.strip_prefix("calendar ")?.replace('=', " = ");
            Some(format!("`calendar_interval({counts})`"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The suggestions are written in another crate: without this test, rewording one of them there would silently
    /// disable its conversion here.
    #[test]
    fn suggestions_of_the_text_form_are_written_as_keys() {
        let advice = |error: TriggerError, form| {
            let sentence = sentence(&error, form);
            let (_, advice) = sentence.rsplit_once("; ").unwrap();
            advice.to_owned()
        };
        assert_eq!(
            advice(Trigger::every("3 months").unwrap_err(), Form::Text),
            "write `calendar_interval(months = 3)`"
        );
        assert_eq!(
            advice(Trigger::cron("*/90 * * * *").unwrap_err(), Form::Text),
            "write `interval = \"1h 30m\"`"
        );
        let every = || Trigger::every("5m").unwrap();
        assert_eq!(
            advice(
                Trigger::and(vec![every(), every()]).unwrap_err(),
                Form::Text
            ),
            "write `interval(\"…\", start = \"…\")`, with the instant from which it counts"
        );
        let never = || {
            let fields = Trigger::cron_fields().day("31").month("2");
            fields.build().unwrap_err()
        };
        assert_eq!(advice(never(), Form::Text), "write `L`");
        assert_eq!(
            advice(never(), Form::Fields),
            "write `day = \"last\"` for the last day"
        );
    }
}
