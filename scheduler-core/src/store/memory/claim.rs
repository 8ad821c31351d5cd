//! Taking due fire times and runs that wait.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::table::{LiveRun, QueuedRun, Slot, Table};
use crate::dropped::DropReason;
use crate::executor::panic_text;
use crate::id::{JobId, RunId};
use crate::node::NodeId;
use crate::plan::{DueJob, Plan};
use crate::run::RunKind;
use crate::store::{Claim, ClaimRequest, ClaimedRun, record_drops};

/// How much room is left while a claim goes on.
pub(super) struct Room<'a> {
    used: HashMap<&'a str, usize>,
    request: &'a ClaimRequest<'a>,
}

impl Room<'_> {
    pub(super) fn left(&self, executor: &str) -> usize {
        let room = self.request.room.get(executor).copied().unwrap_or(0);
        room.saturating_sub(self.used.get(executor).copied().unwrap_or(0))
    }

    pub(super) fn take(&mut self, executor: &str, count: usize) {
        if let Some((name, _)) = self.request.room.get_key_value(executor) {
            *self.used.entry(name).or_default() += count;
        }
    }
}

impl Table {
    pub(super) fn claim(&mut self, request: &ClaimRequest<'_>) -> Claim {
        let mut claim = Claim::default();
        let mut room = Room {
            used: HashMap::new(),
            request,
        };
        self.arm_claimable(request.claimable);
        self.claim_queued(request, &mut room, &mut claim);
        let mut looked_at = 0;
        self.claim_parked(request, &mut room, &mut looked_at, &mut claim);
        let now = request.now.timestamp_micros();
        while let Some(Reverse((at, slot))) = self.due.peek().copied() {
            if at > now {
                break;
            }
            if looked_at >= request.limit {
                claim.more = true;
                break;
            }
            self.due.pop();
            looked_at += usize::from(self.claim_due(slot, request, &mut room, &mut claim));
        }
        self.prune_ended(&claim.ended);
        self.history.drop_all(&claim.dropped);
        claim
    }

    /// Jobs that were due before and found their executor full.
    fn claim_parked(
        &mut self,
        request: &ClaimRequest<'_>,
        room: &mut Room<'_>,
        looked_at: &mut usize,
        claim: &mut Claim,
    ) {
        let executors: Vec<Arc<str>> = self
            .parked
            .iter()
            .filter(|(executor, waiting)| !waiting.is_empty() && room.left(executor) > 0)
            .map(|(executor, _)| executor.clone())
            .collect();
        for executor in executors {
            while room.left(&executor) > 0 {
                if *looked_at >= request.limit {
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
                *looked_at += usize::from(self.claim_due(slot, request, room, claim));
            }
        }
    }

    /// Claims what is due of one job. Whether there was anything.
    fn claim_due(
        &mut self,
        slot: Slot,
        request: &ClaimRequest<'_>,
        room: &mut Room<'_>,
        claim: &mut Claim,
    ) -> bool {
        let mut plan = std::mem::take(&mut self.plan);
        let claimed = self.plan_due(slot, request, room, claim, &mut plan);
        self.plan = plan;
        claimed
    }

    fn plan_due(
        &mut self,
        slot: Slot,
        request: &ClaimRequest<'_>,
        room: &mut Room<'_>,
        claim: &mut Claim,
        plan: &mut Plan,
    ) -> bool {
        let now = request.now;
        let Some(row) = self.row(slot) else {
            return false;
        };
        let Some(next) = row
            .job
            .next
            .filter(|next| row.job.paused.is_none() && next.at <= now)
        else {
            return false; // stale
        };
        if !request.claimable.allows(&row.job) {
            self.set_unclaimable(slot);
            return false;
        }
        let job = &row.job;
        if room.left(&job.policies.executor) == 0 {
            let executor = job.policies.executor.clone();
            self.park(&executor, slot);
            return false;
        }
        let due = DueJob {
            id: &job.id,
            trigger: &job.trigger,
            policies: &job.policies,
            mark: job.mark,
            next,
        };
        // All that asks the trigger comes before all that changes the table.
        let planned = guard(|| {
            plan.decide(due, row.occupancy, now);
            self.leave_out_claimed(&job.id, plan);
            let fires = plan.start.iter();
            fires
                .map(|fire| {
                    let run_id = request.run_ids.next(now);
                    ClaimedRun::first(job, run_id, RunKind::Scheduled, *fire)
                })
                .collect::<Vec<_>>()
        });
        let Some(row) = self.row_mut(slot) else {
            return false;
        };
        let job = &mut row.job;
        let runs = match planned {
            Ok(runs) => runs,
            Err(problem) => {
                claim.broken.push((job.id.clone(), problem.clone()));
                job.pause(problem.into());
                return true;
            }
        };
        job.mark = plan.mark;
        job.next = plan.next;
        let id = job.id.clone();
        row.occupancy.live += u32::try_from(plan.start.len()).unwrap_or(u32::MAX);
        if job.next.is_none() {
            claim.ended.push(job.id.clone());
        }
        claim
            .dropped
            .extend(record_drops(&job.id, plan.dropped.iter().copied(), now));
        room.take(&job.policies.executor, plan.start.len());
        if self
            .rewound
            .get(&id)
            .is_some_and(|furthest| plan.mark >= *furthest)
        {
            self.rewound.remove(&id);
        }
        for run in &runs {
            self.hold(slot, run, request.node, now);
        }
        claim.runs.extend(runs);
        if plan.cancel_oldest {
            self.ask_oldest(slot);
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
            claim.queued.push((id.clone(), run_id));
        }
        self.arm(slot);
        true
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

    /// Asks the oldest live run of a job to stop.
    pub(super) fn ask_oldest(&mut self, slot: Slot) {
        let runs = self.live.iter();
        let oldest = runs
            .filter(|(_, run)| run.slot == Some(slot))
            .map(|(id, run)| (*id, run.node))
            .min();
        if let Some((run, node)) = oldest {
            self.asked.insert((node, run));
        }
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
