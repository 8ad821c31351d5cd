//! Policies. Their texts follow the same rules as `scheduler_core::PolicyPatch`; a test compares
//! what the two take.

mod choice;
mod duration;

use std::time::Duration;

use super::entry::Entry;
use super::job_keys::POLICIES;
use super::keys::{Given, Key};
use super::names;
use crate::errors::Errors;
pub(crate) use choice::{Coalesce, Overlap};

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

/// Takes and checks all policies.
pub(crate) fn read(given: &mut Given, errors: &Errors) -> Vec<Policy> {
    let entries = given.take_all(POLICIES);
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
        "misfire_grace_time" | "timeout" => {
            duration::limit(key, entry, errors).map(PolicyValue::Limit)
        }
        "jitter" => {
            let text = duration::text(key, entry, errors)?;
            duration::read(&text, errors).map(PolicyValue::Duration)
        }
        "max_instances" => {
            let count = entry.count(key, errors)?;
            if count == 0 {
                errors.on(
                    entry.expression(key, errors)?,
                    "`max_instances` is 0, so the job could never run: write 1 or more, or `paused = true`",
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
        "coalesce" => choice::coalesce(key, entry, errors).map(PolicyValue::Coalesce),
        "overlap" => choice::overlap(key, entry, errors).map(PolicyValue::Overlap),
        _ => {
            let text = duration::text(key, entry, errors)?;
            duration::backoff(&text, errors).map(|(first, max)| PolicyValue::Backoff(first, max))
        }
    }
}

/// Policies that exclude each other.
fn contradictions(entries: &[(&'static Key, Entry)], errors: &Errors) {
    let quiet = Errors::default();
    let find = |name: &str| entries.iter().find(|(key, _)| key.name == name);
    let once = find("at_most_once").and_then(|(key, entry)| entry.flag(key, &quiet));
    let retries = find("retries").and_then(|(key, entry)| entry.count(key, &quiet));
    // What cannot be read is reported when each policy is read for itself.
    let _ = quiet.finish();
    if let (Some(true), Some(1..), Some((_, entry))) = (once, retries, find("at_most_once")) {
        errors.on(
            entry.tokens(),
            "a job that runs at most once cannot be tried again: leave out `retries` or `at_most_once`",
        );
    }
}
