//! What `scheduler-triggers` refused, as the author of an attribute reads it.

use scheduler_triggers::{Trigger, TriggerError};
use syn::LitStr;

use super::written;
use crate::carets::carets;
use crate::errors::Errors;

/// How the refused part stands in the attribute, and so how advice about it is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As one text, which has words and letters of its own.
    Text,
    /// As the fields of `cron(…)`.
    Fields,
}

/// Reports an error, and those found beside it, on the literal. The text that was read begins at
/// byte `offset` of the literal's.
pub(super) fn report(text: &LitStr, error: &TriggerError, offset: usize, errors: &Errors) {
    let value = text.value();
    for error in error.all() {
        errors.on(text, in_text(error, Form::Text, &value, offset));
    }
}

/// Reports an error of a trigger's text, unless the text is another trigger, or the same one in other words:
/// `cron = "every 5 minutes"`.
pub(super) fn report_unless_other(text: &LitStr, error: &TriggerError, key: &str, errors: &Errors) {
    let value = text.value();
    match written::trigger(&value, false) {
        Some(entry) => {
            let what = match key {
                "cron" => "no cron expression",
                "interval" => "no duration",
                _ => "no date",
            };
            errors.on(text, format!("\"{value}\" is {what}: write `{entry}`"));
        }
        None => report(text, error, 0, errors),
    }
}

/// One error, and the text with carets under the wrong part.
pub(super) fn in_text(error: &TriggerError, form: Form, text: &str, offset: usize) -> String {
    let mut message = sentence(error, form);
    if let Some(span) = error.span()
        && !text.is_empty()
    {
        message.push_str(&carets(text, span.start + offset..span.end + offset));
    }
    message
}

/// What is wrong and what to do, in one line.
pub(super) fn sentence(error: &TriggerError, form: Form) -> String {
    match error.suggestion().and_then(|text| in_attribute(text, form)) {
        Some(write) => format!("{}; write {write}", error.message()),
        // The lines below the first repeat the text.
        None => error
            .with_carets("")
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned(),
    }
}

/// A suggestion in a trigger's text form, as it is written in an attribute; `None` if it is
/// written in the same way.
fn in_attribute(suggestion: &str, form: Form) -> Option<String> {
    match suggestion {
        "start=2026-01-01T00:00:00Z" => {
            Some("`interval(\"5m\", start = \"2026-01-01T00:00:00Z\")`".to_owned())
        }
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

    /// The suggestions stand in another crate: were one worded anew there, its translation here
    /// would be lost without this.
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
            "write `interval(\"5m\", start = \"2026-01-01T00:00:00Z\")`"
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
