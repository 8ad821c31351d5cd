//! Storage of jobs and runs.
//!
//! For authors of stores. Users choose a store and pass it to [`Builder::store`](crate::Builder::store).
//!
//! | trait | what it is |
//! | --- | --- |
//! | [`Store`] | jobs and runs |
//! | [`History`] | lists of the history, and retention; every store has one |
//! | [`Cluster`] | nodes, leases and take-over; a store that several processes share offers it |
//! | [`Intercept`] | interception of the calls from a scheduler to a store |
//!
//! A store for a single process implements none of these traits; it only loads and writes [records], from which
//! [`RecordStore`](records::RecordStore) builds a store. `scheduler-store-tests` contains the tests that every store
//! must pass, and `docs/writing-a-store.md` in the repository walks through a store that keeps its records in a file.
//!
//! Stores move data and decide nothing. Each decision is made by a function of this crate:
//!
//! | call of the store | decided by |
//! | --- | --- |
//! | [`claim`](Store::claim) | [`plan::Claim`](crate::plan::Claim) |
//! | [`run_now`](Store::run_now) | [`plan::Manual`](crate::plan::Manual) |
//! | [`reconcile`](Store::reconcile) | [`reconcile`](crate::reconcile::reconcile) |
//! | [`insert`](Store::insert) | [`admits`], and [`replacement`] for an id that is stored |
//! | [`edit`](Store::edit) | the [`Edit`] that the scheduler passes in |
//! | [`finish`](Store::finish) | the [`Verdict`](crate::plan::Verdict) in [`Finished`], and [`finish`](crate::plan::finish()) |
//! | [`release`](Store::release) | [`release`](crate::plan::release()) |
//! | [`take_over`](Cluster::take_over) | [`take_over`](crate::plan::take_over()) |
//!
//! # The life of a run
//!
//! 1. The driver [joins](Cluster::join) as a node, if the store supports nodes, and renews its lease;
//!    [`next_due`](Store::next_due) returns how long it may sleep.
//! 2. [`claim`](Store::claim) claims due fire times: in one transaction, the job's watermark and next fire time
//!    advance, and the runs are written as live. A fire time is never claimed twice.
//! 3. The driver hands each [`ClaimedRun`] to an executor, or calls [`release`](Store::release) if the scheduler
//!    stops first.
//! 4. [`finish`](Store::finish) records how the attempt ended: the end of the run, or a retry, which keeps the slot
//!    and increments `attempt`.
//! 5. A node that is gone loses its runs: another node [takes them over](Cluster::take_over).
//! 6. Each fire time that is not run is recorded as [`Skipped`](crate::Skipped) by the call that decided so.
//!
//! All instants are passed in by the caller, in whole microseconds UTC: a store does not read a clock.
//!
//! # Example
//!
//! A client adds a job, and this example acts as the node that claims it and records its run:
//!
//! ```
//! use std::collections::{HashMap, HashSet};
//!
//! use chrono::{DateTime, TimeDelta, Utc};
//! use scheduler_core::plan::Verdict;
//! use scheduler_core::prelude::*;
//! use scheduler_core::store::{AttemptEnd, ClaimRequest, Claimable, End, Finished, History, Store};
//! use scheduler_core::{MemoryStore, NodeId, RunFilter, RunIds, RunState};
//!
//! #[task]
//! async fn rebuild_index() {}
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = MemoryStore::new();
//! let client = Scheduler::builder().client().store(store.clone()).start().await?;
//! client.add_job(rebuild_index::job().id("index").interval("1h")).await?;
//!
//! let node = NodeId::new(1);
//! let due: DateTime<Utc> = "2099-01-01T00:00:00Z".parse()?;
//! let claimable = Claimable::new(HashSet::new(), HashSet::from(["rebuild_index".into()]));
//! let (capacity, run_ids) = (HashMap::from([("default".into(), 8)]), RunIds::new(1));
//! let request = ClaimRequest::new(node, due, &claimable, &capacity, &run_ids);
//! let claim = store.claim(&request).await?;
//! assert_eq!(claim.runs[0].job_id, "index");
//! assert!(store.claim(&request).await?.runs.is_empty()); // never twice
//!
//! let succeeded = RunState::Succeeded;
//! let ended_at = due + TimeDelta::seconds(1);
//! let end = AttemptEnd::new(Verdict::Final(succeeded), succeeded, due, ended_at);
//! let run = &claim.runs[0];
//! let finished = Finished::new(run.run_id, run.attempt, End::Attempt(end));
//! assert_eq!(store.finish(node, vec![finished]).await?, [true]);
//! assert_eq!(store.list_runs(&RunFilter::new()).await?[0].state, RunState::Succeeded);
//! # Ok(())
//! # }
//! ```

mod cancel;
mod claim;
mod cluster;
mod edit;
mod error;
mod finish;
mod history;
mod insert;
mod intercept;
mod job_answer;
mod job_query;
mod manual;
mod memory;
pub mod records;
mod repair;
mod replacement;
mod search_text;
mod skipped;
mod wake;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::id::RunId;
use crate::job_record::JobRecord;
use crate::node::NodeId;
use crate::reconcile::{Reconciled, StaticJob};
use crate::revision::Revision;

pub use crate::node::{Heartbeat, Lease, NewNode};
pub use crate::plan::{
    BrokenTrigger, CancelledRun, Claimable, Claimed, ClaimedRun, RunRef, Unreadable,
};
pub use cancel::CancelAnswer;
pub use claim::ClaimRequest;
pub use cluster::{Cluster, TakenOver};
pub use edit::{Edit, Edited};
pub use error::{StoreError, StoreFuture};
pub use finish::{AttemptEnd, End, Finished};
pub use history::History;
pub use insert::{AllInserted, Inserted, NewJob};
pub use intercept::{Call, Intercept, Intercepted};
pub use job_answer::JobAnswer;
pub use job_query::{JobOrder, JobQuery};
pub use manual::{ManualRequest, ManualRun};
pub use memory::MemoryStore;
pub use repair::{Repaired, WATERMARK_TOLERANCE};
pub use replacement::{Replacement, admits, replacement};
pub use search_text::SearchText;
pub use skipped::{SkippedQuery, skipped_records};
pub(crate) use wake::Sleep;
pub use wake::Wake;

/// The longest time that a driver sleeps without checking a store that can wake it: 30 s. This detects clock changes
/// and suspended machines.
pub const POLL_EVERY: Duration = Duration::from_secs(30);

/// Keeps jobs and runs; the [module](self) describes the life of a run.
///
/// # Contract
/// - `claim`, `run_now`, `finish`, `edit` and `remove` are each one transaction: all or nothing. The revision that a
///   caller has seen is compared within it.
/// - (job, fire time) is unique among scheduled runs: a fire time is claimed once.
/// - `finish` changes nothing for a run that is no longer held, and reports this.
/// - Nothing is deleted because it cannot be read.
///
/// # Errors
/// Every call fails with a [`StoreError`] if the store cannot be reached or read. Nothing is lost by that, because
/// the scheduler retries.
pub trait Store: History + fmt::Debug + Send + Sync + 'static {
    /// Returns `true` if jobs outlive the process. Custom triggers are then refused.
    fn is_persistent(&self) -> bool;

    /// Adds jobs, all or none. Returns the pending fire times of replaced jobs.
    ///
    /// [`admits`] decides whether a stored job with the same id may be replaced, and [`replacement`] what to store
    /// then.
    fn insert(&self, jobs: Vec<NewJob>, now: DateTime<Utc>) -> StoreFuture<'_, Inserted>;

    /// Brings the jobs defined in code up to date. Returns one answer per job.
    ///
    /// [`reconcile`](crate::reconcile::reconcile) decides what happens to each of them.
    fn reconcile(
        &self,
        jobs: Vec<StaticJob>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'_, Vec<Reconciled>>;

    /// Returns one job.
    fn get_job<'a>(&'a self, id: &'a str) -> StoreFuture<'a, Option<JobRecord>>;

    /// Lists the jobs that the query [matches](JobQuery::matches), a page at a time. A list shorter than the query's
    /// limit is the last one.
    fn list_jobs<'a>(&'a self, query: &'a JobQuery) -> StoreFuture<'a, Vec<JobRecord>>;

    /// Changes one job. Returns `None` if it does not exist.
    fn edit<'a>(
        &'a self,
        id: &'a str,
        edit: Edit<'a>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'a, Option<Edited>>;

    /// Removes one job if it [is as the caller has seen it](JobRecord::is_as_seen). Its queued runs are skipped as
    /// `removed`.
    ///
    /// Live runs continue, and count against `max_instances` of a job added under the same id.
    fn remove<'a>(
        &'a self,
        id: &'a str,
        seen: Option<Revision>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'a, JobAnswer<Edited>>;

    /// Claims due fire times and queued runs, within the request's limit and capacity.
    ///
    /// A job that the request does not [allow](Claimable::allows) is left unchanged for another node. A job whose
    /// executor has no capacity stays due. If the plan requests the cancellation of the oldest run, the store records
    /// it for [`list_cancellations`](Self::list_cancellations).
    ///
    /// # Errors
    /// Returns [`StoreError::fenced`] if the node no longer holds a lease.
    fn claim<'a>(&'a self, request: &'a ClaimRequest<'a>) -> StoreFuture<'a, Claimed>;

    /// Returns when the next job becomes due that such a request could claim, apart from its limit and instant and
    /// including jitter, or `None` for never. Paused jobs do not count, nor do jobs whose executor has no capacity.
    fn next_due<'a>(
        &'a self,
        request: &'a ClaimRequest<'a>,
    ) -> StoreFuture<'a, Option<DateTime<Utc>>>;

    /// Requests a manual run.
    ///
    /// The caller starts the run itself if it is to hold it; otherwise the run is queued for a node. The watermark is
    /// unchanged. Nothing happens unless the job [is as the caller has seen it](JobRecord::is_as_seen).
    fn run_now<'a>(
        &'a self,
        request: &'a ManualRequest<'a>,
    ) -> StoreFuture<'a, JobAnswer<ManualRun>>;

    /// Requests the cancellation of a run. A queued run ends as cancelled at once; for a live run, the request is
    /// recorded for the node that holds it.
    fn cancel(&self, run: RunId, now: DateTime<Utc>) -> StoreFuture<'_, CancelAnswer>;

    /// Lists the runs held by this node whose cancellation was requested. Each may be listed more than once, until it
    /// has ended.
    fn list_cancellations(&self, node: NodeId) -> StoreFuture<'_, Vec<RunId>>;

    /// Records how attempts of runs held by this node ended. Returns `true` for each one that was recorded.
    ///
    /// A run is held under (`run_id`, `attempt`): the end of another attempt, or of a run that was taken over,
    /// changes nothing. Recording the same end again is not an error and returns `true`, because the first answer may
    /// have been lost.
    ///
    /// # Errors
    /// Returns [`StoreError::fenced`] if the node no longer holds a lease.
    fn finish(&self, node: NodeId, finished: Vec<Finished>) -> StoreFuture<'_, Vec<bool>>;

    /// Releases runs of this node that no executor carries out. They free their slots and are queued for the attempt
    /// that would have been next, unless [`plan::release`](crate::plan::release()) ends them. A run that is not held
    /// is left alone. Returns the runs that ended.
    fn release(
        &self,
        node: NodeId,
        runs: Vec<RunId>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'_, Vec<CancelledRun>>;

    /// Lists the runs that this node holds. A driver calls this when an answer was lost, and releases the runs that
    /// it does not know.
    fn list_held(&self, node: NodeId) -> StoreFuture<'_, Vec<RunId>>;

    /// Sets watermarks that are ahead of now to now (see [`JobRecord::watermark`]), and recomputes next fire times
    /// that came from other time zone data, by [`JobRecord::repair_watermark`] and [`JobRecord::recompute_next`]. An
    /// unreadable record is reported and does not delay others. Leases granted by a wrong clock are cut to their
    /// length, counted from now.
    ///
    /// Called at the start, when the clock went back, and when a [heartbeat](Heartbeat::needs_repair) requests it.
    /// The default edits each job whose watermark is ahead. That is enough for a store without leases whose jobs do
    /// not outlive the process and its time zone data.
    fn repair(&self, now: DateTime<Utc>) -> StoreFuture<'_, Repaired> {
        Box::pin(repair::repair_watermarks(self, now))
    }

    /// Returns the node management of a store that several processes share, or `None`, the default, if the store is
    /// for a single process and has no leases.
    fn cluster(&self) -> Option<&dyn Cluster> {
        None
    }

    /// Returns the time of the store's clock if it has one that all processes share, or `None`, the default, if the
    /// scheduler's own clock applies.
    ///
    /// Decisions use this time. It is queried at most once a minute where no [heartbeat](Heartbeat::store_time)
    /// provides it.
    fn store_time(&self) -> StoreFuture<'_, Option<DateTime<Utc>>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    /// Passes in a [`Wake`] for a driver that starts. The store calls it when another caller changed something that
    /// may concern the driver. Called within the driver's tokio runtime.
    fn subscribe(&self, _wake: Wake) {}

    /// Returns what an operator should know about a store that works, but not as well as it could. It becomes
    /// [`StoreHealth::notice`](crate::StoreHealth::notice). Called often, and must not block.
    fn notice(&self) -> Option<Arc<str>> {
        None
    }

    /// Returns how long a driver may sleep without checking the store: [`POLL_EVERY`] unless the store currently
    /// cannot wake it.
    ///
    /// A longer time applies only under a [`VirtualClock`](crate::testing::VirtualClock), up to a quarter of an hour:
    /// the driver then also checks whenever the clock is about to be advanced.
    fn poll_every(&self) -> Duration {
        POLL_EVERY
    }
}
