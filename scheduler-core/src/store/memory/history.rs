//! The most recent ended runs and skipped fire times.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, Utc};

use crate::id::{JobId, RunId};
use crate::plan::AfterBody;
use crate::run::{Run, RunFilter, RunKind, RunState};
use crate::skipped::Skipped;
use crate::store::SkippedQuery;

use super::queued::queued_record;
use super::table::Table;

const DEFAULT_CAPACITY: usize = 10_000;

#[derive(Debug)]
pub(super) struct History {
    capacity: usize,
    /// No run has a later fire time than this.
    last_fire_time: DateTime<Utc>,
    runs: VecDeque<Run>,
    /// Runs beyond the capacity whose fire time is still to come, because a clock was ahead when they ran.
    ahead: BTreeMap<(DateTime<Utc>, RunId), Run>,
    skipped: VecDeque<Skipped>,
    /// The number of records before those that are kept. The first kept record has the next number.
    forgotten: u64,
}

impl Default for History {
    fn default() -> Self {
        Self {
            capacity: DEFAULT_CAPACITY,
            last_fire_time: DateTime::<Utc>::MIN_UTC,
            runs: VecDeque::new(),
            ahead: BTreeMap::new(),
            skipped: VecDeque::new(),
            forgotten: 0,
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

    /// Returns `true` if any record is kept of a run that ends now. With a capacity of zero, that applies only to a
    /// run whose fire time is still to come.
    pub(super) fn keeps(&self, scheduled_for: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        self.capacity > 0 || scheduled_for > now
    }

    pub(super) fn push_run(&mut self, run: Run) {
        if run.kind == RunKind::Scheduled {
            self.last_fire_time = self.last_fire_time.max(run.scheduled_for);
        }
        let now = run.finished_at.unwrap_or(run.scheduled_for);
        if !self.ahead.is_empty() {
            self.ahead = self.ahead.split_off(&(now, RunId::from_u128(u128::MAX)));
        }
        // Beyond the capacity, a run is kept while its fire time is still to come.
        let is_ahead = |run: &Run| run.kind == RunKind::Scheduled && run.scheduled_for > now;
        while self.runs.len() >= self.capacity.max(1) {
            let is_kept = self.runs.front().is_some_and(is_ahead);
            let oldest = self.runs.pop_front();
            if let Some(oldest) = oldest.filter(|_| is_kept) {
                self.ahead.insert((oldest.scheduled_for, oldest.id), oldest);
            }
        }
        if self.capacity > 0 {
            self.runs.push_back(run);
        } else if is_ahead(&run) {
            self.ahead.insert((run.scheduled_for, run.id), run);
        }
    }

    /// Returns all ended runs, in no particular order.
    fn all_runs(&self) -> impl DoubleEndedIterator<Item = &Run> {
        self.ahead.values().chain(&self.runs)
    }

    pub(super) fn record_skipped(&mut self, skipped: &[Skipped]) {
        for one in skipped {
            self.skipped.push_back(one.clone());
            while self.skipped.len() > self.capacity {
                self.skipped.pop_front();
                self.forgotten += 1;
            }
        }
    }

    /// Returns the record of an ended run. Searches the most recent ones first.
    pub(super) fn find(&self, id: RunId) -> Option<&Run> {
        self.all_runs().rev().find(|run| run.id == id)
    }

    pub(super) fn has_fire_time(&self, job: &JobId, at: DateTime<Utc>) -> bool {
        self.all_runs().any(|run| {
            run.kind == RunKind::Scheduled && run.scheduled_for == at && run.job_id == *job
        })
    }

    /// Returns the last fire time of a job's runs if it is after `watermark`. That is almost always impossible, and
    /// then nothing is searched.
    pub(super) fn last_fire_time(
        &self,
        job: &JobId,
        watermark: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        if self.last_fire_time <= watermark {
            return None;
        }
        let runs = self.all_runs();
        runs.filter(|run| run.kind == RunKind::Scheduled && run.job_id == *job)
            .map(|run| run.scheduled_for)
            .max()
    }

    pub(super) fn list_skipped(&self, query: &SkippedQuery) -> Vec<(u64, Skipped)> {
        let first = self.forgotten + 1;
        // The numbers have no gaps, so the bound gives the count of records below it.
        let below = query
            .below
            .map_or(u64::MAX, |seq| seq.saturating_sub(first));
        let below = usize::try_from(below).unwrap_or(usize::MAX);
        let numbered = self.skipped.iter().enumerate().take(below).rev();
        numbered
            .map(|(index, skipped)| (first + index as u64, skipped))
            .filter(|(seq, skipped)| query.matches(*seq, skipped))
            .take(query.limit)
            .map(|(seq, skipped)| (seq, skipped.clone()))
            .collect()
    }
}

impl Table {
    /// Lists runs, newest first: queued, live and ended ones.
    pub(super) fn list_runs(&self, filter: &RunFilter) -> Vec<Run> {
        let mut page: Vec<Run> = self
            .open_runs()
            .filter(|run| filter.matches(run))
            .chain(
                self.history
                    .all_runs()
                    .filter(|run| filter.matches(run))
                    .cloned(),
            )
            .collect();
        page.sort_unstable_by_key(|run| std::cmp::Reverse(run.id));
        page.truncate(filter.page_size());
        page
    }

    pub(super) fn find_run(&self, id: RunId) -> Option<Run> {
        let open = self.open_runs().find(|run| run.id == id);
        open.or_else(|| self.history.find(id).cloned())
    }

    /// Returns the queued and live runs.
    fn open_runs(&self) -> impl Iterator<Item = Run> {
        let waiting = self.queued.iter().flat_map(|(slot, runs)| {
            let row = self.row(*slot);
            runs.iter()
                .filter_map(move |run| Some(queued_record(row?, run)))
        });
        // A run whose body outlived its timeout is already in the history, unless it is tried again.
        let live = self
            .live
            .iter()
            .filter(|(_, run)| run.after_body != Some(AfterBody::End))
            .map(|(id, run)| Run {
                state: RunState::Running,
                attempt: run.attempt,
                started_at: Some(run.started_at),
                lateness: run.lateness,
                earlier_attempts: run.earlier_attempts.clone(),
                ..Run::queued(
                    *id,
                    run.job_id.clone(),
                    run.task.clone(),
                    run.kind,
                    run.scheduled_for,
                )
            });
        waiting.chain(live)
    }
}

#[cfg(test)]
mod tests {
    use scheduler_triggers::Count;

    use super::*;
    use crate::skipped::{SkipReason, SkippedTimes};

    #[test]
    fn skipped_fire_times_keep_their_numbering_when_old_records_are_deleted() {
        let mut history = History::default();
        history.set_capacity(3);
        let job = JobId::new("job").unwrap();
        let at = DateTime::UNIX_EPOCH;
        let count = Count {
            value: 1,
            exact: true,
        };
        let times = SkippedTimes {
            reason: SkipReason::Missed,
            first: at,
            last: at,
            count,
        };
        for _ in 0..5 {
            history.record_skipped(&[Skipped::new(job.clone(), times, at)]);
        }
        let listed = |query| {
            let list = history.list_skipped(&query);
            list.into_iter().map(|(seq, _)| seq).collect::<Vec<_>>()
        };
        assert_eq!(listed(SkippedQuery::new(9)), [5, 4, 3]);
        assert_eq!(listed(SkippedQuery::new(1).below(5)), [4]);
        assert_eq!(listed(SkippedQuery::new(9).below(3)), [0; 0]);
        assert_eq!(listed(SkippedQuery::new(9).below(1)), [0; 0]);
        assert_eq!(listed(SkippedQuery::new(9).below(u64::MAX)), [5, 4, 3]);
        history.set_capacity(0);
        history.record_skipped(&[Skipped::new(job, times, at)]);
        assert_eq!(history.list_skipped(&SkippedQuery::new(9)), []);
    }
}
