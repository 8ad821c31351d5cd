//! A node at work, and the ways in which its runs end.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use scheduler_core::plan::Verdict;
use scheduler_core::store::{
    AttemptEnd, CancelledRun, ClaimRequest, Claimable, Claimed, ClaimedRun, Cluster, End, Finished,
    ManualRequest, ManualRun, Store, StoreError,
};
use scheduler_core::{JobId, NodeId, RunId, RunIds, RunKind, RunState};

use crate::failure::{Done, Stop, ensure};
use crate::stage::seconds;

/// What a node claims: all tasks of the suite, no static job, and more capacity than there are jobs.
pub(crate) struct Ask {
    pub(crate) claimable: Claimable,
    pub(crate) capacity: HashMap<Arc<str>, usize>,
    pub(crate) limit: usize,
}

impl Default for Ask {
    fn default() -> Self {
        Self {
            claimable: Claimable::new(
                HashSet::new(),
                ["task", "other"].into_iter().map(Arc::from).collect(),
            ),
            capacity: ["default", "narrow"]
                .map(|name| (name.into(), 10_000))
                .into(),
            limit: 10_000,
        }
    }
}

impl Ask {
    pub(crate) fn limit(limit: usize) -> Self {
        Self {
            limit,
            ..Self::default()
        }
    }

    pub(crate) fn capacity(executor: &str, capacity: usize) -> Self {
        let mut ask = Self::default();
        ask.capacity.insert(executor.into(), capacity);
        ask
    }

    pub(crate) fn tasks(tasks: &[&'static str]) -> Self {
        let mut ask = Self::default();
        ask.claimable.tasks = tasks.iter().map(|task| Arc::from(*task)).collect();
        ask
    }

    pub(crate) fn static_jobs(ids: &[&str]) -> Done<Self> {
        let mut ask = Self::default();
        for id in ids {
            ask.claimable.static_jobs.insert(JobId::new(*id)?);
        }
        Ok(ask)
    }
}

/// A node at work.
#[derive(Clone)]
pub(crate) struct Worker {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) node: NodeId,
    pub(crate) run_ids: Arc<RunIds>,
    pub(crate) has_lease: bool,
}

impl Worker {
    /// Renews the lease, if there is one. Returns `true` if there are runs to be taken over.
    pub(crate) async fn heartbeat(&self) -> Done<bool> {
        if !self.has_lease {
            return Ok(false);
        }
        let heartbeat = self.cluster()?.heartbeat(self.node).await?;
        ensure!(heartbeat.is_alive, "the lease of {} has run out", self.node);
        Ok(heartbeat.has_lost)
    }

    /// Returns the nodes of the store, or leaves the case out if there are none.
    pub(crate) fn cluster(&self) -> Done<&dyn Cluster> {
        self.store.cluster().ok_or(Stop::LeftOut("leases"))
    }

    /// Claims without a preceding heartbeat.
    pub(crate) async fn try_claim(
        &self,
        now: DateTime<Utc>,
        ask: &Ask,
    ) -> Result<Claimed, StoreError> {
        self.store.claim(&self.request(now, ask)).await
    }

    fn request<'a>(&'a self, now: DateTime<Utc>, ask: &'a Ask) -> ClaimRequest<'a> {
        let (claimable, capacity) = (&ask.claimable, &ask.capacity);
        ClaimRequest::new(self.node, now, claimable, capacity, &self.run_ids).limit(ask.limit)
    }

    pub(crate) async fn claim(&self, now: DateTime<Utc>) -> Done<Claimed> {
        self.claim_as(now, &Ask::default()).await
    }

    pub(crate) async fn claim_as(&self, now: DateTime<Utc>, ask: &Ask) -> Done<Claimed> {
        self.heartbeat().await?;
        Ok(self.try_claim(now, ask).await?)
    }

    /// Claims, and fails unless it gets exactly one run.
    pub(crate) async fn claim_one(&self, now: DateTime<Utc>) -> Done<ClaimedRun> {
        let claim = self.claim(now).await?;
        let count = claim.runs.len();
        match <[ClaimedRun; 1]>::try_from(claim.runs) {
            Ok([run]) => Ok(run),
            Err(_) => Err(Stop::failed(format_args!(
                "a claim of one due run gave {count}"
            ))),
        }
    }

    pub(crate) async fn next_due(
        &self,
        now: DateTime<Utc>,
        ask: &Ask,
    ) -> Done<Option<DateTime<Utc>>> {
        Ok(self.store.next_due(&self.request(now, ask)).await?)
    }

    pub(crate) async fn finish(&self, finished: Vec<Finished>) -> Done<Vec<bool>> {
        self.heartbeat().await?;
        Ok(self.store.finish(self.node, finished).await?)
    }

    /// Records one end. Returns `true` if it was recorded.
    pub(crate) async fn finish_one(&self, finished: Finished) -> Done<bool> {
        let answers = self.finish(vec![finished]).await?;
        ensure!(answers.len() == 1, "one end was answered with {answers:?}");
        Ok(answers == [true])
    }

    /// Requests a run that this node starts itself.
    pub(crate) async fn run_now(&self, job: &str, now: DateTime<Utc>) -> Done<(RunId, ManualRun)> {
        self.heartbeat().await?;
        self.manual_run(job, RunKind::Manual, Some(self.node), now)
            .await
    }

    /// Requests a run that any node may start.
    pub(crate) async fn run_soon(&self, job: &str, now: DateTime<Utc>) -> Done<(RunId, ManualRun)> {
        self.manual_run(job, RunKind::Manual, None, now).await
    }

    pub(crate) async fn manual_run(
        &self,
        job: &str,
        kind: RunKind,
        holder: Option<NodeId>,
        now: DateTime<Utc>,
    ) -> Done<(RunId, ManualRun)> {
        let mut request = ManualRequest::new(job, kind, self.run_ids.next(now), now);
        request.holder = holder;
        let answer = self.store.run_now(&request).await?;
        match answer.done() {
            Some(answer) => Ok((request.run_id, answer)),
            None => Err(Stop::failed(format_args!("job {job:?} is not there"))),
        }
    }

    pub(crate) async fn release(
        &self,
        runs: &[RunId],
        now: DateTime<Utc>,
    ) -> Done<Vec<CancelledRun>> {
        Ok(self.store.release(self.node, runs.to_vec(), now).await?)
    }

    /// Returns the runs that this node holds, oldest first.
    pub(crate) async fn held(&self) -> Done<Vec<RunId>> {
        let mut held = self.store.list_held(self.node).await?;
        held.sort();
        Ok(held)
    }
}

/// The attempt of a claimed run ended at this instant, one second after it started.
pub(crate) fn ended(
    run: &ClaimedRun,
    finished_at: DateTime<Utc>,
    verdict: Verdict,
    state: RunState,
) -> Finished {
    let started_at = finished_at - seconds(1);
    let error = (state != RunState::Succeeded).then(|| format!("attempt {}", run.attempt).into());
    let mut end = AttemptEnd::new(verdict, state, started_at, finished_at);
    end.lateness = (started_at - run.due_at).to_std().unwrap_or_default();
    end.error = error;
    Finished::new(run.run_id, run.attempt, End::Attempt(end))
}

pub(crate) fn succeeded(run: &ClaimedRun, finished_at: DateTime<Utc>) -> Finished {
    let state = RunState::Succeeded;
    ended(run, finished_at, Verdict::Final(state), state)
}

/// The attempt failed and is to be retried.
pub(crate) fn to_retry(run: &ClaimedRun, finished_at: DateTime<Utc>) -> Finished {
    let retry = Verdict::Retry(Duration::from_secs(1));
    ended(run, finished_at, retry, RunState::Failed)
}

/// The attempt timed out, but its body is still running.
pub(crate) fn body_goes_on(
    run: &ClaimedRun,
    finished_at: DateTime<Utc>,
    verdict: Verdict,
) -> Finished {
    let mut finished = ended(run, finished_at, verdict, RunState::TimedOut);
    if let End::Attempt(end) = &mut finished.end {
        end.body_runs = true;
    }
    finished
}

pub(crate) fn body_ended(run: &ClaimedRun) -> Finished {
    Finished::new(run.run_id, run.attempt, End::Body)
}
