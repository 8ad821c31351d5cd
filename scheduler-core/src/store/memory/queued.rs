//! Queued runs and manual runs.

use std::collections::VecDeque;

use chrono::{DateTime, Utc};

use super::row::Row;
use super::slot::Slot;
use super::table::{QueuedRun, Table};
use crate::id::RunId;
use crate::node::NodeId;
use crate::plan::{
    AfterBody, CANCELLED, Claim, ClaimedRun, EndedQueued, JobView, Manual, end_queued,
};
use crate::run::{Run, RunState};
use crate::skipped::{SkipReason, Skipped};
use crate::store::{CancelAnswer, CancelledRun, ClaimRequest, JobAnswer, ManualRequest, ManualRun};

/// What happens to the queue of a job.
#[derive(Debug, Default)]
pub(super) struct Cleared {
    /// Fire times that are skipped.
    pub(super) skipped: Vec<Skipped>,
    /// Runs that have ended.
    pub(super) cancelled: Vec<CancelledRun>,
}

impl Table {
    /// Starts queued runs that find a slot. Checks only jobs that have changed: most jobs with a queue have one
    /// because of their own running attempt, which may take long.
    pub(super) fn claim_queued(&mut self, request: &ClaimRequest<'_>, claim: &mut Claim<'_>) {
        if self.promotable.is_empty() || !claim.has_capacity() {
            return;
        }
        let mut slots = std::mem::take(&mut self.promotable);
        #[cfg(debug_assertions)]
        self.counts.clear_promotable();
        slots.sort_unstable();
        slots.dedup();
        for slot in slots {
            if self.claim_queue(slot, request, claim) {
                self.set_promotable(slot);
            }
        }
    }

    /// Starts queued runs of one job. Returns `true` if more of them may start later without a change to the job.
    fn claim_queue(
        &mut self,
        slot: Slot,
        request: &ClaimRequest<'_>,
        claim: &mut Claim<'_>,
    ) -> bool {
        let Some((row, queue)) = self.row(slot).zip(self.queued.get(&slot)) else {
            return false;
        };
        let changes = claim.queued(&row.view(), queue.iter().map(QueuedRun::view), false);
        for run_id in changes.missed {
            self.dequeue(slot, *run_id);
        }
        for run in changes.start {
            self.start_queued(slot, run, request);
        }
        changes.may_start_later
    }

    /// Makes a queued run live.
    fn start_queued(&mut self, slot: Slot, claimed: &ClaimedRun, request: &ClaimRequest<'_>) {
        let Some(queued) = self.dequeue(slot, claimed.run_id) else {
            return;
        };
        self.start(slot, claimed, request.node, request.now);
        if let Some((tried, live)) = queued.tried.zip(self.live.get_mut(&claimed.run_id)) {
            live.lateness = tried.lateness;
            live.earlier_attempts = tried.earlier_attempts;
        }
    }

    /// Makes a run live, in a free slot.
    fn start(&mut self, slot: Slot, claimed: &ClaimedRun, node: NodeId, now: DateTime<Utc>) {
        if let Some(row) = self.row_mut(slot) {
            row.occupancy.live += 1;
        }
        self.hold(slot, claimed, node, now);
    }

    /// Queues a run, in the order of creation, because a released run was in the queue before.
    pub(super) fn enqueue(&mut self, slot: Slot, run: QueuedRun) {
        let waiting = self.queued.entry(slot).or_default();
        let index = waiting.partition_point(|before| before.run_id < run.run_id);
        waiting.insert(index, run);
        self.set_promotable(slot);
        if let Some(row) = self.row_mut(slot) {
            row.occupancy.queued += 1;
        }
    }

    /// Removes a run from the queue.
    fn dequeue(&mut self, slot: Slot, run_id: RunId) -> Option<QueuedRun> {
        let queue = self.queued.get_mut(&slot)?;
        let index = queue.binary_search_by(|run| run.run_id.cmp(&run_id)).ok()?;
        let run = queue.remove(index);
        if queue.is_empty() {
            self.queued.remove(&slot);
        }
        if let Some(row) = self.row_mut(slot) {
            row.occupancy.queued = row.occupancy.queued.saturating_sub(1);
        }
        run
    }

    /// Ends a queued run, or reports that it is live.
    pub(super) fn cancel(&mut self, run_id: RunId, now: DateTime<Utc>) -> CancelAnswer {
        let live = self.live.get(&run_id);
        if let Some(run) = live.filter(|run| run.after_body != Some(AfterBody::End)) {
            self.request_cancellation(run.node, run_id);
            return CancelAnswer::Live;
        }
        let has_run = |queue: &VecDeque<QueuedRun>| {
            let found = queue.binary_search_by(|run| run.run_id.cmp(&run_id));
            found.is_ok()
        };
        let slot = self.queued.iter().find(|(_, queue)| has_run(queue));
        let Some(slot) = slot.map(|(slot, _)| *slot) else {
            return CancelAnswer::Unknown;
        };
        let Some((run, row)) = self.dequeue(slot, run_id).zip(self.row(slot)) else {
            return CancelAnswer::Unknown;
        };
        let mut record = queued_record(row, &run);
        record.state = RunState::Cancelled;
        record.finished_at = Some(now);
        record.error = Some(CANCELLED.into());
        self.history.push_run(record.clone());
        CancelAnswer::Ended(Box::new(record))
    }

    /// Skips the queued runs of a job. Runs that were started before end as cancelled.
    pub(super) fn clear_queue(
        &mut self,
        slot: Slot,
        reason: SkipReason,
        now: DateTime<Utc>,
    ) -> Cleared {
        let waiting = self.queued.remove(&slot).unwrap_or_default();
        let mut cleared = Cleared::default();
        let Some(row) = self.row_mut(slot) else {
            return cleared;
        };
        row.occupancy.queued = 0;
        let row = &*row;
        let mut ended = Vec::new();
        for run in waiting {
            let attempts = run.view().attempts;
            match end_queued(&row.id, attempts, Some(run.scheduled_for), reason, now) {
                EndedQueued::Skipped(times) => cleared.skipped.push(times),
                EndedQueued::Cancelled => ended.push(Run {
                    state: RunState::Cancelled,
                    finished_at: Some(now),
                    error: Some(reason.as_str().into()),
                    ..queued_record(row, &run)
                }),
            }
        }
        for run in ended {
            cleared.cancelled.push(CancelledRun::of(&run));
            self.history.push_run(run);
        }
        cleared
    }

    /// Returns how many queued runs a pause of the job holds.
    fn held(&self, slot: Slot, job: &JobView<'_>) -> u32 {
        let queue = self.queued.get(&slot).filter(|_| job.is_paused);
        let held = queue.into_iter().flatten();
        let held = held.filter(|run| job.holds(&run.view())).count();
        u32::try_from(held).unwrap_or(u32::MAX)
    }

    pub(super) fn run_now(&mut self, request: &ManualRequest<'_>) -> JobAnswer<ManualRun> {
        let Some(slot) = self.slot(request.job) else {
            return JobAnswer::NoJob;
        };
        if let Some(current) = self.stale(slot, request.seen) {
            return JobAnswer::Stale(current);
        }
        let run = self.make_manual_run(slot, request);
        run.map_or(JobAnswer::NoJob, JobAnswer::Done)
    }

    fn make_manual_run(&mut self, slot: Slot, request: &ManualRequest<'_>) -> Option<ManualRun> {
        let ManualRequest {
            kind,
            run_id,
            holder,
            now,
            ..
        } = *request;
        let asked = Manual {
            run_id,
            kind,
            has_holder: holder.is_some(),
            now,
        };
        let mut job = self.row(slot)?.view();
        job.occupancy.held = self.held(slot, &job);
        let changes = asked.decide(&job);
        let mut cleared = Cleared::default();
        if changes.replace_queued {
            cleared = self.clear_queue(slot, SkipReason::Superseded, now);
            self.history.record_skipped(&cleared.skipped);
        }
        if changes.cancel_oldest {
            self.cancel_oldest(&[slot]);
        }
        if let Some((claimed, node)) = changes.start.as_ref().zip(holder) {
            self.start(slot, claimed, node, now);
        }
        if changes.queue {
            self.enqueue(slot, QueuedRun::new(run_id, kind, now));
        }
        let answer = ManualRun::new(changes.decision, changes.start);
        Some(answer.replaced(cleared.skipped, cleared.cancelled))
    }
}

/// Returns the record of a queued run.
pub(super) fn queued_record(row: &Row, run: &QueuedRun) -> Run {
    let tried = run.tried.as_deref();
    Run {
        attempt: tried.map_or(0, |tried| tried.attempts),
        lateness: tried.and_then(|tried| tried.lateness),
        earlier_attempts: tried.map_or_else(Vec::new, |tried| tried.earlier_attempts.clone()),
        ..row.queued_run(run.run_id, run.kind, run.scheduled_for)
    }
}
