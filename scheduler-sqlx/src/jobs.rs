//! Adding, reading, changing and removing jobs.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use scheduler_core::store::{
    AllInserted, Edit, Edited, Inserted, JobAnswer, JobOrder, JobQuery, NewJob, POLL_EVERY, admits,
    replacement, skipped_records,
};
use scheduler_core::{JobId, JobRecord, Revision, SkipReason, Skipped};

use crate::backend::{Backend, Connection};
use crate::ended_queued::{Cleared, clear};
use crate::engine::{Engine, Failure};
use crate::error::SqlError;
use crate::instant::micros;
use crate::job_row::JobRow;
use crate::listed_jobs::ListedJobs;
use crate::run_row::{NewRun, OpenFrom};
use crate::skipped_row::SkippedRow;

/// How often an insert is retried if others insert the same ids at the same time.
const TRIES: usize = 5;

impl<B: Backend> Engine<B> {
    /// Returns the job of a row, or an error that names it.
    pub(crate) fn readable(&self, row: &JobRow) -> Result<JobRecord, SqlError> {
        row.read(&self.cache)
            .map_err(|problem| SqlError::Unreadable {
                id: row.id.clone(),
                problem,
            })
    }

    pub(crate) async fn insert(
        &self,
        jobs: &[NewJob],
        now: DateTime<Utc>,
    ) -> Result<Inserted, Failure> {
        for _ in 0..TRIES {
            let mut session = self.write().await?;
            match self.insert_on(&mut session, jobs, now).await? {
                // Another client has just inserted one of these: decide again.
                None => session.end(&self.backend).await?,
                Some(inserted @ Inserted::All(_)) => {
                    session.commit(&self.backend).await?;
                    self.wakes.due_floor.clear();
                    self.quarantine
                        .forget(jobs.iter().map(|new| new.record.id.as_str()));
                    return Ok(inserted);
                }
                Some(refused) => {
                    session.end(&self.backend).await?;
                    return Ok(refused);
                }
            }
        }
        Ok(match jobs.first() {
            Some(new) => Inserted::Exists(new.record.id.clone()),
            None => Inserted::All(AllInserted::default()),
        })
    }

    /// Inserts within a transaction. Returns `None` if another client was faster with one of the ids.
    pub(crate) async fn insert_on(
        &self,
        connection: &mut Connection<B>,
        jobs: &[NewJob],
        now: DateTime<Utc>,
    ) -> Result<Option<Inserted>, Failure> {
        let backend = &self.backend;
        let mut ids: Vec<&str> = jobs.iter().map(|new| new.record.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        let stored = backend.lock_jobs(connection, &ids).await?;
        let mut existing: HashMap<&str, (&JobRow, JobRecord)> = HashMap::new();
        for row in &stored {
            existing.insert(&row.id, (row, self.readable(row)?));
        }
        let open = self.open_ended(connection, &existing).await?;
        let mut in_batch: HashSet<&JobId> = HashSet::new();
        for new in jobs {
            if !in_batch.insert(&new.record.id) && !new.replace_existing {
                return Ok(Some(Inserted::Exists(new.record.id.clone())));
            }
            let job = existing.get(new.record.id.as_str()).map(|(_, job)| job);
            let is_open = open.contains(new.record.id.as_str());
            if let Some(refused) = admits(job, is_open, new) {
                return Ok(Some(refused));
            }
        }
        self.write_inserted(connection, jobs, &ids, &existing, now)
            .await
    }

    /// Writes jobs that may be added, in the order of their ids. Returns `None` if another client was faster with one of
    /// the ids.
    async fn write_inserted(
        &self,
        connection: &mut Connection<B>,
        jobs: &[NewJob],
        ids: &[&str],
        existing: &HashMap<&str, (&JobRow, JobRecord)>,
        now: DateTime<Utc>,
    ) -> Result<Option<Inserted>, Failure> {
        let backend = &self.backend;
        // If several have the same id, the last one counts.
        let last: HashMap<&str, &NewJob> = jobs
            .iter()
            .map(|new| (new.record.id.as_str(), new))
            .collect();
        let (mut fresh, mut replacing) = (Vec::new(), Vec::new());
        let (mut superseded, mut inserted) = (Vec::new(), AllInserted::default());
        for id in ids {
            let Some(new) = last.get(id) else {
                continue;
            };
            let Some((_, old)) = existing.get(id) else {
                fresh.push(JobRow::of(&new.record, Some(micros(now))));
                continue;
            };
            let replacement = replacement(old, new, now);
            replacing.push(JobRow::of(&replacement.record, Some(micros(now))));
            let skipped = skipped_records(&old.id, replacement.skipped, now);
            inserted.skipped.extend(skipped);
            if replacement.carries_on {
                inserted.carried_on.push(replacement.record);
            } else {
                superseded.push(*id);
            }
        }
        if !replacing.is_empty() {
            self.write_skipped(connection, &inserted.skipped).await?;
            let queue = self.supersede(connection, &superseded, existing, now);
            let queue = queue.await?;
            inserted.skipped.extend(queue.skipped);
            inserted.cancelled.extend(queue.cancelled);
            backend.update_jobs(connection, &replacing).await?;
        }
        if !fresh.is_empty() {
            let new = backend.insert_jobs(connection, &fresh).await?;
            if new.len() < fresh.len() {
                return Ok(None);
            }
        }
        let due = fresh
            .iter()
            .chain(&replacing)
            .filter_map(JobRow::due_at)
            .min();
        self.notify_of(connection, due, now).await?;
        Ok(Some(Inserted::All(inserted)))
    }

    /// Returns the ended jobs among these that have queued or live runs.
    async fn open_ended(
        &self,
        connection: &mut Connection<B>,
        existing: &HashMap<&str, (&JobRow, JobRecord)>,
    ) -> Result<HashSet<String>, Failure> {
        let ended = existing.iter().filter(|(_, (_, job))| job.is_finished());
        let ended: Vec<OpenFrom<'_>> = ended.map(|(_, (row, _))| row.open_from()).collect();
        if ended.is_empty() {
            return Ok(HashSet::new());
        }
        let open = self.backend.open_runs(connection, &ended).await?;
        Ok(open.into_iter().map(|runs| runs.job_id).collect())
    }

    /// Clears the queues of jobs that are replaced; live runs continue.
    async fn supersede(
        &self,
        connection: &mut Connection<B>,
        ids: &[&str],
        existing: &HashMap<&str, (&JobRow, JobRecord)>,
        now: DateTime<Utc>,
    ) -> Result<Cleared, Failure> {
        let mut cleared = Cleared::default();
        if ids.is_empty() {
            return Ok(cleared);
        }
        for run in self.backend.queued_runs(connection, ids).await? {
            if let Some((_, old)) = existing.get(&*run.job_id) {
                let reason = SkipReason::Superseded;
                clear(&mut cleared, &old.id, vec![run], reason, now);
            }
        }
        self.write_cleared(connection, &cleared, micros(now))
            .await?;
        self.write_skipped(connection, &cleared.skipped).await?;
        Ok(cleared)
    }

    /// Inserts a run of a job whose row is locked. Its id may be lower than those of runs that are already open if it
    /// was created by another clock.
    pub(crate) async fn insert_run(
        &self,
        connection: &mut Connection<B>,
        job: &JobRow,
        run: NewRun<'_>,
    ) -> Result<(), Failure> {
        if job.open_from.is_some_and(|from| run.id < from) {
            let lower = self.backend.lower_open_from(connection, &job.id, run.id);
            lower.await?;
        }
        self.backend.insert_runs(connection, &[run]).await?;
        Ok(())
    }

    pub(crate) async fn write_skipped(
        &self,
        connection: &mut Connection<B>,
        skipped: &[Skipped],
    ) -> Result<(), Failure> {
        if !skipped.is_empty() {
            let rows: Vec<SkippedRow> = skipped.iter().map(SkippedRow::of).collect();
            self.backend.insert_skipped(connection, &rows).await?;
        }
        Ok(())
    }

    /// Wakes other nodes if a job becomes due before they next poll.
    pub(crate) async fn notify_of(
        &self,
        connection: &mut Connection<B>,
        due: Option<i64>,
        now: DateTime<Utc>,
    ) -> Result<(), Failure> {
        let poll = TimeDelta::from_std(POLL_EVERY).unwrap_or_default();
        if let Some(due) = due.filter(|due| *due <= micros(now + poll)) {
            self.backend.notify(connection, due).await?;
        }
        Ok(())
    }

    pub(crate) async fn get_job(&self, id: &str) -> Result<Option<JobRecord>, Failure> {
        let mut session = self.read().await?;
        let row = self.backend.job(&mut session, id).await?;
        session.end(&self.backend).await?;
        Ok(row.map(|row| self.readable(&row)).transpose()?)
    }

    /// Lists jobs; records that cannot be read are left out and logged.
    pub(crate) async fn list_jobs(&self, query: &JobQuery) -> Result<Vec<JobRecord>, Failure> {
        let wanted = query.limit;
        let mut jobs = Vec::new();
        let mut session = self.read().await?;
        let mut after = match &query.order {
            JobOrder::Id { after } => after.as_ref().map(|id| id.as_str().to_owned()),
            JobOrder::NextRun => None,
        };
        loop {
            let limit = i64::try_from(wanted - jobs.len()).unwrap_or(i64::MAX);
            let rows = match &query.order {
                JobOrder::Id { .. } => {
                    let listed = ListedJobs::new(query, after.as_deref());
                    self.backend
                        .list_by_id(&mut session, &listed, limit)
                        .await?
                }
                JobOrder::NextRun => self.backend.list_by_next(&mut session, limit).await?,
            };
            let is_last = rows.len() < usize::try_from(limit).unwrap_or(usize::MAX);
            after = rows.last().map(|row| row.id.clone());
            for row in rows {
                match row.read(&self.cache) {
                    Ok(job) => jobs.push(job),
                    Err(problem) => {
                        tracing::error!(job_id = %row.id, %problem, "the record cannot be read and is left out");
                    }
                }
            }
            // Pages are full even if some records could not be read: callers take a shorter page for the last one.
            if is_last || jobs.len() >= wanted || matches!(query.order, JobOrder::NextRun) {
                break;
            }
        }
        session.end(&self.backend).await?;
        Ok(jobs)
    }

    pub(crate) async fn edit(
        &self,
        id: &str,
        mut edit: Edit<'_>,
        now: DateTime<Utc>,
    ) -> Result<Option<Edited>, Failure> {
        let backend = &self.backend;
        let mut session = self.write().await?;
        let Some(row) = backend.lock_jobs(&mut session, &[id]).await?.pop() else {
            session.end(backend).await?;
            return Ok(None);
        };
        let mut job = self.readable(&row)?;
        let before = job.clone();
        let times = edit(&mut job);
        let skipped: Vec<Skipped> = skipped_records(&job.id, times, now).collect();
        self.write_skipped(&mut session, &skipped).await?;
        if job != before {
            let ended_at = row.ended_at.or(Some(micros(now)));
            let changed = JobRow::of(&job, ended_at);
            backend
                .update_jobs(&mut session, std::slice::from_ref(&changed))
                .await?;
            self.notify_of(&mut session, changed.due_at(), now).await?;
        }
        session.commit(backend).await?;
        self.wakes.due_floor.clear();
        self.quarantine.forget([id]);
        Ok(Some(Edited::new(job, skipped)))
    }

    pub(crate) async fn remove(
        &self,
        id: &str,
        seen: Option<Revision>,
        now: DateTime<Utc>,
    ) -> Result<JobAnswer<Edited>, Failure> {
        let backend = &self.backend;
        let mut session = self.write().await?;
        let Some(row) = backend.lock_jobs(&mut session, &[id]).await?.pop() else {
            session.end(backend).await?;
            return Ok(JobAnswer::NoJob);
        };
        let job = self.readable(&row)?;
        if !job.is_as_seen(seen) {
            session.end(backend).await?;
            return Ok(JobAnswer::Stale(Box::new(job)));
        }
        let queue = backend.queued_runs(&mut session, &[id]).await?;
        let mut cleared = Cleared::default();
        clear(&mut cleared, &job.id, queue, SkipReason::Removed, now);
        self.write_cleared(&mut session, &cleared, micros(now))
            .await?;
        let mut skipped = cleared.skipped;
        let pending = job.pending(now, SkipReason::Removed);
        skipped.extend(skipped_records(&job.id, pending, now));
        self.write_skipped(&mut session, &skipped).await?;
        backend.delete_job(&mut session, id).await?;
        session.commit(backend).await?;
        let edited = Edited::new(job, skipped);
        Ok(JobAnswer::Done(edited.cancelled(cleared.cancelled)))
    }
}
