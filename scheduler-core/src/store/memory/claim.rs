//! Taking due fire times and runs that wait.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::row::Row;
use super::table::{LiveRun, QueuedRun, Slot, Table};
use crate::dropped::DropReason;
use crate::id::{JobId, RunId};
use crate::node::NodeId;
use crate::panic::panic_text;
use crate::plan::{CLAIM_STEPS, Plan, too_costly};
use crate::run::RunKind;
use crate::store::{Claim, ClaimRequest, Claimable, ClaimedRun, record_drops};

/// How much capacity is left while a claim goes on, and what may be claimed.
///
/// Asked for every job: executors are few and are looked through, and a task that is allowed is
/// remembered, since jobs that are due together are often of the same one.
pub(super) struct CapacityLeft<'a> {
    left: Vec<(&'a str, usize)>,
    claimable: &'a Claimable,
    allowed: Option<Arc<str>>,
    /// Steps of search so far.
    steps: u64,
}

impl<'a> CapacityLeft<'a> {
    fn of(request: &'a ClaimRequest<'a>) -> Self {
        let capacity = request.capacity.iter();
        Self {
            left: capacity.map(|(name, count)| (&**name, *count)).collect(),
            claimable: request.claimable,
            allowed: None,
            steps: 0,
        }
    }

    pub(super) fn left(&self, executor: &str) -> usize {
        let left = self.left.iter().find(|(name, _)| *name == executor);
        left.map_or(0, |(_, count)| *count)
    }

    pub(super) fn is_full(&self) -> bool {
        self.left.iter().all(|(_, count)| *count == 0)
    }

    pub(super) fn take(&mut self, executor: &str, count: usize) {
        let mut left = self.left.iter_mut();
        if let Some((_, left)) = left.find(|(name, _)| *name == executor) {
            *left = left.saturating_sub(count);
        }
    }

    fn allows(&mut self, row: &Row) -> bool {
        let is_known = |task: &Arc<str>| Arc::ptr_eq(task, row.task());
        if !row.is_static() && self.allowed.as_ref().is_some_and(is_known) {
            return true;
        }
        let is_allowed = row.is_allowed(self.claimable);
        if is_allowed && !row.is_static() {
            self.allowed = Some(row.task().clone());
        }
        is_allowed
    }
}

impl Table {
    pub(super) fn claim(&mut self, request: &ClaimRequest<'_>) -> Claim {
        let mut claim = Claim::default();
        let mut capacity = CapacityLeft::of(request);
        self.arm_claimable(request.claimable);
        self.claim_queued(request, &mut capacity, &mut claim);
        let mut looked_at = 0;
        self.claim_parked(request, &mut capacity, &mut looked_at, &mut claim);
        let now = request.now.timestamp_micros();
        while let Some(Reverse((at, slot))) = self.due.peek().copied() {
            if at > now {
                break;
            }
            if looked_at >= request.limit || capacity.steps >= CLAIM_STEPS {
                claim.more = true;
                break;
            }
            self.due.pop();
            looked_at += usize::from(self.claim_due(slot, request, &mut capacity, &mut claim));
        }
        let crowded = std::mem::take(&mut self.crowded);
        self.ask_oldest(&crowded);
        self.prune_ended(&claim.ended);
        self.history.drop_all(&claim.dropped);
        claim
    }

    /// Jobs that were due before and found their executor full.
    fn claim_parked(
        &mut self,
        request: &ClaimRequest<'_>,
        capacity: &mut CapacityLeft<'_>,
        looked_at: &mut usize,
        claim: &mut Claim,
    ) {
        let executors: Vec<Arc<str>> = self
            .parked
            .iter()
            .filter(|(executor, waiting)| !waiting.is_empty() && capacity.left(executor) > 0)
            .map(|(executor, _)| executor.clone())
            .collect();
        for executor in executors {
            while capacity.left(&executor) > 0 {
                if *looked_at >= request.limit || capacity.steps >= CLAIM_STEPS {
                    claim.more |= self.parked.get(&executor).is_some_and(|p| !p.is_empty());
                    break;
                }
                let Some(slot) = self
                    .parked
                    .get_mut(&executor)
                    .and_then(std::collections::VecDeque::pop_front)
                else {
                    break;
                };
                *looked_at += usize::from(self.claim_due(slot, request, capacity, claim));
            }
        }
    }

    /// Claims what is due of one job. Whether there was anything.
    fn claim_due(
        &mut self,
        slot: Slot,
        request: &ClaimRequest<'_>,
        capacity: &mut CapacityLeft<'_>,
        claim: &mut Claim,
    ) -> bool {
        let mut plan = std::mem::take(&mut self.plan);
        let claimed = self.plan_due(slot, request, capacity, claim, &mut plan);
        self.plan = plan;
        claimed
    }

    fn plan_due(
        &mut self,
        slot: Slot,
        request: &ClaimRequest<'_>,
        capacity: &mut CapacityLeft<'_>,
        claim: &mut Claim,
        plan: &mut Plan,
    ) -> bool {
        let now = request.now;
        let Some(row) = self.row(slot) else {
            return false;
        };
        let Some(due) = row.due(now) else {
            return false; // stale
        };
        if !capacity.allows(row) {
            self.set_unclaimable(slot);
            return false;
        }
        if capacity.left(&row.policies.executor) == 0 {
            let executor = row.policies.executor.clone();
            self.park(&executor, slot);
            return false;
        }
        // All that asks the trigger comes before all that changes the table.
        let before = claim.runs.len();
        let planned = guard(|| {
            plan.decide(due, row.occupancy, now).map_err(too_costly)?;
            self.leave_out_claimed(&row.id, plan);
            for fire in &plan.start {
                let run_id = request.run_ids.next(now);
                claim
                    .runs
                    .push(row.first_attempt(run_id, RunKind::Scheduled, *fire));
            }
            Ok(())
        });
        capacity.steps += plan.steps;
        let Some(row) = self.row_mut(slot) else {
            return false;
        };
        if let Err(problem) = planned.flatten() {
            claim.runs.truncate(before);
            claim.broken.push((row.id.clone(), problem.clone()));
            row.pause(problem.into());
            return true;
        }
        row.mark = plan.mark;
        row.set_next(plan.next);
        row.occupancy.live += u32::try_from(plan.start.len()).unwrap_or(u32::MAX);
        if row.is_finished() {
            claim.ended.push(row.id.clone());
        }
        for dropped in record_drops(&row.id, plan.dropped.drain(..), now) {
            claim.dropped.push(dropped);
        }
        capacity.take(&row.policies.executor, plan.start.len());
        if !self.rewound.is_empty() {
            self.has_caught_up(slot, plan.mark);
        }
        for run in &claim.runs[before..] {
            self.hold(slot, run, request.node, now);
        }
        if plan.cancel_oldest {
            self.crowded.push(slot);
        }
        if plan.replace_queued {
            claim
                .dropped
                .extend(self.clear_queue(slot, DropReason::Superseded, now));
        }
        for scheduled_for in plan.queue.iter().copied() {
            let run_id = request.run_ids.next(now);
            self.enqueue(
                slot,
                QueuedRun {
                    run_id,
                    kind: RunKind::Scheduled,
                    scheduled_for,
                    tried: None,
                    asked: false,
                },
            );
            if let Some(row) = self.row(slot) {
                claim.queued.push((row.id.clone(), run_id));
            }
        }
        self.arm(slot);
        true
    }

    /// Forgets that a mark was set back, once the job has come as far again.
    fn has_caught_up(&mut self, slot: Slot, mark: DateTime<Utc>) {
        let Some(id) = self.row(slot).map(|row| row.id.clone()) else {
            return;
        };
        let furthest = self.rewound.get(&id);
        if furthest.is_some_and(|furthest| mark >= *furthest) {
            self.rewound.remove(&id);
        }
    }

    /// A fire time is claimed once, also when a mark was set back.
    fn leave_out_claimed(&self, id: &JobId, plan: &mut Plan) {
        if self.rewound.contains_key(id) {
            plan.start.retain(|at| !self.was_claimed(id, *at));
            plan.queue.retain(|at| !self.was_claimed(id, *at));
        }
    }

    fn park(&mut self, executor: &str, slot: Slot) {
        if let Some(waiting) = self.parked.get_mut(executor) {
            waiting.push_back(slot);
        } else {
            self.parked.insert(executor.into(), [slot].into());
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
                body_runs: None,
                failures: run.failures,
            },
        );
    }

    /// Asks the oldest live run of each of these jobs to stop; looks through the live runs once.
    pub(super) fn ask_oldest(&mut self, jobs: &[Slot]) {
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
        self.asked.extend(found.map(|(run, node)| (node, run)));
    }

    /// The runs of a node that were asked to stop and have not ended.
    pub(super) fn asked_to_stop(&self, node: NodeId) -> Vec<RunId> {
        let all = (node, RunId::from_u128(0))..=(node, RunId::from_u128(u128::MAX));
        self.asked.range(all).map(|(_, run)| *run).collect()
    }
}

/// Asks a trigger, which may be the user's own and panic; the answer says what it said.
pub(super) fn guard<T>(ask: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(ask))
        .map_err(|payload| format!("its trigger panicked: {}", panic_text(payload)))
}
