//! A caller that retries, as the driver does, and resolves what a lost answer leaves open.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use chrono::{DateTime, Utc};
use scheduler_core::__private::lock;
use scheduler_core::plan::{ManualDecision, Occupancy, plan_manual};
use scheduler_core::reconcile::{Reconciled, StaticJob, reconcile};
use scheduler_core::store::{
    AllInserted, Call, CancelAnswer, CancelledRun, ClaimRequest, Claimed, ClaimedRun, Cluster,
    Edit, Edited, Finished, Heartbeat, Inserted, Intercept, JobAnswer, JobQuery, Lease,
    ManualRequest, ManualRun, NewJob, NewNode, Repaired, RunRef, SkippedQuery, Store, StoreError,
    StoreFuture, TakenOver, Wake, replacement, skipped_records,
};
use scheduler_core::{
    JobId, JobRecord, Node, NodeId, Revision, Run, RunFilter, RunId, RunKind, RunState, Skipped,
    SkippedTimes,
};

/// How many times a call is tried.
const TRIES: usize = 12;

/// More than a store of the suite ever holds.
const ALL: usize = 100_000;

/// A store whose failed calls are retried, under the same contract.
///
/// | call | after a failure |
/// | --- | --- |
/// | reading, `next_due`, `store_time` | retries |
/// | `finish`, `release`, `join`, `heartbeat`, `leave`, `prune` | retries: these calls are idempotent |
/// | `claim` | releases the runs that the node [holds](Store::list_held) without having had the answer, then retries |
/// | `run_now` | looks the run up by its id; retries if it is not there |
/// | `insert`, `edit`, `remove`, `reconcile` | reads the job; retries unless the job is as intended |
/// | `cancel`, `repair`, `take_over` | retries, and completes the answer with what changed meanwhile |
///
/// A call that is refused because the lease expired is not retried.
#[derive(Debug, Default)]
pub struct TriesAgain {
    /// The runs that a node holds according to the answers that it got.
    known: Mutex<HashSet<(NodeId, RunId)>>,
}

/// A caller of one store.
#[derive(Clone, Copy)]
struct Caller<'a> {
    store: &'a dyn Store,
    known: &'a Mutex<HashSet<(NodeId, RunId)>>,
}

/// Retries, unless that cannot help.
macro_rules! again {
    ($call:expr) => {{
        let mut tries = 0;
        loop {
            tries += 1;
            match $call.await {
                Err(error) if is_passing(&error, tries) => {}
                answer => break answer,
            }
        }
    }};
}

fn is_passing(error: &StoreError, tries: usize) -> bool {
    !error.is_fenced() && tries < TRIES
}

fn cluster(store: &dyn Store) -> Result<&dyn Cluster, StoreError> {
    let cluster = store.cluster();
    cluster.ok_or_else(|| StoreError::new("the store knows no nodes"))
}

impl TriesAgain {
    fn on<'a>(&'a self, store: &'a dyn Store) -> Caller<'a> {
        Caller {
            store,
            known: &self.known,
        }
    }
}

impl Caller<'_> {
    fn known(&self) -> MutexGuard<'_, HashSet<(NodeId, RunId)>> {
        lock(self.known)
    }

    async fn all_runs(&self) -> Result<Vec<Run>, StoreError> {
        let everything = RunFilter::new().limit(ALL);
        again!(self.store.list_runs(&everything))
    }

    async fn runs_of(&self, job: &str, states: &[RunState]) -> Result<Vec<Run>, StoreError> {
        let mut filter = RunFilter::new().job(job).limit(ALL);
        filter.states = states.to_vec();
        again!(self.store.list_runs(&filter))
    }

    async fn all_jobs(&self) -> Result<Vec<JobRecord>, StoreError> {
        let query = JobQuery::by_id(None, ALL);
        again!(self.store.list_jobs(&query))
    }

    async fn job(&self, id: &str) -> Result<Option<JobRecord>, StoreError> {
        again!(self.store.get_job(id))
    }

    async fn skipped(&self, job: Option<&str>) -> Result<Vec<Skipped>, StoreError> {
        let mut query = SkippedQuery::new(ALL);
        query.job = job.map(str::to_owned);
        let records = again!(self.store.list_skipped(&query))?;
        Ok(records.into_iter().map(|(_, skipped)| skipped).collect())
    }

    /// Returns the records of fire times skipped since then, oldest first.
    async fn skipped_since(
        &self,
        before: usize,
        job: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Skipped>, StoreError> {
        let mut skipped = self.skipped(job).await?;
        skipped.truncate(skipped.len().saturating_sub(before));
        skipped.retain(|skipped| skipped.decided_at == now);
        skipped.reverse();
        Ok(skipped)
    }

    /// Releases runs that this node holds but whose claim was never answered.
    async fn settle(&self, node: NodeId, now: DateTime<Utc>) -> Result<(), StoreError> {
        let mut strays = again!(self.store.list_held(node))?;
        strays.retain(|run| !self.known().contains(&(node, *run)));
        again!(self.store.release(node, strays.clone(), now))?;
        Ok(())
    }

    async fn claim_again(&self, request: &ClaimRequest<'_>) -> Result<Claimed, StoreError> {
        let skipped = self.skipped(None).await?.len();
        let runs: HashSet<RunId> = self.all_runs().await?.iter().map(|run| run.id).collect();
        let has_ended = |job: &JobRecord| job.is_finished().then(|| job.id.clone());
        let jobs = self.all_jobs().await?;
        let ended: HashSet<JobId> = jobs.iter().filter_map(has_ended).collect();
        let mut tries = 0;
        let mut claim = loop {
            tries += 1;
            match self.store.claim(request).await {
                Err(error) if is_passing(&error, tries) => {
                    self.settle(request.node, request.now).await?;
                }
                answer => break answer?,
            }
        };
        let held = claim.runs.iter().map(|run| (request.node, run.run_id));
        self.known().extend(held);
        if tries > 1 {
            claim.skipped = self.skipped_since(skipped, None, request.now).await?;
            let mut waiting = self.all_runs().await?;
            waiting.retain(|run| run.state == RunState::Queued && !runs.contains(&run.id));
            waiting.sort_by_key(|run| run.id);
            let waiting = waiting
                .into_iter()
                .map(|run| RunRef::new(run.job_id, run.id));
            claim.queued = waiting.collect();
            let jobs = self.all_jobs().await?;
            let now_ended = jobs.iter().filter_map(has_ended);
            claim.ended = now_ended.filter(|id| !ended.contains(id)).collect();
        }
        Ok(claim)
    }

    async fn insert_again(
        &self,
        jobs: Vec<NewJob>,
        now: DateTime<Utc>,
    ) -> Result<Inserted, StoreError> {
        let skipped = self.skipped(None).await?.len();
        let (mut expected, mut carried_on) = (Vec::new(), Vec::new());
        for new in &jobs {
            let stored = self.job(new.record.id.as_str()).await?;
            let replacement = stored.map(|old| replacement(&old, new, now));
            let carries_on = replacement.as_ref().is_some_and(|it| it.carries_on);
            let record = replacement.map_or_else(|| new.record.clone(), |it| it.record);
            carried_on.extend(carries_on.then(|| record.clone()));
            expected.push(record);
        }
        let was_there = self.are_there(&expected).await?;
        let mut tries = 0;
        loop {
            tries += 1;
            let copy = jobs.iter().map(|new| {
                let mut copy = NewJob::new(new.record.clone());
                copy.replace_existing = new.replace_existing;
                copy.written.clone_from(&new.written);
                copy
            });
            match self.store.insert(copy.collect(), now).await {
                Err(error) if is_passing(&error, tries) => {}
                answer => return answer,
            }
            if !was_there && self.are_there(&expected).await? {
                let mut inserted = AllInserted::default();
                inserted.skipped = self.skipped_since(skipped, None, now).await?;
                inserted.carried_on = carried_on;
                return Ok(Inserted::All(inserted));
            }
        }
    }

    /// Returns `true` if all of these jobs are stored exactly as given; if several share an id, the last one counts.
    async fn are_there(&self, jobs: &[JobRecord]) -> Result<bool, StoreError> {
        for job in jobs {
            let last = jobs.iter().rev().find(|other| other.id == job.id);
            if self.job(job.id.as_str()).await?.as_ref() != last {
                return Ok(false);
            }
        }
        Ok(!jobs.is_empty())
    }

    async fn edit_again(
        &self,
        id: &str,
        mut edit: Edit<'_>,
        now: DateTime<Utc>,
    ) -> Result<Option<Edited>, StoreError> {
        let skipped = self.skipped(Some(id)).await?.len();
        let mut tries = 0;
        loop {
            tries += 1;
            let mut seen: Option<(JobRecord, JobRecord, Vec<SkippedTimes>)> = None;
            let watched = |job: &mut JobRecord| {
                let before = job.clone();
                let times = edit(job);
                seen = Some((before, job.clone(), times.clone()));
                times
            };
            match self.store.edit(id, Box::new(watched), now).await {
                Err(error) if is_passing(&error, tries) => {}
                answer => return answer,
            }
            let Some((before, after, times)) = seen else {
                continue;
            };
            let is_stored = self.job(id).await?.as_ref() == Some(&after);
            let since = self.skipped_since(skipped, Some(id), now).await?;
            if is_stored && (before != after || !since.is_empty()) {
                let skipped = skipped_records(&after.id, times, now).collect();
                return Ok(Some(Edited::new(after, skipped)));
            }
        }
    }

    async fn remove_again(
        &self,
        id: &str,
        seen: Option<Revision>,
        now: DateTime<Utc>,
    ) -> Result<JobAnswer<Edited>, StoreError> {
        let before = self.job(id).await?;
        let skipped = self.skipped(Some(id)).await?.len();
        let mut tries = 0;
        loop {
            tries += 1;
            match self.store.remove(id, seen, now).await {
                Err(error) if is_passing(&error, tries) => {}
                answer => return answer,
            }
            if let (Some(job), None) = (&before, self.job(id).await?) {
                let skipped = self.skipped_since(skipped, Some(id), now).await?;
                return Ok(JobAnswer::Done(Edited::new(job.clone(), skipped)));
            }
        }
    }

    async fn reconcile_again(
        &self,
        jobs: Vec<StaticJob>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Reconciled>, StoreError> {
        let mut expected = Vec::new();
        for definition in &jobs {
            let stored = self.job(definition.id.as_str()).await?;
            expected.push(reconcile(stored.as_ref(), definition.clone(), now));
        }
        let mut tries = 0;
        loop {
            tries += 1;
            match self.store.reconcile(jobs.clone(), now).await {
                Err(error) if is_passing(&error, tries) => {}
                answer => return answer,
            }
            let mut any = false;
            let mut all = true;
            for (job, answer) in &expected {
                if let Some(job) = job {
                    any = true;
                    all &= self.job(answer.id.as_str()).await?.as_ref() == Some(job);
                }
            }
            if any && all {
                return Ok(expected.into_iter().map(|(_, answer)| answer).collect());
            }
        }
    }

    async fn run_now_again(
        &self,
        request: &ManualRequest<'_>,
    ) -> Result<JobAnswer<ManualRun>, StoreError> {
        let skipped = self.skipped(Some(request.job)).await?.len();
        let job = self.job(request.job).await?;
        let open = [RunState::Queued, RunState::Running];
        let open = self.runs_of(request.job, &open).await?;
        let count = |state| open.iter().filter(|run| run.state == state).count();
        let is_new = |run: &&Run| run.kind == RunKind::Scheduled && run.attempt == 0;
        let is_paused = job.as_ref().is_some_and(|job| job.paused.is_some());
        let held = open.iter().filter(is_new).filter(|_| is_paused).count();
        let as_u32 = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let (live, queued) = (count(RunState::Running), count(RunState::Queued));
        let mut occupancy = Occupancy::new(as_u32(live), as_u32(queued));
        occupancy.held = as_u32(held);
        if let Some(node) = request.holder {
            // Before the call, so that a concurrent claim does not release the run as a stray.
            self.known().insert((node, request.run_id));
        }
        let mut tries = 0;
        loop {
            tries += 1;
            match self.store.run_now(request).await {
                Err(error) if is_passing(&error, tries) => {}
                answer => return answer,
            }
            let run = again!(self.store.get_run(request.run_id))?;
            let Some((job, run)) = job.as_ref().zip(run) else {
                continue;
            };
            let (id, kind, now) = (request.run_id, request.kind, request.now);
            let is_live = run.state == RunState::Running;
            let decision = if is_live {
                ManualDecision::Start
            } else {
                plan_manual(&job.policies, occupancy)
            };
            let start = is_live.then(|| ClaimedRun::first(&job.view(occupancy), id, kind, now));
            let skipped = self.skipped_since(skipped, Some(request.job), now).await?;
            let run = ManualRun::new(decision, start).replaced(skipped, Vec::new());
            return Ok(JobAnswer::Done(run));
        }
    }

    async fn cancel_again(
        &self,
        run: RunId,
        now: DateTime<Utc>,
    ) -> Result<CancelAnswer, StoreError> {
        let before = again!(self.store.get_run(run))?;
        let answer = again!(self.store.cancel(run, now))?;
        let waited = before.is_some_and(|run| run.state == RunState::Queued);
        if answer != CancelAnswer::Unknown || !waited {
            return Ok(answer);
        }
        let after = again!(self.store.get_run(run))?;
        Ok(match after {
            Some(run) if run.state == RunState::Cancelled => CancelAnswer::Ended(Box::new(run)),
            _ => answer,
        })
    }

    async fn repair_again(&self, now: DateTime<Utc>) -> Result<Repaired, StoreError> {
        let before = self.all_jobs().await?;
        let mut repaired = again!(self.store.repair(now))?;
        let after = self.all_jobs().await?;
        let watermarks = before.iter().zip(&after);
        repaired.watermarks = watermarks
            .filter(|(before, after)| before.id == after.id && before.watermark != after.watermark)
            .map(|(before, _)| before.id.clone())
            .collect();
        Ok(repaired)
    }

    async fn take_over_again(&self, now: DateTime<Utc>) -> Result<TakenOver, StoreError> {
        let mut before = self.all_runs().await?;
        before.retain(|run| run.state == RunState::Running);
        let mut tries = 0;
        let answer = loop {
            tries += 1;
            match cluster(self.store)?.take_over(now).await {
                Err(error) if is_passing(&error, tries) => {}
                answer => break answer?,
            }
        };
        if tries == 1 {
            return Ok(answer);
        }
        let mut taken = TakenOver::default();
        for run in before.into_iter().rev() {
            let state = again!(self.store.get_run(run.id))?.map(|run| run.state);
            match state {
                Some(RunState::Queued) => taken.again.push(RunRef::new(run.job_id, run.id)),
                Some(RunState::Lost) => taken.lost.push(RunRef::new(run.job_id, run.id)),
                _ => {}
            }
        }
        Ok(taken)
    }
}

// Without this, a call that is left out would not be retried.
#[deny(clippy::missing_trait_methods)]
impl Intercept for TriesAgain {
    fn around<'a, T: Send + 'a>(
        &'a self,
        _call: Call,
        carry_out: impl FnOnce() -> StoreFuture<'a, T> + Send + 'a,
    ) -> StoreFuture<'a, T> {
        carry_out()
    }

    fn is_persistent(&self, store: &dyn Store) -> bool {
        store.is_persistent()
    }

    fn insert<'a>(
        &'a self,
        store: &'a dyn Store,
        jobs: Vec<NewJob>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'a, Inserted> {
        Box::pin(async move { self.on(store).insert_again(jobs, now).await })
    }

    fn reconcile<'a>(
        &'a self,
        store: &'a dyn Store,
        jobs: Vec<StaticJob>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'a, Vec<Reconciled>> {
        Box::pin(async move { self.on(store).reconcile_again(jobs, now).await })
    }

    fn get_job<'a>(
        &'a self,
        store: &'a dyn Store,
        id: &'a str,
    ) -> StoreFuture<'a, Option<JobRecord>> {
        Box::pin(async move { self.on(store).job(id).await })
    }

    fn list_jobs<'a>(
        &'a self,
        store: &'a dyn Store,
        query: &'a JobQuery,
    ) -> StoreFuture<'a, Vec<JobRecord>> {
        Box::pin(async move { again!(store.list_jobs(query)) })
    }

    fn edit<'a>(
        &'a self,
        store: &'a dyn Store,
        id: &'a str,
        edit: Edit<'a>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'a, Option<Edited>> {
        Box::pin(async move { self.on(store).edit_again(id, edit, now).await })
    }

    fn remove<'a>(
        &'a self,
        store: &'a dyn Store,
        id: &'a str,
        seen: Option<Revision>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'a, JobAnswer<Edited>> {
        Box::pin(async move { self.on(store).remove_again(id, seen, now).await })
    }

    fn claim<'a>(
        &'a self,
        store: &'a dyn Store,
        request: &'a ClaimRequest<'a>,
    ) -> StoreFuture<'a, Claimed> {
        Box::pin(async move { self.on(store).claim_again(request).await })
    }

    fn next_due<'a>(
        &'a self,
        store: &'a dyn Store,
        request: &'a ClaimRequest<'a>,
    ) -> StoreFuture<'a, Option<DateTime<Utc>>> {
        Box::pin(async move { again!(store.next_due(request)) })
    }

    fn run_now<'a>(
        &'a self,
        store: &'a dyn Store,
        request: &'a ManualRequest<'a>,
    ) -> StoreFuture<'a, JobAnswer<ManualRun>> {
        Box::pin(async move { self.on(store).run_now_again(request).await })
    }

    fn cancel<'a>(
        &'a self,
        store: &'a dyn Store,
        run: RunId,
        now: DateTime<Utc>,
    ) -> StoreFuture<'a, CancelAnswer> {
        Box::pin(async move { self.on(store).cancel_again(run, now).await })
    }

    fn list_cancellations<'a>(
        &'a self,
        store: &'a dyn Store,
        node: NodeId,
    ) -> StoreFuture<'a, Vec<RunId>> {
        Box::pin(async move { again!(store.list_cancellations(node)) })
    }

    fn finish<'a>(
        &'a self,
        store: &'a dyn Store,
        node: NodeId,
        finished: Vec<Finished>,
    ) -> StoreFuture<'a, Vec<bool>> {
        Box::pin(async move { again!(store.finish(node, finished.clone())) })
    }

    fn release<'a>(
        &'a self,
        store: &'a dyn Store,
        node: NodeId,
        runs: Vec<RunId>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'a, Vec<CancelledRun>> {
        Box::pin(async move {
            let cancelled = again!(store.release(node, runs.clone(), now))?;
            for run in runs {
                self.on(store).known().remove(&(node, run));
            }
            Ok(cancelled)
        })
    }

    fn list_held<'a>(&'a self, store: &'a dyn Store, node: NodeId) -> StoreFuture<'a, Vec<RunId>> {
        Box::pin(async move { again!(store.list_held(node)) })
    }

    fn repair<'a>(&'a self, store: &'a dyn Store, now: DateTime<Utc>) -> StoreFuture<'a, Repaired> {
        Box::pin(async move { self.on(store).repair_again(now).await })
    }

    fn list_runs<'a>(
        &'a self,
        store: &'a dyn Store,
        filter: &'a RunFilter,
    ) -> StoreFuture<'a, Vec<Run>> {
        Box::pin(async move { again!(store.list_runs(filter)) })
    }

    fn get_run<'a>(&'a self, store: &'a dyn Store, id: RunId) -> StoreFuture<'a, Option<Run>> {
        Box::pin(async move { again!(store.get_run(id)) })
    }

    fn list_skipped<'a>(
        &'a self,
        store: &'a dyn Store,
        query: &'a SkippedQuery,
    ) -> StoreFuture<'a, Vec<(u64, Skipped)>> {
        Box::pin(async move { again!(store.list_skipped(query)) })
    }

    fn prune<'a>(&'a self, store: &'a dyn Store, now: DateTime<Utc>) -> StoreFuture<'a, bool> {
        Box::pin(async move { again!(store.prune(now)) })
    }

    fn has_cluster(&self, store: &dyn Store) -> bool {
        store.cluster().is_some()
    }

    fn store_time<'a>(&'a self, store: &'a dyn Store) -> StoreFuture<'a, Option<DateTime<Utc>>> {
        Box::pin(async move { again!(store.store_time()) })
    }

    fn join<'a>(&'a self, store: &'a dyn Store, node: &'a NewNode) -> StoreFuture<'a, Lease> {
        Box::pin(async move { again!(cluster(store)?.join(node)) })
    }

    fn heartbeat<'a>(&'a self, store: &'a dyn Store, node: NodeId) -> StoreFuture<'a, Heartbeat> {
        Box::pin(async move { again!(cluster(store)?.heartbeat(node)) })
    }

    fn is_only_node<'a>(&'a self, store: &'a dyn Store, node: NodeId) -> StoreFuture<'a, bool> {
        Box::pin(async move { again!(cluster(store)?.is_only_node(node)) })
    }

    fn leave<'a>(&'a self, store: &'a dyn Store, node: NodeId) -> StoreFuture<'a, ()> {
        Box::pin(async move { again!(cluster(store)?.leave(node)) })
    }

    fn take_over<'a>(
        &'a self,
        store: &'a dyn Store,
        now: DateTime<Utc>,
    ) -> StoreFuture<'a, TakenOver> {
        Box::pin(async move { self.on(store).take_over_again(now).await })
    }

    fn list_nodes<'a>(&'a self, store: &'a dyn Store) -> StoreFuture<'a, Vec<Node>> {
        Box::pin(async move { again!(cluster(store)?.list_nodes()) })
    }

    fn subscribe(&self, store: &dyn Store, wake: Wake) {
        store.subscribe(wake);
    }

    fn notice(&self, store: &dyn Store) -> Option<Arc<str>> {
        store.notice()
    }

    fn poll_every(&self, store: &dyn Store) -> Duration {
        store.poll_every()
    }
}
