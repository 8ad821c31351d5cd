//! The store implemented on top of a storage.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};

use super::contents::Records;
use super::storage::Storage;
use super::transaction::Transaction;
use crate::id::RunId;
use crate::job_record::JobRecord;
use crate::lock::lock;
use crate::node::NodeId;
use crate::plan::{CancelledRun, Claimed};
use crate::reconcile::{Reconciled, StaticJob};
use crate::revision::Revision;
use crate::run::{Run, RunFilter};
use crate::skipped::Skipped;
use crate::store::{
    CancelAnswer, ClaimRequest, Edit, Edited, Finished, History, Inserted, JobAnswer, JobQuery,
    ManualRequest, ManualRun, NewJob, Repaired, SkippedQuery, Store, StoreError, StoreFuture,
    TakenOver, Wake,
};

/// The default number of records of each kind that are kept.
const KEPT: usize = 10_000;

/// A store for a single process, on top of a [`Storage`]; the [module](super) has an example.
///
/// A clone is another handle to the same records, for a second scheduler in the process.
pub struct RecordStore<S>(Arc<Shared<S>>);

struct Shared<S> {
    state: tokio::sync::Mutex<State<S>>,
    /// The number of ended runs, finished jobs and skipped fire times that are kept.
    kept: AtomicUsize,
    /// The drivers of the schedulers that share the store.
    wakes: Mutex<Vec<Wake>>,
}

struct State<S> {
    storage: S,
    /// `None` while the records are being changed, and after a change that was not written completely. They are then
    /// loaded again.
    records: Option<Records>,
}

impl<S: Storage> State<S> {
    /// Runs one transaction: all of its changes are written, or none takes effect.
    async fn call<T>(
        &mut self,
        work: impl FnOnce(&mut Transaction) -> T + Send,
    ) -> Result<T, StoreError> {
        // Taken out, so that a call that panics, fails or is dropped midway leaves none behind.
        let records = match self.records.take() {
            Some(records) => records,
            None => self.storage.load().await?,
        };
        let mut transaction = Transaction::new(records);
        let answer = work(&mut transaction);
        let (records, changes) = transaction.into_parts()?;
        if !changes.is_empty() {
            self.storage.write(&changes, &records).await?;
        }
        self.records = Some(records);
        Ok(answer)
    }
}

impl<S: Storage> RecordStore<S> {
    /// Opens a store: loads its records, and takes over the runs that were live when the last process that used them
    /// ended.
    ///
    /// Runs that may be tried again are queued for their next attempt, runs whose cancellation was requested end as
    /// cancelled, and the others as lost, as [`take_over`](crate::plan::take_over()) decides. `now` is the instant at
    /// which they count as lost, by the scheduler's clock. No events are published for them, because there is no
    /// scheduler yet; they appear in the history.
    ///
    /// # Errors
    /// Returns an error if the records cannot be read or written.
    pub async fn open(storage: S, now: DateTime<Utc>) -> Result<Self, StoreError> {
        let mut state = State {
            storage,
            records: None,
        };
        let taken = state.call(|records| records.take_over(now)).await?;
        if taken != TakenOver::default() {
            tracing::warn!(
                again = taken.again.len(),
                lost = taken.lost.len(),
                cancelled = taken.cancelled.len(),
                "the last process is gone; its runs were taken over"
            );
        }
        Ok(Self(Arc::new(Shared {
            state: tokio::sync::Mutex::new(state),
            kept: AtomicUsize::new(KEPT),
            wakes: Mutex::default(),
        })))
    }

    /// Sets how many ended runs, finished jobs and records of skipped fire times are kept; the default is 10,000 of
    /// each.
    ///
    /// Beyond that the oldest are deleted, once a minute. Queued and live runs do not count, and runs whose fire time
    /// is still to come are kept, because the clock was ahead when they ran.
    #[must_use]
    pub fn keep_runs(self, count: usize) -> Self {
        self.0.kept.store(count, Ordering::Relaxed);
        self
    }

    /// Runs one transaction.
    fn call<'a, T: Send + 'a>(
        &'a self,
        work: impl FnOnce(&mut Transaction) -> T + Send + 'a,
    ) -> StoreFuture<'a, T> {
        Box::pin(async move { self.0.state.lock().await.call(work).await })
    }

    /// Runs one transaction that may leave work for drivers.
    fn call_and_wake<'a, T: Send + 'a>(
        &'a self,
        work: impl FnOnce(&mut Transaction) -> T + Send + 'a,
    ) -> StoreFuture<'a, T> {
        let call = self.call(work);
        Box::pin(async move {
            let answer = call.await?;
            for wake in &*lock(&self.0.wakes) {
                wake.wake();
            }
            Ok(answer)
        })
    }
}

impl<S> Clone for RecordStore<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S> fmt::Debug for RecordStore<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordStore").finish_non_exhaustive()
    }
}

impl<S: Storage> Store for RecordStore<S> {
    fn is_persistent(&self) -> bool {
        true
    }

    fn insert(&self, jobs: Vec<NewJob>, now: DateTime<Utc>) -> StoreFuture<'_, Inserted> {
        self.call_and_wake(move |records| records.insert(jobs, now))
    }

    fn reconcile(
        &self,
        jobs: Vec<StaticJob>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'_, Vec<Reconciled>> {
        self.call(move |records| {
            let jobs = jobs.into_iter();
            jobs.map(|job| records.reconcile(job, now)).collect()
        })
    }

    fn get_job<'a>(&'a self, id: &'a str) -> StoreFuture<'a, Option<JobRecord>> {
        self.call(|it| it.records.jobs.get(id).cloned())
    }

    fn list_jobs<'a>(&'a self, query: &'a JobQuery) -> StoreFuture<'a, Vec<JobRecord>> {
        self.call(|it| it.records.list_jobs(query))
    }

    fn edit<'a>(
        &'a self,
        id: &'a str,
        edit: Edit<'a>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'a, Option<Edited>> {
        self.call_and_wake(move |records| records.edit(id, edit, now))
    }

    fn remove<'a>(
        &'a self,
        id: &'a str,
        seen: Option<Revision>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'a, JobAnswer<Edited>> {
        self.call(move |records| records.remove_job(id, seen, now))
    }

    fn claim<'a>(&'a self, request: &'a ClaimRequest<'a>) -> StoreFuture<'a, Claimed> {
        self.call(|records| records.claim(request))
    }

    fn next_due<'a>(
        &'a self,
        request: &'a ClaimRequest<'a>,
    ) -> StoreFuture<'a, Option<DateTime<Utc>>> {
        self.call(|it| it.records.next_due(request))
    }

    fn run_now<'a>(
        &'a self,
        request: &'a ManualRequest<'a>,
    ) -> StoreFuture<'a, JobAnswer<ManualRun>> {
        self.call_and_wake(|records| records.run_now(request))
    }

    fn cancel(&self, run: RunId, now: DateTime<Utc>) -> StoreFuture<'_, CancelAnswer> {
        self.call_and_wake(move |records| records.cancel(run, now))
    }

    fn list_cancellations(&self, node: NodeId) -> StoreFuture<'_, Vec<RunId>> {
        self.call(move |it| it.records.list_cancellations(node))
    }

    fn finish(&self, node: NodeId, finished: Vec<Finished>) -> StoreFuture<'_, Vec<bool>> {
        self.call(move |records| {
            let finished = finished.into_iter();
            finished.map(|one| records.finish(node, one)).collect()
        })
    }

    fn release(
        &self,
        node: NodeId,
        runs: Vec<RunId>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'_, Vec<CancelledRun>> {
        self.call_and_wake(move |records| {
            let runs = runs.into_iter();
            runs.filter_map(|run| records.release(node, run, now))
                .collect()
        })
    }

    fn list_held(&self, node: NodeId) -> StoreFuture<'_, Vec<RunId>> {
        self.call(move |it| it.records.list_held(node))
    }

    fn repair(&self, now: DateTime<Utc>) -> StoreFuture<'_, Repaired> {
        self.call(move |records| records.repair(now))
    }

    fn subscribe(&self, wake: Wake) {
        let mut wakes = lock(&self.0.wakes);
        wakes.retain(Wake::is_wanted);
        wakes.push(wake);
    }
}

impl<S: Storage> History for RecordStore<S> {
    fn list_runs<'a>(&'a self, filter: &'a RunFilter) -> StoreFuture<'a, Vec<Run>> {
        self.call(|it| it.records.list_runs(filter))
    }

    fn get_run(&self, id: RunId) -> StoreFuture<'_, Option<Run>> {
        self.call(move |it| it.records.runs.get(&id).map(|stored| stored.run.clone()))
    }

    fn list_skipped<'a>(&'a self, query: &'a SkippedQuery) -> StoreFuture<'a, Vec<(u64, Skipped)>> {
        self.call(|it| it.records.list_skipped(query))
    }

    fn prune(&self, now: DateTime<Utc>) -> StoreFuture<'_, bool> {
        let kept = self.0.kept.load(Ordering::Relaxed);
        self.call(move |records| records.prune(kept, now))
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::RecordChange;
    use super::*;
    use crate::id::JobId;
    use crate::job_record::Origin;
    use crate::policy::Policies;
    use crate::task::arguments::Arguments;

    /// How a write ends.
    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Write {
        Works,
        FailsBefore,
        FailsAfter,
        Hangs,
    }

    #[derive(Default)]
    struct Kept {
        records: Records,
        writes: Vec<Write>,
        loads: usize,
    }

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Kept>>);

    impl Storage for Memory {
        async fn load(&mut self) -> Result<Records, StoreError> {
            let mut kept = lock(&self.0);
            kept.loads += 1;
            Ok(kept.records.clone())
        }

        async fn write(&mut self, _: &[RecordChange], after: &Records) -> Result<(), StoreError> {
            let write = lock(&self.0).writes.pop().unwrap_or(Write::Works);
            if write == Write::Hangs {
                std::future::pending::<()>().await;
            }
            if write != Write::FailsBefore {
                lock(&self.0).records = after.clone();
            }
            match write {
                Write::Works => Ok(()),
                _ => Err(StoreError::new("the disk is full")),
            }
        }
    }

    fn now() -> DateTime<Utc> {
        DateTime::UNIX_EPOCH
    }

    fn job(id: &str) -> Vec<NewJob> {
        job_with(id, Arguments::new(), Policies::default())
    }

    fn job_with(id: &str, arguments: Arguments, policies: Policies) -> Vec<NewJob> {
        let mut record = JobRecord::new(
            JobId::new(id).unwrap(),
            "task".into(),
            arguments,
            "every 1h start=2026-01-01T00:00:00Z".parse().unwrap(),
            Arc::new(policies),
            Origin::Dynamic,
            now(),
        );
        record.recompute_next();
        vec![NewJob::new(record)]
    }

    async fn ids(store: &dyn Store) -> Vec<String> {
        let jobs = store.list_jobs(&JobQuery::by_id(None, 9)).await.unwrap();
        jobs.into_iter().map(|job| job.id.to_string()).collect()
    }

    #[tokio::test]
    async fn store_continues_with_stored_records_after_a_failed_write() {
        let memory = Memory::default();
        let store = RecordStore::open(memory.clone(), now()).await.unwrap();
        store.insert(job("a"), now()).await.unwrap();
        assert_eq!(lock(&memory.0).loads, 1);
        for (write, expected) in [
            (Write::FailsBefore, vec!["a"]),
            (Write::FailsAfter, vec!["a", "b"]),
        ] {
            lock(&memory.0).writes = vec![write];
            assert!(store.insert(job("b"), now()).await.is_err());
            assert_eq!(ids(&store).await, expected, "{write:?}");
        }
        assert_eq!(lock(&memory.0).loads, 3);
    }

    #[tokio::test]
    async fn call_dropped_during_a_write_changes_nothing() {
        let memory = Memory::default();
        let store = RecordStore::open(memory.clone(), now()).await.unwrap();
        lock(&memory.0).writes = vec![Write::Hangs];
        tokio::select! {
            biased;
            _ = store.insert(job("a"), now()) => panic!("it hangs"),
            () = std::future::ready(()) => {}
        }
        assert!(ids(&store).await.is_empty());
        store.insert(job("a"), now()).await.unwrap();
        assert_eq!(ids(&store).await, ["a"]);
    }

    #[tokio::test]
    async fn job_that_cannot_be_read_back_is_refused() {
        let mut value = serde_json::Value::Null;
        for _ in 0..200 {
            value = vec![value].into();
        }
        let nested = Arguments::new().with("deep", value).unwrap();
        let long = Policies {
            misfire_grace_time: Some(std::time::Duration::MAX),
            ..Policies::default()
        };
        let memory = Memory::default();
        let store = RecordStore::open(memory.clone(), now()).await.unwrap();
        store.insert(job("a"), now()).await.unwrap();
        for (arguments, policies) in [(nested, Policies::default()), (Arguments::new(), long)] {
            let policies = Arc::new(policies);
            let edit: Edit<'_> = Box::new(|job| {
                (job.arguments, job.policies) = (arguments.clone(), policies.clone());
                Vec::new()
            });
            let error = store.edit("a", edit, now()).await.unwrap_err();
            assert!(error.to_string().contains("job/a"), "{error}");
            let mut batch = job("b");
            batch.extend(job_with("c", arguments.clone(), (*policies).clone()));
            let error = store.insert(batch, now()).await.unwrap_err();
            assert!(error.to_string().contains("job/c"), "{error}");
            assert_eq!(ids(&store).await, ["a"]);
            let stored = store.get_job("a").await.unwrap().unwrap();
            assert_eq!(stored, job("a").remove(0).record);
        }
        let json = serde_json::to_vec(&lock(&memory.0).records).unwrap();
        assert!(serde_json::from_slice::<Records>(&json).is_ok());
    }

    #[tokio::test]
    async fn edit_that_panics_changes_nothing() {
        let store = RecordStore::open(Memory::default(), now()).await.unwrap();
        store.insert(job("a"), now()).await.unwrap();
        let before = store.get_job("a").await.unwrap();
        let edit: Edit<'_> = Box::new(|job| {
            job.pause("half-way".into());
            panic!("an edit panics");
        });
        let handle = tokio::runtime::Handle::current();
        let panicked = std::thread::scope(|scope| {
            let call = scope.spawn(|| handle.block_on(store.edit("a", edit, now())).is_ok());
            call.join()
        });
        assert!(panicked.is_err());
        assert_eq!(store.get_job("a").await.unwrap(), before);
    }
}
