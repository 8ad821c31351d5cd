//! Recording how attempts ended.

use std::collections::hash_map::Entry;

use chrono::{DateTime, Utc};

use super::table::{LiveRun, QueuedRun, Table, Tried};
use crate::id::RunId;
use crate::node::NodeId;
use crate::plan::{AfterBody, FinishChanges, RecordedView, Release, finish, release, was_recorded};
use crate::run::{Attempt, Run, RunState};
use crate::store::{AttemptEnd, CancelledRun, End, Finished};

impl Table {
    /// Records how an attempt ended. Returns `true` if it is recorded.
    pub(super) fn finish(&mut self, node: NodeId, finished: Finished) -> bool {
        let Finished {
            run_id,
            attempt,
            end,
        } = finished;
        let held = match self.live.entry(run_id) {
            Entry::Occupied(run) if run.get().node == node => Some(run),
            _ => None,
        };
        let changes = held
            .as_ref()
            .map(|run| finish(run.get().view(), attempt, end.ending()));
        let (Some(mut run), Some(changes)) = (
            held,
            changes.filter(|changes| *changes != FinishChanges::Refuse),
        ) else {
            return self.is_recorded(node, run_id, attempt, &end);
        };
        let end = match end {
            End::Attempt(end) => {
                let run = run.get_mut();
                run.lateness.get_or_insert(end.lateness);
                run.started_at = end.started_at;
                Some(end)
            }
            End::Body => None,
        };
        match (changes, end) {
            (FinishChanges::Retry(next), end) => {
                let run = run.get_mut();
                if let Some(end) = end {
                    run.add_attempt(attempt, end);
                }
                run.set(next);
            }
            (FinishChanges::End { state, body_runs }, end) => {
                let over = if body_runs {
                    run.get_mut().after_body = Some(AfterBody::End);
                    let over = run.get().clone();
                    self.asked.remove(&(node, run_id));
                    over
                } else {
                    let run = run.remove();
                    self.free(run_id, &run);
                    run
                };
                if let Some(end) = end {
                    self.keep_ended(run_id, over, state, end);
                }
            }
            (FinishChanges::Next(next), _) => run.get_mut().set(next),
            (FinishChanges::Free, _) => {
                let run = run.remove();
                self.free(run_id, &run);
            }
            (FinishChanges::Refuse, _) => {}
        }
        true
    }

    fn keep_ended(&mut self, run_id: RunId, run: LiveRun, state: RunState, end: AttemptEnd) {
        if self.history.keeps(run.scheduled_for, end.finished_at) {
            let record = ended(run_id, run, state, end.finished_at, end.error, end.value);
            self.history.push_run(record);
        }
    }

    /// Returns `true` if this end was recorded before and only the answer was lost.
    fn is_recorded(&self, node: NodeId, run_id: RunId, attempt: u32, end: &End) -> bool {
        let live = self.live.get(&run_id).filter(|run| run.node == node);
        let live = live.filter(|run| run.after_body != Some(AfterBody::End));
        let view = if let Some(run) = live {
            let last = run.earlier_attempts.last();
            RecordedView {
                attempt: run.attempt,
                state: RunState::Running,
                is_live: true,
                finished_at: None,
                last_attempt: last.map(|last| (last.attempt, last.finished_at)),
            }
        } else if let Some(run) = self.history.find(run_id) {
            RecordedView {
                attempt: run.attempt,
                state: run.state,
                is_live: self.live.contains_key(&run_id),
                finished_at: run.finished_at,
                last_attempt: None,
            }
        } else {
            return false;
        };
        was_recorded(view, attempt, end.ending(), end.finished_at())
    }

    /// Releases a run that was not carried out: it is queued for the next scheduler, or ends. Returns it if it ends.
    pub(super) fn release(
        &mut self,
        node: NodeId,
        run_id: RunId,
        now: DateTime<Utc>,
    ) -> Option<CancelledRun> {
        let held = |run: &&LiveRun| run.node == node && run.after_body.is_none();
        let run = self.live.get(&run_id).filter(held)?;
        let slot = run.slot;
        let is_cancellation_requested = self.asked.contains(&(node, run_id));
        let released = release(run.attempt, slot.is_some(), is_cancellation_requested);
        let mut run = self.live.remove(&run_id)?;
        self.free(run_id, &run);
        match released {
            Release::Queue(attempts) => {
                let mut queued = QueuedRun::new(run_id, run.kind, run.scheduled_for);
                queued.tried = (attempts > 0).then(|| {
                    Box::new(Tried {
                        attempts,
                        failures: run.failures,
                        lateness: run.lateness,
                        earlier_attempts: run.earlier_attempts,
                    })
                });
                if let Some(slot) = slot {
                    self.enqueue(slot, queued);
                }
                None
            }
            Release::Cancel { attempts, error } => {
                run.attempt = attempts;
                let (state, error) = (RunState::Cancelled, Some(error.into()));
                let record = ended(run_id, run, state, now, error, None);
                let cancelled = CancelledRun::of(&record);
                self.history.push_run(record);
                Some(cancelled)
            }
        }
    }

    /// Frees the slot of a run that is no longer live.
    fn free(&mut self, run_id: RunId, run: &LiveRun) {
        self.asked.remove(&(run.node, run_id));
        #[cfg(debug_assertions)]
        self.counts.remove_live(run.slot, (run.node, run_id));
        if let Some(slot) = run.slot {
            if let Some(row) = self.row_mut(slot) {
                row.occupancy.live = row.occupancy.live.saturating_sub(1);
                if row.occupancy.queued > 0 {
                    self.set_promotable(slot);
                }
            }
        } else if let Some(orphans) = self.orphans.get_mut(&run.job_id) {
            orphans.retain(|orphan| *orphan != run_id);
            if orphans.is_empty() {
                self.orphans.remove(&run.job_id);
            }
        }
    }
}

impl LiveRun {
    /// Adds an attempt that has ended to the earlier ones.
    fn add_attempt(&mut self, attempt: u32, end: AttemptEnd) {
        if self.earlier_attempts.len() == Attempt::KEPT {
            self.earlier_attempts.remove(0);
        }
        let times = (end.started_at, end.finished_at);
        let earlier = Attempt::new(attempt, times, end.state, end.error);
        self.earlier_attempts.push(earlier);
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
