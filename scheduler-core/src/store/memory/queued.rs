//! Runs that wait for a place, and runs that are asked for by hand.

use chrono::{DateTime, Utc};

use super::claim::{Room, guard};
use super::table::{QueuedRun, Slot, Table};
use crate::dropped::{DropReason, Dropped};
use crate::id::RunId;
use crate::job_record::JobRecord;
use crate::plan::{ManualDecision, Promotion, plan_manual, promote};
use crate::run::{Run, RunKind, RunState};
use crate::store::{CancelAnswer, Claim, ClaimRequest, ClaimedRun, ManualRun, record_drop};

impl Table {
    /// Starts runs that wait and find a place.
    pub(super) fn claim_queued(
        &mut self,
        request: &ClaimRequest<'_>,
        room: &mut Room<'_>,
        claim: &mut Claim,
    ) {
        let slots: Vec<Slot> = self.queued.keys().copied().collect();
        for slot in slots {
            let mut index = 0;
            while let Some(run) = self.waiting(slot, index) {
                let Some(row) = self.row(slot) else { break };
                let job = &row.job;
                if !request.claimable.allows(job) || room.left(&job.policies.executor) == 0 {
                    break;
                }
                // Neither grace nor a pause holds up an attempt that is not the first.
                let kind = match run.tried {
                    Some(_) => RunKind::Manual,
                    None => run.kind,
                };
                let waits = (kind, run.scheduled_for);
                let live = row.occupancy.live;
                let promotion = guard(|| promote(job, live, waits, request.now));
                // A trigger that cannot be asked is dealt with when the job is due.
                match promotion.unwrap_or(Promotion::Held) {
                    Promotion::Wait => break,
                    Promotion::Held => index += 1,
                    Promotion::Missed => {
                        let (id, at) = (&job.id, run.scheduled_for);
                        claim
                            .dropped
                            .push(record_drop(id, DropReason::Missed, at, request.now));
                        self.dequeue(slot, index);
                    }
                    Promotion::Start => {
                        let executor = job.policies.executor.clone();
                        let Some(started) = self.started(slot, run, request.now) else {
                            break;
                        };
                        claim.runs.push(started);
                        room.take(&executor, 1);
                        self.dequeue(slot, index);
                    }
                }
            }
        }
    }

    fn waiting(&self, slot: Slot, index: usize) -> Option<QueuedRun> {
        self.queued.get(&slot)?.get(index).cloned()
    }

    /// Makes a run live, in a place that is free; `None` if its trigger cannot be asked.
    fn started(&mut self, slot: Slot, run: QueuedRun, now: DateTime<Utc>) -> Option<ClaimedRun> {
        let row = self.row_mut(slot)?;
        let first = || ClaimedRun::first(&row.job, run.run_id, run.kind, run.scheduled_for);
        let mut claimed = guard(first).ok()?;
        row.occupancy.live += 1;
        if let Some(tried) = &run.tried {
            claimed.attempt = tried.attempts + 1;
            claimed.failures = tried.attempts;
        }
        self.hold(slot, &claimed, now);
        if let Some((tried, live)) = run.tried.zip(self.live.get_mut(&run.run_id)) {
            live.lateness = tried.lateness;
            live.earlier_attempts = tried.earlier_attempts;
        }
        Some(claimed)
    }

    pub(super) fn enqueue(&mut self, slot: Slot, run: QueuedRun) {
        self.queued.entry(slot).or_default().push_back(run);
        if let Some(row) = self.row_mut(slot) {
            row.occupancy.queued += 1;
        }
    }

    fn dequeue(&mut self, slot: Slot, index: usize) {
        if let Some(waiting) = self.queued.get_mut(&slot) {
            waiting.remove(index);
            if waiting.is_empty() {
                self.queued.remove(&slot);
            }
        }
        if let Some(row) = self.row_mut(slot) {
            row.occupancy.queued = row.occupancy.queued.saturating_sub(1);
        }
    }

    /// Ends a run that waits, or says that it is live.
    pub(super) fn cancel(&mut self, run_id: RunId, now: DateTime<Utc>) -> CancelAnswer {
        if self
            .live
            .get(&run_id)
            .is_some_and(|run| run.body_runs != Some(false))
        {
            return CancelAnswer::Live;
        }
        let place = self.queued.iter().find_map(|(slot, runs)| {
            let index = runs.iter().position(|run| run.run_id == run_id)?;
            Some((*slot, index))
        });
        let Some((slot, index)) = place else {
            return CancelAnswer::Unknown;
        };
        let (Some(run), Some(row)) = (self.waiting(slot, index), self.row(slot)) else {
            return CancelAnswer::Unknown;
        };
        let mut record = waiting_record(&row.job, &run);
        record.state = RunState::Cancelled;
        record.finished_at = Some(now);
        self.dequeue(slot, index);
        self.history.push_run(record.clone());
        CancelAnswer::Ended(Box::new(record))
    }

    /// Drops what waits for a place.
    pub(super) fn clear_queue(
        &mut self,
        slot: Slot,
        reason: DropReason,
        now: DateTime<Utc>,
    ) -> Vec<Dropped> {
        let waiting = self.queued.remove(&slot).unwrap_or_default();
        let Some(row) = self.row_mut(slot) else {
            return Vec::new();
        };
        row.occupancy.queued = 0;
        waiting
            .into_iter()
            .map(|run| record_drop(&row.job.id, reason, run.scheduled_for, now))
            .collect()
    }

    pub(super) fn run_now(
        &mut self,
        id: &str,
        kind: RunKind,
        run_id: RunId,
        hold: bool,
        now: DateTime<Utc>,
    ) -> Option<ManualRun> {
        let slot = self.slot(id)?;
        let row = self.row(slot)?;
        let decision = plan_manual(&row.job.policies, row.occupancy);
        let run = QueuedRun {
            run_id,
            kind,
            scheduled_for: now,
            tried: None,
        };
        let mut answer = ManualRun {
            decision,
            start: None,
            cancel: None,
            dropped: Vec::new(),
        };
        match decision {
            ManualDecision::Start if hold => answer.start = self.started(slot, run, now),
            ManualDecision::Start => self.enqueue(slot, run),
            ManualDecision::Queue {
                cancel_oldest,
                replace_queued,
            } => {
                if replace_queued {
                    answer.dropped = self.clear_queue(slot, DropReason::Superseded, now);
                    self.history.drop_all(&answer.dropped);
                }
                if cancel_oldest {
                    answer.cancel = self.oldest_live(slot);
                }
                self.enqueue(slot, run);
            }
            ManualDecision::Refuse(_) => {}
        }
        Some(answer)
    }
}

/// The record of a run that waits.
pub(super) fn waiting_record(job: &JobRecord, run: &QueuedRun) -> Run {
    let tried = run.tried.as_deref();
    Run {
        id: run.run_id,
        job_id: job.id.clone(),
        task: job.task.clone(),
        kind: run.kind,
        scheduled_for: run.scheduled_for,
        state: RunState::Queued,
        attempt: tried.map_or(0, |tried| tried.attempts),
        started_at: None,
        finished_at: None,
        lateness: tried.and_then(|tried| tried.lateness),
        error: None,
        value: None,
        earlier_attempts: tried.map_or_else(Vec::new, |tried| tried.earlier_attempts.clone()),
    }
}
