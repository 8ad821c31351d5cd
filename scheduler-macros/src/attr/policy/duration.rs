//! Policies that are durations.

use std::time::Duration;

use scheduler_triggers::parse_duration;
use scheduler_triggers::policies::Backoff;
use syn::{Expr, LitStr};

use crate::attr::entry::{Entry, Value};
use crate::attr::keys::Key;
use crate::attr::trigger_error;
use crate::attr::value::duration_text;
use crate::errors::Errors;

/// Words that other schedulers use for "no limit".
const NO_LIMIT: [&str; 11] = [
    "none",
    "never",
    "forever",
    "infinite",
    "infinity",
    "inf",
    "unlimited",
    "off",
    "no",
    "disabled",
    "-1",
];

/// Parses a limit; the inner `None` means "none". `pointless` says what a limit of zero makes impossible.
pub(super) fn limit(
    key: &Key,
    entry: &Entry,
    pointless: &str,
    errors: &Errors,
) -> Option<Option<Duration>> {
    if let Value::Expr(Expr::Path(path)) = &entry.value
        && path.path.is_ident("None")
    {
        errors.on(path, write_none(key));
        return None;
    }
    let text = duration_text(key, entry, errors)?;
    if text.value() == "none" {
        return Some(None);
    }
    let word = text.value().trim().to_lowercase();
    if NO_LIMIT.contains(&word.as_str()) {
        errors.on(&text, write_none(key));
        return None;
    }
    let limit = read(&text, errors)?;
    if limit.is_zero() {
        errors.on(
            &text,
            format!(
                "`{}` is zero, so {pointless} within it: write a longer time, or \"none\"",
                key.name
            ),
        );
    }
    Some(Some(limit))
}

fn write_none(key: &Key) -> String {
    format!("no limit is written as `{} = \"none\"`", key.name)
}

/// Parses a duration that is not a limit: instead of "none", it can be zero.
pub(super) fn plain(key: &Key, text: &LitStr, errors: &Errors) -> Option<Duration> {
    let name = key.name;
    if NO_LIMIT.contains(&text.value().trim().to_lowercase().as_str()) {
        errors.on(text, format!("no `{name}` is written as `{name} = \"0s\"`"));
        return None;
    }
    read(text, errors)
}

fn read(text: &LitStr, errors: &Errors) -> Option<Duration> {
    parse_duration(&text.value())
        .map_err(|error| trigger_error::report(text, &error, 0, errors))
        .ok()
}

/// Parses `first..max`, or a single duration for both.
pub(super) fn backoff(text: &LitStr, errors: &Errors) -> Option<Backoff> {
    let value = text.value();
    let backoff = match Backoff::read(&value) {
        Ok(backoff) => backoff,
        Err(error) => {
            let of_all = error
                .suggestion()
                .filter(|_| error.span() == Some(0..value.len()));
            match of_all {
                Some(meant) if meant.contains("..") => errors.on(
                    text,
                    format!("`backoff` has its shortest and longest wait around `..`: write `backoff = \"{meant}\"`"),
                ),
                _ => trigger_error::report(text, &error, 0, errors),
            }
            return None;
        }
    };
    if backoff.bounds().0 < Backoff::SHORTEST {
        errors.on(
            text,
            "`backoff` is under `1ms`, so a job that keeps failing would do nothing else: wait longer",
        );
        return None;
    }
    Some(backoff)
}
