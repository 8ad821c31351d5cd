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

/// A limit; `None` within for "none". Within a limit of zero, something is `pointless`.
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
    if text.value().trim().eq_ignore_ascii_case("none") {
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

pub(super) fn read(text: &LitStr, errors: &Errors) -> Option<Duration> {
    parse_duration(&text.value())
        .map_err(|error| trigger_error::report(text, &error, 0, errors))
        .ok()
}

/// `first..max`, or one wait for both.
pub(super) fn backoff(text: &LitStr, errors: &Errors) -> Option<Backoff> {
    let backoff = Backoff::read(&text.value())
        .map_err(|error| trigger_error::report(text, &error, 0, errors))
        .ok()?;
    if backoff.bounds().0 < Backoff::SHORTEST {
        errors.on(
            text,
            "`backoff` is under `1ms`, so a job that keeps failing would do nothing else: wait longer",
        );
        return None;
    }
    Some(backoff)
}
