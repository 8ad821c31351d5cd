//! Reconciling stored jobs with the static jobs of the code.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use scheduler_core::JobRecord;
use scheduler_core::reconcile::{Reconciled, StaticJob, reconcile};

use crate::backend::{Backend, Connection};
use crate::engine::{Engine, Failure};
use crate::instant::micros;
use crate::job_row::JobRow;
use crate::sqlx;

/// The number of jobs per statement.
const BATCH: usize = 1_000;

/// How often reconciliation is retried if several nodes start at the same time.
const TRIES: usize = 5;

impl<B: Backend> Engine<B> {
    pub(crate) async fn reconcile(
        &self,
        jobs: &[StaticJob],
        now: DateTime<Utc>,
    ) -> Result<Vec<Reconciled>, Failure> {
        let mut tries = 0;
        loop {
            let mut session = self.write().await?;
            let mut results = Vec::with_capacity(jobs.len());
            let mut is_complete = true;
            for batch in jobs.chunks(BATCH) {
                let Some(part) = self.reconcile_batch(&mut session, batch, now).await? else {
                    is_complete = false;
                    break;
                };
                results.extend(part);
            }
            if is_complete {
                session.commit(&self.backend).await?;
                self.wakes.due_floor.clear();
                return Ok(results);
            }
            // Another node has just inserted one of these, and has finished by now.
            session.end(&self.backend).await?;
            tries += 1;
            if tries == TRIES {
                let problem = "other nodes keep inserting jobs of the same ids";
                return Err(sqlx::Error::Protocol(problem.to_owned()).into());
            }
        }
    }

    /// Returns `None` if another node was faster with one of the ids.
    async fn reconcile_batch(
        &self,
        connection: &mut Connection<B>,
        batch: &[StaticJob],
        now: DateTime<Utc>,
    ) -> Result<Option<Vec<Reconciled>>, Failure> {
        let ids: Vec<&str> = batch.iter().map(|job| job.id.as_str()).collect();
        let rows = self.backend.lock_jobs(connection, &ids).await?;
        let mut stored: HashMap<String, (Option<i64>, JobRecord)> = HashMap::new();
        let mut unreadable: HashSet<&str> = HashSet::new();
        for row in &rows {
            match row.read(&self.cache) {
                Ok(job) => {
                    stored.insert(row.id.clone(), (row.ended_at, job));
                }
                Err(problem) => {
                    tracing::error!(job_id = %row.id, %problem, "the record cannot be read and is left alone");
                    unreadable.insert(&row.id);
                }
            }
        }
        let (mut fresh, mut changed) = (Vec::new(), Vec::new());
        let mut results = Vec::with_capacity(batch.len());
        let mut skipped = Vec::new();
        for definition in batch {
            if unreadable.contains(definition.id.as_str()) {
                results.push(Reconciled::left_alone(definition.id.clone()));
                continue;
            }
            let existing = stored.get(definition.id.as_str());
            let job = existing.map(|(_, job)| job);
            let (record, result) = reconcile(job, definition.clone(), now);
            if let Some(record) = record {
                let ended_at = existing.and_then(|(ended_at, _)| *ended_at);
                let row = JobRow::of(&record, ended_at.or(Some(micros(now))));
                match existing {
                    Some(_) => changed.push(row),
                    None => fresh.push(row),
                }
            }
            skipped.extend(result.skipped.iter().cloned());
            results.push(result);
        }
        if !changed.is_empty() {
            self.backend.update_jobs(connection, &changed).await?;
        }
        if !fresh.is_empty() {
            let inserted = self.backend.insert_jobs(connection, &fresh).await?;
            if inserted.len() < fresh.len() {
                return Ok(None);
            }
        }
        self.write_skipped(connection, &skipped).await?;
        let due = fresh
            .iter()
            .chain(&changed)
            .filter_map(JobRow::due_at)
            .min();
        self.notify_of(connection, due, now).await?;
        Ok(Some(results))
    }
}
