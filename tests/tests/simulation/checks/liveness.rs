//! Nothing is stuck: due jobs are claimed, queued runs start, lost runs are taken over.

use scheduler_core::{JobRecord, RunState};

use super::{Rule, Violation};
use crate::journal::Body;
use crate::model_store::tables::Tables;
use crate::process::{Millis, time_of_day};

/// How long anything may take once nothing goes wrong: a lease, a poll, a backoff, five seconds to stop.
const PATIENCE: Millis = 8_000;

pub(super) fn check(tables: &Tables, bodies: &[Body], now: Millis) -> Vec<Violation> {
    let mut found = Vec::new();
    for row in tables.jobs.values() {
        let late = time_of_day(now - PATIENCE);
        if row.record.next_run_time().is_some_and(|at| at < late) {
            found.push(Violation::new(
                Rule::NothingStuck,
                format!(
                    "{} is due since {:?} and nobody claims it",
                    row.record.id,
                    row.record.next_run_time()
                ),
            ));
        }
    }
    for (node, row) in &tables.nodes {
        if row.expires_at + PATIENCE < now {
            found.push(Violation::new(
                Rule::NothingStuck,
                format!("nobody takes node {node} out, which is gone"),
            ));
        }
    }
    for run in tables.open.values() {
        let last_of = bodies.iter().filter(|body| body.run == run.id);
        let last_end = last_of.clone().map(|body| body.ends).max().unwrap_or(0);
        let idle_since = run.since.max(last_end);
        let is_at_work = last_end == Millis::MAX;
        match run.state {
            RunState::Running if !is_at_work && idle_since + PATIENCE < now => {
                found.push(Violation::new(
                    Rule::NothingStuck,
                    format!(
                        "run {} of {} is live at {:?} and nobody works on it since {idle_since}",
                        run.id, run.job, run.holder
                    ),
                ));
            }
            RunState::Running => {
                let holder = run.holder.and_then(|node| tables.nodes.get(&node));
                if holder.is_none() {
                    found.push(Violation::new(
                        Rule::NothingStuck,
                        format!("run {} of {} is held by no node", run.id, run.job),
                    ));
                }
            }
            _ => {
                let job = tables.jobs.get(&run.job).map(|job| &job.record);
                let has_slot = |job: &JobRecord| {
                    let others = tables.open.values();
                    let live = others.filter(|other| {
                        other.job == job.id
                            && (other.state == RunState::Running || other.since + PATIENCE > now)
                            && other.id != run.id
                    });
                    live.count() < job.policies.max_instances as usize
                };
                if job.is_some_and(|job| job.paused.is_none() && has_slot(job))
                    && run.since + PATIENCE < now
                    && tables.is_quiet(&run.job, now - PATIENCE)
                {
                    found.push(Violation::new(
                        Rule::NothingStuck,
                        format!(
                            "run {} of {} waits since {} although there is a slot",
                            run.id, run.job, run.since
                        ),
                    ));
                }
            }
        }
    }
    found
}

pub(super) fn check_end(tables: &Tables) -> Vec<Violation> {
    let mut found = Vec::new();
    for run in tables.open.values().filter(|run| run.holder.is_some()) {
        found.push(Violation::new(
            Rule::NothingStuck,
            format!(
                "run {} of {} is live after all have stopped",
                run.id, run.job
            ),
        ));
    }
    for node in tables.nodes.keys() {
        found.push(Violation::new(
            Rule::NothingStuck,
            format!("node {node} is there after all have stopped"),
        ));
    }
    found
}

impl Tables {
    /// Returns `true` if no run of a job has ended or started since then.
    fn is_quiet(&self, job: &scheduler_core::JobId, since: Millis) -> bool {
        let runs = self.ended.values().chain(self.open.values());
        runs.filter(|run| run.job == *job)
            .all(|run| run.since < since)
    }
}
