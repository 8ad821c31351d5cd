//! Policies. Their keys, kinds and bounds come from the table from which `scheduler_core::PolicyPatch` is also
//! generated; a test compares what the two accept.

mod choice;
mod count;
mod duration;

use std::time::Duration;

use scheduler_triggers::policies::{self, Backoff, Coalesce, Overlap, PolicyKind, PolicySpec};

use super::entry::Entry;
use super::job_keys::POLICIES;
use super::keys::{Given, Key};
use super::names;
use super::value::duration_text;
use crate::errors::Errors;

/// One policy: the builder method of `PolicyPatch`, and its argument.
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
    Backoff(Backoff),
}

/// A policy as it was written.
struct Written {
    spec: &'static PolicySpec,
    entry: Entry,
    /// `None` if the value was reported as unreadable.
    value: Option<PolicyValue>,
}

/// Takes and checks all policies.
pub(crate) fn read(given: &mut Given, errors: &Errors) -> Vec<Policy> {
    let mut all = Vec::new();
    for (key, entry) in given.take_all(POLICIES) {
        let Some(spec) = policies::POLICIES.iter().find(|spec| spec.name == key.name) else {
            continue;
        };
        all.push(Written {
            value: value(spec, key, &entry, errors),
            spec,
            entry,
        });
    }
    exclusions(&all, errors);
    let read = all.into_iter();
    read.filter_map(|one| {
        Some(Policy {
            name: one.spec.name,
            value: one.value?,
        })
    })
    .collect()
}

fn value(spec: &PolicySpec, key: &Key, entry: &Entry, errors: &Errors) -> Option<PolicyValue> {
    match spec.kind {
        PolicyKind::Limit { pointless } => {
            duration::limit(key, entry, pointless, errors).map(PolicyValue::Limit)
        }
        PolicyKind::Duration => {
            let text = duration_text(key, entry, errors)?;
            duration::plain(key, &text, errors).map(PolicyValue::Duration)
        }
        PolicyKind::Count(bounds) => {
            count::read(key, entry, bounds, errors).map(PolicyValue::Count)
        }
        PolicyKind::Flag => entry.flag(key, errors).map(PolicyValue::Flag),
        PolicyKind::Name => {
            let text = entry.text(key, errors)?;
            names::check(key.name, &text, errors);
            Some(PolicyValue::Name(text.value()))
        }
        PolicyKind::Coalesce => choice::coalesce(key, entry, errors).map(PolicyValue::Coalesce),
        PolicyKind::Overlap => choice::overlap(key, entry, errors).map(PolicyValue::Overlap),
        PolicyKind::Backoff => {
            let text = duration_text(key, entry, errors)?;
            duration::backoff(&text, errors).map(PolicyValue::Backoff)
        }
    }
}

/// Reports policies that contradict each other: one of the two must have its default.
fn exclusions(all: &[Written], errors: &Errors) {
    for one in all.iter().filter(|one| one.differs()) {
        for exclusion in one.spec.excludes {
            let other = all.iter().find(|other| other.spec.name == exclusion.other);
            if other.is_some_and(Written::differs) {
                errors.on(one.entry.tokens(), exclusion.problem);
            }
        }
    }
}

impl Written {
    /// Returns `true` if its value is not the default. Only flags and counts exclude each other.
    fn differs(&self) -> bool {
        match self.value {
            Some(PolicyValue::Flag(flag)) => self.spec.default != flag.to_string(),
            Some(PolicyValue::Count(count)) => self.spec.default != count.to_string(),
            _ => false,
        }
    }
}
