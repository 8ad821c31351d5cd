//! Claims: the queued runs and due jobs that a node receives.

use chrono::{DateTime, Utc};

use super::contents::Records;
use super::record::RecordKey;
use super::transaction::Transaction;
use crate::id::JobId;
use crate::plan::{Claim, Claimed, Due};
use crate::run::RunKind;
use crate::skipped::SkipReason;
use crate::store::ClaimRequest;

impl Records {
    /// Returns when the next job becomes due that the node could run.
    pub(super) fn next_due(&self, request: &ClaimRequest<'_>) -> Option<DateTime<Utc>> {
        let mut due = self.due.iter();
        let first = due.find(|(_, id)| {
            self.jobs.get(id).is_some_and(|job| {
                let capacity = request.capacity.get(&*job.policies.executor);
                request.claimable.allows(job) && capacity.is_some_and(|capacity| *capacity > 0)
            })
        });
        first.map(|(at, _)| *at)
    }
}

impl Transaction {
    pub(super) fn claim(&mut self, request: &ClaimRequest<'_>) -> Claimed {
        let mut claim = Claim::new(
            request.now,
            request.claimable,
            request.capacity,
            request.limit,
            request.run_ids,
        );
        let with_open_runs: Vec<JobId> = self.records.open.keys().cloned().collect();
        for id in &with_open_runs {
            self.claim_queued(id, request, &mut claim);
        }
        let due = self.records.due.iter();
        let due = due.take_while(|(at, _)| *at <= request.now);
        let due: Vec<JobId> = due.map(|(_, id)| id.clone()).collect();
        for id in &due {
            if claim.is_spent() {
                claim.leave_due_jobs();
                break;
            }
            self.claim_due(id, request, &mut claim);
        }
        self.record_skipped(&claim.claimed.skipped);
        claim.claimed
    }

    fn claim_queued(&mut self, id: &JobId, request: &ClaimRequest<'_>, claim: &mut Claim<'_>) {
        let queue = self.records.queue(id);
        let Some(job) = self.records.jobs.get(id).filter(|_| !queue.is_empty()) else {
            return;
        };
        let changes = claim.queued(&job.view(self.records.occupancy(id)), queue, false);
        for run in changes.missed {
            self.remove(RecordKey::Run(*run));
        }
        for run in changes.start {
            self.change_run(run.run_id, |stored| {
                stored.start(run, request.node, request.now);
            });
        }
    }

    fn claim_due(&mut self, id: &JobId, request: &ClaimRequest<'_>, claim: &mut Claim<'_>) {
        let Some(mut job) = self.records.jobs.get(id).cloned() else {
            return;
        };
        let was_claimed = |at| self.records.was_claimed(id, at);
        let mut view = job.view(self.records.occupancy(id));
        view.was_claimed = Some(&was_claimed);
        match claim.due(&view) {
            Due::Not | Due::NotClaimable | Due::NoCapacity => return,
            Due::Pause(note) => {
                job.pause(note.into());
            }
            Due::Advance(changes) => {
                job.watermark = changes.watermark;
                job.next = changes.next;
                if changes.cancel_oldest {
                    self.cancel_oldest(id);
                }
                for run in changes.start {
                    self.start(run, &job, request.node, request.now);
                }
                let queue = changes.queue.to_vec();
                if changes.replace_queued {
                    let ended = self.end_queue(id, SkipReason::Superseded, request.now);
                    claim.claimed.skipped.extend(ended.skipped);
                    claim.claimed.cancelled.extend(ended.cancelled);
                }
                for (run_id, fire_time) in queue {
                    self.enqueue(run_id, &job, RunKind::Scheduled, fire_time);
                }
            }
        }
        self.advance_job(job);
    }
}
