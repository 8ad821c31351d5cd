//! Claims: due fire times and queued runs.

use std::cell::RefCell;
use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use scheduler_core::plan::{Claim, Claimed, Due, NextFire, Occupancy};
use scheduler_core::store::{ClaimRequest, StoreError};
use scheduler_core::{RunId, RunKind, RunState, SkipReason, Skipped};

use super::ModelStore;
use super::tables::{JobRow, RunRow, Tables};
use super::without::Without;
use crate::process::Millis;

/// The decision about one job, to be written in a later statement.
struct Decision {
    job: JobRow,
    start: Vec<RunId>,
    missed: Vec<RunId>,
    due: Option<DueDecision>,
}

struct DueDecision {
    watermark: DateTime<Utc>,
    next: Option<NextFire>,
    cancel_oldest: bool,
    start: Vec<(RunId, DateTime<Utc>)>,
    replace_queued: bool,
    queue: Vec<(RunId, DateTime<Utc>)>,
    skipped: Vec<Skipped>,
    /// Fire times that already have a run.
    claimed: Vec<DateTime<Utc>>,
}

/// What a claim reads about a job that it has locked.
struct Counted {
    job: JobRow,
    live: u32,
    waiting: Vec<RunRow>,
    claimed: BTreeSet<DateTime<Utc>>,
}

impl ModelStore {
    pub(super) async fn claim_due(
        &self,
        request: &ClaimRequest<'_>,
    ) -> Result<Claimed, StoreError> {
        let txn = self.begin().await;
        if !self.share_own_node(&txn, request.node).await? {
            return Err(StoreError::fenced());
        }
        let number = txn.number;
        let jobs = txn
            .statement(|tables, now| tables.lock_claimable(number, request, now))
            .await?;
        if jobs.is_empty() {
            return Ok(Claimed::default());
        }
        // Counted in a later statement than the one that took the locks, so that it sees the changes of the
        // transactions that it waited for.
        let counted = txn
            .statement(|tables, _| {
                let counted = jobs.into_iter().map(|job| {
                    let live = tables.live(&job.record.id);
                    let waiting = tables.waiting(&job.record.id);
                    let claimed = tables.claimed_times(&job.record);
                    Counted {
                        job,
                        live,
                        waiting,
                        claimed,
                    }
                });
                counted.collect::<Vec<_>>()
            })
            .await?;
        let mut claim = Claim::new(
            request.now,
            request.claimable,
            request.capacity,
            request.limit,
            request.run_ids,
        );
        let decided = decide(counted, &mut claim);
        let mut claimed = claim.claimed;
        txn.statement(|tables, now| {
            // Between the statements, others may have cancelled queued runs.
            claimed.skipped.clear();
            let mut lost = BTreeSet::new();
            for decision in decided {
                tables.write_claim(decision, request, now, &mut claimed.skipped, &mut lost);
            }
            claimed.runs.retain(|run| !lost.contains(&run.run_id));
            claimed.queued.retain(|run| !lost.contains(&run.run_id));
            if !claimed.queued.is_empty() {
                self.notify(tables, None);
            }
            claimed
        })
        .await
    }
}

fn decide(counted: Vec<Counted>, claim: &mut Claim<'_>) -> Vec<Decision> {
    let mut decided = Vec::new();
    for counted in counted {
        let Counted {
            job,
            live,
            waiting,
            claimed,
        } = counted;
        let queued = u32::try_from(waiting.len()).unwrap_or(u32::MAX);
        let view = job.record.view(Occupancy::new(live, queued));
        let changes = claim.queued(&view, waiting.iter().map(RunRow::queued), false);
        let start = changes.start.iter().map(|run| run.run_id).collect();
        let (missed, occupancy) = (changes.missed.to_vec(), changes.occupancy);
        let decision = Decision {
            job,
            start,
            missed,
            due: None,
        };
        decided.push((decision, occupancy, claimed));
    }
    for (decision, occupancy, claimed) in &mut decided {
        let before = claim.claimed.skipped.len();
        let came_again = RefCell::new(Vec::new());
        let was_claimed = |at| {
            let is_claimed = claimed.contains(&at);
            came_again.borrow_mut().extend(is_claimed.then_some(at));
            is_claimed
        };
        let mut view = decision.job.record.view(*occupancy);
        if view.may_overlap() {
            view.was_claimed = Some(&was_claimed);
        }
        match claim.due(&view) {
            Due::Not | Due::NotClaimable | Due::NoCapacity => {}
            Due::Pause(note) => panic!("no trigger here takes long: {note}"),
            Due::Advance(changes) => {
                let start = changes.start.iter();
                decision.due = Some(DueDecision {
                    watermark: changes.watermark,
                    next: changes.next,
                    cancel_oldest: changes.cancel_oldest,
                    start: start.map(|run| (run.run_id, run.scheduled_for)).collect(),
                    replace_queued: changes.replace_queued,
                    queue: changes.queue.to_vec(),
                    skipped: claim.claimed.skipped[before..].to_vec(),
                    claimed: came_again.take(),
                });
            }
        }
    }
    let decided = decided.into_iter();
    decided.map(|(decision, ..)| decision).collect()
}

impl Tables {
    /// Locks the rows of jobs that the request could claim, and skips rows that others hold.
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
        skipped: &mut Vec<Skipped>,
        lost: &mut BTreeSet<RunId>,
    ) {
        let Decision {
            job,
            start,
            missed,
            due,
        } = decision;
        let id = &job.record.id;
        for run in missed {
            skipped.extend(self.end_queued(run, SkipReason::Missed, request.now, now));
        }
        for run in start {
            if !self.promote(run, request.node, now) {
                lost.insert(run);
            }
        }
        let Some(due) = due else { return };
        let Some(row) = self.jobs.get_mut(id) else {
            return;
        };
        row.record.watermark = due.watermark;
        row.record.next = due.next;
        for fire in due.claimed {
            self.note_conflict(id, fire);
        }
        for times in due.skipped {
            skipped.push(self.skipped_times(job.generation, times));
        }
        if due.cancel_oldest {
            self.cancel_oldest(id);
        }
        if due.replace_queued {
            skipped.extend(self.clear_queue(id, SkipReason::Superseded, request.now, now));
        }
        let start = due.start.into_iter().map(|run| (run, Some(request.node)));
        let queue = due.queue.into_iter().map(|run| (run, None));
        for ((run, fire), holder) in start.chain(queue) {
            if !self.insert_run(&job, (run, RunKind::Scheduled, fire), holder, now) {
                lost.insert(run);
            }
        }
    }
}
