//! Lists of the history, and its pruning.

use chrono::{DateTime, Utc};

use super::contents::Records;
use super::record::RecordKey;
use super::transaction::Transaction;
use crate::job_record::JobRecord;
use crate::run::{Run, RunFilter};
use crate::skipped::Skipped;
use crate::store::SkippedQuery;

/// The maximum number of records of each kind that one call deletes.
const PRUNED_AT_ONCE: usize = 1_000;

impl Records {
    pub(super) fn list_runs(&self, filter: &RunFilter) -> Vec<Run> {
        let newest_first = self.runs.values().rev().map(|stored| &stored.run);
        let matching = newest_first.filter(|run| filter.matches(run));
        matching.take(filter.page_size()).cloned().collect()
    }

    pub(super) fn list_skipped(&self, query: &SkippedQuery) -> Vec<(u64, Skipped)> {
        let below = query.below.unwrap_or(u64::MAX);
        let newest_first = self.skipped.range(..below).rev();
        let listed = newest_first.filter(|(number, skipped)| query.matches(**number, skipped));
        let listed = listed.map(|(number, skipped)| (*number, skipped.clone()));
        listed.take(query.limit).collect()
    }

    /// Returns the ended runs beyond the newest `keep`, oldest first. Runs whose fire time is still to come are kept:
    /// a clock was ahead when they ran, and their fire times must not be claimed again.
    fn runs_beyond(&self, keep: usize, now: DateTime<Utc>) -> Vec<RecordKey> {
        let ended = self.runs.values().filter(|stored| !stored.is_open());
        let over = ended.clone().count().saturating_sub(keep);
        let oldest = ended.take(over);
        let past = oldest.filter(|stored| stored.fire_time().is_none_or(|at| at <= now));
        past.map(|stored| RecordKey::Run(stored.run.id)).collect()
    }

    /// Returns the jobs beyond `keep` that were added at run time, whose trigger has ended and that have no open
    /// runs; those that ended first come first.
    fn finished_jobs_beyond(&self, keep: usize) -> Vec<RecordKey> {
        let is_over = |job: &&JobRecord| {
            job.is_finished() && !job.is_static() && !self.open.contains_key(&job.id)
        };
        let mut finished: Vec<&JobRecord> = self.jobs.values().filter(is_over).collect();
        finished.sort_by_key(|job| job.watermark);
        let over = finished.len().saturating_sub(keep);
        let first = finished.into_iter().take(over);
        first.map(|job| RecordKey::Job(job.id.clone())).collect()
    }

    /// Returns the oldest skipped fire times beyond `keep`. The newest is kept, because the next number follows from
    /// it.
    fn skipped_beyond(&self, keep: usize) -> Vec<RecordKey> {
        let over = self.skipped.len().saturating_sub(keep.max(1));
        let oldest = self.skipped.keys().take(over);
        oldest.copied().map(RecordKey::Skipped).collect()
    }
}

impl Transaction {
    /// Deletes ended runs, finished jobs and skipped fire times beyond `keep` of each. Returns `true` if more remain
    /// to be deleted.
    pub(super) fn prune(&mut self, keep: usize, now: DateTime<Utc>) -> bool {
        let mut has_more = false;
        for keys in [
            self.records.runs_beyond(keep, now),
            self.records.finished_jobs_beyond(keep),
            self.records.skipped_beyond(keep),
        ] {
            has_more |= keys.len() > PRUNED_AT_ONCE;
            for key in keys.into_iter().take(PRUNED_AT_ONCE) {
                self.remove(key);
            }
        }
        has_more
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::super::record::Record;
    use super::super::stored_run::StoredRun;
    use super::*;
    use crate::id::{JobId, RunId};
    use crate::run::{RunKind, RunState};

    fn at(hour: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::hours(hour)
    }

    /// Creates ended runs for these fire times, in the order of creation.
    fn runs(kind: RunKind, hours: &[i64]) -> Transaction {
        let runs = (1..).zip(hours).map(|(number, hour)| {
            let (id, job) = (RunId::from_u128(number), JobId::new("job").unwrap());
            let run = Run::queued(id, job, "task".into(), kind, at(*hour));
            let mut stored = StoredRun::new(run);
            stored.end(RunState::Succeeded, at(*hour), None);
            Record::Run(stored)
        });
        Transaction::new(runs.collect())
    }

    fn kept(transaction: &Transaction) -> Vec<i64> {
        let runs = transaction.records.runs.values();
        runs.map(|stored| (stored.run.scheduled_for - at(0)).num_hours())
            .collect()
    }

    #[test]
    fn newest_runs_are_kept_in_addition_to_those_of_future_fire_times() {
        // The clock was a day ahead for six runs.
        let hours = [24, 25, 26, 27, 28, 29, 2, 3, 4, 5];
        let mut transaction = runs(RunKind::Scheduled, &hours);
        assert!(!transaction.prune(3, at(5)));
        assert_eq!(kept(&transaction), [24, 25, 26, 27, 28, 29, 3, 4, 5]);
        transaction.prune(3, at(27));
        assert_eq!(kept(&transaction), [28, 29, 3, 4, 5]);
        transaction.prune(0, at(29));
        assert!(kept(&transaction).is_empty());
    }

    #[test]
    fn manual_runs_beyond_the_limit_are_deleted_even_if_the_clock_was_ahead() {
        let mut transaction = runs(RunKind::Manual, &[24, 25, 2, 3]);
        transaction.prune(1, at(3));
        assert_eq!(kept(&transaction), [3]);
    }
}
