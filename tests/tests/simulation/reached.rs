//! Which of the states that are hard to handle the seeds reach: a rule that holds where nothing happens proves
//! nothing.

use std::collections::BTreeMap;
use std::fmt;

use scheduler_core::RunState;
use scheduler_core::store::StoreError;

use crate::trace::{Entry, What};

/// The name of a state, and a function that returns `true` for a trace entry that shows it.
type State = (&'static str, fn(&What) -> bool);

const STATES: [State; 14] = [
    ("a claim was carried out and its answer lost", |what| {
        is_lost(what, "claim")
    }),
    ("an outcome was recorded and the answer lost", |what| {
        is_lost(what, "finish")
    }),
    ("a release was carried out and its answer lost", |what| {
        is_lost(what, "release")
    }),
    ("a manual run was stored and the answer lost", |what| {
        is_lost(what, "run_now")
    }),
    (
        "a heartbeat was answered too late or never",
        |what| matches!(what, What::Fate { call: "heartbeat", fate } if *fate != "answered"),
    ),
    (
        "a take-over failed",
        |what| matches!(what, What::Fate { call: "take_over", fate } if *fate != "answered"),
    ),
    (
        "held runs could not be listed",
        |what| matches!(what, What::Fate { call: "list_held", fate } if *fate != "answered"),
    ),
    ("a heartbeat came after the take-over", |what| {
        matches!(
            what,
            What::Heartbeat {
                is_alive: false,
                ..
            }
        )
    }),
    (
        "an outcome was refused because the lease had run out",
        |what| matches!(what, What::Failed { call: "finish", text } if *text == StoreError::fenced().to_string()),
    ),
    ("a run was released", |what| {
        matches!(what, What::Released { .. })
    }),
    ("a run was taken over to be tried again", |what| {
        matches!(what, What::TakenOver { is_lost: false, .. })
    }),
    ("a run was lost", |what| {
        matches!(what, What::TakenOver { is_lost: true, .. })
    }),
    ("two nodes claimed one fire time", |what| {
        matches!(what, What::Conflict { .. })
    }),
    ("a run timed out", |what| {
        matches!(
            what,
            What::Ended {
                state: RunState::TimedOut,
                ..
            }
        )
    }),
];

fn is_lost(what: &What, name: &str) -> bool {
    matches!(what, What::Fate { call, fate } if *call == name && matches!(*fate, "answer lost" | "never answers"))
}

/// How many seeds reached each state.
#[derive(Debug, Default)]
pub(crate) struct Reached(BTreeMap<&'static str, u64>);

impl Reached {
    pub(crate) fn add(&mut self, trace: &[Entry]) {
        for (name, shows) in STATES {
            let count = self.0.entry(name).or_default();
            *count += u64::from(trace.iter().any(|entry| shows(&entry.what)));
        }
    }

    /// Returns the states that fewer than `seeds` seeds reached.
    pub(crate) fn rarer_than(&self, seeds: u64) -> Vec<&'static str> {
        let rare = self.0.iter().filter(|(_, count)| **count < seeds);
        rare.map(|(name, _)| *name).collect()
    }
}

impl fmt::Display for Reached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, count) in &self.0 {
            writeln!(f, "  {count:>6} seeds: {name}")?;
        }
        Ok(())
    }
}
