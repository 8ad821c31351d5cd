//! Runs that wait for a place, and runs that are asked for by hand.

use chrono::{DateTime, Utc};

use super::claim::{CapacityLeft, guard};
use super::row::Row;
use super::table::{QueuedRun, Slot, Table};
use crate::dropped::{DropReason, Dropped};
use crate::id::RunId;
use crate::node::NodeId;
use crate::plan::{ManualDecision, Promotion, plan_manual};
use crate::run::{Run, RunState};
use crate::store::{
    CancelAnswer, Claim, ClaimRequest, ClaimedRun, ManualRequest, ManualRun, record_drop,
};

impl Table {
    /// Starts runs that wait and find a place. Looks only at jobs of which something changed: most of
    /// those that wait do so for a run of their own, which may take long.
    pub(super) fn claim_queued(
        &mut self,
        request: &ClaimRequest<'_>,
        capacity: &mut CapacityLeft<'_>,
        claim: &mut Claim,
    ) {
        if self.promotable.is_empty() || capacity.is_full() {
            return;
        }
        let mut slots = std::mem::take(&mut self.promotable);
        slots.sort_unstable();
        slots.dedup();
        for slot in slots {
            if self.start_waiting(slot, request, capacity, claim) {
                self.promotable.push(slot);
            }
        }
    }

    /// Starts what may start of one job. Whether more of it may later, without a change of the job.
    fn start_waiting(
        &mut self,
        slot: Slot,
        request: &ClaimRequest<'_>,
        capacity: &mut CapacityLeft<'_>,
        claim: &mut Claim,
    ) -> bool {
        let mut held = 0;
        while let Some(row) = self.row(slot)
            && let Some(run) = self.waiting(slot, held)
        {
            if !row.is_allowed(request.claimable) || capacity.left(&row.policies.executor) == 0 {
                return true;
            }
            let promotion = guard(|| row.promote(run, request.now));
            // A trigger that cannot be asked is dealt with when the job is due.
            match promotion.unwrap_or(Promotion::Held) {
                Promotion::Wait => return false,
                Promotion::Held => held += 1,
                Promotion::Missed => {
                    let (id, at) = (&row.id, run.scheduled_for);
                    let missed = record_drop(id, DropReason::Missed, at, request.now);
                    claim.dropped.push(missed);
                    self.dequeue(slot, held);
                }
                Promotion::Start => {
                    let (run, executor) = (run.clone(), row.policies.executor.clone());
                    let Some(started) = self.started(slot, run, request.node, request.now) else {
                        return true;
                    };
                    claim.runs.push(started);
                    capacity.take(&executor, 1);
                    self.dequeue(slot, held);
                }
            }
        }
        // What a pause holds waits for a change of the job, which puts it back among the promotable.
        held > 0 && self.row(slot).is_some_and(|row| !row.is_paused())
    }

    fn waiting(&self, slot: Slot, index: usize) -> Option<&QueuedRun> {
        self.queued.get(&slot)?.get(index)
    }

    /// Makes a run live, in a place that is free; `None` if its trigger cannot be asked.
    fn started(
        &mut self,
        slot: Slot,
        run: QueuedRun,
        node: NodeId,
        now: DateTime<Utc>,
    ) -> Option<ClaimedRun> {
        let row = self.row_mut(slot)?;
        let first = || row.first_attempt(run.run_id, run.kind, run.scheduled_for);
        let mut claimed = guard(first).ok()?;
        row.occupancy.live += 1;
        if let Some(tried) = &run.tried {
            claimed.attempt = tried.attempts + 1;
            claimed.failures = tried.failures;
        }
        self.hold(slot, &claimed, node, now);
        if run.asked {
            self.asked.insert((node, run.run_id));
        }
        if let Some((tried, live)) = run.tried.zip(self.live.get_mut(&run.run_id)) {
            live.lateness = tried.lateness;
            live.earlier_attempts = tried.earlier_attempts;
        }
        Some(claimed)
    }

    /// Lets a run wait, in the order of creation: one that is given back was there before.
    pub(super) fn enqueue(&mut self, slot: Slot, run: QueuedRun) {
        let waiting = self.queued.entry(slot).or_default();
        let index = waiting.partition_point(|before| before.run_id < run.run_id);
        waiting.insert(index, run);
        self.promotable.push(slot);
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
        let live = self.live.get(&run_id);
        if let Some(run) = live.filter(|run| run.body_runs != Some(false)) {
            self.asked.insert((run.node, run_id));
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
        let mut record = waiting_record(row, run);
        record.state = RunState::Cancelled;
        record.finished_at = Some(now);
        self.dequeue(slot, index);
        self.history.push_run(record.clone());
        CancelAnswer::Ended(Box::new(record))
    }

    /// Drops what waits for a place; what was started before ends as cancelled.
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
        let row = &*row;
        let mut dropped = Vec::new();
        let mut ended = Vec::new();
        for run in waiting {
            if run.tried.is_some() {
                ended.push(Run {
                    state: RunState::Cancelled,
                    finished_at: Some(now),
                    error: Some(reason.as_str().into()),
                    ..waiting_record(row, &run)
                });
            } else {
                dropped.push(record_drop(&row.id, reason, run.scheduled_for, now));
            }
        }
        for run in ended {
            self.history.push_run(run);
        }
        dropped
    }

    pub(super) fn run_now(&mut self, request: &ManualRequest<'_>) -> Option<ManualRun> {
        let ManualRequest {
            job,
            kind,
            run_id,
            holder,
            now,
        } = *request;
        let slot = self.slot(job)?;
        let row = self.row(slot)?;
        let decision = plan_manual(&row.policies, row.occupancy);
        let run = QueuedRun {
            run_id,
            kind,
            scheduled_for: now,
            tried: None,
            asked: false,
        };
        let mut answer = ManualRun {
            decision,
            start: None,
            dropped: Vec::new(),
        };
        match decision {
            ManualDecision::Start => match holder {
                Some(node) => answer.start = self.started(slot, run, node, now),
                None => self.enqueue(slot, run),
            },
            ManualDecision::Queue {
                cancel_oldest,
                replace_queued,
            } => {
                if replace_queued {
                    answer.dropped = self.clear_queue(slot, DropReason::Superseded, now);
                    self.history.drop_all(&answer.dropped);
                }
                if cancel_oldest {
                    self.ask_oldest(&[slot]);
                }
                self.enqueue(slot, run);
            }
            ManualDecision::Refuse(_) => {}
        }
        Some(answer)
    }
}

/// The record of a run that waits.
pub(super) fn waiting_record(row: &Row, run: &QueuedRun) -> Run {
    let tried = run.tried.as_deref();
    Run {
        attempt: tried.map_or(0, |tried| tried.attempts),
        lateness: tried.and_then(|tried| tried.lateness),
        earlier_attempts: tried.map_or_else(Vec::new, |tried| tried.earlier_attempts.clone()),
        ..row.waiting_run(run.run_id, run.kind, run.scheduled_for)
    }
}
