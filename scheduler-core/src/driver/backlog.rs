//! Runs that this driver holds and that no executor carries out: those that wait for their next
//! attempt, and those that wait for capacity.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt::from_fn;
use std::sync::Arc;

use tokio::time::Instant;

use super::Driver;
use super::reserved_capacity::ReservedCapacity;
use crate::clock::monotonic_now;
use crate::event::{EventKind, RunEvent};
use crate::executor::{Assignment, Reporter};
use crate::id::RunId;
use crate::store::ClaimedRun;
use crate::task::context::JobContext;
use crate::task::started_run::StartedRun;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    /// By monotonic time: a back-off does not change with the wall clock.
    retries: BTreeMap<(Instant, RunId), ClaimedRun>,
    waiting: VecDeque<ClaimedRun>,
    /// Runs to be tried again once the thread of their last attempt has returned.
    pub(super) after_body: HashMap<RunId, (std::time::Duration, ClaimedRun)>,
}

impl Backlog {
    pub(super) fn len(&self) -> usize {
        self.retries.len() + self.waiting.len()
    }

    pub(super) fn push(&mut self, run: ClaimedRun) {
        self.waiting.push_back(run);
    }

    pub(super) fn push_retry(&mut self, at: Instant, run: ClaimedRun) {
        self.retries.insert((at, run.run_id), run);
    }

    pub(super) fn next_retry(&self) -> Option<Instant> {
        self.retries.keys().next().map(|(at, _)| *at)
    }

    /// Takes one run out.
    pub(super) fn take(&mut self, run: RunId) -> Option<ClaimedRun> {
        if let Some(index) = self
            .waiting
            .iter()
            .position(|waiting| waiting.run_id == run)
        {
            return self.waiting.remove(index);
        }
        let key = self.retries.keys().find(|(_, id)| *id == run).copied()?;
        self.retries.remove(&key)
    }

    /// Takes everything out: runs that wait for capacity, and runs that wait for their next attempt.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = ClaimedRun> {
        let retries = std::mem::take(&mut self.retries);
        self.waiting.drain(..).chain(retries.into_values())
    }

    /// Whether this run waits here.
    pub(super) fn has(&self, run: RunId) -> bool {
        self.waiting.iter().any(|waiting| waiting.run_id == run)
            || self.retries.keys().any(|(_, id)| *id == run)
            || self.after_body.contains_key(&run)
    }

    /// Takes out a run whose last attempt has timed out, under that attempt.
    pub(super) fn take_after_body(&mut self, run: RunId) -> Option<ClaimedRun> {
        let (_, next) = self.after_body.remove(&run)?;
        Some(ClaimedRun {
            attempt: next.attempt - 1,
            ..next
        })
    }

    fn move_due(&mut self, now: Instant) {
        while let Some(entry) = self.retries.first_entry() {
            if entry.key().0 > now {
                break;
            }
            self.waiting.push_back(entry.remove());
        }
    }
}

impl Driver {
    /// Starts the runs that wait and for which there is capacity.
    pub(super) fn start_ready(&mut self) {
        self.backlog.move_due(monotonic_now());
        for _ in 0..self.backlog.waiting.len() {
            let Some(run) = self.backlog.waiting.pop_front() else {
                break;
            };
            let has_capacity = self
                .engine
                .executor(&run.policies.executor)
                .is_some_and(|executor| executor.reserve(1) == 1);
            if has_capacity {
                self.start(run);
            } else {
                self.backlog.waiting.push_back(run);
            }
        }
    }

    /// Starts runs on the capacity that was reserved for them, and releases the rest. Returns `true` if an
    /// executor that was filled has capacity again.
    pub(super) fn start_claimed(
        &mut self,
        runs: Vec<ClaimedRun>,
        mut capacity: ReservedCapacity,
    ) -> bool {
        for run in runs {
            if capacity.take(&run.policies.executor) {
                self.start(run);
            } else {
                // One job may start several runs at once, beyond what was reserved.
                self.backlog.push(run);
            }
        }
        capacity.is_there_again()
    }

    /// Starts one attempt in a place that was reserved.
    fn start(&mut self, run: ClaimedRun) {
        let Some((task, destination)) =
            self.task_lookup
                .of(&run, &self.engine, (self.port.clock(), &self.sink))
        else {
            // A store hands out only what was asked for; but a manual run may be of a job that was
            // replaced meanwhile.
            tracing::error!(job_id = %run.job_id, task = %run.task, "no such task or executor in this program");
            if let Some(executor) = self.engine.executor(&run.policies.executor) {
                executor.release(1);
            }
            // The store takes it for held, until it is told that it is not.
            self.is_unconfirmed = true;
            return;
        };
        let span = tracing::info_span!(
            "run",
            job_id = %run.job_id,
            run_id = %run.run_id,
            attempt = run.attempt,
            // Written only for who asks: some features of `tracing` evaluate fields that nobody sees.
            scheduled_for = %from_fn(|f| f.write_str(&run.scheduled_for.to_rfc3339())),
            // Recorded by the executor when the attempt ends.
            outcome = tracing::field::Empty,
            error = tracing::field::Empty,
        );
        self.engine.publish_added(&run.job_id);
        self.engine.publish(|| EventKind::Started(run_event(&run)));
        tracing::debug!(parent: &span, job_id = %run.job_id, "started");
        let mut run = StartedRun::new(run, &self.engine.home, self.live.next_index());
        if destination.executor.is_watched() {
            run.handed_over_at = Some(destination.clock.now());
        }
        let run = Arc::new(run);
        self.live.insert(run.clone());
        let reporter = Reporter::new(run.clone(), destination.clone(), span);
        let context = JobContext(run);
        destination
            .executor
            .submit(Assignment { context, task }, reporter);
    }
}

pub(super) fn run_event(run: &ClaimedRun) -> RunEvent {
    RunEvent {
        job_id: run.job_id.clone(),
        run_id: run.run_id,
        kind: run.kind,
        attempt: run.attempt,
        scheduled_for: run.scheduled_for,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::port::StorePort;
    use crate::scheduler::Scheduler;
    use crate::store::MemoryStore;

    #[tokio::test(start_paused = true)]
    async fn a_run_of_a_task_that_is_not_here_takes_no_place_and_is_released() {
        let builder = Scheduler::builder().client().without_static_jobs();
        let scheduler = builder.start().await.unwrap();
        let (store, clock) = (Arc::new(MemoryStore::new()), scheduler.0.shared_clock());
        let port = StorePort::new("default".into(), store, clock);
        let mut driver = Driver::new(scheduler.0, port);
        let context = crate::testing::context("no such task").unwrap();
        driver.backlog.push(context.0.run.clone());
        driver.is_unconfirmed = false;
        driver.start_ready();
        assert!(driver.engine.permits_in_use().all(|(_, taken)| taken == 0));
        assert!(driver.is_unconfirmed && driver.live.is_empty());
    }
}
