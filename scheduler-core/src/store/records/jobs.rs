//! Jobs: added, changed, removed, repaired.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::contents::Records;
use super::record::RecordKey;
use super::transaction::{EndedQueue, Transaction};
use crate::job_record::JobRecord;
use crate::plan::Occupancy;
use crate::reconcile::{Reconciled, StaticJob, reconcile};
use crate::revision::Revision;
use crate::skipped::{SkipReason, Skipped};
use crate::store::{
    AllInserted, Edit, Edited, Inserted, JobAnswer, JobOrder, JobQuery, NewJob, Repaired, admits,
    replacement, skipped_records,
};

impl Records {
    pub(super) fn list_jobs(&self, query: &JobQuery) -> Vec<JobRecord> {
        match &query.order {
            JobOrder::Id { after } => {
                let jobs = self.jobs.values();
                jobs.filter(|job| after.as_ref().is_none_or(|after| job.id > *after))
                    .filter(|job| query.matches(job))
                    .take(query.limit)
                    .cloned()
                    .collect()
            }
            JobOrder::NextRun => {
                let jobs = self.due.iter().filter_map(|(_, id)| self.jobs.get(id));
                jobs.take(query.limit).cloned().collect()
            }
        }
    }
}

impl Transaction {
    pub(super) fn insert(&mut self, jobs: Vec<NewJob>, now: DateTime<Utc>) -> Inserted {
        let mut ids = BTreeSet::new();
        for new in &jobs {
            let id = &new.record.id;
            if !ids.insert(id) && !new.replace_existing {
                return Inserted::Exists(id.clone());
            }
            let has_open_runs = self.records.occupancy(id) != Occupancy::default();
            if let Some(refused) = admits(self.records.jobs.get(id), has_open_runs, new) {
                return refused;
            }
        }
        let mut inserted = AllInserted::default();
        for new in jobs {
            let id = new.record.id.clone();
            let Some(old) = self.records.jobs.get(&id) else {
                self.put_job(new.record);
                continue;
            };
            let replacement = replacement(old, &new, now);
            if replacement.carries_on {
                inserted.carried_on.push(replacement.record.clone());
            } else {
                let ended = self.end_queue(&id, SkipReason::Superseded, now);
                inserted.skipped.extend(ended.skipped);
                inserted.cancelled.extend(ended.cancelled);
            }
            let pending = skipped_records(&id, replacement.skipped, now);
            inserted.skipped.extend(pending);
            self.put_job(replacement.record);
        }
        self.record_skipped(&inserted.skipped);
        Inserted::All(inserted)
    }

    pub(super) fn reconcile(&mut self, definition: StaticJob, now: DateTime<Utc>) -> Reconciled {
        let existing = self.records.jobs.get(&definition.id);
        let (job, answer) = reconcile(existing, definition, now);
        if let Some(job) = job {
            self.put_job(job);
        }
        self.record_skipped(&answer.skipped);
        answer
    }

    pub(super) fn edit(
        &mut self,
        id: &str,
        mut edit: Edit<'_>,
        now: DateTime<Utc>,
    ) -> Option<Edited> {
        let mut job = self.records.jobs.get(id)?.clone();
        let times = edit(&mut job);
        let skipped: Vec<Skipped> = skipped_records(&job.id, times, now).collect();
        self.put_job(job.clone());
        self.record_skipped(&skipped);
        Some(Edited::new(job, skipped))
    }

    pub(super) fn remove_job(
        &mut self,
        id: &str,
        seen: Option<Revision>,
        now: DateTime<Utc>,
    ) -> JobAnswer<Edited> {
        let Some(job) = self.records.jobs.get(id).cloned() else {
            return JobAnswer::NoJob;
        };
        if !job.is_as_seen(seen) {
            return JobAnswer::Stale(Box::new(job));
        }
        self.remove(RecordKey::Job(job.id.clone()));
        let EndedQueue {
            mut skipped,
            cancelled,
        } = self.end_queue(&job.id, SkipReason::Removed, now);
        let pending = job.pending(now, SkipReason::Removed);
        skipped.extend(skipped_records(&job.id, pending, now));
        self.record_skipped(&skipped);
        JobAnswer::Done(Edited::new(job, skipped).cancelled(cancelled))
    }

    /// Sets watermarks that are ahead of now to now, and recomputes next fire times, because the records may have
    /// been written under other time zone data.
    pub(super) fn repair(&mut self, now: DateTime<Utc>) -> Repaired {
        let mut repaired = Repaired::default();
        let mut changed = Vec::new();
        for stored in self.records.jobs.values() {
            let mut job = stored.clone();
            if job.repair_watermark(now) {
                repaired.watermarks.push(job.id.clone());
            } else if !job.is_finished() && job.recompute_next() {
                repaired.zones += 1;
            } else {
                continue;
            }
            changed.push(job);
        }
        for job in changed {
            self.advance_job(job);
        }
        repaired
    }
}
