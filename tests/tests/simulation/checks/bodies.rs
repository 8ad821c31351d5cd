//! Bodies: none starts twice or too early, at most the allowed number run at once, and none outlives its node's
//! lease.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use scheduler_core::RunKind;

use super::{Rule, Violation};
use crate::journal::Body;
use crate::model_store::leases::LEASE_MS;
use crate::model_store::tables::Tables;
use crate::process::{Millis, Process, time_of_day};
use crate::workload::{max_instances, number_of};
use crate::world::Clocks;

/// How long after its lease expired a node may need to stop its runs.
const TO_STOP: Millis = 20;

/// How far the estimate of the store's clock may be off: half of the time that a heartbeat may take.
const UNSURE: Millis = LEASE_MS / 4;

/// How many times a run may be lost.
const LOST: u32 = 3;

pub(super) fn check(
    tables: &Tables,
    bodies: &[Body],
    processes: &[Arc<Process>],
    clocks: Clocks,
) -> Vec<Violation> {
    let mut found = Vec::new();
    found.extend(begun_twice(bodies));
    found.extend(too_many_at_once(tables, bodies));
    found.extend(beyond_the_lease(bodies, processes));
    found.extend(too_many_attempts(tables, bodies));
    // Manual runs are left out: they are scheduled for the instant that their process takes for now.
    let tolerance = match clocks {
        Clocks::Right => Some(0),
        Clocks::Skewed => Some(UNSURE),
        Clocks::Set => Some(UNSURE + 1_000),
        Clocks::SetAndBelieved => None,
    };
    if let Some(tolerance) = tolerance {
        for body in bodies.iter().filter(|body| body.kind == RunKind::Scheduled) {
            if time_of_day(body.begins + tolerance) < body.scheduled_for {
                found.push(Violation::new(
                    Rule::NotTooEarly,
                    format!("{} began at {} before its fire time", body.run, body.begins),
                ));
            }
        }
    }
    found
}

fn begun_twice(bodies: &[Body]) -> Vec<Violation> {
    let mut seen = BTreeSet::new();
    let twice = bodies
        .iter()
        .filter(|body| !seen.insert((body.run, body.attempt)));
    twice
        .map(|body| {
            let text = format!("attempt {} of run {} began twice", body.attempt, body.run);
            Violation::new(Rule::BeginsOnce, text)
        })
        .collect()
}

/// An attempt counts until it was taken over from a node whose lease had expired.
fn too_many_at_once(tables: &Tables, bodies: &[Body]) -> Vec<Violation> {
    let mut by_job: BTreeMap<&str, Vec<(Millis, Millis, &Body)>> = BTreeMap::new();
    for body in bodies {
        let hold = tables.ledger.holds.get(&(body.run, body.attempt));
        let until = hold.and_then(|hold| hold.until).unwrap_or(Millis::MAX);
        let span = (body.begins, body.ends.min(until), body);
        by_job.entry(&body.job).or_default().push(span);
    }
    let mut found = Vec::new();
    for (job, spans) in by_job {
        let limit = max_instances(number_of(job)) as usize;
        for (begins, _, body) in &spans {
            let at_once = spans
                .iter()
                .filter(|(from, to, _)| from <= begins && begins < to);
            let count = at_once.count();
            if count > limit {
                found.push(Violation::new(
                    Rule::NotTooMany,
                    format!(
                        "{count} runs of {job} at once at {begins}, when run {} began",
                        body.run
                    ),
                ));
            }
        }
    }
    found
}

fn beyond_the_lease(bodies: &[Body], processes: &[Arc<Process>]) -> Vec<Violation> {
    let mut found = Vec::new();
    for body in bodies {
        let process = processes
            .iter()
            .find(|process| process.ordinal == body.process);
        let Some((process, node)) = process.zip(body.node) else {
            found.push(Violation::new(
                Rule::WithinLease,
                format!("run {} began and nobody held it", body.run),
            ));
            continue;
        };
        let state = process.state();
        let Some(sent) = state.heartbeats.get(&node) else {
            found.push(Violation::new(
                Rule::WithinLease,
                format!("run {} began under no lease", body.run),
            ));
            continue;
        };
        let mut end = sent + LEASE_MS;
        // A body that was frozen at that moment may stop after it thaws; some freeze again at once.
        for (from, to) in &state.frozen {
            if *from <= end + TO_STOP && end < *to {
                end = *to;
            }
        }
        if body.ends_monotonic > end + TO_STOP {
            found.push(Violation::new(
                Rule::WithinLease,
                format!(
                    "attempt {} of run {} went on until {}, {} ms beyond the lease of its node",
                    body.attempt,
                    body.run,
                    body.ends,
                    body.ends_monotonic - end
                ),
            ));
        }
    }
    found
}

fn too_many_attempts(tables: &Tables, bodies: &[Body]) -> Vec<Violation> {
    let mut found = Vec::new();
    for row in tables.open.values().chain(tables.ended.values()) {
        if row.attempt > 1 + row.failures + LOST || row.lost > LOST + 1 {
            found.push(Violation::new(
                Rule::AttemptsBounded,
                format!("run {} has attempt {}", row.id, row.attempt),
            ));
        }
        let job = tables.jobs.get(&row.job);
        let job = job.filter(|job| job.generation == row.generation && !job.has_other_policies);
        let Some(job) = job else { continue };
        let policies = &job.record.policies;
        let begun = bodies.iter().filter(|body| body.run == row.id).count();
        if policies.at_most_once && begun > 1 {
            found.push(Violation::new(
                Rule::AttemptsBounded,
                format!("run {} may begin once and began {begun} times", row.id),
            ));
        }
        if row.failures > policies.retries {
            found.push(Violation::new(
                Rule::AttemptsBounded,
                format!("run {} was tried again {} times", row.id, row.failures),
            ));
        }
    }
    found
}
