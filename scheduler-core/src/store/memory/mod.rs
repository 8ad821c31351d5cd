//! The in-memory store, which lives as long as its process.

mod claim;
mod due_key;
mod finish;
mod history;
mod ids;
#[cfg(debug_assertions)]
mod invariants;
mod parked;
mod queued;
mod row;
mod slot;
mod table;

use std::fmt;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};

use super::{
    CancelAnswer, CancelledRun, ClaimRequest, Claimed, Edit, Edited, Finished, History, Inserted,
    JobAnswer, JobQuery, ManualRequest, ManualRun, NewJob, Repaired, SkippedQuery, Store,
    StoreFuture, Wake,
};
use crate::id::RunId;
use crate::job_record::JobRecord;
use crate::lock::lock;
use crate::node::NodeId;
use crate::reconcile::{Reconciled, StaticJob};
use crate::revision::Revision;
use crate::run::{Run, RunFilter};
use crate::skipped::Skipped;
use table::Table;

#[cfg(debug_assertions)]
type LockedTable<'a> = invariants::Checked<'a>;
#[cfg(not(debug_assertions))]
type LockedTable<'a> = std::sync::MutexGuard<'a, Table>;

/// Keeps jobs in memory: fast, and lost when the process ends. This is the default store.
///
/// A clone is another handle to the same jobs, so a test can stop a scheduler and start another one with them. This
/// is the only kind of store that accepts custom triggers.
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
    /// The drivers of the schedulers that share the store.
    wakes: Arc<Mutex<Vec<Wake>>>,
}

impl MemoryStore {
    /// Creates an empty store that keeps the last 10,000 runs and 10,000 skipped fire times.
    pub fn new() -> Self {
        Self {
            table: Arc::default(),
            wakes: Arc::default(),
        }
    }

    /// Sets how many ended runs, finished jobs and records of skipped fire times are kept; the default is 10,000 of
    /// each.
    ///
    /// Beyond that the oldest are deleted; 0 keeps none. Live and queued runs do not count, nor do runs whose fire
    /// time is still to come because the clock was set back. A fire time whose run is deleted while a clock is ahead
    /// can run again once the clock is right, so keep as many runs as may occur in such a period.
    #[must_use]
    pub fn keep_runs(self, count: usize) -> Self {
        self.lock().history.set_capacity(count);
        self
    }

    fn wake_drivers(&self) {
        let wakes = lock(&self.wakes);
        for wake in &*wakes {
            wake.wake();
        }
    }

    fn lock(&self) -> LockedTable<'_> {
        // A custom trigger that panics under the lock leaves a consistent table, because the table is changed only
        // after all decisions are made.
        let table = lock(&self.table);
        #[cfg(debug_assertions)]
        let table = invariants::Checked::new(table);
        table
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
        let inserted = self.lock().insert(jobs, now);
        self.wake_drivers();
        ready(inserted)
    }

    fn reconcile(
        &self,
        jobs: Vec<StaticJob>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'_, Vec<Reconciled>> {
        ready(self.lock().reconcile(jobs, now))
    }

    fn get_job<'a>(&'a self, id: &'a str) -> StoreFuture<'a, Option<JobRecord>> {
        ready(self.lock().get(id))
    }

    fn list_jobs<'a>(&'a self, query: &'a JobQuery) -> StoreFuture<'a, Vec<JobRecord>> {
        ready(self.lock().list(query))
    }

    fn edit<'a>(
        &'a self,
        id: &'a str,
        edit: Edit<'a>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'a, Option<Edited>> {
        let edited = self.lock().edit(id, edit, now);
        self.wake_drivers();
        ready(edited)
    }

    fn remove<'a>(
        &'a self,
        id: &'a str,
        seen: Option<Revision>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'a, JobAnswer<Edited>> {
        ready(self.lock().remove(id, seen, now))
    }

    fn claim<'a>(&'a self, request: &'a ClaimRequest<'a>) -> StoreFuture<'a, Claimed> {
        ready(self.lock().claim(request))
    }

    fn next_due<'a>(
        &'a self,
        request: &'a ClaimRequest<'a>,
    ) -> StoreFuture<'a, Option<DateTime<Utc>>> {
        ready(self.lock().next_due(request.claimable))
    }

    fn run_now<'a>(
        &'a self,
        request: &'a ManualRequest<'a>,
    ) -> StoreFuture<'a, JobAnswer<ManualRun>> {
        let answer = self.lock().run_now(request);
        self.wake_drivers();
        ready(answer)
    }

    fn cancel(&self, run: RunId, now: DateTime<Utc>) -> StoreFuture<'_, CancelAnswer> {
        let answer = self.lock().cancel(run, now);
        self.wake_drivers();
        ready(answer)
    }

    fn list_cancellations(&self, node: NodeId) -> StoreFuture<'_, Vec<RunId>> {
        ready(self.lock().cancellations(node))
    }

    fn finish(&self, node: NodeId, finished: Vec<Finished>) -> StoreFuture<'_, Vec<bool>> {
        let mut table = self.lock();
        let ends = finished.into_iter();
        ready(ends.map(|one| table.finish(node, one)).collect())
    }

    fn release(
        &self,
        node: NodeId,
        runs: Vec<RunId>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'_, Vec<CancelledRun>> {
        let mut table = self.lock();
        let runs = runs.into_iter();
        let cancelled = runs
            .filter_map(|run| table.release(node, run, now))
            .collect();
        drop(table);
        self.wake_drivers();
        ready(cancelled)
    }

    fn list_held(&self, node: NodeId) -> StoreFuture<'_, Vec<RunId>> {
        let table = self.lock();
        let runs = table.live.iter().filter(|(_, run)| run.node == node);
        ready(runs.map(|(id, _)| *id).collect())
    }

    fn repair(&self, now: DateTime<Utc>) -> StoreFuture<'_, Repaired> {
        ready(Repaired {
            watermarks: self.lock().repair_watermarks(now),
            // There are no leases, and time zone data does not change while a process lives.
            ..Repaired::default()
        })
    }

    fn subscribe(&self, wake: Wake) {
        let mut wakes = lock(&self.wakes);
        wakes.retain(Wake::is_wanted);
        wakes.push(wake);
    }
}

impl History for MemoryStore {
    fn list_runs<'a>(&'a self, filter: &'a RunFilter) -> StoreFuture<'a, Vec<Run>> {
        ready(self.lock().list_runs(filter))
    }

    fn get_run(&self, id: RunId) -> StoreFuture<'_, Option<Run>> {
        ready(self.lock().find_run(id))
    }

    fn list_skipped<'a>(&'a self, query: &'a SkippedQuery) -> StoreFuture<'a, Vec<(u64, Skipped)>> {
        ready(self.lock().history.list_skipped(query))
    }
}
