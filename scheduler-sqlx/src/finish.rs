//! Recording how attempts ended, and giving runs back.

use std::collections::{HashMap, HashSet};

use scheduler_core::plan::{RecordedView, Verdict, was_recorded};
use scheduler_core::store::{End, Finished};
use scheduler_core::{Attempt, NodeId, RunId, RunState};

use crate::backend::Backend;
use crate::engine::{Engine, Failure};
use crate::instant::{from_micros, micros};
use crate::node_row::node_code;
use crate::run_row::{EndRow, HOLDS, RetryRow, RunRow};

/// The ends of one batch, by what becomes of the run.
#[derive(Default)]
struct Batch<'a> {
    ends: Vec<EndRow<'a>>,
    retries: Vec<RetryRow<'a>>,
    bodies: Vec<(u128, i32)>,
}

impl<B: Backend> Engine<B> {
    pub(crate) async fn finish(
        &self,
        node: NodeId,
        finished: &[Finished],
    ) -> Result<Vec<bool>, Failure> {
        let node = node_code(node);
        let earlier: Vec<String> = finished.iter().map(earlier_attempt).collect();
        let mut batch = Batch::default();
        for (one, earlier) in finished.iter().zip(&earlier) {
            batch.add(one, earlier);
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
        // Of two ends of one run, under two attempts, the row tells which was recorded.
        let mut seen = HashSet::with_capacity(finished.len());
        for one in finished {
            if !seen.insert(one.run_id) {
                recorded.remove(&one.run_id.as_u128());
            }
        }
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
        // This node takes what waits for these places itself, unless another one is just looking at the job:
        // then that one has seen them taken, and is to look again.
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

    pub(crate) async fn release(&self, node: NodeId, runs: &[RunId]) -> Result<(), Failure> {
        let ids: Vec<u128> = runs.iter().map(|run| run.as_u128()).collect();
        let mut session = self.write().await?;
        self.backend
            .release_runs(&mut session, node_code(node), &ids)
            .await?;
        // At once: who gives runs back is about to end.
        self.backend.notify(&mut session, 0).await?;
        session.commit(&self.backend).await?;
        Ok(())
    }

    pub(crate) async fn list_held(&self, node: NodeId) -> Result<Vec<RunId>, Failure> {
        let mut session = self.read().await?;
        let ids = self.backend.held(&mut session, node_code(node)).await?;
        session.end(&self.backend).await?;
        Ok(ids.into_iter().map(RunId::from_u128).collect())
    }
}

impl<'a> Batch<'a> {
    fn add(&mut self, finished: &'a Finished, earlier: &'a str) {
        let id = finished.run_id.as_u128();
        let attempt = attempt_code(finished.attempt);
        match &finished.end {
            End::Body => self.bodies.push((id, attempt)),
            End::Attempt {
                verdict: Verdict::Retry(_),
                started_at,
                lateness,
                body_runs,
                ..
            } => self.retries.push(RetryRow {
                id,
                attempt,
                holds_slot: *body_runs,
                started_at: micros(*started_at),
                lateness: i64::try_from(lateness.as_micros()).unwrap_or(i64::MAX),
                earlier,
            }),
            End::Attempt {
                verdict: Verdict::Final(state),
                started_at,
                finished_at,
                lateness,
                error,
                value,
                body_runs,
                ..
            } => self.ends.push(EndRow {
                id,
                attempt,
                state: state.code(),
                holds_slot: *body_runs,
                started_at: micros(*started_at),
                finished_at: micros(*finished_at),
                lateness: i64::try_from(lateness.as_micros()).unwrap_or(i64::MAX),
                error: error.as_deref(),
                value: value.as_deref(),
            }),
        }
    }
}

impl Batch<'_> {
    /// The runs whose slots are free afterwards.
    fn freed(&self) -> Vec<u128> {
        let ended = self.ends.iter().filter(|end| !end.holds_slot);
        let bodies = self.bodies.iter().map(|(id, _)| *id);
        ended.map(|end| end.id).chain(bodies).collect()
    }
}

fn attempt_code(attempt: u32) -> i32 {
    i32::try_from(attempt).unwrap_or(i32::MAX)
}

/// The record of an attempt that is followed by another one.
fn earlier_attempt(finished: &Finished) -> String {
    match &finished.end {
        End::Attempt {
            verdict: Verdict::Retry(_),
            started_at,
            finished_at,
            error,
            state,
            ..
        } => {
            let times = (*started_at, *finished_at);
            let attempt = Attempt::new(finished.attempt, times, *state, error.clone());
            serde_json::to_string(&attempt).unwrap_or_default()
        }
        _ => String::new(),
    }
}

/// Returns `true` if this very end was recorded before, and only the answer was lost on its way.
fn is_recorded(row: &RunRow, node: i64, finished: &Finished) -> bool {
    let Some(state) = RunState::from_code(row.state).filter(|_| row.node == Some(node)) else {
        return false;
    };
    let json = row.earlier_attempts.as_deref().unwrap_or("[]");
    // Only the last one is read: a newer version may have written those before it.
    let mut attempts: Vec<serde_json::Value> = serde_json::from_str(json).unwrap_or_default();
    let last = attempts.pop().map(serde_json::from_value::<Attempt>);
    let last = last.and_then(Result::ok);
    let run = RecordedView {
        attempt: u32::try_from(row.attempt).unwrap_or(0),
        state,
        is_live: row.slot == HOLDS,
        finished_at: row.finished_at.and_then(|at| from_micros(at).ok()),
        last_attempt: last.map(|last| (last.attempt, last.finished_at)),
    };
    let end = &finished.end;
    was_recorded(run, finished.attempt, end.ending(), end.finished_at())
}
