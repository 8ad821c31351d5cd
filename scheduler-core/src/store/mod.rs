//! Where jobs and runs are kept.
//!
//! For authors of stores; users pick one and give it to [`Builder::store`](crate::Builder::store).
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
//! | [`finish`](Store::finish) | the [`Verdict`] in [`Finished`], and [`finish`](crate::plan::finish()) |
//! | [`release`](Store::release) | [`release`](crate::plan::release()) |
//! | [`take_over`](Store::take_over) | [`take_over`](crate::plan::take_over()) |
//!
//! # The life of a run
//!
//! 1. The driver [joins](Store::join) as a node, where the store knows nodes, and renews its lease;
//!    [`next_due`](Store::next_due) tells it how long it may sleep.
//! 2. [`claim`](Store::claim) takes due fire times: in one transaction the job's watermark and next fire
//!    time move on, and the runs are written as live. A fire time is never claimed twice.
//! 3. The driver hands each [`ClaimedRun`] to an executor, or gives it back with
//!    [`release`](Store::release) when the scheduler stops first.
//! 4. [`finish`](Store::finish) records how the attempt ended: the end of the run, or a retry, which
//!    keeps the slot and counts `attempt` up.
//! 5. A node that is gone loses its runs: another one [takes them over](Store::take_over).
//! 6. What is not run is recorded as [`Skipped`] by whichever call decided it.
//!
//! All instants come from the caller, in whole microseconds UTC: a store reads no clock.
//!
//! # Example
//!
//! A client writes a job, and this example is the node that claims it and records its run:
//!
//! ```
//! use std::collections::{HashMap, HashSet};
//! use std::time::Duration;
//!
//! use chrono::{DateTime, TimeDelta, Utc};
//! use scheduler_core::plan::Verdict;
//! use scheduler_core::prelude::*;
//! use scheduler_core::store::{ClaimRequest, Claimable, End, Finished, Store};
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
//! let request = ClaimRequest {
//!     node,
//!     now: due,
//!     claimable: &Claimable {
//!         static_jobs: HashSet::new(),
//!         tasks: HashSet::from(["rebuild_index".into()]),
//!     },
//!     capacity: &HashMap::from([("default".into(), 8)]),
//!     limit: 100,
//!     run_ids: &RunIds::new(1),
//! };
//! let claim = store.claim(&request).await?;
//! assert_eq!(claim.runs[0].job_id, "index");
//! assert!(store.claim(&request).await?.runs.is_empty()); // never twice
//!
//! let finished = Finished {
//!     run_id: claim.runs[0].run_id,
//!     attempt: claim.runs[0].attempt,
//!     end: End::Attempt {
//!         verdict: Verdict::Final(RunState::Succeeded),
//!         started_at: due,
//!         finished_at: due + TimeDelta::seconds(1),
//!         lateness: Duration::ZERO,
//!         error: None,
//!         value: None,
//!         body_runs: false,
//!         state: RunState::Succeeded,
//!     },
//! };
//! assert_eq!(store.finish(node, vec![finished]).await?, [true]);
//! assert_eq!(store.runs(&RunFilter::new()).await?[0].state, RunState::Succeeded);
//! # Ok(())
//! # }
//! ```

mod intercept;
mod memory;
mod replacement;
mod wake;

use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use scheduler_triggers::{Trigger, Zone};

use crate::id::{JobId, RunId, RunIds};
use crate::job_record::JobRecord;
use crate::node::{Node, NodeId};
use crate::plan::{Ending, ManualDecision, Verdict};
use crate::reconcile::{Reconciled, StaticJob};
use crate::run::{Run, RunFilter, RunKind};
use crate::skipped::{SkipReason, Skipped, SkippedTimes};

pub use crate::node::{Heartbeat, Lease, NewNode};
pub use crate::plan::{Claimable, Claimed as Claim, ClaimedRun, Unreadable};
pub use intercept::{Call, Intercept, Intercepted};
pub use memory::MemoryStore;
pub use replacement::{Replacement, admits, replacement};
pub(crate) use wake::Sleep;
pub use wake::Wake;

/// Why a store could not do what it was asked. The scheduler backs off, says so and tries again.
///
/// ```
/// use scheduler_core::store::StoreError;
///
/// let error = StoreError::new("the disk is full");
/// assert_eq!(error.to_string(), "the disk is full");
/// ```
#[derive(Debug)]
pub struct StoreError {
    source: Box<dyn std::error::Error + Send + Sync>,
    kind: ErrorKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ErrorKind {
    Failed,
    Unreachable,
    Fenced,
}

impl StoreError {
    /// Wraps the store's own error, or a text.
    pub fn new(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self {
            source: error.into(),
            kind: ErrorKind::Failed,
        }
    }

    /// Wraps the error of a store that cannot be reached or does not answer, so that every call would wait
    /// in vain: those of handles fail at once until the driver has reached it.
    ///
    /// ```
    /// use scheduler_core::store::StoreError;
    ///
    /// assert!(StoreError::unreachable("connection refused").is_unreachable());
    /// assert!(!StoreError::new("the disk is full").is_unreachable());
    /// ```
    pub fn unreachable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self {
            source: error.into(),
            kind: ErrorKind::Unreachable,
        }
    }

    /// Whether the store cannot be reached, or does not answer.
    pub fn is_unreachable(&self) -> bool {
        self.kind == ErrorKind::Unreachable
    }

    /// The node that asked holds no lease any more: nothing was done. The driver stops what it runs,
    /// and joins under a new identity.
    pub fn fenced() -> Self {
        Self {
            source: "the lease of this node has run out".into(),
            kind: ErrorKind::Fenced,
        }
    }

    /// Whether the node that asked holds no lease any more.
    pub fn is_fenced(&self) -> bool {
        self.kind == ErrorKind::Fenced
    }

    /// Returns the store's own error.
    pub fn into_source(self) -> Box<dyn std::error::Error + Send + Sync> {
        self.source
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.source, f)
    }
}

impl std::error::Error for StoreError {}

/// What a store's calls return: a boxed future, so that stores of different types can be used at
/// once.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// A change of one job, decided by the scheduler and carried out by the store in one transaction.
///
/// What it returns is skipped and recorded. May be called more than once, each time
/// with the stored job: a store that finds its transaction in conflict tries again.
pub type Edit<'a> = Box<dyn FnMut(&mut JobRecord) -> Vec<SkippedTimes> + Send + 'a>;

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
pub trait Store: fmt::Debug + Send + Sync + 'static {
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
    fn get<'a>(&'a self, id: &'a str) -> StoreFuture<'a, Option<JobRecord>>;

    /// Lists jobs, a page at a time. A list that is shorter than the query's limit is the last one.
    fn list<'a>(&'a self, query: &'a JobQuery) -> StoreFuture<'a, Vec<JobRecord>>;

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
    /// stopped, the store notes it for [`cancellations`](Self::cancellations).
    ///
    /// # Errors
    /// [`StoreError::fenced`] when the node holds no lease any more.
    fn claim<'a>(&'a self, request: &'a ClaimRequest<'a>) -> StoreFuture<'a, Claim>;

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
    fn cancellations(&self, node: NodeId) -> StoreFuture<'_, Vec<RunId>>;

    /// Records how attempts of runs that this node holds ended. For each, whether it was recorded.
    ///
    /// A run is held under (`run_id`, `attempt`): another attempt's end, or that of a run that was
    /// taken over, changes nothing. Recording the same end twice is no mistake, and answers `true`:
    /// the first answer may have been lost on its way.
    ///
    /// # Errors
    /// [`StoreError::fenced`] when the node holds no lease any more.
    fn finish(&self, node: NodeId, finished: Vec<Finished>) -> StoreFuture<'_, Vec<bool>>;

    /// Gives back runs of this node that no executor carries out: they wait in the queue, free their
    /// places, and go on with the attempt that would have been next. A run that is not held is left
    /// alone.
    fn release(&self, node: NodeId, runs: Vec<RunId>) -> StoreFuture<'_, ()>;

    /// Lists the runs that this node holds. A driver asks when an answer was lost on its way, and
    /// releases what it does not know of.
    fn held(&self, node: NodeId) -> StoreFuture<'_, Vec<RunId>>;

    /// Sets watermarks that are ahead of now to now (see [`JobRecord::watermark`]), and works out next fire times anew
    /// that other time zone data had given: by [`JobRecord::repair_watermark`] and [`JobRecord::recompute_next`].
    /// A record that cannot be read is reported, and holds up no other. Leases that a wrong clock gave are
    /// cut to their length, counted from now.
    ///
    /// Called at the start, when the clock went back, and when a [heartbeat](Heartbeat::needs_repair) asks for it.
    fn repair(&self, now: DateTime<Utc>) -> StoreFuture<'_, Repaired>;

    /// Lists runs, newest first: by their ids, which are in the order of creation. A list that is
    /// shorter than the filter's [page](RunFilter::page_size) is the last one.
    fn runs<'a>(&'a self, filter: &'a RunFilter) -> StoreFuture<'a, Vec<Run>>;

    /// Returns one run.
    fn run(&self, id: RunId) -> StoreFuture<'_, Option<Run>>;

    /// Lists what was not run, newest first; of one job, or of all.
    fn skipped<'a>(&'a self, job: Option<&'a str>, limit: usize) -> StoreFuture<'a, Vec<Skipped>>;

    /// Forgets some of the history that is beyond the store's retention. Whether there is more.
    ///
    /// Called once a minute, and then again until there is nothing more. Runs whose fire time is ahead of now
    /// are kept: a clock was ahead when they ran, and their fire times are still to come.
    fn prune(&self, _now: DateTime<Utc>) -> StoreFuture<'_, bool> {
        Box::pin(std::future::ready(Ok(false)))
    }

    /// Returns the store's clock, if it has one that all processes share; `None`, the default, if the
    /// scheduler's own clock holds.
    ///
    /// Whoever decides something goes by this time, and asks for it once a minute at most where no
    /// [heartbeat](Heartbeat::store_time) brings it.
    fn store_time(&self) -> StoreFuture<'_, Option<DateTime<Utc>>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    /// Enters a process as a node; `None` when this store is for one process and knows no leases. One that
    /// is there already gets a new lease: the first answer may have been lost.
    fn join<'a>(&'a self, _node: &'a NewNode) -> StoreFuture<'a, Option<Lease>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    /// Renews the lease of a node, unless its runs were taken over. Called from a thread of its own.
    fn heartbeat(&self, _node: NodeId) -> StoreFuture<'_, Heartbeat> {
        Box::pin(std::future::ready(Ok(Heartbeat {
            is_alive: true,
            store_time: None,
            has_lost: false,
            needs_repair: false,
        })))
    }

    /// Looks, without waiting for whoever writes, whether this node is entered and no other node is, nor any
    /// whose runs are still to be taken over. Called after a [`heartbeat`](Self::heartbeat) that failed: while it is
    /// so, the node's bodies go on although its lease may run out.
    ///
    /// `false` unless overridden, which is always right. A store may answer `true` only if it is one in which
    /// nothing is taken over without [`join`](Self::join) or [`heartbeat`](Self::heartbeat) having answered before.
    fn is_only_node(&self, _node: NodeId) -> StoreFuture<'_, bool> {
        Box::pin(std::future::ready(Ok(false)))
    }

    /// Takes a node out that has ended. One that still holds runs stays until its lease runs out.
    fn leave(&self, _node: NodeId) -> StoreFuture<'_, ()> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Takes over the runs of nodes whose lease ran out; drivers call it one heartbeat after they joined at
    /// the earliest, so that a node whose heartbeats were held up can renew its lease first. As [`take_over`](crate::plan::take_over())
    /// decides: those that may be tried again wait in the queue for any node, the others end as lost. From the first
    /// of its runs on, a node is fenced: its heartbeats are refused, also where others of its runs cannot be read.
    fn take_over(&self, _now: DateTime<Utc>) -> StoreFuture<'_, TakenOver> {
        Box::pin(std::future::ready(Ok(TakenOver::default())))
    }

    /// Lists the nodes: all that are alive, and then the newest of the others, of which there may be many.
    fn nodes(&self) -> StoreFuture<'_, Vec<Node>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    /// Hands over a [`Wake`] for a driver that starts: the store calls it when somebody else changed
    /// something that the driver may have to look at. Called within the driver's tokio runtime.
    fn subscribe(&self, _wake: Wake) {}

    /// Returns what an operator should know about a store that works, but not as well as it could; it
    /// becomes [`StoreHealth::notice`](crate::StoreHealth::notice). Called often, and must not block.
    fn notice(&self) -> Option<Arc<str>> {
        None
    }

    /// Returns how long a driver may sleep without a look: 30 s unless the store cannot wake it at
    /// present.
    ///
    /// Longer counts only under a [`VirtualClock`](crate::testing::VirtualClock), up to a quarter of an hour: the
    /// driver then looks whenever the clock is about to be advanced, too.
    fn poll_every(&self) -> Duration {
        Duration::from_secs(30)
    }
}

/// A job to insert.
#[derive(Debug)]
pub struct NewJob {
    /// The job.
    pub record: JobRecord,
    /// Whether a job of the same id is replaced.
    pub replace_existing: bool,
    /// The trigger as it was written, and the time zone that fills in what it leaves open: a job whose
    /// trigger is unchanged carries on. `None` for an exported job, which brings its own watermark.
    pub written: Option<(Trigger, Zone)>,
}

/// What came of an insert.
#[derive(Debug)]
pub enum Inserted {
    /// All are there.
    All {
        /// What replaced jobs had pending.
        skipped: Vec<Skipped>,
        /// Jobs that carry on with the schedule of the ones they replaced, as they are stored.
        carried_on: Vec<JobRecord>,
    },
    /// A job of this id is there already, and nothing was inserted.
    Exists(JobId),
    /// A job of this id is written in the code, and nothing was inserted.
    IsStatic(JobId),
}

/// What came of an edit or a removal.
#[derive(Debug)]
pub struct Edited {
    /// The job afterwards; as it was, when it was removed.
    pub job: JobRecord,
    /// What is not run any more.
    pub skipped: Vec<Skipped>,
}

/// Which jobs to list.
#[derive(Debug, Clone)]
pub struct JobQuery {
    /// In which order, and after which one.
    pub order: JobOrder,
    /// Only those whose id begins with this; `None` for all. Of the order by id alone.
    pub prefix: Option<String>,
    /// At most so many.
    pub limit: usize,
}

impl JobQuery {
    /// Lists jobs in the order of their ids, after this one.
    pub fn by_id(after: Option<JobId>, limit: usize) -> Self {
        Self {
            order: JobOrder::Id { after },
            prefix: None,
            limit,
        }
    }

    /// Lists jobs in the order of their next run times.
    pub fn by_next_run(limit: usize) -> Self {
        Self {
            order: JobOrder::NextRun,
            prefix: None,
            limit,
        }
    }
}

/// The order of a list of jobs.
#[derive(Debug, Clone)]
pub enum JobOrder {
    /// By id, after this one.
    Id {
        /// The last id of the page before.
        after: Option<JobId>,
    },
    /// By the next run time; jobs without one are left out.
    NextRun,
}

/// A node's request for work.
#[derive(Debug)]
pub struct ClaimRequest<'a> {
    /// The node.
    pub node: NodeId,
    /// Now, in store time.
    pub now: DateTime<Utc>,
    /// What the node can run.
    pub claimable: &'a Claimable,
    /// Capacity of its executors, by name.
    pub capacity: &'a HashMap<Arc<str>, usize>,
    /// At most so many jobs.
    pub limit: usize,
    /// Makes the ids of new runs.
    pub run_ids: &'a RunIds,
}

/// A request for a manual run.
#[derive(Debug, Clone, Copy)]
pub struct ManualRequest<'a> {
    /// The job.
    pub job: &'a str,
    /// `Manual` or `Startup`.
    pub kind: RunKind,
    /// The id of the new run.
    pub run_id: RunId,
    /// The node that starts it itself if there is a slot; `None`: it waits in the queue.
    pub holder: Option<NodeId>,
    /// Now.
    pub now: DateTime<Utc>,
}

/// A run that was requested manually.
#[derive(Debug)]
pub struct ManualRun {
    /// What was decided.
    pub decision: ManualDecision,
    /// The run to start, when there is a slot.
    pub start: Option<ClaimedRun>,
    /// What it took the place of.
    pub skipped: Vec<Skipped>,
}

/// What became of a request to stop a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CancelAnswer {
    /// It waited for a slot, and has ended as cancelled.
    Ended(Box<Run>),
    /// It is live.
    Live,
    /// It has ended, or never was.
    Unknown,
}

/// What was put right in stored jobs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repaired {
    /// Jobs whose watermark was ahead of now.
    pub watermarks: Vec<JobId>,
    /// How many leases were cut to their length.
    pub leases: usize,
    /// Records that cannot be read and were not reported before.
    pub unreadable: Vec<Unreadable>,
    /// How many jobs have another next fire time under the present time zone data.
    pub zones: usize,
}

/// What became of the runs of nodes whose lease ran out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TakenOver {
    /// Runs that wait for their next attempt.
    pub again: Vec<(JobId, RunId)>,
    /// Runs that ended as lost.
    pub lost: Vec<(JobId, RunId)>,
    /// Records of runs that this version cannot read: such a run stays with its node until a version that can
    /// read it takes it over. Each is returned once.
    pub unreadable: Vec<Unreadable>,
}

/// How an attempt ended.
#[derive(Debug, Clone)]
pub struct Finished {
    /// The run.
    pub run_id: RunId,
    /// The attempt.
    pub attempt: u32,
    /// What ended.
    pub end: End,
}

/// What ended.
#[derive(Debug, Clone)]
pub enum End {
    /// The attempt.
    Attempt {
        /// What follows.
        verdict: Verdict,
        /// When it started.
        started_at: DateTime<Utc>,
        /// When it ended.
        finished_at: DateTime<Utc>,
        /// How long after its instant the attempt started.
        lateness: Duration,
        /// Why it did not succeed.
        error: Option<Box<str>>,
        /// What the task returned.
        value: Option<Box<str>>,
        /// Whether its body still runs on a thread: the slot stays held until `Body`.
        body_runs: bool,
        /// How it ended.
        state: crate::run::RunState,
    },
    /// The body of an attempt that was recorded before.
    Body,
}

impl End {
    /// Returns what a decision about it looks at.
    pub fn ending(&self) -> Ending {
        match self {
            Self::Attempt {
                verdict,
                state,
                body_runs,
                ..
            } => Ending::Attempt {
                verdict: *verdict,
                state: *state,
                body_runs: *body_runs,
            },
            Self::Body => Ending::Body,
        }
    }

    /// Returns when the attempt ended, if it is one.
    pub fn finished_at(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Attempt { finished_at, .. } => Some(*finished_at),
            Self::Body => None,
        }
    }
}

/// The record of what one decision did not run.
pub fn skipped_records(
    job: &JobId,
    times: impl IntoIterator<Item = SkippedTimes>,
    now: DateTime<Utc>,
) -> impl Iterator<Item = Skipped> {
    times
        .into_iter()
        .map(move |times| Skipped::new(job.clone(), times, now))
}

/// A fire time that was queued and is skipped.
pub fn skipped_record(
    job: &JobId,
    reason: SkipReason,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Skipped {
    Skipped::new(job.clone(), SkippedTimes::one(reason, at), now)
}
