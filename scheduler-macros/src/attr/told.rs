//! What `scheduler-triggers` refused, as the author of an attribute reads it.

use scheduler_triggers::TriggerError;
use syn::LitStr;

use crate::carets::carets;
use crate::errors::Errors;

/// Advice in a trigger's text form, and the same in an attribute.
const TRANSLATED: [(&str, &str); 2] = [
    ("`calendar months=1`", "`calendar_interval(months = 1)`"),
    (
        "`start=2026-01-01T00:00:00Z`",
        "`interval(\"5m\", start = \"2026-01-01T00:00:00Z\")`",
    ),
];

/// Tells an error, and those found beside it, on the literal. The text that was read begins at
/// byte `offset` of the literal's.
pub(super) fn trigger_error(text: &LitStr, error: &TriggerError, offset: usize, errors: &Errors) {
    let value = text.value();
    for error in error.all() {
        errors.on(text, in_text(error, &value, offset));
    }
}

/// One error, and the text with carets under the wrong part.
pub(super) fn in_text(error: &TriggerError, text: &str, offset: usize) -> String {
    let mut told = sentence(error);
    if let Some(span) = error.span()
        && !text.is_empty()
    {
        told.push_str(&carets(text, span.start + offset..span.end + offset));
    }
    told
}

/// What is wrong and what to do, in one line.
pub(super) fn sentence(error: &TriggerError) -> String {
    let told = error.with_carets("");
    let line = told.split('\n').next().unwrap_or_default().to_owned();
    let line = TRANSLATED
        .iter()
        .fold(line, |line, (from, to)| line.replace(from, to));
    interval_key(&line).unwrap_or(line)
}

/// Advice to write an interval in a trigger's text form, as a key.
fn interval_key(line: &str) -> Option<String> {
    let (before, rest) = line.split_once("write `every ")?;
    let (every, after) = rest.split_once('`')?;
    Some(format!("{before}write `interval = \"{every}\"`{after}"))
}
