//! Where jobs and runs are kept.
//!
//! For authors of stores; users pick one and give it to [`Builder::store`](crate::Builder::store).
//!
//! | trait | what it is |
//! | --- | --- |
//! | [`Store`] | jobs and runs |
//! | [`History`] | lists of what has happened, and retention; every store has one |
//! | [`Cluster`] | nodes, leases and take-over; a store that several processes share offers it |
//! | [`Intercept`] | what stands between a scheduler and a store |
//!
//! A store for a single process implements none of these traits, but loading and writing [records], of which
//! [`RecordStore`](records::RecordStore) makes a store. `scheduler-store-tests` has the tests that every store must pass,
//! and `docs/writing-a-store.md` in the repository walks through a store that keeps its records in a file.
//!
//! Stores move data and decide nothing. What they need to know, they ask:
//!
//! | call of the store | decided by |
//! | --- | --- |
//! | [`claim`](Store::claim) | [`plan::Claim`](crate::plan::Claim) |
//! | [`run_now`](Store::run_now) | [`plan::Manual`](crate::plan::Manual) |
//! | [`reconcile`](Store::reconcile) | [`reconcile`](crate::reconcile::reconcile) |
//! | [`insert`](Store::insert) | [`admits`], and [`replacement`] for an id that is stored |
//! | [`edit`](Store::edit) | the [`Edit`] that the scheduler hands over |
//! | [`finish`](Store::finish) | the [`Verdict`](crate::plan::Verdict) in [`Finished`], and [`finish`](crate::plan::finish()) |
//! | [`release`](Store::release) | [`release`](crate::plan::release()) |
//! | [`take_over`](Cluster::take_over) | [`take_over`](crate::plan::take_over()) |
//!
//! # The life of a run
//!
//! 1. The driver [joins](Cluster::join) as a node, where the store knows nodes, and renews its lease;
//!    [`next_due`](Store::next_due) tells it how long it may sleep.
//! 2. [`claim`](Store::claim) takes due fire times: in one transaction the job's watermark and next fire
//!    time move on, and the runs are written as live. A fire time is never claimed twice.
//! 3. The driver hands each [`ClaimedRun`] to an executor, or gives it back with
//!    [`release`](Store::release) when the scheduler stops first.
//! 4. [`finish`](Store::finish) records how the attempt ended: the end of the run, or a retry, which
//!    keeps the slot and counts `attempt` up.
//! 5. A node that is gone loses its runs: another one [takes them over](Cluster::take_over).
//! 6. What is not run is recorded as [`Skipped`](crate::Skipped) by whichever call decided it.
//!
//! All instants come from the caller, in whole microseconds UTC: a store reads no clock.
//!
//! # Example
//!
//! A client writes a job, and this example is the node that claims it and records its run:
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
pub use job_query::{JobOrder, JobQuery};
pub use manual::{ManualRequest, ManualRun};
pub use memory::MemoryStore;
pub use repair::{Repaired, WATERMARK_TOLERANCE};
pub use replacement::{Replacement, admits, replacement};
pub use search_text::SearchText;
pub use skipped::{SkippedQuery, skipped_records};
pub(crate) use wake::Sleep;
pub use wake::Wake;

/// How long a driver sleeps at most without a look into a store that wakes it: 30 s. So clock changes and suspended
/// machines are noticed.
pub const POLL_EVERY: Duration = Duration::from_secs(30);

/// Keeps jobs and runs; the [module](self) tells the life of a run.
///
/// # Contract
/// - `claim`, `run_now`, `finish` and `edit` are each one transaction: all of it, or nothing.
/// - (job, fire time) is unique among scheduled runs: a fire time is claimed once.
/// - `finish` changes nothing for a run that is not held any more, and says so.
/// - Nothing is deleted because it cannot be read.
///
/// # Errors
/// Every call fails with a [`StoreError`] when the store cannot be reached or read. Nothing is lost
/// by that: the scheduler asks again.
pub trait Store: History + fmt::Debug + Send + Sync + 'static {
    /// Whether jobs outlive the process; custom triggers are refused then.
    fn is_persistent(&self) -> bool;

    /// Adds jobs, all or none. Returns what replaced jobs had pending.
    ///
    /// Whether a stored job of the same id may be replaced is decided by [`admits`], and what to store
    /// then by [`replacement`].
    fn insert(&self, jobs: Vec<NewJob>, now: DateTime<Utc>) -> StoreFuture<'_, Inserted>;

    /// Brings the jobs written in the code up to date; one answer per job.
    ///
    /// What becomes of each is decided by [`reconcile`](crate::reconcile::reconcile).
    fn reconcile(
        &self,
        jobs: Vec<StaticJob>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'_, Vec<Reconciled>>;

    /// Returns one job.
    fn get_job<'a>(&'a self, id: &'a str) -> StoreFuture<'a, Option<JobRecord>>;

    /// Lists the jobs that the query [matches](JobQuery::matches), a page at a time. A list that is shorter than the
    /// query's limit is the last one.
    fn list_jobs<'a>(&'a self, query: &'a JobQuery) -> StoreFuture<'a, Vec<JobRecord>>;

    /// Changes one job; `None` if there is none.
    fn edit<'a>(
        &'a self,
        id: &'a str,
        edit: Edit<'a>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'a, Option<Edited>>;

    /// Removes one job; what waits is skipped as `removed`. `None` if there is none.
    ///
    /// Live runs go on, and count against `max_instances` of a job that is added under the same id.
    fn remove<'a>(&'a self, id: &'a str, now: DateTime<Utc>) -> StoreFuture<'a, Option<Edited>>;

    /// Takes due fire times and runs that wait, within the request's limit and capacity.
    ///
    /// A job that the request does not [allow](Claimable::allows) stays as it is, for another node.
    /// A job whose executor has no capacity stays due. Where the plan says that the oldest run is to be
    /// stopped, the store notes it for [`list_cancellations`](Self::list_cancellations).
    ///
    /// # Errors
    /// [`StoreError::fenced`] when the node holds no lease any more.
    fn claim<'a>(&'a self, request: &'a ClaimRequest<'a>) -> StoreFuture<'a, Claimed>;

    /// Returns when the next job becomes due that such a request could take, its limit and instant
    /// aside; jitter included, `None` for never. Paused jobs do not count, nor do those whose
    /// executor has no capacity.
    fn next_due<'a>(
        &'a self,
        request: &'a ClaimRequest<'a>,
    ) -> StoreFuture<'a, Option<DateTime<Utc>>>;

    /// Asks for a manual run.
    ///
    /// The caller starts it itself when it is to hold it; otherwise it waits in the queue for a
    /// node. The watermark stays. `None` if there is no such job.
    fn run_now<'a>(&'a self, request: &'a ManualRequest<'a>) -> StoreFuture<'a, Option<ManualRun>>;

    /// Asks a run to stop: one that waits for a slot ends as cancelled at once; one that is live is
    /// noted for the node that holds it.
    fn cancel(&self, run: RunId, now: DateTime<Utc>) -> StoreFuture<'_, CancelAnswer>;

    /// Lists the runs that this node holds and that were asked to stop. Each may be listed more than
    /// once, until it has ended.
    fn list_cancellations(&self, node: NodeId) -> StoreFuture<'_, Vec<RunId>>;

    /// Records how attempts of runs that this node holds ended. For each, whether it was recorded.
    ///
    /// A run is held under (`run_id`, `attempt`): another attempt's end, or that of a run that was
    /// taken over, changes nothing. Recording the same end twice is no mistake, and answers `true`:
    /// the first answer may have been lost on its way.
    ///
    /// # Errors
    /// [`StoreError::fenced`] when the node holds no lease any more.
    fn finish(&self, node: NodeId, finished: Vec<Finished>) -> StoreFuture<'_, Vec<bool>>;

    /// Releases runs of this node that no executor carries out: they free their slots and are queued for the attempt
    /// that would have been next, unless [`plan::release`](crate::plan::release()) ends them. A run that is not held
    /// is left alone. Returns the runs that ended with that.
    fn release(
        &self,
        node: NodeId,
        runs: Vec<RunId>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'_, Vec<CancelledRun>>;

    /// Lists the runs that this node holds. A driver asks when an answer was lost on its way, and
    /// releases what it does not know of.
    fn list_held(&self, node: NodeId) -> StoreFuture<'_, Vec<RunId>>;

    /// Sets watermarks that are ahead of now to now (see [`JobRecord::watermark`]), and works out next fire times anew
    /// that other time zone data had given: by [`JobRecord::repair_watermark`] and [`JobRecord::recompute_next`].
    /// A record that cannot be read is reported, and holds up no other. Leases that a wrong clock gave are
    /// cut to their length, counted from now.
    ///
    /// Called at the start, when the clock went back, and when a [heartbeat](Heartbeat::needs_repair) asks for it.
    /// The default edits each job whose watermark is ahead, which is enough for a store that keeps no leases and
    /// whose jobs do not outlive the process and its time zone data.
    fn repair(&self, now: DateTime<Utc>) -> StoreFuture<'_, Repaired> {
        Box::pin(repair::repair_watermarks(self, now))
    }

    /// Returns the nodes that share this store; `None`, the default, if it is for one process and knows no
    /// leases.
    fn cluster(&self) -> Option<&dyn Cluster> {
        None
    }

    /// Returns the store's clock, if it has one that all processes share; `None`, the default, if the
    /// scheduler's own clock holds.
    ///
    /// Whoever decides something goes by this time, and asks for it once a minute at most where no
    /// [heartbeat](Heartbeat::store_time) brings it.
    fn store_time(&self) -> StoreFuture<'_, Option<DateTime<Utc>>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    /// Hands over a [`Wake`] for a driver that starts: the store calls it when somebody else changed
    /// something that the driver may have to look at. Called within the driver's tokio runtime.
    fn subscribe(&self, _wake: Wake) {}

    /// Returns what an operator should know about a store that works, but not as well as it could; it
    /// becomes [`StoreHealth::notice`](crate::StoreHealth::notice). Called often, and must not block.
    fn notice(&self) -> Option<Arc<str>> {
        None
    }

    /// Returns how long a driver may sleep without a look: [`POLL_EVERY`] unless the store cannot wake it at
    /// present.
    ///
    /// Longer counts only under a [`VirtualClock`](crate::testing::VirtualClock), up to a quarter of an hour: the
    /// driver then looks whenever the clock is about to be advanced, too.
    fn poll_every(&self) -> Duration {
        POLL_EVERY
    }
}
