//! How the scheduler is doing.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};

use crate::lock::lock;
use crate::node::NodeId;
use crate::skipped::SkipReason;

/// How the scheduler is doing, from [`Scheduler::health`](crate::Scheduler::health).
///
/// ```
/// use scheduler_core::prelude::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), scheduler_core::Error> {
/// # let scheduler = Scheduler::builder().without_static_jobs().start().await?;
/// let health = scheduler.health();
/// let threads = health.executors.iter().find(|executor| &*executor.name == "sync");
/// assert_eq!(threads.map(|executor| (executor.in_use, executor.limit)), Some((0, 32)));
///
/// scheduler.pause();
/// assert!(!scheduler.health().is_ok());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Health {
    /// What it is doing.
    pub phase: Phase,
    /// Its stores.
    pub stores: Vec<StoreHealth>,
    /// Its executors.
    pub executors: Vec<ExecutorHealth>,
    /// Runs that this scheduler carries out now, those that wait for their next attempt included.
    pub live_runs: usize,
    /// Fire times not run since it started, by reason.
    pub skipped: BTreeMap<SkipReason, u64>,
    /// The newest warnings, at most 20, oldest first.
    pub warnings: Vec<Warning>,
}

impl Health {
    /// Whether it runs and every store works. Warnings, failing [duties](StoreHealth::failing_duties) and
    /// skipped fire times do not count: jobs run all the same.
    pub fn is_ok(&self) -> bool {
        self.phase == Phase::Running && self.stores.iter().all(|store| store.error.is_none())
    }
}

/// What the scheduler is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// Claims and runs.
    Running,
    /// Claims nothing until it is resumed.
    Paused,
    /// Claims nothing more; what runs comes to its end.
    Stopping,
    /// Has stopped.
    Stopped,
}

/// How one store is doing.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StoreHealth {
    /// Its name.
    pub name: Arc<str>,
    /// Its present failure, and since when it fails.
    pub error: Option<(DateTime<Utc>, Arc<str>)>,
    /// The lease of this node, in a store that several nodes share.
    pub lease: Option<LeaseHealth>,
    /// Secondary duties that fail at present, each of which is tried again once a minute. Jobs run all
    /// the same.
    pub failing_duties: Vec<DutyFailure>,
    /// What makes it work less well than it could, and what to do about it: changes by other nodes that are
    /// heard of late, for example. It does not count as a failure.
    pub notice: Option<Arc<str>>,
}

/// What a scheduler does in a store beside running jobs. Such a duty that fails delays no job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Duty {
    /// Taking over the runs of nodes whose lease ran out.
    TakeOver,
    /// Repairing jobs that an earlier clock or other time zone data left with a wrong next fire time.
    Repair,
    /// Deleting history that is beyond the store's retention.
    Retention,
    /// Counting queued runs for the metrics.
    QueueDepth,
}

/// Its name in the HTTP API and in the log: `take_over`, `repair`, `retention` or `queue_depth`.
impl fmt::Display for Duty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TakeOver => "take_over",
            Self::Repair => "repair",
            Self::Retention => "retention",
            Self::QueueDepth => "queue_depth",
        })
    }
}

/// A secondary duty that fails at present.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DutyFailure {
    /// Which one.
    pub duty: Duty,
    /// Since when it fails.
    pub since: DateTime<Utc>,
    /// What the store said last.
    pub error: Arc<str>,
}

/// The lease that this node holds in a store that several nodes share.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LeaseHealth {
    /// The present identity of this node.
    pub node: NodeId,
    /// Until when the lease lasts if no heartbeat gets through any more, by the store's clock.
    pub valid_until: DateTime<Utc>,
    /// The store's clock minus the node's. Fire times are judged by the store's clock.
    pub clock_offset: TimeDelta,
}

/// How full one executor is; see [`Health`] for an example.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ExecutorHealth {
    /// Its name.
    pub name: Arc<str>,
    /// How many runs it carries out at once.
    pub limit: usize,
    /// How many it carries out now.
    pub in_use: usize,
}

/// Something that an operator should know.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Warning {
    /// When, in [store time](crate::Scheduler::store_now).
    pub at: DateTime<Utc>,
    /// What.
    pub text: Arc<str>,
}

const MAX_WARNINGS: usize = 20;

/// What the drivers tell.
#[derive(Debug, Default)]
pub(crate) struct HealthLog {
    log: Mutex<(VecDeque<Warning>, BTreeMap<SkipReason, u64>)>,
}

impl HealthLog {
    pub(crate) fn warn(&self, at: DateTime<Utc>, text: impl Into<Arc<str>>) {
        let mut log = lock(&self.log);
        if log.0.len() == MAX_WARNINGS {
            log.0.pop_front();
        }
        log.0.push_back(Warning {
            at,
            text: text.into(),
        });
    }

    pub(crate) fn count_skipped_record(&self, reason: SkipReason, count: u64) {
        let mut log = lock(&self.log);
        *log.1.entry(reason).or_default() += count;
    }

    pub(crate) fn snapshot(&self) -> (Vec<Warning>, BTreeMap<SkipReason, u64>) {
        let log = lock(&self.log);
        (log.0.iter().cloned().collect(), log.1.clone())
    }
}
