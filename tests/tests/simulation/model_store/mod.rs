//! A store that behaves like a database, in memory: transactions made of statements, locks that last until commit, a
//! unique key, leases in its own time. Between two statements, other nodes get their turn.

mod claim;
mod jobs;
pub(crate) mod leases;
mod locks;
mod runs;
pub(crate) mod tables;
pub(crate) mod without;

use std::fmt;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use scheduler_core::reconcile::{Reconciled, StaticJob};
use scheduler_core::store::{
    CancelAnswer, CancelledRun, ClaimRequest, Claimed, Cluster, Edit, Edited, Finished, Heartbeat,
    History, Inserted, JobAnswer, JobQuery, Lease, ManualRequest, ManualRun, NewJob, NewNode,
    Repaired, SkippedQuery, Store, StoreError, StoreFuture, TakenOver, Wake,
};
use scheduler_core::{JobRecord, Node, NodeId, Revision, Run, RunFilter, RunId, Skipped};

use crate::faults::Kind;
use crate::process::{Millis, Process, time_of_day};
use crate::trace::{Trace, What};
use tables::Tables;
use without::Without;

/// How long a lease lasts, and how often nodes heartbeat.
pub(crate) const LEASE: Lease = Lease {
    length: Duration::from_secs(3),
    heartbeat_every: Duration::from_secs(1),
};

/// How long a transaction waits for a lock.
const LOCK_TIMEOUT: Millis = 4_000;

/// The data that all processes share.
#[derive(Debug)]
pub(crate) struct Database {
    tables: Mutex<Tables>,
    pub(crate) trace: Trace,
}

impl Database {
    pub(crate) fn new(without: Without) -> Arc<Self> {
        Arc::new(Self {
            tables: Mutex::new(Tables::new(without)),
            trace: Trace::default(),
        })
    }

    pub(crate) fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The store as one process sees it.
pub(crate) struct ModelStore {
    pub(crate) database: Arc<Database>,
    pub(crate) process: Arc<Process>,
}

impl fmt::Debug for ModelStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModelStore").finish_non_exhaustive()
    }
}

/// A transaction; rolled back if it is dropped before its last statement.
struct Txn<'a> {
    store: &'a ModelStore,
    number: u64,
}

impl Drop for Txn<'_> {
    fn drop(&mut self) {
        self.store.database.tables().locks.end(self.number);
    }
}

impl Txn<'_> {
    /// Executes one statement at one instant.
    async fn statement<T>(
        &self,
        work: impl FnOnce(&mut Tables, Millis) -> T,
    ) -> Result<T, StoreError> {
        self.store.process.gate().await;
        let now = self.store.process.now();
        let mut tables = self.store.database.tables();
        if !tables.locks.touch(self.number, now) {
            return Err(StoreError::new("the server ended an idle transaction"));
        }
        let done = work(&mut tables, now);
        self.store.write_trace(&mut tables, now);
        Ok(done)
    }

    /// Repeats a statement until it gets its locks.
    async fn waiting<T>(
        &self,
        mut work: impl FnMut(&mut Tables, Millis) -> Option<T>,
    ) -> Result<T, StoreError> {
        let mut waited = 0;
        loop {
            if let Some(done) = self.statement(&mut work).await? {
                return Ok(done);
            }
            if waited > LOCK_TIMEOUT {
                return Err(StoreError::new("no lock in time"));
            }
            let wait = self.store.process.state().dice.between(1, 40);
            waited += wait;
            sleep(wait).await;
        }
    }
}

async fn sleep(millis: Millis) {
    if millis > 0 {
        tokio::time::sleep(Duration::from_millis(millis.unsigned_abs())).await;
    }
}

impl ModelStore {
    async fn begin(&self) -> Txn<'_> {
        let now = self.process.now();
        let number = self.database.tables().locks.begin(now);
        let txn = Txn {
            store: self,
            number,
        };
        let lag = {
            let dice = &mut self.process.state().dice;
            if dice.chance(20) {
                dice.between(1, 3)
            } else {
                0
            }
        };
        sleep(lag).await;
        txn
    }

    fn note(&self, what: What) {
        let at = self.process.now();
        self.database
            .trace
            .note(at, Some(self.process.ordinal), what);
    }

    fn write_trace(&self, tables: &mut Tables, now: Millis) {
        for what in tables.trace.drain(..) {
            self.database
                .trace
                .note(now, Some(self.process.ordinal), what);
        }
    }

    /// Notifies the other processes, if the connection lets the notification through.
    fn notify(&self, tables: &mut Tables, due: Option<DateTime<Utc>>) {
        tables.notices.push((self.process.ordinal, due));
    }

    /// Makes one call and applies its fate.
    async fn call<T>(
        &self,
        name: &'static str,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let fate = {
            let mut state = self.process.state();
            let weather = state.weather;
            weather.fate(&mut state.dice)
        };
        let told = match fate.kind {
            Kind::Answered => "answered",
            Kind::Refused => "refused",
            Kind::AnswerLost => "answer lost",
            Kind::NeverArrives => "never arrives",
            Kind::NeverAnswers => "never answers",
        };
        self.note(What::Fate {
            call: name,
            fate: told,
        });
        sleep(fate.before).await;
        match fate.kind {
            Kind::Refused => return Err(StoreError::new("connection refused")),
            Kind::NeverArrives => pending().await,
            _ => {}
        }
        let answer = work.await;
        sleep(fate.after).await;
        match fate.kind {
            Kind::AnswerLost => {
                // The caller learns neither the answer nor if the call was carried out.
                return Err(StoreError::new("connection reset"));
            }
            Kind::NeverAnswers => pending().await,
            _ => {}
        }
        if let Err(error) = &answer {
            self.note(What::Failed {
                call: name,
                text: error.to_string(),
            });
        }
        answer
    }

    /// Executes a single read-only statement.
    async fn read<T>(&self, work: impl FnOnce(&Tables) -> T) -> Result<T, StoreError> {
        self.process.gate().await;
        Ok(work(&self.database.tables()))
    }
}

impl Store for ModelStore {
    fn is_persistent(&self) -> bool {
        true
    }

    fn insert(&self, jobs: Vec<NewJob>, now: DateTime<Utc>) -> StoreFuture<'_, Inserted> {
        Box::pin(self.call("insert", self.insert_jobs(jobs, now)))
    }

    fn reconcile(
        &self,
        jobs: Vec<StaticJob>,
        _now: DateTime<Utc>,
    ) -> StoreFuture<'_, Vec<Reconciled>> {
        assert!(jobs.is_empty(), "there are no jobs of the code here");
        Box::pin(async { Ok(Vec::new()) })
    }

    fn get_job<'a>(&'a self, id: &'a str) -> StoreFuture<'a, Option<JobRecord>> {
        let work = self.read(|tables| tables.jobs.get(id).map(|row| row.record.clone()));
        Box::pin(self.call("get_job", work))
    }

    fn list_jobs<'a>(&'a self, query: &'a JobQuery) -> StoreFuture<'a, Vec<JobRecord>> {
        let work = self.read(|tables| {
            let jobs = tables.jobs.values().map(|row| &row.record);
            jobs.filter(|job| query.matches(job)).cloned().collect()
        });
        Box::pin(self.call("list_jobs", work))
    }

    fn edit<'a>(
        &'a self,
        id: &'a str,
        edit: Edit<'a>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'a, Option<Edited>> {
        Box::pin(self.call("edit", self.edit_job(id, edit, now)))
    }

    fn remove<'a>(
        &'a self,
        id: &'a str,
        seen: Option<Revision>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'a, JobAnswer<Edited>> {
        Box::pin(self.call("remove", self.remove_job(id, seen, now)))
    }

    fn claim<'a>(&'a self, request: &'a ClaimRequest<'a>) -> StoreFuture<'a, Claimed> {
        Box::pin(self.call("claim", self.claim_due(request)))
    }

    fn next_due<'a>(
        &'a self,
        request: &'a ClaimRequest<'a>,
    ) -> StoreFuture<'a, Option<DateTime<Utc>>> {
        Box::pin(self.call("next_due", self.read(|tables| tables.next_due(request))))
    }

    fn run_now<'a>(
        &'a self,
        request: &'a ManualRequest<'a>,
    ) -> StoreFuture<'a, JobAnswer<ManualRun>> {
        Box::pin(self.call("run_now", self.manual_run(request)))
    }

    fn cancel(&self, run: RunId, _now: DateTime<Utc>) -> StoreFuture<'_, CancelAnswer> {
        Box::pin(self.call("cancel", self.cancel_run(run)))
    }

    fn list_cancellations(&self, node: NodeId) -> StoreFuture<'_, Vec<RunId>> {
        let work = self.read(move |tables| {
            let runs = tables.open.values();
            let asked =
                runs.filter(|run| run.is_cancellation_requested && run.holder == Some(node));
            asked.map(|run| run.id).collect()
        });
        Box::pin(self.call("list_cancellations", work))
    }

    fn finish(&self, node: NodeId, finished: Vec<Finished>) -> StoreFuture<'_, Vec<bool>> {
        Box::pin(self.call("finish", self.finish_runs(node, finished)))
    }

    fn release(
        &self,
        node: NodeId,
        runs: Vec<RunId>,
        _now: DateTime<Utc>,
    ) -> StoreFuture<'_, Vec<CancelledRun>> {
        Box::pin(self.call("release", self.release_runs(node, runs)))
    }

    fn list_held(&self, node: NodeId) -> StoreFuture<'_, Vec<RunId>> {
        let work = self.read(move |tables| {
            let runs = tables.open.values();
            let held = runs.filter(|run| run.holder == Some(node));
            held.map(|run| run.id).collect()
        });
        Box::pin(self.call("list_held", work))
    }

    fn repair(&self, now: DateTime<Utc>) -> StoreFuture<'_, Repaired> {
        Box::pin(self.call("repair", self.repair_watermarks(now)))
    }

    fn store_time(&self) -> StoreFuture<'_, Option<DateTime<Utc>>> {
        let work = async {
            self.process.gate().await;
            Ok(Some(time_of_day(self.process.now())))
        };
        Box::pin(self.call("store_time", work))
    }

    fn cluster(&self) -> Option<&dyn Cluster> {
        Some(self)
    }

    fn subscribe(&self, wake: Wake) {
        self.database
            .tables()
            .wakes
            .insert(self.process.ordinal, wake);
    }

    fn poll_every(&self) -> Duration {
        Duration::from_secs(1)
    }
}

impl History for ModelStore {
    fn list_runs<'a>(&'a self, filter: &'a RunFilter) -> StoreFuture<'a, Vec<Run>> {
        let work = self.read(|tables| {
            let runs = tables.open.values().chain(tables.ended.values());
            let records = runs.map(tables::RunRow::record);
            records.filter(|run| filter.matches(run)).collect()
        });
        Box::pin(self.call("list_runs", work))
    }

    fn get_run(&self, id: RunId) -> StoreFuture<'_, Option<Run>> {
        let work = self.read(move |tables| {
            let row = tables.open.get(&id).or_else(|| tables.ended.get(&id));
            row.map(tables::RunRow::record)
        });
        Box::pin(self.call("get_run", work))
    }

    fn list_skipped<'a>(
        &'a self,
        _query: &'a SkippedQuery,
    ) -> StoreFuture<'a, Vec<(u64, Skipped)>> {
        let work = self.read(|tables| {
            let skipped = tables.ledger.skipped.iter().map(|(_, skipped)| skipped);
            (1..).zip(skipped.cloned()).collect()
        });
        Box::pin(self.call("list_skipped", work))
    }
}

impl Cluster for ModelStore {
    fn join<'a>(&'a self, node: &'a NewNode) -> StoreFuture<'a, Lease> {
        Box::pin(self.call_of_lease("join", node.id, self.join_node(node.id)))
    }

    fn heartbeat(&self, node: NodeId) -> StoreFuture<'_, Heartbeat> {
        Box::pin(self.call_of_lease("heartbeat", node, self.renew_lease(node)))
    }

    fn leave(&self, node: NodeId) -> StoreFuture<'_, ()> {
        Box::pin(self.call("leave", self.leave_node(node)))
    }

    fn take_over(&self, _now: DateTime<Utc>) -> StoreFuture<'_, TakenOver> {
        Box::pin(self.call("take_over", self.take_over_runs()))
    }

    fn list_nodes(&self) -> StoreFuture<'_, Vec<Node>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }
}
