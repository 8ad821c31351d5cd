//! Recording how attempts ended.

use chrono::{DateTime, Utc};

use super::table::{LiveRun, QueuedRun, Table, Tried};
use crate::id::RunId;
use crate::plan::Verdict;
use crate::run::{Attempt, Run, RunState};
use crate::store::{End, Finished};

/// Attempts before the last one that are kept.
const MAX_EARLIER_ATTEMPTS: usize = 10;

impl Table {
    /// Records how an attempt ended. Whether its run was still held.
    pub(super) fn finish(&mut self, finished: Finished) -> bool {
        let Some(run) = self.live.get_mut(&finished.run_id) else {
            return false;
        };
        if run.attempt != finished.attempt {
            return false;
        }
        match finished.end {
            End::Body => match run.body_runs.take() {
                Some(true) => run.attempt += 1,
                Some(false) => self.free(finished.run_id),
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
                        if run.earlier_attempts.len() == MAX_EARLIER_ATTEMPTS {
                            run.earlier_attempts.remove(0);
                        }
                        run.earlier_attempts.push(Attempt {
                            attempt: run.attempt,
                            started_at,
                            finished_at,
                            state,
                            error,
                        });
                        if body_runs {
                            run.body_runs = Some(true);
                        } else {
                            run.attempt += 1;
                        }
                    }
                    Verdict::Final(state) => {
                        if self.history.capacity() > 0 {
                            let record =
                                ended(finished.run_id, run, state, finished_at, error, value);
                            self.history.push_run(record);
                        }
                        if body_runs {
                            run.body_runs = Some(false);
                        } else {
                            self.free(finished.run_id);
                        }
                    }
                }
            }
        }
        true
    }

    /// Gives back a run that nobody carries out: it waits for the next scheduler.
    pub(super) fn release(&mut self, run_id: RunId) {
        let Some(run) = self.live.get(&run_id) else {
            return;
        };
        let tried = (run.attempt > 1).then(|| {
            Box::new(Tried {
                attempts: run.attempt - 1,
                lateness: run.lateness,
                earlier_attempts: run.earlier_attempts.clone(),
            })
        });
        let waiting = QueuedRun {
            run_id,
            kind: run.kind,
            scheduled_for: run.scheduled_for,
            tried,
        };
        let slot = run.slot;
        self.free(run_id);
        if let Some(slot) = slot {
            self.enqueue(slot, waiting);
        }
    }

    fn free(&mut self, run_id: RunId) {
        let Some(run) = self.live.remove(&run_id) else {
            return;
        };
        if let Some(slot) = run.slot {
            if let Some(row) = self.row_mut(slot) {
                row.occupancy.live = row.occupancy.live.saturating_sub(1);
            }
        } else if let Some(orphans) = self.orphans.get_mut(&run.job_id) {
            orphans.retain(|orphan| *orphan != run_id);
            if orphans.is_empty() {
                self.orphans.remove(&run.job_id);
            }
        }
    }
}

fn ended(
    id: RunId,
    run: &mut LiveRun,
    state: RunState,
    finished_at: DateTime<Utc>,
    error: Option<Box<str>>,
    value: Option<Box<str>>,
) -> Run {
    Run {
        id,
        job_id: run.job_id.clone(),
        task: run.task.clone(),
        kind: run.kind,
        scheduled_for: run.scheduled_for,
        state,
        attempt: run.attempt,
        started_at: Some(run.started_at),
        finished_at: Some(finished_at),
        lateness: run.lateness,
        error,
        value,
        earlier_attempts: std::mem::take(&mut run.earlier_attempts),
    }
}
