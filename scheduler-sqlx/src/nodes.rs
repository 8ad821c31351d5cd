//! Nodes, their leases, and the runs of nodes that are gone.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use scheduler_core::plan::{LeftRun, TakeOver, take_over};
use scheduler_core::store::{
    Heartbeat, Lease, NewNode, RunRef, TakenOver, Unreadable, WATERMARK_TOLERANCE,
};
use scheduler_core::{Attempt, JobId, Node, NodeId, RunId, RunState};
use tokio::time::Instant;

use crate::backend::Backend;
use crate::engine::{Engine, Failure};
use crate::instant::{from_micros, micros};
use crate::node_row::node_code;
use crate::record_problem::RecordProblem;
use crate::run_row::{RequeueRow, RunRow, WAITS, count};

/// How many of the nodes that are gone are listed.
const GONE_NODES_LISTED: i64 = 100;

/// The runs that one transaction takes over.
const BATCH: i64 = 1_000;

/// The progress of a takeover in several batches.
#[derive(Default)]
struct Progress {
    /// The nodes that were lost when the takeover began.
    lost: Option<HashSet<i64>>,
    /// Runs up to this id are settled.
    after: u128,
    /// Nodes with unreadable runs, which are kept for a program that can read them.
    kept: HashSet<i64>,
}

/// An instant at which no job is due: a notification of it is about slots and queued runs.
const LOOK_AT_ONCE: i64 = 0;

impl<B: Backend> Engine<B> {
    pub(crate) async fn join(&self, node: &NewNode) -> Result<Lease, Failure> {
        let lease = self.options.lease_micros();
        let mut session = self.write().await?;
        self.backend.join_node(&mut session, node, lease).await?;
        session.commit(&self.backend).await?;
        Ok(Lease {
            length: self.options.lease(),
            heartbeat_every: self.options.heartbeat_every(),
        })
    }

    pub(crate) async fn heartbeat(&self, node: NodeId) -> Result<Heartbeat, Failure> {
        let (node, lease) = (node_code(node), self.options.lease_micros());
        let answer = self
            .on_heartbeat_connection(async |backend, connection| {
                let ahead = WATERMARK_TOLERANCE.num_microseconds().unwrap_or(i64::MAX);
                backend.heartbeat(connection, node, lease, ahead).await
            })
            .await?;
        Ok(Heartbeat {
            is_alive: answer.is_some(),
            store_time: answer.as_ref().and_then(|row| from_micros(row.now).ok()),
            has_lost: answer.as_ref().is_some_and(|row| row.has_lost),
            needs_repair: answer.is_some_and(|row| row.needs_repair),
        })
    }

    pub(crate) async fn store_time(&self) -> Result<Option<DateTime<Utc>>, Failure> {
        let mut session = self.read().await?;
        let now = self.backend.time(&mut session).await?;
        session.end(&self.backend).await?;
        Ok(from_micros(now).ok())
    }

    pub(crate) async fn is_only_node(&self, node: NodeId) -> Result<bool, Failure> {
        if !B::ONE_WRITER {
            return Ok(false);
        }
        let node = node_code(node);
        self.on_heartbeat_connection(async |backend, connection| {
            backend.is_only_node(connection, node).await
        })
        .await
    }

    pub(crate) async fn leave(&self, node: NodeId) -> Result<(), Failure> {
        let node = node_code(node);
        let mut session = self.write().await?;
        self.backend.lock_node(&mut session, node).await?;
        self.backend.leave_node(&mut session, node).await?;
        session.commit(&self.backend).await?;
        self.close_own().await;
        Ok(())
    }

    pub(crate) async fn take_over(&self, now: DateTime<Utc>) -> Result<TakenOver, Failure> {
        let mut taken = TakenOver::default();
        let mut progress = Progress::default();
        // The caller stops waiting at some point, and later results would not be reported: it calls again.
        let deadline = Instant::now() + self.options.lease();
        loop {
            match self.take_over_batch(now, &mut progress, &mut taken).await {
                Ok(true) if Instant::now() < deadline => {}
                Ok(_) => return Ok(taken),
                // Runs that were already taken over are reported; the rest is left to the next call.
                Err(Failure::Sql(error)) if progress.after > 0 => {
                    tracing::warn!(%error, "a take-over was broken off");
                    return Ok(taken);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Takes over some runs. Returns `true` if there may be more.
    async fn take_over_batch(
        &self,
        now: DateTime<Utc>,
        progress: &mut Progress,
        taken: &mut TakenOver,
    ) -> Result<bool, Failure> {
        let backend = &self.backend;
        let mut session = self.write().await?;
        let mut nodes = backend.lock_lost_nodes(&mut session).await?;
        // If a node was lost after the first batch, some of its runs may already have been passed over.
        let lost = progress
            .lost
            .get_or_insert_with(|| nodes.iter().copied().collect());
        nodes.retain(|node| lost.contains(node));
        if nodes.is_empty() {
            session.end(backend).await?;
            return Ok(false);
        }
        let runs = backend
            .runs_of(&mut session, &nodes, progress.after, BATCH)
            .await?;
        let mut ids: Vec<&str> = runs.iter().map(|run| &*run.job_id).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut jobs = HashMap::new();
        if !ids.is_empty() {
            for row in backend.lock_jobs(&mut session, &ids).await? {
                jobs.insert(row.id.clone(), row.at_most_once());
            }
        }
        let mut part = TakenOver::default();
        let settled = self.settle_runs(&runs, &jobs, now, progress, &mut part);
        if !settled.is_empty() {
            backend.requeue(&mut session, &settled).await?;
        }
        let is_full = runs.len() >= usize::try_from(BATCH).unwrap_or(usize::MAX);
        let last = runs.last().map(|run| run.id).filter(|_| is_full);
        if last.is_some() || !progress.kept.is_empty() {
            // Some of its runs already belong to others: the node must not come back for the rest.
            backend.end_leases(&mut session, &nodes).await?;
        }
        if last.is_none() {
            nodes.retain(|node| !progress.kept.contains(node));
            backend.bury(&mut session, &nodes).await?;
        }
        if !settled.is_empty() {
            // Some runs are queued again, or their slots are free.
            backend.notify(&mut session, LOOK_AT_ONCE).await?;
        }
        session.commit(backend).await?;
        if !settled.is_empty() {
            for node in nodes {
                tracing::warn!(node = %crate::node_row::node_id(node), runs = settled.len(), "the node is gone; its runs were taken over");
            }
        }
        taken.again.append(&mut part.again);
        taken.lost.append(&mut part.lost);
        taken.cancelled.append(&mut part.cancelled);
        taken.unreadable.append(&mut part.unreadable);
        progress.after = last.unwrap_or(progress.after);
        Ok(last.is_some())
    }

    /// Decides on the runs of nodes that are gone. Unreadable runs are left out, and their nodes kept.
    fn settle_runs(
        &self,
        runs: &[RunRow],
        at_most_once: &HashMap<String, bool>,
        now: DateTime<Utc>,
        progress: &mut Progress,
        taken: &mut TakenOver,
    ) -> Vec<RequeueRow> {
        let mut settled = Vec::with_capacity(runs.len());
        for run in runs {
            match settle(run, at_most_once.get(&run.job_id).copied(), now, taken) {
                Ok(row) => settled.push(row),
                Err(problem) => {
                    progress.kept.extend(run.node);
                    let (id, problem) = (RunId::from_u128(run.id).to_string(), problem.to_string());
                    if self.quarantine.add(&id, Some(&problem)) {
                        taken.unreadable.push(Unreadable::new(id, problem));
                    }
                }
            }
        }
        settled
    }

    pub(crate) async fn list_nodes(&self) -> Result<Vec<Node>, Failure> {
        let mut session = self.read().await?;
        let rows = self
            .backend
            .list_nodes(&mut session, GONE_NODES_LISTED)
            .await?;
        session.end(&self.backend).await?;
        let readable = rows.into_iter().filter_map(|row| {
            let node = crate::node_row::node_id(row.id);
            row.read()
                .inspect_err(|problem| {
                    tracing::error!(%node, %problem, "the record cannot be read and is left out");
                })
                .ok()
        });
        Ok(readable.collect())
    }
}

/// Decides on a run whose node is gone. If the run cannot be read, returns the problem, and the run stays unchanged.
fn settle(
    run: &RunRow,
    at_most_once: Option<bool>,
    now: DateTime<Utc>,
    taken: &mut TakenOver,
) -> Result<RequeueRow, RecordProblem> {
    let state = RunState::from_code(run.state).ok_or(RecordProblem::State(run.state))?;
    let mut row = RequeueRow::ended(run);
    let lost = u32::try_from(run.lost).unwrap_or(u32::MAX);
    let mut left = LeftRun::new(state, lost, at_most_once);
    left.is_cancellation_requested = run.cancel_requested;
    let decided = take_over(left);
    let Some(state) = decided.state() else {
        return Ok(row);
    };
    row.lost += 1;
    row.state = state.code();
    let job = JobId::new(&*run.job_id).ok();
    let id = job.map(|job| RunRef::new(job, RunId::from_u128(run.id)));
    match decided {
        TakeOver::Free => {}
        TakeOver::Cancelled => {
            taken.cancelled.extend(run.cancelled(count(run.attempt)));
        }
        TakeOver::Again => taken.again.extend(id),
        TakeOver::Lost => taken.lost.extend(id),
    }
    if state == RunState::Queued {
        row.slot = WAITS;
        row.earlier_attempts = Some(with_lost_attempt(run, decided.error(), now)?);
    } else {
        row.finished_at = Some(micros(now));
        row.error = decided.error().map(str::to_owned);
    }
    Ok(row)
}

/// Returns the earlier attempts and the one that was lost. The earlier ones are kept as stored: a newer version may
/// have written them.
fn with_lost_attempt(
    run: &RunRow,
    error: Option<&str>,
    now: DateTime<Utc>,
) -> Result<String, RecordProblem> {
    let json = run.earlier_attempts.as_deref().unwrap_or("[]");
    let mut attempts: Vec<serde_json::Value> =
        serde_json::from_str(json).map_err(RecordProblem::EarlierAttempts)?;
    let started_at = run.started_at.and_then(|at| from_micros(at).ok());
    let times = (started_at.unwrap_or(now), now);
    let error = error.map(Box::from);
    let lost = Attempt::new(count(run.attempt), times, RunState::Lost, error);
    attempts.push(serde_json::to_value(lost).map_err(RecordProblem::EarlierAttempts)?);
    let over = attempts.len().saturating_sub(Attempt::KEPT);
    attempts.drain(..over);
    serde_json::to_string(&attempts).map_err(RecordProblem::EarlierAttempts)
}
