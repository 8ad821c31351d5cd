//! A store that does as it is told: fails, or says that something is due.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use chrono::{DateTime, Utc};
use scheduler_core::reconcile::{Reconciled, StaticJob};
use scheduler_core::store::{
    CancelAnswer, Claim, ClaimRequest, Edit, Edited, Finished, Inserted, JobQuery, ManualRun,
    NewJob, Store, StoreError, StoreFuture,
};
use scheduler_core::{Dropped, JobId, JobRecord, MemoryStore, Run, RunFilter, RunId, RunKind};

/// A memory store that fails while it is told to.
#[derive(Debug, Clone)]
pub(crate) struct Failing {
    store: MemoryStore,
    pub(crate) fails: Arc<AtomicBool>,
    /// Says that something is due whatever is claimed.
    pub(crate) always_due: Arc<AtomicBool>,
    /// How often it was asked for work.
    pub(crate) claims: Arc<AtomicUsize>,
}

impl Failing {
    pub(crate) fn new() -> Self {
        Self {
            store: MemoryStore::new(),
            fails: Arc::default(),
            always_due: Arc::default(),
            claims: Arc::default(),
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

    fn run_now<'a>(
        &'a self,
        id: &'a str,
        kind: RunKind,
        run_id: RunId,
        hold: bool,
        now: DateTime<Utc>,
    ) -> StoreFuture<'a, Option<ManualRun>> {
        self.or_fail(|| self.store.run_now(id, kind, run_id, hold, now))
    }

    fn cancel(&self, run: RunId, now: DateTime<Utc>) -> StoreFuture<'_, CancelAnswer> {
        self.or_fail(|| self.store.cancel(run, now))
    }

    fn finish(&self, finished: Vec<Finished>) -> StoreFuture<'_, Vec<bool>> {
        self.or_fail(|| self.store.finish(finished))
    }

    fn release(&self, runs: Vec<RunId>) -> StoreFuture<'_, ()> {
        self.or_fail(|| self.store.release(runs))
    }

    fn next_due(&self) -> StoreFuture<'_, Option<DateTime<Utc>>> {
        if self.always_due.load(Ordering::SeqCst) {
            return Box::pin(async { Ok(Some(DateTime::UNIX_EPOCH)) });
        }
        self.or_fail(|| self.store.next_due())
    }

    fn heal_marks(&self, now: DateTime<Utc>) -> StoreFuture<'_, Vec<JobId>> {
        self.or_fail(|| self.store.heal_marks(now))
    }

    fn runs<'a>(&'a self, filter: &'a RunFilter) -> StoreFuture<'a, Vec<Run>> {
        self.or_fail(|| self.store.runs(filter))
    }

    fn dropped<'a>(&'a self, job: Option<&'a str>, limit: usize) -> StoreFuture<'a, Vec<Dropped>> {
        self.or_fail(|| self.store.dropped(job, limit))
    }
}
