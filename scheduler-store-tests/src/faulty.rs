//! A store whose calls fail as a test says.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use scheduler_core::reconcile::{Reconciled, StaticJob};
use scheduler_core::store::{
    Beat, CancelAnswer, Claim, ClaimRequest, Edit, Edited, Finished, Inserted, JobQuery, Lease,
    ManualRequest, ManualRun, Mended, NewJob, NewNode, Store, StoreError, StoreFuture, TakenOver,
    Wake,
};
use scheduler_core::{Dropped, JobRecord, Node, NodeId, Run, RunFilter, RunId};
use tokio::time::sleep;

use crate::faults::{Call, Fault, Faults};

/// A store whose calls fail as its [`Faults`] say; otherwise the store that it wraps.
///
/// ```
/// use scheduler_store_tests::{Call, Fault, Faulty};
/// use scheduler_core::{MemoryStore, Scheduler};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = Faulty::new(MemoryStore::new());
/// let faults = store.faults();
/// let scheduler = Scheduler::builder().without_static_jobs().store(store).start().await?;
///
/// faults.next(Call::List, Fault::Before);
/// assert!(scheduler.get_jobs().await.is_err());
/// assert!(scheduler.get_jobs().await.is_ok());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Faulty {
    store: Arc<dyn Store>,
    faults: Faults,
}

impl Faulty {
    /// Wraps a store; no call fails until [`faults`](Self::faults) say so.
    pub fn new(store: impl Store) -> Self {
        Self::of(Arc::new(store))
    }

    pub(crate) fn of(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            faults: Faults::none(),
        }
    }

    /// Returns the handle that says how calls fail.
    pub fn faults(&self) -> Faults {
        self.faults.clone()
    }

    fn call<'a, T: Send + 'a>(
        &'a self,
        call: Call,
        carry_out: impl FnOnce() -> StoreFuture<'a, T> + Send + 'a,
    ) -> StoreFuture<'a, T> {
        Box::pin(async move {
            let failed = |what| Err(StoreError::new(format!("{call:?}: {what}")));
            // Before the fault is known, so that no lift goes unnoticed; the sender outlives the call.
            let mut lifted = self.faults.lifts();
            let fault = self.faults.fault(call);
            match fault {
                None => carry_out().await,
                Some(Fault::Before) => failed("not connected"),
                Some(Fault::Unreachable) => {
                    Err(StoreError::unreachable(format!("{call:?}: not connected")))
                }
                Some(Fault::After) => {
                    carry_out().await?;
                    failed("the connection broke before the answer")
                }
                Some(Fault::Slow(delay)) => {
                    let answer = carry_out().await;
                    sleep(delay).await;
                    answer
                }
                Some(Fault::HangBefore) => {
                    let _ = lifted.changed().await;
                    failed("no answer")
                }
                Some(Fault::HangAfter) => {
                    carry_out().await?;
                    let _ = lifted.changed().await;
                    failed("no answer")
                }
            }
        })
    }
}

impl Store for Faulty {
    fn is_persistent(&self) -> bool {
        self.store.is_persistent()
    }

    fn insert(&self, jobs: Vec<NewJob>, now: DateTime<Utc>) -> StoreFuture<'_, Inserted> {
        self.call(Call::Insert, move || self.store.insert(jobs, now))
    }

    fn reconcile(
        &self,
        jobs: Vec<StaticJob>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'_, Vec<Reconciled>> {
        self.call(Call::Reconcile, move || self.store.reconcile(jobs, now))
    }

    fn get<'a>(&'a self, id: &'a str) -> StoreFuture<'a, Option<JobRecord>> {
        self.call(Call::Get, move || self.store.get(id))
    }

    fn list<'a>(&'a self, query: &'a JobQuery) -> StoreFuture<'a, Vec<JobRecord>> {
        self.call(Call::List, move || self.store.list(query))
    }

    fn edit<'a>(
        &'a self,
        id: &'a str,
        edit: Edit<'a>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'a, Option<Edited>> {
        self.call(Call::Edit, move || self.store.edit(id, edit, now))
    }

    fn remove<'a>(&'a self, id: &'a str, now: DateTime<Utc>) -> StoreFuture<'a, Option<Edited>> {
        self.call(Call::Remove, move || self.store.remove(id, now))
    }

    fn claim<'a>(&'a self, request: &'a ClaimRequest<'a>) -> StoreFuture<'a, Claim> {
        self.call(Call::Claim, move || self.store.claim(request))
    }

    fn next_due<'a>(
        &'a self,
        request: &'a ClaimRequest<'a>,
    ) -> StoreFuture<'a, Option<DateTime<Utc>>> {
        self.call(Call::NextDue, move || self.store.next_due(request))
    }

    fn run_now<'a>(&'a self, request: &'a ManualRequest<'a>) -> StoreFuture<'a, Option<ManualRun>> {
        self.call(Call::RunNow, move || self.store.run_now(request))
    }

    fn cancel(&self, run: RunId, now: DateTime<Utc>) -> StoreFuture<'_, CancelAnswer> {
        self.call(Call::Cancel, move || self.store.cancel(run, now))
    }

    fn asked_to_stop(&self, node: NodeId) -> StoreFuture<'_, Vec<RunId>> {
        self.call(Call::AskedToStop, move || self.store.asked_to_stop(node))
    }

    fn finish(&self, node: NodeId, finished: Vec<Finished>) -> StoreFuture<'_, Vec<bool>> {
        self.call(Call::Finish, move || self.store.finish(node, finished))
    }

    fn release(&self, node: NodeId, runs: Vec<RunId>) -> StoreFuture<'_, ()> {
        self.call(Call::Release, move || self.store.release(node, runs))
    }

    fn held(&self, node: NodeId) -> StoreFuture<'_, Vec<RunId>> {
        self.call(Call::Held, move || self.store.held(node))
    }

    fn mend(&self, now: DateTime<Utc>) -> StoreFuture<'_, Mended> {
        self.call(Call::Mend, move || self.store.mend(now))
    }

    fn runs<'a>(&'a self, filter: &'a RunFilter) -> StoreFuture<'a, Vec<Run>> {
        self.call(Call::Runs, move || self.store.runs(filter))
    }

    fn run(&self, id: RunId) -> StoreFuture<'_, Option<Run>> {
        self.call(Call::Run, move || self.store.run(id))
    }

    fn dropped<'a>(&'a self, job: Option<&'a str>, limit: usize) -> StoreFuture<'a, Vec<Dropped>> {
        self.call(Call::Dropped, move || self.store.dropped(job, limit))
    }

    fn prune(&self, now: DateTime<Utc>) -> StoreFuture<'_, bool> {
        self.call(Call::Prune, move || self.store.prune(now))
    }

    fn store_time(&self) -> StoreFuture<'_, Option<DateTime<Utc>>> {
        self.call(Call::StoreTime, move || self.store.store_time())
    }

    fn join<'a>(&'a self, node: &'a NewNode) -> StoreFuture<'a, Option<Lease>> {
        self.call(Call::Join, move || self.store.join(node))
    }

    fn beat(&self, node: NodeId) -> StoreFuture<'_, Beat> {
        self.call(Call::Beat, move || self.store.beat(node))
    }

    fn is_only_node(&self, node: NodeId) -> StoreFuture<'_, bool> {
        self.call(Call::IsOnlyNode, move || self.store.is_only_node(node))
    }

    fn leave(&self, node: NodeId) -> StoreFuture<'_, ()> {
        self.call(Call::Leave, move || self.store.leave(node))
    }

    fn take_over(&self, now: DateTime<Utc>) -> StoreFuture<'_, TakenOver> {
        self.call(Call::TakeOver, move || self.store.take_over(now))
    }

    fn nodes(&self) -> StoreFuture<'_, Vec<Node>> {
        self.call(Call::Nodes, move || self.store.nodes())
    }

    fn subscribe(&self, wake: Wake) {
        self.store.subscribe(wake);
    }

    fn notice(&self) -> Option<Arc<str>> {
        self.store.notice()
    }

    fn poll_every(&self) -> Duration {
        self.store.poll_every()
    }
}
