//! Lists of what has happened, and what is forgotten of it.

use chrono::{DateTime, Utc};

use super::contents::Records;
use super::record::RecordKey;
use super::transaction::Transaction;
use crate::job_record::JobRecord;
use crate::run::{Run, RunFilter};
use crate::skipped::Skipped;
use crate::store::SkippedQuery;

/// How many records of each kind one call forgets at most.
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

    /// The oldest ended runs beyond `keep`, and none whose fire time is still to come: a clock was ahead when it ran.
    fn runs_beyond(&self, keep: usize, now: DateTime<Utc>) -> Vec<RecordKey> {
        let ended = self.runs.values().filter(|stored| !stored.is_open());
        let over = ended.clone().count().saturating_sub(keep);
        let oldest = ended.filter(|stored| stored.run.scheduled_for <= now);
        let oldest = oldest.take(over).map(|stored| stored.run.id);
        oldest.map(RecordKey::Run).collect()
    }

    /// Jobs that were added at run time, whose trigger has ended and of which no run is open: beyond `keep`, those that
    /// ended first.
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

    /// The oldest skipped fire times beyond `keep`. The newest stays, since the next number follows from it.
    fn skipped_beyond(&self, keep: usize) -> Vec<RecordKey> {
        let over = self.skipped.len().saturating_sub(keep.max(1));
        let oldest = self.skipped.keys().take(over);
        oldest.copied().map(RecordKey::Skipped).collect()
    }
}

impl Transaction {
    /// Forgets ended runs, finished jobs and skipped fire times beyond `keep` of each. Returns `true` if there is more
    /// to forget.
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
