//! Runs: requested manually, ended, released, cancelled.

use scheduler_core::plan::{
    FinishChanges, LiveView, Manual, ManualChanges, Occupancy, Release, finish, release,
};
use scheduler_core::store::{
    CancelAnswer, CancelledRun, Finished, JobAnswer, ManualRequest, ManualRun, StoreError,
};
use scheduler_core::{NodeId, RunId, RunState, SkipReason};

use super::ModelStore;
use super::tables::{JobRow, Tables};
use super::without::Without;
use crate::process::Millis;
use crate::trace::What;

impl ModelStore {
    pub(super) async fn manual_run(
        &self,
        request: &ManualRequest<'_>,
    ) -> Result<JobAnswer<ManualRun>, StoreError> {
        let txn = self.begin().await;
        if let Some(node) = request.holder
            && !self.share_own_node(&txn, node).await?
        {
            return Err(StoreError::fenced());
        }
        if !self.lock_job(&txn, request.job).await? {
            return Ok(JobAnswer::NoJob);
        }
        let counted = txn
            .statement(|tables, _| {
                let job = tables.jobs.get(request.job)?.clone();
                let live = tables.live(&job.record.id);
                let waiting = tables.waiting(&job.record.id);
                Some((job, live, waiting))
            })
            .await?;
        let Some((job, live, waiting)) = counted else {
            return Ok(JobAnswer::NoJob);
        };
        if !job.record.is_as_seen(request.seen) {
            return Ok(JobAnswer::Stale(Box::new(job.record)));
        }
        let queued = u32::try_from(waiting.len()).unwrap_or(u32::MAX);
        let mut occupancy = Occupancy::new(live, queued);
        occupancy.held = {
            let view = job.record.view(occupancy);
            let held = waiting.iter().filter(|run| view.holds(&run.queued()));
            u32::try_from(held.count()).unwrap_or(u32::MAX)
        };
        let (run_id, kind) = (request.run_id, request.kind);
        let asked = Manual::new(run_id, kind, request.holder.is_some(), request.now);
        let changes = asked.decide(&job.record.view(occupancy));
        txn.statement(|tables, now| {
            self.notify(tables, None);
            JobAnswer::Done(tables.write_manual(&job, changes, request, now))
        })
        .await
    }

    pub(super) async fn finish_runs(
        &self,
        node: NodeId,
        finished: Vec<Finished>,
    ) -> Result<Vec<bool>, StoreError> {
        let txn = self.begin().await;
        if !self.share_own_node(&txn, node).await? {
            return Err(StoreError::fenced());
        }
        txn.statement(|tables, now| {
            let recorded = finished.iter().map(|one| tables.finish(node, one, now));
            let recorded = recorded.collect();
            self.notify(tables, None);
            recorded
        })
        .await
    }

    pub(super) async fn release_runs(
        &self,
        node: NodeId,
        runs: Vec<RunId>,
    ) -> Result<Vec<CancelledRun>, StoreError> {
        let txn = self.begin().await;
        txn.statement(|tables, now| {
            let runs = runs.into_iter();
            let cancelled = runs.filter_map(|run| tables.release(node, run, now));
            let cancelled = cancelled.collect();
            self.notify(tables, None);
            cancelled
        })
        .await
    }

    pub(super) async fn cancel_run(&self, run: RunId) -> Result<CancelAnswer, StoreError> {
        let txn = self.begin().await;
        txn.statement(|tables, now| {
            let answer = match tables.open.get_mut(&run) {
                Some(row) if row.state == RunState::Running => {
                    row.is_cancellation_requested = true;
                    tables.note(What::Asked(run));
                    CancelAnswer::Live
                }
                Some(row) => {
                    let mut record = row.record();
                    record.state = RunState::Cancelled;
                    tables.end(run, RunState::Cancelled, now);
                    CancelAnswer::Ended(Box::new(record))
                }
                None => CancelAnswer::Unknown,
            };
            self.notify(tables, None);
            answer
        })
        .await
    }
}

impl Tables {
    fn write_manual(
        &mut self,
        job: &JobRow,
        changes: ManualChanges,
        request: &ManualRequest<'_>,
        now: Millis,
    ) -> ManualRun {
        let id = &job.record.id;
        let mut skipped = Vec::new();
        if changes.replace_queued {
            skipped = self.clear_queue(id, SkipReason::Superseded, request.now, now);
        }
        if changes.cancel_oldest {
            self.cancel_oldest(id);
        }
        let run = (request.run_id, request.kind, request.now);
        if changes.start.is_some() {
            self.insert_run(job, run, request.holder, now);
        }
        if changes.queue {
            self.insert_run(job, run, None, now);
        }
        ManualRun::new(changes.decision, changes.start).replaced(skipped, Vec::new())
    }

    fn finish(&mut self, node: NodeId, finished: &Finished, now: Millis) -> bool {
        let (run, attempt) = (finished.run_id, finished.attempt);
        let Some(finished_at) = finished.end.finished_at() else {
            return true; // there are no threads here
        };
        let lenient = self.without == Without::Fence;
        let row = self.open.get_mut(&run);
        let row = row.filter(|row| row.holder == Some(node) || lenient);
        let changes = row.as_ref().map_or(FinishChanges::Refuse, |row| {
            let view = LiveView::new(row.attempt, row.failures, None);
            finish(view, attempt, finished.end.ending())
        });
        match (changes, row) {
            (FinishChanges::Retry(next), Some(row)) => {
                row.attempt = next.attempt;
                row.failures = next.failures;
                row.since = now;
                self.hold(run, next.attempt, node);
                self.note(What::Retried { run, attempt });
            }
            (FinishChanges::End { state, .. }, Some(_)) => self.end(run, state, now),
            _ => {
                // The first answer may have been lost.
                let known = self.recorded.get(&(run, attempt)) == Some(&(node, finished_at));
                if !known {
                    self.note(What::LateEnd { run, attempt });
                }
                return known;
            }
        }
        self.recorded.insert((run, attempt), (node, finished_at));
        true
    }

    /// Releases a run, and returns it if it ends.
    fn release(&mut self, node: NodeId, run: RunId, now: Millis) -> Option<CancelledRun> {
        let row = self.open.get_mut(&run);
        let row = row.filter(|row| row.holder == Some(node))?;
        let has_job = self.jobs.contains_key(&row.job);
        let released = release(row.attempt, has_job, row.is_cancellation_requested);
        let (Release::Queue(attempts) | Release::Cancel { attempts, .. }) = released;
        row.state = RunState::Queued;
        row.holder = None;
        row.attempt = attempts;
        row.since = now;
        let cancelled = CancelledRun::of(&row.record());
        self.note(What::Released { run });
        matches!(released, Release::Cancel { .. }).then(|| {
            self.end(run, RunState::Cancelled, now);
            cancelled
        })
    }
}
