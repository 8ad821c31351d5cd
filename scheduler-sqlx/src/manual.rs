//! Manual runs, and cancellation of runs.

use chrono::{DateTime, Utc};
use scheduler_core::plan::{CANCELLED, Manual, Occupancy};
use scheduler_core::store::{CancelAnswer, JobAnswer, ManualRequest, ManualRun};
use scheduler_core::{JobRecord, NodeId, RunId, SkipReason};

use crate::backend::Backend;
use crate::ended_queued::{Cleared, clear};
use crate::engine::{Engine, Failure};
use crate::error::SqlError;
use crate::instant::micros;
use crate::node_row::node_code;
use crate::run_row::{NewRun, RunRow};
use crate::session::Session;

impl<B: Backend> Engine<B> {
    pub(crate) async fn run_now(
        &self,
        request: &ManualRequest<'_>,
    ) -> Result<JobAnswer<ManualRun>, Failure> {
        let backend = &self.backend;
        let mut session = self.write().await?;
        let holder = request.holder.map(node_code);
        if let Some(node) = holder
            && !self.backend.hold_lease(&mut session, node).await?
        {
            session.end(backend).await?;
            return Err(Failure::Fenced);
        }
        let Some(row) = backend.lock_jobs(&mut session, &[request.job]).await?.pop() else {
            session.end(backend).await?;
            return Ok(JobAnswer::NoJob);
        };
        let job = self.readable(&row)?;
        if !job.is_as_seen(request.seen) {
            session.end(backend).await?;
            return Ok(JobAnswer::Stale(Box::new(job)));
        }
        // In a separate statement after the lock: from here on, no other client makes a run of this job live.
        let open = backend
            .open_runs(&mut session, &[row.open_from()])
            .await?
            .pop();
        let mut occupancy = open.map(|open| open.occupancy()).unwrap_or_default();
        if job.paused.is_some() && occupancy.queued > 0 {
            occupancy.held = self.held(&mut session, &job).await?;
        }
        let (run_id, kind) = (request.run_id, request.kind);
        let asked = Manual::new(run_id, kind, holder.is_some(), request.now);
        let changes = asked.decide(&job.view(occupancy));
        let now = micros(request.now);
        let mut cleared = Cleared::default();
        if changes.replace_queued {
            let queue = backend.queued_runs(&mut session, &[request.job]).await?;
            let reason = SkipReason::Superseded;
            clear(&mut cleared, &job.id, queue, reason, request.now);
            self.write_cleared(&mut session, &cleared, now).await?;
            self.write_skipped(&mut session, &cleared.skipped).await?;
        }
        if changes.cancel_oldest {
            backend.cancel_oldest(&mut session, &[request.job]).await?;
        }
        let is_live = changes.start.is_some();
        if is_live || changes.queue {
            let run = NewRun {
                id: request.run_id.as_u128(),
                job_id: &row.id,
                task: &row.task,
                kind: request.kind.code(),
                scheduled_for: now,
                node: holder.filter(|_| is_live),
                started_at: is_live.then_some(now),
            };
            self.insert_run(&mut session, &row, run).await?;
            if changes.queue {
                backend.notify(&mut session, now).await?;
            }
            session.commit(backend).await?;
        } else {
            session.end(backend).await?;
        }
        let answer = ManualRun::new(changes.decision, changes.start);
        let answer = answer.replaced(cleared.skipped, cleared.cancelled);
        Ok(JobAnswer::Done(answer))
    }

    /// Returns how many queued runs of a job its pause holds.
    async fn held(&self, session: &mut Session<'_, B>, job: &JobRecord) -> Result<u32, Failure> {
        let queue = self
            .backend
            .queued_runs(session, &[job.id.as_str()])
            .await?;
        let view = job.view(Occupancy::default());
        let is_held = |run: &RunRow| run.queued().is_ok_and(|run| view.holds(&run));
        let held = queue.iter().filter(|run| is_held(run)).count();
        Ok(u32::try_from(held).unwrap_or(u32::MAX))
    }

    pub(crate) async fn cancel(
        &self,
        run: RunId,
        now: DateTime<Utc>,
    ) -> Result<CancelAnswer, Failure> {
        let backend = &self.backend;
        let id = run.as_u128();
        let mut session = self.write().await?;
        let Some(row) = backend.runs(&mut session, &[id]).await?.pop() else {
            session.end(backend).await?;
            return Ok(CancelAnswer::Unknown);
        };
        // A claim that holds the job may be about to start the run: when it writes, the run that it has read must not
        // have ended meanwhile.
        backend.lock_jobs(&mut session, &[&row.job_id]).await?;
        let ended = backend
            .cancel_queued(&mut session, &[id], CANCELLED, micros(now))
            .await?;
        let answer = if ended > 0 {
            let row = backend.runs(&mut session, &[id]).await?.pop();
            match row.map(RunRow::read) {
                Some(Ok(run)) => CancelAnswer::Ended(Box::new(run)),
                Some(Err(problem)) => {
                    let id = run.to_string();
                    return Err(SqlError::Unreadable { id, problem }.into());
                }
                None => CancelAnswer::Unknown,
            }
        } else if backend.ask_run(&mut session, id).await? {
            backend.notify(&mut session, micros(now)).await?;
            CancelAnswer::Live
        } else {
            CancelAnswer::Unknown
        };
        session.commit(backend).await?;
        Ok(answer)
    }

    pub(crate) async fn list_cancellations(&self, node: NodeId) -> Result<Vec<RunId>, Failure> {
        let mut session = self.read().await?;
        let asked = self.backend.cancellations(&mut session, node_code(node));
        let ids = asked.await?;
        session.end(&self.backend).await?;
        Ok(ids.into_iter().map(RunId::from_u128).collect())
    }
}
