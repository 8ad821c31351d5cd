//! Guesses which trigger was meant by a text without a key.

use crate::attr::written;

/// Suggests a key for the literal.
pub(crate) fn guess(literal: &str) -> String {
    match written::trigger(literal.trim_matches('"'), true) {
        Some(entry) => format!("write `{entry}`"),
        None => "a trigger has one, as in `cron = \"0 6 * * *\"` or `interval = \"5m\"`, and so has an `id = \"…\"`".to_owned(),
    }
}
