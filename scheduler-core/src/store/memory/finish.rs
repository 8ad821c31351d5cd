//! Recording how attempts ended.

use std::collections::hash_map::Entry;

use chrono::{DateTime, Utc};

use super::table::{LiveRun, QueuedRun, Table, Tried};
use crate::id::RunId;
use crate::node::NodeId;
use crate::plan::{
    AfterBody, FinishChanges, LiveView, RecordedView, Release, finish, release, was_recorded,
};
use crate::run::{Attempt, Run, RunState};
use crate::store::{End, Finished};

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
        if let End::Attempt {
            started_at,
            lateness,
            ..
        } = end
        {
            let run = run.get_mut();
            run.lateness.get_or_insert(lateness);
            run.started_at = started_at;
        }
        match (changes, end) {
            (FinishChanges::Retry(next), end) => run.get_mut().retry(next, attempt, end),
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
                self.keep_ended(run_id, over, state, end);
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

    fn keep_ended(&mut self, run_id: RunId, run: LiveRun, state: RunState, end: End) {
        if let End::Attempt {
            finished_at,
            error,
            value,
            ..
        } = end
            && self.history.keeps(run.scheduled_for, finished_at)
        {
            let record = ended(run_id, run, state, finished_at, error, value);
            self.history.push_run(record);
        }
    }

    /// Returns `true` if this end was recorded before, and only the answer was lost.
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

    /// Releases a run that was not carried out: it is queued for the next scheduler, or ends.
    pub(super) fn release(&mut self, node: NodeId, run_id: RunId, now: DateTime<Utc>) {
        let held = |run: &&LiveRun| run.node == node && run.after_body.is_none();
        let Some(run) = self.live.get(&run_id).filter(held) else {
            return;
        };
        let slot = run.slot;
        let is_cancellation_requested = self.asked.contains(&(node, run_id));
        let released = release(run.attempt, slot.is_some(), is_cancellation_requested);
        let Some(mut run) = self.live.remove(&run_id) else {
            return;
        };
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
            }
            Release::Cancel { attempts, error } => {
                run.attempt = attempts;
                let (state, error) = (RunState::Cancelled, Some(error.into()));
                let record = ended(run_id, run, state, now, error, None);
                self.history.push_run(record);
            }
        }
    }

    /// Frees the slot of a run that is not live any more.
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
    /// Adds an attempt that has ended to the earlier ones, and goes on as this.
    fn retry(&mut self, next: LiveView, attempt: u32, end: End) {
        if let End::Attempt {
            started_at,
            finished_at,
            error,
            state,
            ..
        } = end
        {
            if self.earlier_attempts.len() == Attempt::KEPT {
                self.earlier_attempts.remove(0);
            }
            let times = (started_at, finished_at);
            let earlier = Attempt::new(attempt, times, state, error);
            self.earlier_attempts.push(earlier);
        }
        self.set(next);
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
