//! Policies. Their texts follow the same rules as `scheduler_core::PolicyPatch`; a test compares
//! what the two take.

use std::time::Duration;

use scheduler_triggers::parse_duration;
use syn::LitStr;

use super::entry::Entry;
use super::keys::{Given, Key};
use super::names;
use super::told::trigger_error;
use crate::errors::Errors;
use crate::suggest;

/// Greatest number in `all(n)` and `queue(n)`.
const MAX_COUNT: u32 = 10_000;
/// What `all` means without a number.
const ALL_DEFAULT: u32 = 100;
/// What `queue` means without a number.
const QUEUE_DEFAULT: u32 = 1;

/// The keys that are policies.
pub(crate) const POLICIES: [&str; 12] = [
    "misfire_grace_time",
    "coalesce",
    "max_instances",
    "overlap",
    "timeout",
    "retries",
    "backoff",
    "jitter",
    "at_most_once",
    "executor",
    "store",
    "run_on_start",
];

/// One policy: the builder method of `PolicyPatch`, and what it is given.
pub(crate) struct Policy {
    pub(crate) name: &'static str,
    pub(crate) value: PolicyValue,
}

/// A checked value of a policy.
pub(crate) enum PolicyValue {
    Limit(Option<Duration>),
    Duration(Duration),
    Count(u32),
    Flag(bool),
    Name(String),
    Coalesce(Coalesce),
    Overlap(Overlap),
    Backoff(Duration, Duration),
}

/// Mirrors `scheduler_core::Coalesce`.
#[derive(Debug, PartialEq)]
pub(crate) enum Coalesce {
    Latest,
    Earliest,
    All(u32),
}

/// Mirrors `scheduler_core::Overlap`.
#[derive(Debug, PartialEq)]
pub(crate) enum Overlap {
    Skip,
    Queue(u32),
    CancelRunning,
}

/// Takes and checks all policies.
pub(crate) fn read(given: &mut Given, errors: &Errors) -> Vec<Policy> {
    let entries = given.take_all(&POLICIES);
    contradictions(&entries, errors);
    entries
        .iter()
        .filter_map(|(key, entry)| {
            let value = policy(key, entry, errors)?;
            Some(Policy {
                name: key.name,
                value,
            })
        })
        .collect()
}

fn policy(key: &Key, entry: &Entry, errors: &Errors) -> Option<PolicyValue> {
    match key.name {
        "misfire_grace_time" | "timeout" => limit(key, entry, errors),
        "jitter" => {
            let text = duration_text(key, entry, errors)?;
            duration(&text, errors).map(PolicyValue::Duration)
        }
        "max_instances" => {
            let count = entry.count(key, errors)?;
            if count == 0 {
                errors.on(
                    entry.expression(key, errors)?,
                    "`max_instances` is 0, so the job could never run: write 1 or more, or pause the job at run time",
                );
            }
            Some(PolicyValue::Count(count))
        }
        "retries" => entry.count(key, errors).map(PolicyValue::Count),
        "at_most_once" | "run_on_start" => entry.flag(key, errors).map(PolicyValue::Flag),
        "executor" | "store" => {
            let text = entry.text(key, errors)?;
            names::check(key.name, &text, errors);
            Some(PolicyValue::Name(text.value()))
        }
        "coalesce" => {
            let text = entry.text(key, errors)?;
            choice(
                key,
                &text,
                parse_coalesce(&text.value()),
                "`latest`, `earliest`, `all`, or `all(n)` with n from 1 to 10000",
                &["latest", "earliest", "all"],
                errors,
            )
            .map(PolicyValue::Coalesce)
        }
        "overlap" => {
            let text = entry.text(key, errors)?;
            choice(
                key,
                &text,
                parse_overlap(&text.value()),
                "`skip`, `queue`, `queue(n)` with n from 1 to 10000, or `cancel_running`",
                &["skip", "queue", "cancel_running"],
                errors,
            )
            .map(PolicyValue::Overlap)
        }
        _ => {
            let text = duration_text(key, entry, errors)?;
            backoff(&text, errors).map(|(first, max)| PolicyValue::Backoff(first, max))
        }
    }
}

/// A text; a bare number gets the advice to write a unit.
fn duration_text(key: &Key, entry: &Entry, errors: &Errors) -> Option<LitStr> {
    if let super::Value::Expr(syn::Expr::Lit(syn::ExprLit {
        lit: syn::Lit::Int(number),
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

fn limit(key: &Key, entry: &Entry, errors: &Errors) -> Option<PolicyValue> {
    let text = duration_text(key, entry, errors)?;
    if text.value() == "none" {
        return Some(PolicyValue::Limit(None));
    }
    let limit = duration(&text, errors)?;
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
    Some(PolicyValue::Limit(Some(limit)))
}

fn duration(text: &LitStr, errors: &Errors) -> Option<Duration> {
    part_duration(text, &text.value(), 0, errors)
}

/// Reads a duration that begins at byte `offset` of the literal.
fn part_duration(text: &LitStr, part: &str, offset: usize, errors: &Errors) -> Option<Duration> {
    parse_duration(part)
        .map_err(|error| trigger_error(text, &error, offset, errors))
        .ok()
}

fn choice<T>(
    key: &Key,
    text: &LitStr,
    value: Option<T>,
    allowed: &str,
    words: &[&str],
    errors: &Errors,
) -> Option<T> {
    if value.is_none() {
        let written = text.value();
        let word = written.split('(').next().unwrap_or_default().trim();
        let meant = if words.contains(&word) {
            String::new()
        } else {
            suggest::did_you_mean(word, words.iter().copied())
        };
        errors.on(
            text,
            format!(
                "`{}` cannot be `{written}`{meant}\nwrite {allowed}",
                key.name
            ),
        );
    }
    value
}

fn counted(text: &str, word: &str) -> Option<u32> {
    let count = text
        .strip_prefix(word)?
        .strip_prefix('(')?
        .strip_suffix(')')?;
    let count = count.trim().parse().ok()?;
    (1..=MAX_COUNT).contains(&count).then_some(count)
}

fn parse_coalesce(text: &str) -> Option<Coalesce> {
    match text.trim() {
        "latest" => Some(Coalesce::Latest),
        "earliest" => Some(Coalesce::Earliest),
        "all" => Some(Coalesce::All(ALL_DEFAULT)),
        other => counted(other, "all").map(Coalesce::All),
    }
}

fn parse_overlap(text: &str) -> Option<Overlap> {
    match text.trim() {
        "skip" => Some(Overlap::Skip),
        "queue" => Some(Overlap::Queue(QUEUE_DEFAULT)),
        "cancel_running" => Some(Overlap::CancelRunning),
        other => counted(other, "queue").map(Overlap::Queue),
    }
}

fn backoff(text: &LitStr, errors: &Errors) -> Option<(Duration, Duration)> {
    let value = text.value();
    let Some((first, max)) = value.split_once("..") else {
        return duration(text, errors).map(|wait| (wait, wait));
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
                suggest::carets(&value, offset..value.len())
            ),
        );
        return None;
    }
    Some((first_wait, max_wait))
}

/// Policies that exclude each other.
fn contradictions(entries: &[(&'static Key, Entry)], errors: &Errors) {
    let quiet = Errors::default();
    let find = |name: &str| entries.iter().find(|(key, _)| key.name == name);
    let once = find("at_most_once").and_then(|(key, entry)| entry.flag(key, &quiet));
    let retries = find("retries").and_then(|(key, entry)| entry.count(key, &quiet));
    // What cannot be read is told when each policy is read for itself.
    let _ = quiet.finish();
    if let (Some(true), Some(1..), Some((_, entry))) = (once, retries, find("at_most_once")) {
        errors.on(
            entry.tokens(),
            "a job that runs at most once cannot be tried again: leave out `retries` or `at_most_once`",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_parentheses_have_bounds() {
        assert_eq!(parse_coalesce("all(20)"), Some(Coalesce::All(20)));
        assert_eq!(parse_coalesce(" all "), Some(Coalesce::All(100)));
        assert_eq!(parse_coalesce("all(0)"), None);
        assert_eq!(parse_overlap("queue( 5 )"), Some(Overlap::Queue(5)));
        assert_eq!(parse_overlap("queue(10001)"), None);
    }

    /// `tests/tests/policy_texts.rs` checks the same table on the side of `scheduler-core`.
    #[test]
    fn the_table_holds_for_the_attribute() {
        let mut wrong = Vec::new();
        let lines = include_str!("../../../tests/cases/policies.txt").lines();
        for line in lines.filter(|line| !line.starts_with('#')) {
            let (key, rest) = line.split_once('\t').unwrap();
            let (verdict, value) = rest.split_once('\t').unwrap();
            let tokens = format!("interval = \"5m\", {key} = {value}")
                .parse()
                .unwrap();
            let errors = Errors::default();
            crate::attr::JobAttr::read(proc_macro2::Span::call_site(), tokens, &errors);
            let taken = errors.finish().is_ok();
            if taken != (verdict == "yes") {
                wrong.push(line);
            }
        }
        assert!(
            wrong.is_empty(),
            "taken or refused against the table: {wrong:#?}"
        );
    }
}
