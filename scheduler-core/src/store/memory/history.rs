//! Ended runs and dropped fire times: the newest so many.

use std::collections::VecDeque;

use crate::dropped::Dropped;
use crate::run::{Run, RunFilter, RunState};

use super::queued::waiting_record;
use super::table::Table;

const DEFAULT_CAPACITY: usize = 10_000;

#[derive(Debug)]
pub(super) struct History {
    capacity: usize,
    runs: VecDeque<Run>,
    dropped: VecDeque<Dropped>,
}

impl Default for History {
    fn default() -> Self {
        Self {
            capacity: DEFAULT_CAPACITY,
            runs: VecDeque::new(),
            dropped: VecDeque::new(),
        }
    }
}

impl History {
    pub(super) fn set_capacity(&mut self, capacity: usize) {
        self.capacity = capacity;
    }

    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    pub(super) fn push_run(&mut self, run: Run) {
        push(&mut self.runs, run, self.capacity);
    }

    pub(super) fn drop_all(&mut self, dropped: &[Dropped]) {
        for one in dropped {
            push(&mut self.dropped, one.clone(), self.capacity);
        }
    }

    pub(super) fn list_dropped(&self, job: Option<&str>, limit: usize) -> Vec<Dropped> {
        self.dropped
            .iter()
            .rev()
            .filter(|dropped| job.is_none_or(|job| dropped.job_id == job))
            .take(limit)
            .cloned()
            .collect()
    }
}

fn push<T>(ring: &mut VecDeque<T>, item: T, capacity: usize) {
    while ring.len() >= capacity.max(1) {
        ring.pop_front();
    }
    if capacity > 0 {
        ring.push_back(item);
    }
}

impl Table {
    /// Lists runs, newest first: those that wait, those that go on, those that ended.
    pub(super) fn list_runs(&self, filter: &RunFilter) -> Vec<Run> {
        let waiting = self.queued.iter().flat_map(|(slot, runs)| {
            let row = self.row(*slot);
            runs.iter()
                .filter_map(move |run| Some(waiting_record(&row?.job, run)))
        });
        // A run whose body outlived its timeout is in the history already, unless it is tried again.
        let live = self
            .live
            .iter()
            .filter(|(_, run)| run.body_runs != Some(false))
            .map(|(id, run)| Run {
                id: *id,
                job_id: run.job_id.clone(),
                task: run.task.clone(),
                kind: run.kind,
                scheduled_for: run.scheduled_for,
                state: RunState::Running,
                attempt: run.attempt,
                started_at: Some(run.started_at),
                finished_at: None,
                lateness: run.lateness,
                error: None,
                value: None,
                earlier_attempts: run.earlier_attempts.clone(),
            });
        let mut page: Vec<Run> = waiting
            .chain(live)
            .chain(
                self.history
                    .runs
                    .iter()
                    .filter(|run| filter.matches(run))
                    .cloned(),
            )
            .filter(|run| filter.matches(run))
            .collect();
        page.sort_unstable_by_key(|run| std::cmp::Reverse(run.id));
        page.truncate(filter.page_size());
        page
    }
}
