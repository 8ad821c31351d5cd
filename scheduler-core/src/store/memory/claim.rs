//! Claiming due fire times and queued runs.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::queued::Cleared;
use super::slot::Slot;
use super::table::{LiveRun, QueuedRun, Table};
use crate::id::RunId;
use crate::node::NodeId;
use crate::plan::{AfterBody, Claim, Claimed, ClaimedRun, Due, JobChanges};
use crate::run::RunKind;
use crate::skipped::SkipReason;
use crate::store::ClaimRequest;

impl Table {
    pub(super) fn claim(&mut self, request: &ClaimRequest<'_>) -> Claimed {
        let mut claim = Claim::reusing(
            std::mem::take(&mut self.claim_buffers),
            request.now,
            request.claimable,
            request.capacity,
            request.limit,
            request.run_ids,
        );
        self.arm_claimable(request.claimable);
        self.claim_queued(request, &mut claim);
        self.claim_parked(request, &mut claim);
        let now = request.now.timestamp_micros();
        while let Some(Reverse(key)) = self.due.peek().copied()
            && key.at() <= now
        {
            if claim.is_spent() {
                claim.leave_due_jobs();
                break;
            }
            self.due.pop();
            #[cfg(debug_assertions)]
            self.counts.remove_due(key);
            // If the job is not due, the entry was stale.
            self.claim_due(key.slot(), request, &mut claim);
        }
        let crowded = std::mem::take(&mut self.crowded);
        self.cancel_oldest(&crowded);
        let claimed;
        (claimed, self.claim_buffers) = claim.into_parts();
        self.prune_ended(&claimed.ended);
        self.history.record_skipped(&claimed.skipped);
        claimed
    }

    /// Claims jobs that were due before but found their executor full.
    fn claim_parked(&mut self, request: &ClaimRequest<'_>, claim: &mut Claim<'_>) {
        let executors: Vec<Arc<str>> = self
            .parked
            .iter()
            .filter(|(executor, waiting)| !waiting.is_empty() && claim.capacity_of(executor) > 0)
            .map(|(executor, _)| executor.clone())
            .collect();
        for executor in executors {
            while claim.capacity_of(&executor) > 0
                && let Some(parked) = self.parked.get_mut(&executor)
                && !parked.is_empty()
            {
                if claim.is_spent() {
                    claim.leave_due_jobs();
                    break;
                }
                if let Some(slot) = parked.pop() {
                    #[cfg(debug_assertions)]
                    self.counts.remove_aside(slot);
                    if !self.claim_due(slot, request, claim) {
                        // The clock has gone back, so the fire time is still to come.
                        self.arm(slot);
                    }
                }
            }
        }
    }

    /// Claims the due fire times of one job. Returns `false` if it is not due.
    fn claim_due(&mut self, slot: Slot, request: &ClaimRequest<'_>, claim: &mut Claim<'_>) -> bool {
        let Some(row) = self.row(slot) else {
            return true;
        };
        let was_claimed = |at| self.was_claimed(&row.id, at);
        let mut job = row.view();
        if self.rewound.contains_key(&row.id) {
            job.was_claimed = Some(&was_claimed);
        }
        match claim.due(&job) {
            Due::Not => return false,
            Due::NotClaimable => self.set_unclaimable(slot),
            Due::NoCapacity => {
                let executor = row.policies.executor.clone();
                self.park(&executor, slot);
            }
            Due::Pause(note) => {
                if let Some(row) = self.row_mut(slot) {
                    row.pause(note.into());
                }
            }
            Due::Advance(changes) => {
                let superseded = self.advance(slot, &changes, request);
                claim.claimed.skipped.extend(superseded.skipped);
                claim.claimed.cancelled.extend(superseded.cancelled);
            }
        }
        true
    }

    /// Writes the decision about a due job. Returns the queued runs that newer fire times replaced.
    fn advance(
        &mut self,
        slot: Slot,
        changes: &JobChanges<'_>,
        request: &ClaimRequest<'_>,
    ) -> Cleared {
        let Some(row) = self.row_mut(slot) else {
            return Cleared::default();
        };
        row.watermark = changes.watermark;
        row.set_next(changes.next);
        row.occupancy.live += u32::try_from(changes.start.len()).unwrap_or(u32::MAX);
        if !self.rewound.is_empty() {
            self.has_caught_up(slot, changes.watermark);
        }
        for run in changes.start {
            self.hold(slot, run, request.node, request.now);
        }
        if changes.cancel_oldest {
            self.crowded.push(slot);
        }
        let superseded = if changes.replace_queued {
            self.clear_queue(slot, SkipReason::Superseded, request.now)
        } else {
            Cleared::default()
        };
        for (run_id, scheduled_for) in changes.queue {
            let run = QueuedRun::new(*run_id, RunKind::Scheduled, *scheduled_for);
            self.enqueue(slot, run);
        }
        self.arm(slot);
        superseded
    }

    /// Forgets that a watermark was set back, once the job has caught up.
    fn has_caught_up(&mut self, slot: Slot, watermark: DateTime<Utc>) {
        let Some(id) = self.row(slot).map(|row| row.id.clone()) else {
            return;
        };
        let furthest = self.rewound.get(&id);
        if furthest.is_some_and(|furthest| watermark >= *furthest) {
            self.rewound.remove(&id);
        }
    }

    fn park(&mut self, executor: &str, slot: Slot) {
        let is_new = if let Some(parked) = self.parked.get_mut(executor) {
            parked.push(slot)
        } else {
            self.parked.entry(executor.into()).or_default().push(slot)
        };
        if is_new {
            #[cfg(debug_assertions)]
            self.counts.add_aside(slot);
        }
    }

    pub(super) fn hold(&mut self, slot: Slot, run: &ClaimedRun, node: NodeId, now: DateTime<Utc>) {
        self.live.insert(
            run.run_id,
            LiveRun {
                node,
                slot: Some(slot),
                job_id: run.job_id.clone(),
                task: run.task.clone(),
                kind: run.kind,
                scheduled_for: run.scheduled_for,
                attempt: run.attempt,
                started_at: now,
                lateness: None,
                earlier_attempts: Vec::new(),
                after_body: None,
                failures: run.failures,
            },
        );
        #[cfg(debug_assertions)]
        self.counts.add_live(slot, (node, run.run_id));
    }

    /// Requests cancellation of the oldest live run of each of these jobs, in one pass over the live runs.
    pub(super) fn cancel_oldest(&mut self, jobs: &[Slot]) {
        if jobs.is_empty() {
            return;
        }
        let none = jobs.iter().map(|slot| (*slot, None));
        let mut oldest: HashMap<Slot, Option<(RunId, NodeId)>> = none.collect();
        for (id, run) in &self.live {
            if let Some(oldest) = run.slot.and_then(|slot| oldest.get_mut(&slot)) {
                let run = (*id, run.node);
                *oldest = Some(oldest.map_or(run, |before| before.min(run)));
            }
        }
        let found = oldest.into_values().flatten();
        for (run, node) in found {
            self.request_cancellation(node, run);
        }
    }

    /// Records that the cancellation of a live run was requested, for its node to read.
    pub(super) fn request_cancellation(&mut self, node: NodeId, run: RunId) {
        self.asked.insert((node, run));
        #[cfg(debug_assertions)]
        self.counts.note_changed_run((node, run));
    }

    /// Returns the runs of a node whose cancellation was requested and that have not ended. A run that has ended may
    /// hold its slot until its body returns, and is then still the oldest live run of its job.
    pub(super) fn cancellations(&self, node: NodeId) -> Vec<RunId> {
        let all = (node, RunId::from_u128(0))..=(node, RunId::from_u128(u128::MAX));
        let asked = self.asked.range(all).map(|(_, run)| *run);
        let has_ended = |run: &RunId| {
            let live = self.live.get(run);
            live.is_some_and(|live| live.after_body == Some(AfterBody::End))
        };
        asked.filter(|run| !has_ended(run)).collect()
    }
}
