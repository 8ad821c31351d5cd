//! The names of all metrics, and how each is recorded.

use std::sync::Arc;
use std::time::Duration;

use ::metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};

use super::measured::Measured;
use crate::run::RunState;
use crate::skipped::SkipReason;
use crate::store::{Intercepted, Store};

const RUNS: &str = "scheduler_runs_total";
const DURATION: &str = "scheduler_run_duration_seconds";
const LATENESS: &str = "scheduler_run_lateness_seconds";
const SKIPPED: &str = "scheduler_skipped_total";
const LIVE: &str = "scheduler_runs_live";
const QUEUE: &str = "scheduler_queue_depth";
const STORE_SECONDS: &str = "scheduler_store_seconds";
const STORE_ERRORS: &str = "scheduler_store_errors_total";
const LEASE_AGE: &str = "scheduler_lease_age_seconds";

/// Sets the descriptions and units of all metrics in the installed recorder.
///
/// ```
/// scheduler_core::metrics::describe_metrics();
/// ```
pub fn describe_metrics() {
    describe_counter!(
        RUNS,
        Unit::Count,
        "Runs that have ended, by task and outcome."
    );
    describe_histogram!(
        DURATION,
        Unit::Seconds,
        "How long the last attempt of a run took."
    );
    describe_histogram!(
        LATENESS,
        Unit::Seconds,
        "How long after its instant the first attempt of a run started."
    );
    describe_counter!(
        SKIPPED,
        Unit::Count,
        "Fire times that were not run, by reason."
    );
    describe_gauge!(
        LIVE,
        Unit::Count,
        "Attempts that this node carries out at present, by executor."
    );
    describe_gauge!(
        QUEUE,
        Unit::Count,
        "Runs of the store that wait for a slot, up to 1,000."
    );
    describe_histogram!(
        STORE_SECONDS,
        Unit::Seconds,
        "How long calls of the store took."
    );
    describe_counter!(STORE_ERRORS, Unit::Count, "Calls of the store that failed.");
    describe_gauge!(
        LEASE_AGE,
        Unit::Seconds,
        "Time since the heartbeat was sent that the store answered last."
    );
}

/// Records that a run has reached its final outcome.
pub(crate) fn run_ended(task: &Arc<str>, state: RunState, duration: Duration) {
    counter!(RUNS, "task" => task.clone(), "outcome" => state.as_str()).increment(1);
    histogram!(DURATION, "task" => task.clone()).record(duration);
}

/// Records that a run was lost with its node. The store reports only its job.
pub(crate) fn run_lost() {
    counter!(RUNS, "task" => "", "outcome" => RunState::Lost.as_str()).increment(1);
}

/// Records how late the first attempt of a run started.
pub(crate) fn run_started(task: &Arc<str>, lateness: Duration) {
    histogram!(LATENESS, "task" => task.clone()).record(lateness);
}

pub(crate) fn skipped(reason: SkipReason, count: u64) {
    counter!(SKIPPED, "reason" => reason.as_str()).increment(count);
}

/// Records how many permits of each executor are in use.
#[allow(clippy::cast_precision_loss)] // no executor has 2^52 places
pub(crate) fn runs_live<'a>(executors: impl Iterator<Item = (&'a Arc<str>, usize)>) {
    for (executor, live) in executors {
        gauge!(LIVE, "executor" => executor.clone()).set(live as f64);
    }
}

#[allow(clippy::cast_precision_loss)] // 1,000 at most
pub(crate) fn queue_depth(store: &Arc<str>, depth: usize) {
    gauge!(QUEUE, "store" => store.clone()).set(depth as f64);
}

/// Records the age of the lease, or nothing if there is no lease.
pub(crate) fn lease_age(store: &Arc<str>, age: Option<Duration>) {
    if let Some(age) = age {
        gauge!(LEASE_AGE, "store" => store.clone()).set(age);
    }
}

/// Records the answer to a store call.
pub(super) fn store_answered(
    store: &Arc<str>,
    operation: &'static str,
    took: Duration,
    is_ok: bool,
) {
    histogram!(STORE_SECONDS, "store" => store.clone(), "operation" => operation).record(took);
    if !is_ok {
        counter!(STORE_ERRORS, "store" => store.clone(), "operation" => operation).increment(1);
    }
}

/// Wraps the store so that every call is measured.
pub(crate) fn measured(name: &Arc<str>, store: Arc<dyn Store>) -> Arc<dyn Store> {
    let name = name.clone();
    Arc::new(Intercepted::new(store, Measured { name }))
}
