//! Recording the ends of attempts, and releasing runs.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use scheduler_core::plan::{
    FinishChanges, LiveView, RecordedView, Release, finish, release, was_recorded,
};
use scheduler_core::store::{AttemptEnd, CancelledRun, End, Finished};
use scheduler_core::{Attempt, NodeId, RunId, RunState};

use crate::backend::Backend;
use crate::engine::{Engine, Failure};
use crate::instant::{from_micros, micros};
use crate::node_row::node_code;
use crate::run_row::{
    BodyRow, EndRow, HELD, HOLDS, RequeueRow, RetryRow, RunRow, WAITS, attempt_code, count,
};

/// The ends of one batch, by the change to the run.
///
/// Each end is decided without reading its run, for each way in which its node may hold the run; the statement that
/// writes the decision finds out which way it is.
#[derive(Default)]
struct Batch<'a> {
    ends: Vec<EndRow<'a>>,
    retries: Vec<RetryRow>,
    bodies: Vec<BodyRow>,
}

impl<B: Backend> Engine<B> {
    pub(crate) async fn finish(
        &self,
        node: NodeId,
        finished: &[Finished],
    ) -> Result<Vec<bool>, Failure> {
        let node = node_code(node);
        let mut batch = Batch::default();
        for one in finished {
            for (changes, held) in decide(one) {
                batch.add(one, changes, held);
            }
        }
        let backend = &self.backend;
        let mut session = self.write().await?;
        let mut recorded: HashSet<u128> = HashSet::with_capacity(finished.len());
        if !batch.retries.is_empty() {
            let ids = backend.retry_runs(&mut session, node, &batch.retries);
            recorded.extend(ids.await?);
        }
        if !batch.ends.is_empty() {
            let ids = backend.end_runs(&mut session, node, &batch.ends);
            recorded.extend(ids.await?);
        }
        if !batch.bodies.is_empty() {
            let ids = backend.end_bodies(&mut session, node, &batch.bodies);
            recorded.extend(ids.await?);
        }
        forget_repeated(&mut recorded, finished);
        let missing: Vec<&Finished> = finished
            .iter()
            .filter(|one| !recorded.contains(&one.run_id.as_u128()))
            .collect();
        let mut known = HashMap::new();
        if !missing.is_empty() {
            if !self.backend.hold_lease(&mut session, node).await? {
                session.end(backend).await?;
                return Err(Failure::Fenced);
            }
            let ids: Vec<u128> = missing.iter().map(|one| one.run_id.as_u128()).collect();
            let rows = backend.runs(&mut session, &ids).await?;
            known.extend(rows.into_iter().map(|row| (row.id, row)));
        }
        // This node claims the queued runs for these slots itself, unless another node is claiming from the job right
        // now: that node has seen the slots taken, and has to look again.
        let freed = batch.freed();
        if !freed.is_empty() {
            backend.notify_of_slots(&mut session, &freed).await?;
        }
        session.commit(backend).await?;
        Ok(finished
            .iter()
            .map(|one| {
                recorded.contains(&one.run_id.as_u128())
                    || known
                        .get(&one.run_id.as_u128())
                        .is_some_and(|row| is_recorded(row, node, one))
            })
            .collect())
    }

    pub(crate) async fn release(
        &self,
        node: NodeId,
        runs: &[RunId],
        now: DateTime<Utc>,
    ) -> Result<Vec<CancelledRun>, Failure> {
        let (node, backend) = (node_code(node), &self.backend);
        let ids: Vec<u128> = runs.iter().map(|run| run.as_u128()).collect();
        let mut session = self.write().await?;
        let mut held = backend.runs(&mut session, &ids).await?;
        held.retain(|run| is_released_by(run, node));
        // The jobs are locked, so that none of them is removed before its runs are queued.
        let mut jobs: Vec<&str> = held.iter().map(|run| &*run.job_id).collect();
        jobs.sort_unstable();
        jobs.dedup();
        let mut locked = Vec::new();
        if !jobs.is_empty() {
            locked = backend.lock_jobs(&mut session, &jobs).await?;
            // Read again: a cancellation may have been requested before the lock.
            held = backend.runs(&mut session, &ids).await?;
            held.retain(|run| is_released_by(run, node));
        }
        let jobs: HashSet<&str> = locked.iter().map(|job| &*job.id).collect();
        let mut cancelled = Vec::new();
        let mut settled = Vec::with_capacity(held.len());
        for run in &held {
            let has_job = jobs.contains(&*run.job_id);
            let row = match release(count(run.attempt), has_job, run.cancel_requested) {
                Release::Queue(attempts) => RequeueRow {
                    attempt: attempt_code(attempts),
                    state: RunState::Queued.code(),
                    slot: WAITS,
                    ..RequeueRow::ended(run)
                },
                Release::Cancel { attempts, error } => {
                    cancelled.extend(run.cancelled(attempts));
                    RequeueRow {
                        attempt: attempt_code(attempts),
                        state: RunState::Cancelled.code(),
                        finished_at: Some(micros(now)),
                        error: Some(error.to_owned()),
                        ..RequeueRow::ended(run)
                    }
                }
            };
            settled.push(row);
        }
        if !settled.is_empty() {
            backend.requeue(&mut session, &settled).await?;
        }
        // Immediately: a node that releases runs is about to shut down.
        backend.notify(&mut session, 0).await?;
        session.commit(backend).await?;
        Ok(cancelled)
    }

    pub(crate) async fn list_held(&self, node: NodeId) -> Result<Vec<RunId>, Failure> {
        let node = node_code(node);
        // A write transaction, since one that only reads would miss what a timed-out call is about to commit.
        let mut session = self.write().await?;
        self.backend.lock_node(&mut session, node).await?;
        let ids = self.backend.held(&mut session, node).await?;
        session.end(&self.backend).await?;
        Ok(ids.into_iter().map(RunId::from_u128).collect())
    }
}

impl<'a> Batch<'a> {
    fn add(&mut self, finished: &'a Finished, changes: FinishChanges, held: i16) {
        let id = finished.run_id.as_u128();
        let attempt = attempt_code(finished.attempt);
        match (changes, &finished.end) {
            (FinishChanges::End { state, body_runs }, End::Attempt(end)) => {
                self.ends.push(EndRow {
                    id,
                    attempt,
                    held,
                    state: state.code(),
                    holds_slot: body_runs,
                    started_at: micros(end.started_at),
                    finished_at: micros(end.finished_at),
                    lateness: lateness_code(end),
                    error: end.error.as_deref(),
                    value: end.value.as_deref(),
                });
            }
            (FinishChanges::Retry(next), End::Attempt(end)) => {
                let times = (end.started_at, end.finished_at);
                let earlier = Attempt::new(finished.attempt, times, end.state, end.error.clone());
                self.retries.push(RetryRow {
                    id,
                    attempt,
                    held,
                    next_attempt: attempt_code(next.attempt),
                    failures: attempt_code(next.failures),
                    started_at: micros(end.started_at),
                    lateness: lateness_code(end),
                    earlier: serde_json::to_string(&earlier).unwrap_or_default(),
                });
            }
            (FinishChanges::Next(next), _) => self.bodies.push(BodyRow {
                id,
                attempt,
                held,
                next_attempt: attempt_code(next.attempt),
                holds_slot: true,
            }),
            (FinishChanges::Free, _) => self.bodies.push(BodyRow {
                id,
                attempt,
                held,
                next_attempt: attempt,
                holds_slot: false,
            }),
            _ => {}
        }
    }

    /// Returns the runs whose slots may be free afterwards.
    fn freed(&self) -> Vec<u128> {
        let ended = self.ends.iter().filter(|end| !end.holds_slot);
        let bodies = self.bodies.iter().filter(|body| !body.holds_slot);
        let bodies = bodies.map(|body| body.id);
        ended.map(|end| end.id).chain(bodies).collect()
    }
}

/// If a run has two ends, under two attempts, only its row shows which one was recorded.
fn forget_repeated(recorded: &mut HashSet<u128>, finished: &[Finished]) {
    let mut seen = HashSet::with_capacity(finished.len());
    for one in finished {
        if !seen.insert(one.run_id) {
            recorded.remove(&one.run_id.as_u128());
        }
    }
}

/// Decides what an end changes in a run that its node holds under that attempt: returns each change with the bits of
/// the ways of holding it for which it applies. Failures are counted from 0: the change adds them to the stored number.
fn decide(finished: &Finished) -> impl Iterator<Item = (FinishChanges, i16)> + use<> {
    let (attempt, ending) = (finished.attempt, finished.end.ending());
    let decided = HELD.map(|(after_body, held)| {
        let run = LiveView::new(attempt, 0, after_body);
        (finish(run, attempt, ending), held)
    });
    let alike = move |changes| {
        let alike = decided.iter().filter(move |(other, _)| *other == changes);
        alike.map(|(_, held)| held).sum::<i16>()
    };
    decided
        .into_iter()
        .map(move |(changes, held)| (changes, held, alike(changes)))
        .filter(|(changes, held, all)| {
            let is_first = all.trailing_zeros() == held.trailing_zeros();
            *changes != FinishChanges::Refuse && is_first
        })
        .map(|(changes, _, all)| (changes, all))
}

fn lateness_code(end: &AttemptEnd) -> i64 {
    i64::try_from(end.lateness.as_micros()).unwrap_or(i64::MAX)
}

/// Returns `true` if the node holds the run and its attempt is still running.
fn is_released_by(run: &RunRow, node: i64) -> bool {
    let is_live = run.slot == HOLDS && run.state == RunState::Running.code();
    let has_ended = |last: Attempt| last.attempt == count(run.attempt);
    run.node == Some(node) && is_live && !run.last_attempt().is_some_and(has_ended)
}

/// Returns `true` if exactly this end was recorded before, and only the answer was lost.
fn is_recorded(row: &RunRow, node: i64, finished: &Finished) -> bool {
    let Some(state) = RunState::from_code(row.state).filter(|_| row.node == Some(node)) else {
        return false;
    };
    let mut run = RecordedView::new(count(row.attempt), state, row.slot == HOLDS);
    run.finished_at = row.finished_at.and_then(|at| from_micros(at).ok());
    let last = row.last_attempt();
    run.last_attempt = last.map(|last| (last.attempt, last.finished_at));
    let end = &finished.end;
    was_recorded(run, finished.attempt, end.ending(), end.finished_at())
}
