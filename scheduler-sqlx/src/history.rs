//! Runs, skipped fire times, and their retention.

use chrono::{DateTime, TimeDelta, Utc};
use scheduler_core::store::{Repaired, SkippedQuery, Unreadable, WATERMARK_TOLERANCE};
use scheduler_core::{JobId, Run, RunFilter, RunId, Skipped};

use crate::backend::Backend;
use crate::engine::{Engine, Failure};
use crate::error::SqlError;
use crate::instant::micros;
use crate::job_row::JobRow;
use crate::run_row::{RunRow, first_run_id};

/// The rows that one transaction deletes or repairs.
const BATCH: i64 = 2_000;

/// How many nodes that are gone are kept at most, regardless of age: runs refer to them.
const GONE_NODES_KEPT: i64 = 1_000;

impl<B: Backend> Engine<B> {
    pub(crate) async fn list_runs(&self, filter: &RunFilter) -> Result<Vec<Run>, Failure> {
        let wanted = filter.page_size();
        let mut filter = filter.clone();
        let mut runs = Vec::new();
        let mut session = self.read().await?;
        loop {
            let limit = wanted - runs.len();
            filter.limit = Some(limit);
            let rows = self.backend.list_runs(&mut session, &filter).await?;
            let is_last = rows.len() < limit;
            filter.before = rows.last().map(|row| RunId::from_u128(row.id));
            for row in rows {
                let id = RunId::from_u128(row.id);
                match row.read() {
                    Ok(run) => runs.push(run),
                    Err(problem) => {
                        tracing::error!(run_id = %id, %problem, "the record cannot be read and is left out");
                    }
                }
            }
            // Pages are full even if some records could not be read: callers take a shorter page for the last one.
            if is_last || runs.len() >= wanted {
                break;
            }
        }
        session.end(&self.backend).await?;
        Ok(runs)
    }

    pub(crate) async fn get_run(&self, id: RunId) -> Result<Option<Run>, Failure> {
        let mut session = self.read().await?;
        let row = self
            .backend
            .runs(&mut session, &[id.as_u128()])
            .await?
            .pop();
        session.end(&self.backend).await?;
        let read = |row: RunRow| {
            row.read().map_err(|problem| SqlError::Unreadable {
                id: id.to_string(),
                problem,
            })
        };
        Ok(row.map(read).transpose()?)
    }

    pub(crate) async fn list_skipped(
        &self,
        query: &SkippedQuery,
    ) -> Result<Vec<(u64, Skipped)>, Failure> {
        let wanted = i64::try_from(query.limit).unwrap_or(i64::MAX);
        let below = query.below.unwrap_or(u64::MAX);
        let mut below = i64::try_from(below).unwrap_or(i64::MAX);
        let mut skipped = Vec::new();
        let mut session = self.read().await?;
        loop {
            let limit = wanted.saturating_sub_unsigned(skipped.len() as u64);
            let list = self
                .backend
                .list_skipped(&mut session, query.job.as_deref(), below, limit);
            let rows = list.await?;
            let is_last = (rows.len() as u64) < limit.unsigned_abs();
            below = rows.last().map_or(below, |(seq, _)| *seq);
            for (seq, row) in rows {
                let job_id = row.job_id.clone();
                match row.read() {
                    Ok(record) => skipped.push((seq.unsigned_abs(), record)),
                    Err(problem) => {
                        tracing::error!(%job_id, %problem, "the record of skipped fire times cannot be read and is left out");
                    }
                }
            }
            // Pages are full even if some records could not be read: callers take a shorter page for the last one.
            if is_last || skipped.len() >= query.limit {
                break;
            }
        }
        session.end(&self.backend).await?;
        Ok(skipped)
    }

    /// Deletes some of the history beyond the retention. Returns `true` if there may be more.
    pub(crate) async fn prune(&self, now: DateTime<Utc>) -> Result<bool, Failure> {
        let backend = &self.backend;
        let age = self
            .options
            .keep_for
            .and_then(|age| TimeDelta::from_std(age).ok());
        let oldest = age.and_then(|age| now.checked_sub_signed(age));
        let before = oldest.map_or(i64::MIN, micros);
        let mut counted = self.counted.lock().await;
        let (runs, skipped) = &mut *counted;
        // Counted before the transaction, so it does not block writers.
        let mut session = self.read().await?;
        let is_counting = match self.options.keep_runs {
            Some(_) => {
                self.count_runs(&mut session, runs).await?
                    | self.count_skipped(&mut session, skipped).await?
            }
            None => false,
        };
        let keep = self.options.keep_runs.unwrap_or(u64::MAX);
        let last_run = self.last_run_beyond(&mut session, runs, keep).await?;
        let last_skipped = self
            .last_skipped_beyond(&mut session, skipped, keep)
            .await?;
        session.end_in_order(backend).await?;

        let mut session = self.write().await?;
        let below = last_run.map_or(0, |(id, _)| id.saturating_add(1));
        let below = below.max(oldest.map_or(0, first_run_id));
        let pruned_runs = backend
            .prune_runs(&mut session, below, micros(now), BATCH)
            .await?;
        let seq = last_skipped.map_or(0, |(seq, _)| seq);
        let pruned_skipped = backend
            .prune_skipped(&mut session, before, seq, BATCH)
            .await?;
        let jobs = backend
            .prune_ended_jobs(&mut session, before, BATCH)
            .await?;
        let nodes = backend
            .prune_nodes(&mut session, before, GONE_NODES_KEPT, BATCH)
            .await?;
        session.commit(backend).await?;
        let full = BATCH.unsigned_abs();
        if let Some((id, kept)) = last_run.filter(|_| pruned_runs < full) {
            runs.forget(id, kept);
        }
        if let Some((seq, kept)) = last_skipped.filter(|_| pruned_skipped < full) {
            skipped.forget(u128::from(seq.unsigned_abs()), kept);
        }
        let pruned = [pruned_runs, pruned_skipped, jobs, nodes];
        Ok(is_counting || pruned.iter().any(|count| *count >= full))
    }

    pub(crate) async fn repair(&self, now: DateTime<Utc>) -> Result<Repaired, Failure> {
        let over = micros(now + WATERMARK_TOLERANCE);
        let zone_data = scheduler_core::triggers::tz_version();
        let mut repaired = Repaired::default();
        repaired.leases = self.cut_leases().await?;
        let mut after = String::new();
        loop {
            // Searched without a lock: there may be many jobs to search.
            let mut session = self.read().await?;
            let ids = self
                .backend
                .list_to_repair(&mut session, &after, over, zone_data, BATCH)
                .await?;
            session.end_in_order(&self.backend).await?;
            let is_last = ids.len() < usize::try_from(BATCH).unwrap_or(usize::MAX);
            if !ids.is_empty() {
                self.repair_batch(&ids, now, &mut repaired).await?;
            }
            match ids.into_iter().next_back() {
                Some(last) if !is_last => after = last,
                _ => return Ok(repaired),
            }
        }
    }

    /// Repairs these jobs, except those that cannot be read.
    async fn repair_batch(
        &self,
        ids: &[String],
        now: DateTime<Utc>,
        repaired: &mut Repaired,
    ) -> Result<(), Failure> {
        let backend = &self.backend;
        let zone_data = scheduler_core::triggers::tz_version();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let mut session = self.write().await?;
        let rows = backend.lock_jobs(&mut session, &ids).await?;
        let mut changed = Vec::with_capacity(rows.len());
        let (mut watermarks, mut zones): (Vec<JobId>, _) = (Vec::new(), 0);
        for row in &rows {
            let mut job = match row.read(&self.cache) {
                Ok(job) => job,
                Err(problem) => {
                    let problem = problem.to_string();
                    if self.quarantine.add(&row.id, Some(&problem)) {
                        let id = row.id.clone();
                        repaired.unreadable.push(Unreadable::new(id, problem));
                    }
                    continue;
                }
            };
            if job.repair_watermark(now) {
                watermarks.push(job.id.clone());
            } else if job.next.is_none() || row.zone_data == zone_data {
                continue;
            } else if job.recompute_next() {
                zones += 1;
            }
            let ended_at = row.ended_at.or(Some(micros(now)));
            changed.push(JobRow::of(&job, ended_at));
        }
        if changed.is_empty() {
            session.end(backend).await?;
            return Ok(());
        }
        backend.update_jobs(&mut session, &changed).await?;
        let due = changed.iter().filter_map(JobRow::due_at).min();
        self.notify_of(&mut session, due, now).await?;
        session.commit(backend).await?;
        self.wakes.due_floor.clear();
        repaired.watermarks.append(&mut watermarks);
        repaired.zones += zones;
        Ok(())
    }

    /// Cuts leases that were granted while the clock was ahead: otherwise their nodes would count as alive until the
    /// clock gets there again.
    async fn cut_leases(&self) -> Result<usize, Failure> {
        let ahead = WATERMARK_TOLERANCE.num_microseconds().unwrap_or(i64::MAX);
        let mut session = self.write().await?;
        let count = self.backend.cut_leases(&mut session, ahead).await?;
        if count == 0 {
            session.end_in_order(&self.backend).await?;
        } else {
            session.commit(&self.backend).await?;
            tracing::warn!(
                nodes = count,
                "leases ended ahead of the clock and were cut to their length"
            );
        }
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }
}
