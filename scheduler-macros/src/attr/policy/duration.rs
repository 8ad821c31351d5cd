//! Policies that are durations.

use std::time::Duration;

use scheduler_triggers::parse_duration;
use syn::{Expr, ExprLit, Lit, LitStr};

use crate::attr::entry::{Entry, Value};
use crate::attr::keys::Key;
use crate::attr::trigger_error;
use crate::carets::carets;
use crate::errors::Errors;

/// The shortest wait between two attempts.
const SHORTEST_WAIT: Duration = Duration::from_millis(1);

/// A text; a bare number gets the advice to write a unit.
pub(super) fn text(key: &Key, entry: &Entry, errors: &Errors) -> Option<LitStr> {
    if let Value::Expr(Expr::Lit(ExprLit {
        lit: Lit::Int(number),
        ..
    })) = &entry.value
        && number.suffix().is_empty()
    {
        errors.on(
            number,
            format!(
                "`{0}` takes a duration with a unit: write `{0} = \"{number}s\"` for seconds",
                key.name
            ),
        );
        return None;
    }
    entry.text(key, errors)
}

/// A limit; `None` within for "none".
pub(super) fn limit(key: &Key, entry: &Entry, errors: &Errors) -> Option<Option<Duration>> {
    if let Value::Expr(Expr::Path(path)) = &entry.value
        && path.path.is_ident("None")
    {
        errors.on(path, write_none(key));
        return None;
    }
    let text = text(key, entry, errors)?;
    if text.value() == "none" {
        return Some(None);
    }
    if text.value().trim().eq_ignore_ascii_case("none") {
        errors.on(&text, write_none(key));
        return None;
    }
    let limit = read(&text, errors)?;
    if limit.is_zero() {
        let nothing = if key.name == "timeout" {
            "no attempt could end"
        } else {
            "no run could start"
        };
        errors.on(
            &text,
            format!(
                "`{}` is zero, so {nothing} within it: write a longer time, or \"none\"",
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
    part_duration(text, &text.value(), 0, errors)
}

/// Reads a duration that begins at byte `offset` of the literal.
fn part_duration(text: &LitStr, part: &str, offset: usize, errors: &Errors) -> Option<Duration> {
    parse_duration(part)
        .map_err(|error| trigger_error::report(text, &error, offset, errors))
        .ok()
}

/// `first..max`, or one wait for both.
pub(super) fn backoff(text: &LitStr, errors: &Errors) -> Option<(Duration, Duration)> {
    let (first, max) = waits(text, errors)?;
    if first < SHORTEST_WAIT {
        errors.on(
            text,
            "`backoff` is under `1ms`, so a job that keeps failing would do nothing else: wait longer",
        );
        return None;
    }
    Some((first, max))
}

fn waits(text: &LitStr, errors: &Errors) -> Option<(Duration, Duration)> {
    let value = text.value();
    let Some((first, max)) = value.split_once("..") else {
        return read(text, errors).map(|wait| (wait, wait));
    };
    let offset = first.len() + "..".len();
    let first_wait = part_duration(text, first, 0, errors);
    let max_wait = part_duration(text, max, offset, errors);
    let (first_wait, max_wait) = (first_wait?, max_wait?);
    if max_wait < first_wait {
        errors.on(
            text,
            format!(
                "the longest wait `{0}` is shorter than the first `{1}`; write `{0}..{1}`{2}",
                max.trim(),
                first.trim(),
                carets(&value, offset..value.len())
            ),
        );
        return None;
    }
    Some((first_wait, max_wait))
}
