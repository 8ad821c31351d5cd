//! Runs: manual runs, cancellation, ends, release and take-over.

use chrono::{DateTime, Utc};

use super::contents::Records;
use super::transaction::{EndedQueue, Transaction};
use crate::id::RunId;
use crate::node::NodeId;
use crate::plan::{
    AfterBody, CANCELLED, CancelledRun, FinishChanges, LeftRun, Manual, Release, RunRef, TakeOver,
    finish, release, take_over, was_recorded,
};
use crate::run::{Attempt, RunState};
use crate::skipped::SkipReason;
use crate::store::{CancelAnswer, Finished, JobAnswer, ManualRequest, ManualRun, TakenOver};

impl Records {
    pub(super) fn list_held(&self, node: NodeId) -> Vec<RunId> {
        let held = self.live_runs().filter(|run| run.holder == Some(node));
        held.map(|stored| stored.run.id).collect()
    }

    pub(super) fn list_cancellations(&self, node: NodeId) -> Vec<RunId> {
        let held = self.live_runs().filter(|run| run.holder == Some(node));
        // A run that has ended may hold its slot until its body returns. There is nothing left to cancel.
        let running = held.filter(|run| run.run.state == RunState::Running);
        let requested = running.filter(|run| run.is_cancellation_requested);
        requested.map(|stored| stored.run.id).collect()
    }
}

impl Transaction {
    pub(super) fn run_now(&mut self, request: &ManualRequest<'_>) -> JobAnswer<ManualRun> {
        let (run_id, kind, now) = (request.run_id, request.kind, request.now);
        let Some(job) = self.records.jobs.get(request.job).cloned() else {
            return JobAnswer::NoJob;
        };
        if !job.is_as_seen(request.seen) {
            return JobAnswer::Stale(Box::new(job));
        }
        let manual = Manual {
            run_id,
            kind,
            has_holder: request.holder.is_some(),
            now,
        };
        let mut view = job.view(self.records.occupancy(&job.id));
        for run in self.records.queue(&job.id) {
            view.occupancy.held += u32::from(view.holds(&run));
        }
        let changes = manual.decide(&view);
        let mut ended = EndedQueue::default();
        if changes.replace_queued {
            ended = self.end_queue(&job.id, SkipReason::Superseded, now);
            self.record_skipped(&ended.skipped);
        }
        if changes.cancel_oldest {
            self.cancel_oldest(&job.id);
        }
        if let Some((run, node)) = changes.start.as_ref().zip(request.holder) {
            self.start(run, &job, node, now);
        }
        if changes.queue {
            self.enqueue(run_id, &job, kind, now);
        }
        let answer = ManualRun::new(changes.decision, changes.start);
        JobAnswer::Done(answer.replaced(ended.skipped, ended.cancelled))
    }

    pub(super) fn cancel(&mut self, id: RunId, now: DateTime<Utc>) -> CancelAnswer {
        match self.records.runs.get(&id).cloned() {
            Some(mut stored) if stored.is_queued() => {
                stored.end(RunState::Cancelled, now, Some(CANCELLED.into()));
                self.put_run(stored.clone());
                CancelAnswer::Ended(Box::new(stored.run))
            }
            Some(mut stored) if stored.run.state == RunState::Running => {
                stored.is_cancellation_requested = true;
                self.put_run(stored);
                CancelAnswer::Live
            }
            _ => CancelAnswer::Unknown,
        }
    }

    /// Records how an attempt ended. Returns `true` if it is recorded.
    pub(super) fn finish(&mut self, node: NodeId, finished: Finished) -> bool {
        let (attempt, ending) = (finished.attempt, finished.end.ending());
        let Some(stored) = self.records.runs.get(&finished.run_id) else {
            return false;
        };
        let holder = stored.holder.or(stored.last_holder);
        if stored.is_queued() || holder.is_some_and(|holder| holder != node) {
            return false;
        }
        let changes = match stored.holder {
            Some(_) => finish(stored.live_view(), attempt, ending),
            None => FinishChanges::Refuse,
        };
        if changes == FinishChanges::Refuse {
            let finished_at = finished.end.finished_at();
            return was_recorded(stored.recorded_view(), attempt, ending, finished_at);
        }
        let mut stored = stored.clone();
        let state = match changes {
            FinishChanges::End { state, .. } => Some(state),
            _ => None,
        };
        stored.record_end(attempt, finished.end, state);
        match changes {
            FinishChanges::Retry(next) | FinishChanges::Next(next) => stored.continue_as(next),
            FinishChanges::End {
                body_runs: true, ..
            } => stored.after_body = Some(AfterBody::End),
            FinishChanges::End { .. } | FinishChanges::Free => stored.free(),
            FinishChanges::Refuse => {}
        }
        self.put_run(stored);
        true
    }

    /// Releases a run that its node does not carry out. Returns the run if that ends it.
    pub(super) fn release(
        &mut self,
        node: NodeId,
        id: RunId,
        now: DateTime<Utc>,
    ) -> Option<CancelledRun> {
        let mut stored = self.records.runs.get(&id)?.clone();
        if stored.holder != Some(node) || stored.after_body.is_some() {
            return None;
        }
        let mut cancelled = None;
        let has_job = self.records.jobs.contains_key(&stored.run.job_id);
        match release(
            stored.run.attempt,
            has_job,
            stored.is_cancellation_requested,
        ) {
            Release::Queue(attempts) => stored.queue_again(attempts),
            Release::Cancel { attempts, error } => {
                stored.run.attempt = attempts;
                stored.end(RunState::Cancelled, now, Some(error.into()));
                stored.free();
                cancelled = Some(CancelledRun::of(&stored.run));
            }
        }
        self.put_run(stored);
        cancelled
    }

    /// Takes over all live runs, because the process that held them is gone.
    pub(super) fn take_over(&mut self, now: DateTime<Utc>) -> TakenOver {
        let mut taken = TakenOver::default();
        let left: Vec<_> = self.records.live_runs().cloned().collect();
        for mut stored in left {
            let job = self.records.jobs.get(&stored.run.job_id);
            let decided = take_over(LeftRun {
                state: stored.run.state,
                lost: stored.lost,
                is_cancellation_requested: stored.is_cancellation_requested,
                at_most_once: job.map(|job| job.policies.at_most_once),
            });
            let error = decided.error().map(Box::from);
            let run = RunRef::new(stored.run.job_id.clone(), stored.run.id);
            match decided {
                TakeOver::Free => {}
                TakeOver::Again => {
                    let times = (stored.run.started_at.unwrap_or(now), now);
                    let attempt = stored.run.attempt;
                    stored.add_attempt(Attempt::new(attempt, times, RunState::Lost, error));
                    stored.queue_again(attempt);
                    stored.lost += 1;
                    taken.again.push(run);
                }
                TakeOver::Lost => {
                    stored.end(RunState::Lost, now, error);
                    stored.lost += 1;
                    taken.lost.push(run);
                }
                TakeOver::Cancelled => {
                    stored.end(RunState::Cancelled, now, error);
                    taken.cancelled.push(CancelledRun::of(&stored.run));
                }
            }
            stored.free();
            self.put_run(stored);
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::Record;
    use super::super::stored_run::StoredRun;
    use super::*;
    use crate::id::JobId;
    use crate::plan::Verdict;
    use crate::run::{Run, RunKind};
    use crate::store::{AttemptEnd, End};

    const RUN: RunId = RunId::from_u128(1);

    fn now() -> DateTime<Utc> {
        DateTime::UNIX_EPOCH
    }

    fn node(number: u64) -> NodeId {
        NodeId::new(number)
    }

    /// Returns a run whose body continues after its timeout, on the first node.
    fn timed_out() -> Transaction {
        let job = JobId::new("job").unwrap();
        let run = Run::queued(RUN, job, "task".into(), RunKind::Scheduled, now());
        let mut stored = StoredRun::new(run);
        stored.run.state = RunState::Running;
        stored.run.attempt = 1;
        stored.holder = Some(node(1));
        let mut transaction = Transaction::new([Record::Run(stored)].into_iter().collect());
        let state = RunState::TimedOut;
        let mut end = AttemptEnd::new(Verdict::Final(state), state, now(), now());
        end.body_runs = true;
        assert!(transaction.finish(node(1), Finished::new(RUN, 1, End::Attempt(end))));
        transaction
    }

    #[test]
    fn end_of_a_body_is_recorded_for_its_own_node_only() {
        let mut transaction = timed_out();
        let body = Finished::new(RUN, 1, End::Body);
        assert!(!transaction.finish(node(2), body.clone()), "live elsewhere");
        for _ in 0..2 {
            assert!(transaction.finish(node(1), body.clone()));
        }
        assert!(!transaction.finish(node(2), body), "ended elsewhere");
        let stored = &transaction.records.runs[&RUN];
        let json = serde_json::to_string(stored).unwrap();
        assert_eq!(*stored, serde_json::from_str(&json).unwrap());
    }

    #[test]
    fn cancellation_of_a_run_that_has_ended_is_not_listed() {
        let mut transaction = timed_out();
        let job = JobId::new("job").unwrap();
        transaction.cancel_oldest(&job); // it still holds the slot that the newer run needs
        assert_eq!(transaction.records.list_cancellations(node(1)), []);
        assert_eq!(transaction.records.list_held(node(1)), [RUN]);
    }
}
