//! A user who pauses, resumes, starts and cancels while everything goes wrong.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use scheduler_core::prelude::*;
use scheduler_core::{Error, RunFilter, RunNow, RunState};

use crate::dice::Dice;
use crate::workload::{Span, job};

/// How many jobs are added in one call.
const BATCH: usize = 50;

/// How often each thing was done, by name.
#[derive(Debug, Default, Clone)]
pub(crate) struct Tally(BTreeMap<&'static str, usize>);

impl Tally {
    pub(crate) fn count(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (what, count) in &other.0 {
            *self.0.entry(what).or_default() += count;
        }
    }

    pub(crate) fn of(&self, what: &str) -> usize {
        self.0.get(what).copied().unwrap_or(0)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts: Vec<_> = self
            .0
            .iter()
            .map(|(what, n)| format!("{n} {what}"))
            .collect();
        f.write_str(&counts.join(", "))
    }
}

/// What the user did.
pub(crate) struct Steered {
    pub(crate) tally: Tally,
    /// How many requested runs may have been queued, by job.
    pub(crate) queued_manual_run: HashMap<String, usize>,
}

/// Adds jobs, and then steers until `stop` is set. A steering call that fails, because the database is down, is not
/// retried.
pub(crate) async fn steer(
    client: Scheduler,
    jobs: usize,
    span: Span,
    mut dice: Dice,
    stop: Arc<AtomicBool>,
) -> Steered {
    let mut tally = Tally::default();
    let mut queued_manual_run: HashMap<String, usize> = HashMap::new();
    let ids: Vec<String> = (0..jobs).map(|number| format!("job-{number:04}")).collect();
    let mut paused: Vec<String> = Vec::new();
    let mut batches = ids.chunks(BATCH);
    while !stop.load(Ordering::Relaxed) {
        if let Some(batch) = batches.next() {
            let jobs = batch.iter().map(|id| job(id, span, &mut dice)).collect();
            add(&client, jobs, &stop, &mut tally).await;
            continue;
        }
        let wait = dice.between(20, 200).unsigned_abs();
        tokio::time::sleep(Duration::from_millis(wait)).await;
        let id = dice.pick(&ids);
        match dice.roll(10) {
            0 => {
                if note(&mut tally, "pauses", client.pause_job(&id).await) {
                    paused.push(id);
                }
            }
            1 if !paused.is_empty() => {
                let id = paused.swap_remove(dice.roll(paused.len()));
                note(&mut tally, "resumes", client.resume_job(&id).await);
            }
            2..=5 => {
                let answer = client.run_job_now(&id).await;
                // Without an answer, the run may have been queued.
                if !matches!(answer, Ok(RunNow::Refused(_))) {
                    *queued_manual_run.entry(id).or_default() += 1;
                }
                note(&mut tally, "manual runs", answer);
            }
            _ => cancel(&client, &mut dice, &mut tally).await,
        }
    }
    Steered {
        tally,
        queued_manual_run,
    }
}

/// Adds jobs; retries while the database is down.
async fn add(client: &Scheduler, jobs: Vec<Job>, stop: &AtomicBool, tally: &mut Tally) {
    while !stop.load(Ordering::Relaxed) {
        match client.add_jobs(jobs.clone()).await {
            // If the jobs exist, an earlier call added them and its answer was lost.
            Ok(_) | Err(Error::JobExists { .. }) => return tally.count("batches added"),
            Err(Error::Store { .. }) => tally.count("calls failed"),
            Err(refused) => panic!("{refused}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn cancel(client: &Scheduler, dice: &mut Dice, tally: &mut Tally) {
    let filter = RunFilter::new().state(dice.pick(&[
        RunState::Running,
        RunState::Running,
        RunState::Queued,
    ]));
    let Ok(runs) = client.list_runs(&filter.limit(20)).await else {
        return tally.count("calls failed");
    };
    let runs = runs.items;
    if runs.is_empty() {
        return;
    }
    let run = dice.pick(&runs);
    note(tally, "cancels", client.cancel_run(run.id).await);
}

fn note<T>(tally: &mut Tally, what: &'static str, result: Result<T, Error>) -> bool {
    tally.count(if result.is_ok() { what } else { "calls failed" });
    result.is_ok()
}
