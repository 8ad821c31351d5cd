//! Recording how attempts ended.

use chrono::{DateTime, Utc};

use super::table::{LiveRun, QueuedRun, Table, Tried};
use crate::id::RunId;
use crate::node::NodeId;
use crate::plan::Verdict;
use crate::run::{Attempt, Run, RunState};
use crate::store::{End, Finished};

impl Table {
    /// Records how an attempt ended. Whether it is recorded.
    pub(super) fn finish(&mut self, node: NodeId, finished: Finished) -> bool {
        let held = |run: &&mut LiveRun| {
            // While a body goes on, its attempt has ended; it may still be that it is not tried again.
            let is_over = match (&finished.end, run.body_runs) {
                (End::Attempt { verdict, .. }, Some(is_retried)) => {
                    !is_retried || matches!(verdict, Verdict::Retry(_))
                }
                _ => false,
            };
            run.node == node && run.attempt == finished.attempt && !is_over
        };
        let Some(run) = self.live.get_mut(&finished.run_id).filter(held) else {
            return self.is_recorded(node, &finished);
        };
        match finished.end {
            End::Body => match run.body_runs.take() {
                Some(true) => run.attempt += 1,
                Some(false) => {
                    self.free(finished.run_id);
                }
                None => {}
            },
            End::Attempt {
                verdict,
                started_at,
                finished_at,
                lateness,
                error,
                value,
                body_runs,
                state,
            } => {
                run.lateness.get_or_insert(lateness);
                run.started_at = started_at;
                match verdict {
                    Verdict::Retry(_) => {
                        if run.earlier_attempts.len() == Attempt::KEPT {
                            run.earlier_attempts.remove(0);
                        }
                        run.earlier_attempts.push(Attempt {
                            attempt: run.attempt,
                            started_at,
                            finished_at,
                            state,
                            error,
                        });
                        // What is lost with its node has a budget of its own.
                        run.failures += u32::from(state != RunState::Lost);
                        if body_runs {
                            run.body_runs = Some(true);
                        } else {
                            run.attempt += 1;
                        }
                    }
                    Verdict::Final(state) => {
                        let id = finished.run_id;
                        let over = if body_runs {
                            run.body_runs = Some(false);
                            let over = run.clone();
                            self.asked.remove(&(node, id));
                            Some(over)
                        } else {
                            self.free(id)
                        };
                        let is_kept =
                            |run: &LiveRun| self.history.keeps(run.scheduled_for, finished_at);
                        if let Some(run) = over.filter(is_kept) {
                            let record = ended(id, run, state, finished_at, error, value);
                            self.history.push_run(record);
                        }
                    }
                }
            }
        }
        true
    }

    /// Whether this end was recorded before, and only the answer was lost.
    fn is_recorded(&self, node: NodeId, finished: &Finished) -> bool {
        let live = self.live.get(&finished.run_id);
        let is_over = |run: &&LiveRun| {
            run.attempt == finished.attempt + 1
                || (run.attempt == finished.attempt && run.body_runs == Some(true))
        };
        let next = live.filter(|run| run.node == node).filter(is_over);
        let ended = self.history.find(finished.run_id);
        match &finished.end {
            End::Body => next.is_some() || ended.is_some(),
            End::Attempt {
                verdict: Verdict::Retry(_),
                finished_at,
                ..
            } => {
                let last = next.and_then(|run| run.earlier_attempts.last());
                last.is_some_and(|last| last.finished_at == *finished_at)
            }
            End::Attempt {
                verdict: Verdict::Final(state),
                finished_at,
                ..
            } => ended.is_some_and(|run| {
                let found = (run.attempt, run.state, run.finished_at);
                found == (finished.attempt, *state, Some(*finished_at))
            }),
        }
    }

    /// Gives back a run that nobody carries out: it waits for the next scheduler.
    pub(super) fn release(&mut self, node: NodeId, run_id: RunId) {
        let held = |run: &&LiveRun| run.node == node && run.body_runs.is_none();
        let Some(run) = self.live.get(&run_id).filter(held) else {
            return;
        };
        let Some(slot) = run.slot else {
            self.end_released(run_id);
            return;
        };
        let tried = (run.attempt > 1).then(|| {
            Box::new(Tried {
                attempts: run.attempt - 1,
                failures: run.failures,
                lateness: run.lateness,
                earlier_attempts: run.earlier_attempts.clone(),
            })
        });
        let waiting = QueuedRun {
            run_id,
            kind: run.kind,
            scheduled_for: run.scheduled_for,
            tried,
            asked: self.asked.contains(&(node, run_id)),
        };
        self.free(run_id);
        self.enqueue(slot, waiting);
    }

    /// Ends a run that is released and can wait for nobody, since its job was removed.
    fn end_released(&mut self, run_id: RunId) {
        if let Some(mut run) = self.free(run_id) {
            run.attempt -= 1;
            let (state, at) = (RunState::Cancelled, run.started_at);
            let error = Some("its job was removed".into());
            let record = ended(run_id, run, state, at, error, None);
            self.history.push_run(record);
        }
    }

    /// Frees the place of a run, and returns what it was.
    fn free(&mut self, run_id: RunId) -> Option<LiveRun> {
        let run = self.live.remove(&run_id)?;
        self.asked.remove(&(run.node, run_id));
        if let Some(slot) = run.slot {
            if let Some(row) = self.row_mut(slot) {
                row.occupancy.live = row.occupancy.live.saturating_sub(1);
                if row.occupancy.queued > 0 {
                    self.promotable.push(slot);
                }
            }
        } else if let Some(orphans) = self.orphans.get_mut(&run.job_id) {
            orphans.retain(|orphan| *orphan != run_id);
            if orphans.is_empty() {
                self.orphans.remove(&run.job_id);
            }
        }
        Some(run)
    }
}

fn ended(
    id: RunId,
    run: LiveRun,
    state: RunState,
    finished_at: DateTime<Utc>,
    error: Option<Box<str>>,
    value: Option<Box<str>>,
) -> Run {
    Run {
        id,
        node: None,
        job_id: run.job_id,
        task: run.task,
        kind: run.kind,
        scheduled_for: run.scheduled_for,
        state,
        attempt: run.attempt,
        started_at: Some(run.started_at),
        finished_at: Some(finished_at),
        lateness: run.lateness,
        error,
        value,
        earlier_attempts: run.earlier_attempts,
    }
}
