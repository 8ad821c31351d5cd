//! A store that does as it is told: fails, or says that something is due.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use scheduler_core::reconcile::{Reconciled, StaticJob};
use scheduler_core::store::{
    CancelAnswer, Claim, ClaimRequest, Edit, Edited, Finished, Inserted, JobQuery, ManualRequest,
    ManualRun, Mended, NewJob, Store, StoreError, StoreFuture,
};
use scheduler_core::{Dropped, JobRecord, MemoryStore, NodeId, Run, RunFilter, RunId};

/// A memory store that fails while it is told to.
#[derive(Debug, Clone)]
pub(crate) struct Failing {
    store: MemoryStore,
    pub(crate) fails: Arc<AtomicBool>,
    /// Says that something is due whatever is claimed.
    pub(crate) always_due: Arc<AtomicBool>,
    /// How often it was asked for work.
    pub(crate) claims: Arc<AtomicUsize>,
    /// Whether there is always more history to prune.
    pub(crate) always_prunes: Arc<AtomicBool>,
    /// How often it was asked to prune.
    pub(crate) prunes: Arc<AtomicUsize>,
}

impl Failing {
    pub(crate) fn new() -> Self {
        Self {
            store: MemoryStore::new(),
            fails: Arc::default(),
            always_due: Arc::default(),
            claims: Arc::default(),
            always_prunes: Arc::default(),
            prunes: Arc::default(),
        }
    }

    fn or_fail<'a, T: Send + 'a>(
        &self,
        call: impl FnOnce() -> StoreFuture<'a, T>,
    ) -> StoreFuture<'a, T> {
        if self.fails.load(Ordering::SeqCst) {
            Box::pin(async { Err(StoreError::new("the disk is full")) })
        } else {
            call()
        }
    }
}

impl Store for Failing {
    fn is_persistent(&self) -> bool {
        true
    }

    fn insert(&self, jobs: Vec<NewJob>, now: DateTime<Utc>) -> StoreFuture<'_, Inserted> {
        self.or_fail(|| self.store.insert(jobs, now))
    }

    fn reconcile(
        &self,
        jobs: Vec<StaticJob>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'_, Vec<Reconciled>> {
        self.or_fail(|| self.store.reconcile(jobs, now))
    }

    fn get<'a>(&'a self, id: &'a str) -> StoreFuture<'a, Option<JobRecord>> {
        self.or_fail(|| self.store.get(id))
    }

    fn list<'a>(&'a self, query: &'a JobQuery) -> StoreFuture<'a, Vec<JobRecord>> {
        self.or_fail(|| self.store.list(query))
    }

    fn edit<'a>(
        &'a self,
        id: &'a str,
        edit: Edit<'a>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'a, Option<Edited>> {
        self.or_fail(|| self.store.edit(id, edit, now))
    }

    fn remove<'a>(&'a self, id: &'a str, now: DateTime<Utc>) -> StoreFuture<'a, Option<Edited>> {
        self.or_fail(|| self.store.remove(id, now))
    }

    fn claim<'a>(&'a self, request: &'a ClaimRequest<'a>) -> StoreFuture<'a, Claim> {
        self.claims.fetch_add(1, Ordering::SeqCst);
        self.or_fail(|| self.store.claim(request))
    }

    fn next_due<'a>(
        &'a self,
        request: &'a ClaimRequest<'a>,
    ) -> StoreFuture<'a, Option<DateTime<Utc>>> {
        if self.always_due.load(Ordering::SeqCst) {
            return Box::pin(async { Ok(Some(DateTime::UNIX_EPOCH)) });
        }
        self.or_fail(|| self.store.next_due(request))
    }

    fn run_now<'a>(&'a self, request: &'a ManualRequest<'a>) -> StoreFuture<'a, Option<ManualRun>> {
        self.or_fail(|| self.store.run_now(request))
    }

    fn cancel(&self, run: RunId, now: DateTime<Utc>) -> StoreFuture<'_, CancelAnswer> {
        self.or_fail(|| self.store.cancel(run, now))
    }

    fn asked_to_stop(&self, node: NodeId) -> StoreFuture<'_, Vec<RunId>> {
        self.or_fail(|| self.store.asked_to_stop(node))
    }

    fn finish(&self, node: NodeId, finished: Vec<Finished>) -> StoreFuture<'_, Vec<bool>> {
        self.or_fail(|| self.store.finish(node, finished))
    }

    fn release(&self, node: NodeId, runs: Vec<RunId>) -> StoreFuture<'_, ()> {
        self.or_fail(|| self.store.release(node, runs))
    }

    fn held(&self, node: NodeId) -> StoreFuture<'_, Vec<RunId>> {
        self.or_fail(|| self.store.held(node))
    }

    fn mend(&self, now: DateTime<Utc>) -> StoreFuture<'_, Mended> {
        self.or_fail(|| self.store.mend(now))
    }

    fn run(&self, id: RunId) -> StoreFuture<'_, Option<Run>> {
        self.or_fail(|| self.store.run(id))
    }

    fn runs<'a>(&'a self, filter: &'a RunFilter) -> StoreFuture<'a, Vec<Run>> {
        self.or_fail(|| self.store.runs(filter))
    }

    fn dropped<'a>(&'a self, job: Option<&'a str>, limit: usize) -> StoreFuture<'a, Vec<Dropped>> {
        self.or_fail(|| self.store.dropped(job, limit))
    }

    fn prune(&self, _now: DateTime<Utc>) -> StoreFuture<'_, bool> {
        self.prunes.fetch_add(1, Ordering::SeqCst);
        Box::pin(async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            Ok(self.always_prunes.load(Ordering::SeqCst))
        })
    }
}
