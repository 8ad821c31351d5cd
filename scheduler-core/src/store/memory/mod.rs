//! The store that lives as long as its process.

mod claim;
mod finish;
mod history;
mod queued;
mod table;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

use super::{
    CancelAnswer, Claim, ClaimRequest, Edit, Edited, Finished, Inserted, JobQuery, ManualRun,
    NewJob, Store, StoreFuture,
};
use crate::dropped::Dropped;
use crate::id::{JobId, RunId};
use crate::job_record::JobRecord;
use crate::reconcile::{Reconciled, StaticJob};
use crate::run::{Run, RunFilter, RunKind};
use table::Table;

/// Keeps jobs in memory: fast, and gone with the process. The default store.
///
/// A clone is another handle on the same jobs, so that a test can stop a scheduler and start
/// another one over them. The only kind of store that takes custom triggers.
///
/// ```
/// use scheduler_core::prelude::*;
/// use scheduler_core::MemoryStore;
///
/// #[task]
/// async fn flush_buffers() {}
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), scheduler_core::Error> {
/// let store = MemoryStore::new().keep_runs(1_000);
/// for start in 1..=2 {
///     let builder = Scheduler::builder().store(store.clone());
///     let scheduler = builder.without_static_jobs().start().await?;
///     assert_eq!(scheduler.get_jobs().await?.len(), start - 1);
///     scheduler.add_job(flush_buffers::job().interval("1h")).await?;
///     scheduler.shutdown(Shutdown::wait()).await;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct MemoryStore {
    table: Arc<Mutex<Table>>,
}

impl MemoryStore {
    /// Makes an empty store that keeps the last 10,000 runs and 10,000 drops.
    pub fn new() -> Self {
        Self {
            table: Arc::default(),
        }
    }

    /// Keeps so many ended runs, finished jobs and records of drops; 10,000 of each unless given.
    ///
    /// Beyond it the oldest are forgotten; 0 keeps none. Live and waiting runs do not count.
    #[must_use]
    pub fn keep_runs(self, count: usize) -> Self {
        self.lock().history.set_capacity(count);
        self
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        // No user code runs under the lock, and a table is only changed once all is decided.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

fn ready<'a, T: Send + 'a>(value: T) -> StoreFuture<'a, T> {
    Box::pin(std::future::ready(Ok(value)))
}

impl Store for MemoryStore {
    fn is_persistent(&self) -> bool {
        false
    }

    fn insert(&self, jobs: Vec<NewJob>, now: DateTime<Utc>) -> StoreFuture<'_, Inserted> {
        ready(self.lock().insert(jobs, now))
    }

    fn reconcile(
        &self,
        jobs: Vec<StaticJob>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'_, Vec<Reconciled>> {
        ready(self.lock().reconcile(jobs, now))
    }

    fn get<'a>(&'a self, id: &'a str) -> StoreFuture<'a, Option<JobRecord>> {
        ready(self.lock().get(id))
    }

    fn list<'a>(&'a self, query: &'a JobQuery) -> StoreFuture<'a, Vec<JobRecord>> {
        ready(self.lock().list(query))
    }

    fn edit<'a>(
        &'a self,
        id: &'a str,
        edit: Edit<'a>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'a, Option<Edited>> {
        ready(self.lock().edit(id, edit, now))
    }

    fn remove<'a>(&'a self, id: &'a str, now: DateTime<Utc>) -> StoreFuture<'a, Option<Edited>> {
        ready(self.lock().remove(id, now))
    }

    fn claim<'a>(&'a self, request: &'a ClaimRequest<'a>) -> StoreFuture<'a, Claim> {
        ready(self.lock().claim(request))
    }

    fn run_now<'a>(
        &'a self,
        id: &'a str,
        kind: RunKind,
        run_id: RunId,
        hold: bool,
        now: DateTime<Utc>,
    ) -> StoreFuture<'a, Option<ManualRun>> {
        ready(self.lock().run_now(id, kind, run_id, hold, now))
    }

    fn cancel(&self, run: RunId, now: DateTime<Utc>) -> StoreFuture<'_, CancelAnswer> {
        ready(self.lock().cancel(run, now))
    }

    fn finish(&self, finished: Vec<Finished>) -> StoreFuture<'_, Vec<bool>> {
        let mut table = self.lock();
        ready(finished.into_iter().map(|one| table.finish(one)).collect())
    }

    fn release(&self, runs: Vec<RunId>) -> StoreFuture<'_, ()> {
        let mut table = self.lock();
        for run in runs {
            table.release(run);
        }
        ready(())
    }

    fn next_due(&self) -> StoreFuture<'_, Option<DateTime<Utc>>> {
        ready(self.lock().next_due())
    }

    fn heal_marks(&self, now: DateTime<Utc>) -> StoreFuture<'_, Vec<JobId>> {
        ready(self.lock().heal_marks(now))
    }

    fn runs<'a>(&'a self, filter: &'a RunFilter) -> StoreFuture<'a, Vec<Run>> {
        ready(self.lock().list_runs(filter))
    }

    fn dropped<'a>(&'a self, job: Option<&'a str>, limit: usize) -> StoreFuture<'a, Vec<Dropped>> {
        ready(self.lock().history.list_dropped(job, limit))
    }
}
