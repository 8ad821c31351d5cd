//! A store for a single process; `docs/writing-a-store.md` walks through it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use scheduler_core::plan::{
    self, AfterBody, CANCELLED, Claim, Claimed, Due, EndedQueued, FinishChanges, LiveView, Manual,
    Occupancy, QueuedView, RecordedView, Release,
};
use scheduler_core::reconcile::{Reconciled, StaticJob, reconcile};
use scheduler_core::store::{
    CancelAnswer, ClaimRequest, ClaimedRun, Edit, Edited, End, Finished, History, Inserted,
    JobOrder, JobQuery, ManualRequest, ManualRun, NewJob, SkippedQuery, Store, StoreFuture, admits,
    replacement, skipped_records,
};
use scheduler_core::{
    Attempt, JobId, JobRecord, NodeId, Run, RunFilter, RunId, RunKind, RunState, SkipReason,
    Skipped,
};

/// Keeps jobs and runs of one process. A clone is another handle on the same ones.
#[derive(Debug, Clone, Default)]
pub struct SmallStore(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    jobs: BTreeMap<JobId, JobRecord>,
    runs: BTreeMap<RunId, StoredRun>,
    skipped: Vec<Skipped>,
}

/// A run, with the fields that its record does not show.
#[derive(Debug)]
struct StoredRun {
    record: Run,
    /// The node on which it is live, which means that it holds a slot.
    holder: Option<NodeId>,
    failures: u32,
    after_body: Option<AfterBody>,
    is_cancellation_requested: bool,
}

impl StoredRun {
    fn queued(id: RunId, job: &JobRecord, kind: RunKind, scheduled_for: DateTime<Utc>) -> Self {
        let (job_id, task) = (job.id.clone(), job.task.clone());
        Self {
            record: Run::queued(id, job_id, task, kind, scheduled_for),
            holder: None,
            failures: 0,
            after_body: None,
            is_cancellation_requested: false,
        }
    }

    fn is_queued(&self) -> bool {
        self.record.state == RunState::Queued
    }

    fn queued_view(&self) -> QueuedView {
        QueuedView {
            run_id: self.record.id,
            kind: self.record.kind,
            scheduled_for: self.record.scheduled_for,
            attempts: self.record.attempt,
            failures: self.failures,
        }
    }

    fn start(&mut self, claimed: &ClaimedRun, node: NodeId, now: DateTime<Utc>) {
        self.record.state = RunState::Running;
        self.record.attempt = claimed.attempt;
        self.record.started_at = Some(now);
        self.failures = claimed.failures;
        self.holder = Some(node);
    }

    fn end(&mut self, state: RunState, at: DateTime<Utc>, error: Option<Box<str>>) {
        self.record.state = state;
        self.record.finished_at = Some(at);
        self.record.error = error;
        self.is_cancellation_requested = false;
    }
}

impl State {
    fn runs_of(&self, job: &JobId) -> impl Iterator<Item = &StoredRun> {
        self.runs
            .values()
            .filter(move |run| run.record.job_id == *job)
    }

    fn queue(&self, job: &JobId) -> Vec<QueuedView> {
        let queued = self.runs_of(job).filter(|run| run.is_queued());
        queued.map(StoredRun::queued_view).collect()
    }

    fn occupancy(&self, job: &JobId) -> Occupancy {
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let live = self.runs_of(job).filter(|run| run.holder.is_some());
        Occupancy {
            live: count(live.count()),
            queued: count(self.queue(job).len()),
            held: 0,
        }
    }
}

impl State {
    fn insert(&mut self, jobs: Vec<NewJob>, now: DateTime<Utc>) -> Inserted {
        let mut ids = BTreeSet::new();
        for new in &jobs {
            let id = &new.record.id;
            if !ids.insert(id) && !new.replace_existing {
                return Inserted::Exists(id.clone());
            }
            let has_open_runs = self.occupancy(id) != Occupancy::default();
            if let Some(refused) = admits(self.jobs.get(id), has_open_runs, new) {
                return refused;
            }
        }
        let (mut skipped, mut carried_on) = (Vec::new(), Vec::new());
        for new in jobs {
            let id = new.record.id.clone();
            let Some(old) = self.jobs.get(&id) else {
                self.jobs.insert(id, new.record);
                continue;
            };
            let replacement = replacement(old, &new, now);
            if replacement.carries_on {
                carried_on.push(replacement.record.clone());
            } else {
                skipped.extend(self.end_queue(&id, SkipReason::Superseded, now));
            }
            skipped.extend(skipped_records(&id, replacement.skipped, now));
            self.jobs.insert(id, replacement.record);
        }
        self.skipped.extend_from_slice(&skipped);
        Inserted::All {
            skipped,
            carried_on,
        }
    }

    fn reconcile(&mut self, definition: StaticJob, now: DateTime<Utc>) -> Reconciled {
        let existing = self.jobs.get(&definition.id);
        let (job, answer) = reconcile(existing, definition, now);
        if let Some(job) = job {
            self.jobs.insert(job.id.clone(), job);
        }
        self.skipped.extend_from_slice(&answer.skipped);
        answer
    }

    fn edit(&mut self, id: &str, mut edit: Edit<'_>, now: DateTime<Utc>) -> Option<Edited> {
        let mut job = self.jobs.get(id)?.clone();
        let times = edit(&mut job);
        let skipped: Vec<Skipped> = skipped_records(&job.id, times, now).collect();
        self.jobs.insert(job.id.clone(), job.clone());
        self.skipped.extend_from_slice(&skipped);
        Some(Edited { job, skipped })
    }
}

impl State {
    fn remove(&mut self, id: &str, now: DateTime<Utc>) -> Option<Edited> {
        let job = self.jobs.remove(id)?;
        let mut skipped = self.end_queue(&job.id, SkipReason::Removed, now);
        let pending = job.pending(now, SkipReason::Removed);
        skipped.extend(skipped_records(&job.id, pending, now));
        self.skipped.extend_from_slice(&skipped);
        Some(Edited { job, skipped })
    }

    /// Takes all queued runs of a job out of the queue.
    fn end_queue(&mut self, job: &JobId, reason: SkipReason, now: DateTime<Utc>) -> Vec<Skipped> {
        let mut skipped = Vec::new();
        for run in self.queue(job) {
            let scheduled_for = Some(run.scheduled_for);
            match plan::end_queued(job, run.attempts, scheduled_for, reason, now) {
                EndedQueued::Skipped(record) => {
                    self.runs.remove(&run.run_id);
                    skipped.push(record);
                }
                EndedQueued::Cancelled => {
                    if let Some(run) = self.runs.get_mut(&run.run_id) {
                        run.end(RunState::Cancelled, now, Some(reason.as_str().into()));
                    }
                }
            }
        }
        skipped
    }
}

impl State {
    fn list(&self, query: &JobQuery) -> Vec<JobRecord> {
        let mut jobs: Vec<&JobRecord> = self.jobs.values().collect();
        match &query.order {
            JobOrder::Id { after } => {
                let prefix = query.prefix.as_deref().unwrap_or_default();
                jobs.retain(|job| after.as_ref().is_none_or(|after| job.id > *after));
                jobs.retain(|job| job.id.as_str().starts_with(prefix));
            }
            JobOrder::NextRun => {
                jobs.retain(|job| job.next_run_time().is_some());
                jobs.sort_by_key(|job| job.next_run_time());
            }
        }
        jobs.into_iter().take(query.limit).cloned().collect()
    }
}

impl State {
    fn claim(&mut self, request: &ClaimRequest<'_>) -> Claimed {
        let mut claim = Claim::new(
            request.now,
            request.claimable,
            request.capacity,
            request.limit,
            request.run_ids,
        );
        let queued = self.runs.values().filter(|run| run.is_queued());
        let ids: BTreeSet<JobId> = queued.map(|run| run.record.job_id.clone()).collect();
        for id in &ids {
            self.claim_queued(id, request, &mut claim);
        }
        for job in self.list(&JobQuery::by_next_run(usize::MAX)) {
            if job.next_run_time() > Some(request.now) {
                break;
            }
            if claim.is_spent() {
                claim.leave_due_jobs();
                break;
            }
            self.claim_due(job, request, &mut claim);
        }
        self.skipped.extend_from_slice(&claim.claimed.skipped);
        claim.claimed
    }

    fn claim_queued(&mut self, id: &JobId, request: &ClaimRequest<'_>, claim: &mut Claim<'_>) {
        let Some(job) = self.jobs.get(id) else { return };
        let changes = claim.queued(&job.view(self.occupancy(id)), self.queue(id), false);
        for run in changes.missed {
            self.runs.remove(run);
        }
        for run in changes.start {
            if let Some(stored) = self.runs.get_mut(&run.run_id) {
                stored.start(run, request.node, request.now);
            }
        }
    }
}

impl State {
    fn claim_due(&mut self, mut job: JobRecord, request: &ClaimRequest<'_>, claim: &mut Claim<'_>) {
        let is_of = |run: &Run, at| run.kind == RunKind::Scheduled && run.scheduled_for == at;
        let was_claimed = |at| self.runs_of(&job.id).any(|run| is_of(&run.record, at));
        let mut view = job.view(self.occupancy(&job.id));
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
                    self.cancel_oldest(&job.id);
                }
                for run in changes.start {
                    self.start(run, &job, request.node, request.now);
                }
                let queue = changes.queue.to_vec();
                if changes.replace_queued {
                    let skipped = self.end_queue(&job.id, SkipReason::Superseded, request.now);
                    claim.claimed.skipped.extend(skipped);
                }
                for (id, fire_time) in queue {
                    let run = StoredRun::queued(id, &job, RunKind::Scheduled, fire_time);
                    self.runs.insert(id, run);
                }
            }
        }
        self.jobs.insert(job.id.clone(), job);
    }

    fn start(&mut self, run: &ClaimedRun, job: &JobRecord, node: NodeId, now: DateTime<Utc>) {
        let mut stored = StoredRun::queued(run.run_id, job, run.kind, run.scheduled_for);
        stored.start(run, node, now);
        self.runs.insert(run.run_id, stored);
    }

    fn cancel_oldest(&mut self, job: &JobId) {
        let mut runs = self.runs.values_mut();
        let oldest = runs.find(|run| run.holder.is_some() && run.record.job_id == *job);
        if let Some(run) = oldest {
            run.is_cancellation_requested = true;
        }
    }
}

impl State {
    fn next_due(&self, request: &ClaimRequest<'_>) -> Option<DateTime<Utc>> {
        let capacity = |job: &JobRecord| request.capacity.get(&*job.policies.executor);
        let jobs = self.jobs.values();
        jobs.filter(|job| request.claimable.allows(job))
            .filter(|job| capacity(job).is_some_and(|capacity| *capacity > 0))
            .filter_map(JobRecord::next_run_time)
            .min()
    }
}

impl State {
    fn run_now(&mut self, request: &ManualRequest<'_>) -> Option<ManualRun> {
        let (run_id, kind, now) = (request.run_id, request.kind, request.now);
        let job = self.jobs.get(request.job)?.clone();
        let manual = Manual {
            run_id,
            kind,
            has_holder: request.holder.is_some(),
            now,
        };
        let mut view = job.view(self.occupancy(&job.id));
        let held = |run: &QueuedView| u32::from(view.holds(run));
        view.occupancy.held = self.queue(&job.id).iter().map(held).sum();
        let changes = manual.decide(&view);
        let mut skipped = Vec::new();
        if changes.replace_queued {
            skipped = self.end_queue(&job.id, SkipReason::Superseded, now);
            self.skipped.extend_from_slice(&skipped);
        }
        if changes.cancel_oldest {
            self.cancel_oldest(&job.id);
        }
        if let Some((run, node)) = changes.start.as_ref().zip(request.holder) {
            self.start(run, &job, node, now);
        }
        if changes.queue {
            let run = StoredRun::queued(run_id, &job, kind, now);
            self.runs.insert(run_id, run);
        }
        Some(ManualRun {
            decision: changes.decision,
            start: changes.start,
            skipped,
        })
    }

    fn cancel(&mut self, id: RunId, now: DateTime<Utc>) -> CancelAnswer {
        match self.runs.get_mut(&id) {
            Some(run) if run.is_queued() => {
                run.end(RunState::Cancelled, now, Some(CANCELLED.into()));
                CancelAnswer::Ended(Box::new(run.record.clone()))
            }
            Some(run) if run.record.state == RunState::Running => {
                run.is_cancellation_requested = true;
                CancelAnswer::Live
            }
            _ => CancelAnswer::Unknown,
        }
    }
}

impl State {
    fn finish(&mut self, node: NodeId, finished: Finished) -> bool {
        let (attempt, ending) = (finished.attempt, finished.end.ending());
        let Some(run) = self.runs.get_mut(&finished.run_id) else {
            return false;
        };
        let is_held_by_another = run.holder.is_some_and(|holder| holder != node);
        if run.is_queued() || is_held_by_another {
            return false;
        }
        let live = LiveView {
            attempt: run.record.attempt,
            failures: run.failures,
            after_body: run.after_body,
        };
        let changes = match run.holder {
            Some(_) => plan::finish(live, attempt, ending),
            None => FinishChanges::Refuse,
        };
        if changes == FinishChanges::Refuse {
            let finished_at = finished.end.finished_at();
            return plan::was_recorded(run.recorded_view(), attempt, ending, finished_at);
        }
        run.record_end(attempt, finished.end, changes);
        match changes {
            FinishChanges::Retry(next) | FinishChanges::Next(next) => {
                run.record.attempt = next.attempt;
                run.failures = next.failures;
                run.after_body = next.after_body;
            }
            FinishChanges::End {
                body_runs: true, ..
            } => run.after_body = Some(AfterBody::End),
            FinishChanges::End { .. } | FinishChanges::Free => run.holder = None,
            FinishChanges::Refuse => {}
        }
        true
    }

    fn release(&mut self, node: NodeId, id: RunId, now: DateTime<Utc>) {
        let is_held = |run: &&mut StoredRun| run.holder == Some(node) && run.after_body.is_none();
        let Some(run) = self.runs.get_mut(&id).filter(is_held) else {
            return;
        };
        run.holder = None;
        let started_at = run.record.started_at.take();
        let has_job = self.jobs.contains_key(&run.record.job_id);
        let is_cancellation_requested = run.is_cancellation_requested;
        match plan::release(run.record.attempt, has_job, is_cancellation_requested) {
            Release::Queue(attempts) => {
                run.record.attempt = attempts;
                run.record.state = RunState::Queued;
            }
            Release::Cancel { attempts, error } => {
                run.record.attempt = attempts;
                run.record.started_at = started_at;
                run.end(RunState::Cancelled, now, Some(error.into()));
            }
        }
    }
}

impl StoredRun {
    fn recorded_view(&self) -> RecordedView {
        let last = self.record.earlier_attempts.last();
        RecordedView {
            attempt: self.record.attempt,
            state: self.record.state,
            is_live: self.holder.is_some(),
            finished_at: self.record.finished_at,
            last_attempt: last.map(|last| (last.attempt, last.finished_at)),
        }
    }

    fn record_end(&mut self, attempt: u32, end: End, changes: FinishChanges) {
        let End::Attempt {
            started_at,
            finished_at,
            lateness,
            error,
            value,
            state,
            ..
        } = end
        else {
            return;
        };
        self.record.started_at = Some(started_at);
        self.record.lateness.get_or_insert(lateness);
        if let FinishChanges::End { state, .. } = changes {
            self.end(state, finished_at, error);
            self.record.value = value;
        } else {
            let earlier = &mut self.record.earlier_attempts;
            if earlier.len() == Attempt::KEPT {
                earlier.remove(0);
            }
            let times = (started_at, finished_at);
            earlier.push(Attempt::new(attempt, times, state, error));
        }
    }
}

impl SmallStore {
    /// Runs one transaction.
    fn call<'a, T>(&'a self, work: impl FnOnce(&mut State) -> T + Send + 'a) -> StoreFuture<'a, T> {
        let run = move || work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
        Box::pin(async move { Ok(run()) })
    }
}

impl Store for SmallStore {
    fn is_persistent(&self) -> bool {
        false
    }

    fn insert(&self, jobs: Vec<NewJob>, now: DateTime<Utc>) -> StoreFuture<'_, Inserted> {
        self.call(move |state| state.insert(jobs, now))
    }

    fn reconcile(
        &self,
        jobs: Vec<StaticJob>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'_, Vec<Reconciled>> {
        self.call(move |state| {
            let jobs = jobs.into_iter();
            jobs.map(|job| state.reconcile(job, now)).collect()
        })
    }

    fn get_job<'a>(&'a self, id: &'a str) -> StoreFuture<'a, Option<JobRecord>> {
        self.call(|state| state.jobs.get(id).cloned())
    }

    fn list_jobs<'a>(&'a self, query: &'a JobQuery) -> StoreFuture<'a, Vec<JobRecord>> {
        self.call(|state| state.list(query))
    }

    fn edit<'a>(
        &'a self,
        id: &'a str,
        edit: Edit<'a>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'a, Option<Edited>> {
        self.call(move |state| state.edit(id, edit, now))
    }

    fn remove<'a>(&'a self, id: &'a str, now: DateTime<Utc>) -> StoreFuture<'a, Option<Edited>> {
        self.call(move |state| state.remove(id, now))
    }

    fn claim<'a>(&'a self, request: &'a ClaimRequest<'a>) -> StoreFuture<'a, Claimed> {
        self.call(|state| state.claim(request))
    }

    fn next_due<'a>(
        &'a self,
        request: &'a ClaimRequest<'a>,
    ) -> StoreFuture<'a, Option<DateTime<Utc>>> {
        self.call(|state| state.next_due(request))
    }

    fn run_now<'a>(&'a self, request: &'a ManualRequest<'a>) -> StoreFuture<'a, Option<ManualRun>> {
        self.call(|state| state.run_now(request))
    }

    fn cancel(&self, run: RunId, now: DateTime<Utc>) -> StoreFuture<'_, CancelAnswer> {
        self.call(move |state| state.cancel(run, now))
    }

    fn list_cancellations(&self, node: NodeId) -> StoreFuture<'_, Vec<RunId>> {
        self.call(move |state| {
            let held = state.runs.values().filter(|run| run.holder == Some(node));
            let requested = held.filter(|run| run.is_cancellation_requested);
            requested.map(|run| run.record.id).collect()
        })
    }

    fn finish(&self, node: NodeId, finished: Vec<Finished>) -> StoreFuture<'_, Vec<bool>> {
        self.call(move |state| {
            let finished = finished.into_iter();
            finished.map(|one| state.finish(node, one)).collect()
        })
    }

    fn release(&self, node: NodeId, runs: Vec<RunId>, now: DateTime<Utc>) -> StoreFuture<'_, ()> {
        self.call(move |state| {
            let runs = runs.into_iter();
            runs.for_each(|run| state.release(node, run, now));
        })
    }

    fn list_held(&self, node: NodeId) -> StoreFuture<'_, Vec<RunId>> {
        self.call(move |state| {
            let held = state.runs.values().filter(|run| run.holder == Some(node));
            held.map(|run| run.record.id).collect()
        })
    }
}

impl History for SmallStore {
    fn list_runs<'a>(&'a self, filter: &'a RunFilter) -> StoreFuture<'a, Vec<Run>> {
        self.call(|state| {
            let newest_first = state.runs.values().rev().map(|run| &run.record);
            let matching = newest_first.filter(|run| filter.matches(run));
            matching.take(filter.page_size()).cloned().collect()
        })
    }

    fn get_run(&self, id: RunId) -> StoreFuture<'_, Option<Run>> {
        self.call(move |state| state.runs.get(&id).map(|run| run.record.clone()))
    }

    fn list_skipped<'a>(&'a self, query: &'a SkippedQuery) -> StoreFuture<'a, Vec<(u64, Skipped)>> {
        self.call(|state| {
            let numbered: Vec<_> = (1..).zip(&state.skipped).collect();
            let newest_first = numbered.into_iter().rev();
            let listed = newest_first.filter(|(seq, skipped)| query.matches(*seq, skipped));
            let listed = listed.map(|(seq, skipped)| (seq, skipped.clone()));
            listed.take(query.limit).collect()
        })
    }
}
