//! Rules that must hold, whatever went wrong.

mod bodies;
mod coverage;
mod liveness;

use std::fmt;
use std::sync::Arc;

use crate::journal::Body;
use crate::model_store::tables::Tables;
use crate::process::{Millis, Process};
use crate::world::Clocks;

/// A rule of the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// A fire time is claimed once.
    ClaimedOnce,
    /// A fire time becomes one run, or part of one skipped record.
    AccountedFor,
    /// The end of a run is recorded once.
    RecordedOnce,
    /// An attempt begins once.
    BeginsOnce,
    /// At most the allowed number of runs of a job are live at once.
    NotTooMany,
    /// No body runs beyond the lease of its node.
    WithinLease,
    /// A run has at most the allowed number of attempts.
    AttemptsBounded,
    /// No run begins before its fire time.
    NotTooEarly,
    /// Nothing is stuck.
    NothingStuck,
    /// A process that is asked to shut down stops.
    Stops,
}

/// A rule that was broken.
#[derive(Debug, Clone)]
pub(crate) struct Violation {
    pub(crate) rule: Rule,
    text: String,
}

impl Violation {
    pub(crate) fn new(rule: Rule, text: String) -> Self {
        Self { rule, text }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.rule, self.text)
    }
}

/// Checks what must hold once nothing goes wrong.
pub(crate) fn of_the_present(tables: &Tables, bodies: &[Body], now: Millis) -> Vec<Violation> {
    liveness::check(tables, bodies, now)
}

/// Checks what must hold after all nodes have shut down in order.
pub(crate) fn of_the_end(tables: &Tables) -> Vec<Violation> {
    liveness::check_end(tables)
}

/// Checks what must have held all the time.
pub(crate) fn of_the_past(
    tables: &Tables,
    bodies: &[Body],
    processes: &[Arc<Process>],
    clocks: Clocks,
) -> Vec<Violation> {
    let mut found = coverage::check(tables);
    found.extend(bodies::check(tables, bodies, processes, clocks));
    found
}
