//! Which trigger a text without a key was probably meant as.

use scheduler_triggers::Trigger;

/// Advises a key for the literal.
pub(crate) fn guess(literal: &str) -> String {
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
