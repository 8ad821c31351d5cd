//! Jobs: added, changed, removed.

use chrono::{DateTime, Utc};
use scheduler_core::store::{
    Edit, Edited, Inserted, Mended, NewJob, StoreError, admits, replacement,
};
use scheduler_core::{DropReason, Dropped, JobId};

use super::ModelStore;
use super::tables::Tables;
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
                    let inserted = tables.insert_all(jobs.take().unwrap_or_default(), now);
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
            let (trigger, mark) = (row.record.trigger.clone(), row.record.mark);
            let times = edit(&mut row.record);
            row.is_disturbed |= row.record.trigger != trigger || row.record.mark < mark;
            let (job, generation) = (row.record.clone(), row.generation);
            let times = times.into_iter();
            let dropped = times.map(|times| Dropped::new(job.id.clone(), times, now));
            let dropped: Vec<Dropped> = dropped
                .map(|dropped| tables.drop_times(generation, dropped))
                .collect();
            self.notify(tables, None);
            Some(Edited { job, dropped })
        })
        .await
    }

    pub(super) async fn remove_job(
        &self,
        id: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<Edited>, StoreError> {
        let txn = self.begin().await;
        if !self.lock_job(&txn, id).await? {
            return Ok(None);
        }
        txn.statement(|tables, _| {
            let id = tables.jobs.get(id)?.record.id.clone();
            let (job, dropped) = tables.remove_job(&id, DropReason::Removed, now)?;
            Some(Edited { job, dropped })
        })
        .await
    }

    pub(super) async fn mend_marks(&self, now: DateTime<Utc>) -> Result<Mended, StoreError> {
        let txn = self.begin().await;
        let number = txn.number;
        let marks = txn
            .waiting(|tables, at| {
                let far: Vec<JobId> = tables
                    .jobs
                    .values()
                    .filter(|row| row.record.clone().heal_mark(now))
                    .map(|row| row.record.id.clone())
                    .collect();
                let mut locked = true;
                for id in &far {
                    locked &= tables.locks.lock_job(number, id, at);
                }
                locked.then(|| tables.mend_all(far, now))
            })
            .await?;
        Ok(Mended {
            marks,
            ..Mended::default()
        })
    }

    /// Waits for the row of a job. Whether there is one.
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
    fn insert_all(&mut self, jobs: Vec<NewJob>, now: DateTime<Utc>) -> Inserted {
        for new in &jobs {
            let id = &new.record.id;
            let existing = self.jobs.get(id).map(|row| &row.record);
            let is_open = self.live(id) > 0 || !self.waiting(id).is_empty();
            if let Some(refused) = admits(existing, is_open, new) {
                return refused;
            }
        }
        let (mut dropped, mut carried_on) = (Vec::new(), Vec::new());
        for new in jobs {
            let id = &new.record.id;
            let old = self.jobs.get(id).map(|row| (&row.record, row.generation));
            if let Some((old, generation)) = old {
                let kept = replacement(old, &new, now);
                if kept.carries_on {
                    let times = kept.dropped.map(|it| Dropped::new(id.clone(), it, now));
                    dropped.extend(times.map(|times| self.drop_times(generation, times)));
                    if let Some(row) = self.jobs.get_mut(id) {
                        row.has_other_policies |= row.record.policies != kept.record.policies;
                        row.record = kept.record.clone();
                    }
                    carried_on.push(kept.record);
                    continue;
                }
            }
            if let Some((_, times)) = self.remove_job(id, DropReason::Superseded, now) {
                dropped.extend(times);
            }
            self.insert_job(new.record);
        }
        Inserted::All {
            dropped,
            carried_on,
        }
    }

    fn mend_all(&mut self, ids: Vec<JobId>, now: DateTime<Utc>) -> Vec<JobId> {
        for id in &ids {
            if let Some(row) = self.jobs.get_mut(id) {
                row.record.heal_mark(now);
                row.is_disturbed = true;
            }
            self.note(What::MarkReset(id.clone()));
        }
        ids
    }
}
