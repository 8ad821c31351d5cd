//! Claims: due fire times and runs that wait.

use std::collections::BTreeMap;
use std::sync::Arc;

use scheduler_core::plan::{DueJob, Occupancy, Plan, Promotion, WaitingRun, promote};
use scheduler_core::store::{Claim, ClaimRequest, StoreError, record_drops};
use scheduler_core::{DropReason, RunId, RunKind, RunState};

use super::ModelStore;
use super::tables::{JobRow, RunRow, Tables};
use super::without::Without;
use crate::process::Millis;

/// What was decided about one job.
struct Decision {
    job: JobRow,
    start: Vec<RunId>,
    missed: Vec<RunId>,
    plan: Option<Plan>,
}

/// How much capacity is left.
struct CapacityLeft<'a> {
    request: &'a ClaimRequest<'a>,
    used: BTreeMap<Arc<str>, usize>,
}

impl CapacityLeft<'_> {
    fn left(&self, executor: &str) -> usize {
        let capacity = self.request.capacity.get(executor).copied().unwrap_or(0);
        capacity.saturating_sub(self.used.get(executor).copied().unwrap_or(0))
    }

    fn take(&mut self, executor: &str, count: usize) {
        *self.used.entry(executor.into()).or_default() += count;
    }
}

impl ModelStore {
    pub(super) async fn claim_due(&self, request: &ClaimRequest<'_>) -> Result<Claim, StoreError> {
        let txn = self.begin().await;
        if !self.share_own_node(&txn, request.node).await? {
            return Err(StoreError::fenced());
        }
        let number = txn.number;
        let jobs = txn
            .statement(|tables, now| tables.lock_claimable(number, request, now))
            .await?;
        if jobs.is_empty() {
            return Ok(Claim::default());
        }
        // Counted in a later statement than the one that has locked: so it sees who was waited for.
        let counted = txn
            .statement(|tables, _| {
                let counted = jobs.into_iter().map(|job| {
                    let live = tables.live(&job.record.id);
                    let waiting = tables.waiting(&job.record.id);
                    (job, live, waiting)
                });
                counted.collect::<Vec<_>>()
            })
            .await?;
        let mut capacity = CapacityLeft {
            request,
            used: BTreeMap::new(),
        };
        let decided: Vec<Decision> = counted
            .into_iter()
            .map(|(job, live, waiting)| decide(job, live, &waiting, &mut capacity))
            .collect();
        txn.statement(|tables, now| {
            let mut claim = Claim::default();
            for decision in decided {
                tables.write_claim(decision, request, now, &mut claim);
            }
            if !claim.queued.is_empty() {
                self.notify(tables, None);
            }
            claim
        })
        .await
    }
}

fn decide(
    job: JobRow,
    mut live: u32,
    waiting: &[RunRow],
    capacity: &mut CapacityLeft<'_>,
) -> Decision {
    let now = capacity.request.now;
    let record = &job.record;
    let executor = record.policies.executor.clone();
    let mut queued = u32::try_from(waiting.len()).unwrap_or(u32::MAX);
    let (mut start, mut missed) = (Vec::new(), Vec::new());
    for run in waiting {
        if capacity.left(&executor) == 0 {
            break;
        }
        let waits = WaitingRun {
            kind: run.kind,
            scheduled_for: run.scheduled_for,
            attempts: run.attempt,
        };
        match promote(record, live, waits, now) {
            Promotion::Wait => break,
            Promotion::Held => {}
            Promotion::Missed => {
                missed.push(run.id);
                queued -= 1;
            }
            Promotion::Start => {
                start.push(run.id);
                capacity.take(&executor, 1);
                live += 1;
                queued -= 1;
            }
        }
    }
    let due = record
        .next
        .filter(|next| record.paused.is_none() && next.at <= now && capacity.left(&executor) > 0);
    let plan = due.map(|next| {
        let due = DueJob {
            id: &record.id,
            trigger: &record.trigger,
            policies: &record.policies,
            mark: record.mark,
            next,
        };
        let mut plan = Plan::default();
        let decided = plan.decide(due, Occupancy { live, queued }, now);
        assert!(decided.is_ok(), "no trigger here takes long");
        capacity.take(&executor, plan.start.len());
        plan
    });
    Decision {
        job,
        start,
        missed,
        plan,
    }
}

impl Tables {
    /// Locks the rows of jobs that such a request could take, passing over those that others hold.
    fn lock_claimable(&mut self, txn: u64, request: &ClaimRequest<'_>, now: Millis) -> Vec<JobRow> {
        let mut jobs = Vec::new();
        for row in self.jobs.values() {
            let job = &row.record;
            let has_room = request
                .capacity
                .get(&*job.policies.executor)
                .is_some_and(|capacity| *capacity > 0);
            if !has_room || !request.claimable.allows(job) || jobs.len() >= request.limit {
                continue;
            }
            let is_due = job.next_run_time().is_some_and(|at| at <= request.now);
            let may_promote = || {
                let mut waiting = self.open.values();
                waiting.any(|run| run.state == RunState::Queued && run.job == job.id)
                    && self.live(&job.id) < job.policies.max_instances
            };
            if !is_due && !may_promote() {
                continue;
            }
            if self.without == Without::RowLock || self.locks.lock_job(txn, &job.id, now) {
                jobs.push(row.clone());
            }
        }
        jobs
    }

    fn write_claim(
        &mut self,
        decision: Decision,
        request: &ClaimRequest<'_>,
        now: Millis,
        claim: &mut Claim,
    ) {
        let Decision {
            job,
            start,
            missed,
            plan,
        } = decision;
        let id = job.record.id.clone();
        for run in missed {
            claim
                .dropped
                .extend(self.drop_waiting(run, DropReason::Missed, request.now));
        }
        for run in start {
            claim
                .runs
                .extend(self.promote(&job, run, request.node, now));
        }
        let Some(plan) = plan else { return };
        let Some(row) = self.jobs.get_mut(&id) else {
            return;
        };
        row.record.mark = plan.mark;
        row.record.next = plan.next;
        if plan.next.is_none() {
            claim.ended.push(id.clone());
        }
        for dropped in record_drops(&id, plan.dropped.iter().copied(), request.now) {
            claim.dropped.push(self.drop_times(job.generation, dropped));
        }
        if plan.cancel_oldest {
            self.ask_oldest(&id);
        }
        for fire in plan.start {
            let run = (request.run_ids.next(request.now), RunKind::Scheduled, fire);
            claim
                .runs
                .extend(self.insert_run(&job, run, Some(request.node), now));
        }
        if plan.replace_queued {
            let dropped = self.clear_queue(&id, DropReason::Superseded, request.now);
            claim.dropped.extend(dropped);
        }
        for fire in plan.queue {
            let run = (request.run_ids.next(request.now), RunKind::Scheduled, fire);
            if self.insert_run(&job, run, None, now).is_some() {
                claim.queued.push((id.clone(), run.0));
            }
        }
    }
}
