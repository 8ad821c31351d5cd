//! Jobs: added, changed, removed.

use chrono::{DateTime, Utc};
use scheduler_core::store::{
    AllInserted, Edit, Edited, Inserted, JobAnswer, NewJob, Repaired, StoreError, admits,
    replacement,
};
use scheduler_core::{JobId, Revision, SkipReason, Skipped};

use super::ModelStore;
use super::tables::Tables;
use crate::process::Millis;
use crate::trace::What;

impl ModelStore {
    pub(super) async fn insert_jobs(
        &self,
        jobs: Vec<NewJob>,
        now: DateTime<Utc>,
    ) -> Result<Inserted, StoreError> {
        let txn = self.begin().await;
        let number = txn.number;
        let ids: Vec<JobId> = jobs.iter().map(|new| new.record.id.clone()).collect();
        let mut jobs = Some(jobs);
        let inserted = txn
            .waiting(|tables, at| {
                let mut locked = true;
                for id in &ids {
                    locked &= tables.locks.lock_job(number, id, at);
                }
                locked.then(|| {
                    let inserted = tables.insert_all(jobs.take().unwrap_or_default(), now, at);
                    self.notify(tables, None);
                    inserted
                })
            })
            .await?;
        Ok(inserted)
    }

    pub(super) async fn edit_job(
        &self,
        id: &str,
        mut edit: Edit<'_>,
        now: DateTime<Utc>,
    ) -> Result<Option<Edited>, StoreError> {
        let txn = self.begin().await;
        if !self.lock_job(&txn, id).await? {
            return Ok(None);
        }
        txn.statement(|tables, _| {
            let row = tables.jobs.get_mut(id)?;
            let (trigger, watermark) = (row.record.trigger.clone(), row.record.watermark);
            let times = edit(&mut row.record);
            row.is_disturbed |= row.record.trigger != trigger || row.record.watermark < watermark;
            let (job, generation) = (row.record.clone(), row.generation);
            let times = times.into_iter();
            let skipped = times.map(|times| Skipped::new(job.id.clone(), times, now));
            let skipped: Vec<Skipped> = skipped
                .map(|skipped| tables.skipped_times(generation, skipped))
                .collect();
            self.notify(tables, None);
            Some(Edited::new(job, skipped))
        })
        .await
    }

    pub(super) async fn remove_job(
        &self,
        id: &str,
        seen: Option<Revision>,
        now: DateTime<Utc>,
    ) -> Result<JobAnswer<Edited>, StoreError> {
        let txn = self.begin().await;
        if !self.lock_job(&txn, id).await? {
            return Ok(JobAnswer::NoJob);
        }
        txn.statement(|tables, at| {
            let Some(job) = tables.jobs.get(id).map(|row| row.record.clone()) else {
                return JobAnswer::NoJob;
            };
            if !job.is_as_seen(seen) {
                return JobAnswer::Stale(Box::new(job));
            }
            let removed = tables.remove_job(&job.id, SkipReason::Removed, now, at);
            let removed = removed.map(|(job, skipped)| Edited::new(job, skipped));
            removed.map_or(JobAnswer::NoJob, JobAnswer::Done)
        })
        .await
    }

    pub(super) async fn repair_watermarks(
        &self,
        now: DateTime<Utc>,
    ) -> Result<Repaired, StoreError> {
        let txn = self.begin().await;
        let number = txn.number;
        let watermarks = txn
            .waiting(|tables, at| {
                let far: Vec<JobId> = tables
                    .jobs
                    .values()
                    .filter(|row| row.record.clone().repair_watermark(now))
                    .map(|row| row.record.id.clone())
                    .collect();
                let mut locked = true;
                for id in &far {
                    locked &= tables.locks.lock_job(number, id, at);
                }
                locked.then(|| tables.repair_all(far, now))
            })
            .await?;
        let mut repaired = Repaired::default();
        repaired.watermarks = watermarks;
        Ok(repaired)
    }

    /// Waits for the row of a job. Returns `true` if there is one.
    pub(super) async fn lock_job(
        &self,
        txn: &super::Txn<'_>,
        id: &str,
    ) -> Result<bool, StoreError> {
        let number = txn.number;
        txn.waiting(|tables, now| match tables.jobs.get(id) {
            Some(row) => {
                let id = row.record.id.clone();
                let locked = tables.locks.lock_job(number, &id, now);
                locked.then_some(true)
            }
            None => Some(false),
        })
        .await
    }
}

impl Tables {
    fn insert_all(&mut self, jobs: Vec<NewJob>, now: DateTime<Utc>, at: Millis) -> Inserted {
        for new in &jobs {
            let id = &new.record.id;
            let existing = self.jobs.get(id).map(|row| &row.record);
            let is_open = self.live(id) > 0 || !self.waiting(id).is_empty();
            if let Some(refused) = admits(existing, is_open, new) {
                return refused;
            }
        }
        let mut inserted = AllInserted::default();
        for new in jobs {
            let id = &new.record.id;
            let old = self.jobs.get(id).map(|row| (&row.record, row.generation));
            if let Some((old, generation)) = old {
                let kept = replacement(old, &new, now);
                if kept.carries_on {
                    let times = kept.skipped.map(|it| Skipped::new(id.clone(), it, now));
                    let skipped = times.map(|times| self.skipped_times(generation, times));
                    inserted.skipped.extend(skipped);
                    if let Some(row) = self.jobs.get_mut(id) {
                        row.has_other_policies |= row.record.policies != kept.record.policies;
                        row.record = kept.record.clone();
                    }
                    inserted.carried_on.push(kept.record);
                    continue;
                }
            }
            if let Some((_, times)) = self.remove_job(id, SkipReason::Superseded, now, at) {
                inserted.skipped.extend(times);
            }
            self.insert_job(new.record);
        }
        Inserted::All(inserted)
    }

    fn repair_all(&mut self, ids: Vec<JobId>, now: DateTime<Utc>) -> Vec<JobId> {
        for id in &ids {
            if let Some(row) = self.jobs.get_mut(id) {
                row.record.repair_watermark(now);
                row.is_disturbed = true;
            }
            self.note(What::WatermarkReset(id.clone()));
        }
        ids
    }
}
