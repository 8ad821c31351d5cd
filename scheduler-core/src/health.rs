//! The health of the scheduler.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};

use crate::lock::lock;
use crate::node::NodeId;
use crate::skipped::SkipReason;

/// The health of the scheduler, from [`Scheduler::health`](crate::Scheduler::health).
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
    /// The scheduler's phase.
    pub phase: Phase,
    /// Its stores.
    pub stores: Vec<StoreHealth>,
    /// Its executors.
    pub executors: Vec<ExecutorHealth>,
    /// The runs that this scheduler carries out now, including those that wait for their next attempt.
    pub live_runs: usize,
    /// The number of fire times skipped since it started, by reason.
    pub skipped: BTreeMap<SkipReason, u64>,
    /// The most recent warnings, at most 20, oldest first.
    pub warnings: Vec<Warning>,
}

impl Health {
    /// Returns `true` if the scheduler is running and every store works. Warnings, failing
    /// [duties](StoreHealth::failing_duties) and skipped fire times do not count, because jobs run regardless.
    pub fn is_ok(&self) -> bool {
        self.phase == Phase::Running && self.stores.iter().all(|store| store.error.is_none())
    }
}

/// The phase of the scheduler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// Claims and carries out runs.
    Running,
    /// Claims nothing until it is resumed.
    Paused,
    /// Claims nothing more. Running attempts come to their end.
    Stopping,
    /// Has stopped.
    Stopped,
}

/// The health of one store.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StoreHealth {
    /// Its name.
    pub name: Arc<str>,
    /// The current failure, with the instant at which it began.
    pub error: Option<(DateTime<Utc>, Arc<str>)>,
    /// The lease of this node, in a store that several nodes share.
    pub lease: Option<LeaseHealth>,
    /// Secondary duties that are currently failing, each of which is retried once a minute. Jobs run regardless.
    pub failing_duties: Vec<DutyFailure>,
    /// What makes the store work less well than it could, and what to do about it: for example, that changes by other
    /// nodes are noticed late. It does not count as a failure.
    pub notice: Option<Arc<str>>,
}

/// The work of a scheduler in a store besides running jobs. A failing duty delays no job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Duty {
    /// Taking over the runs of nodes whose lease ran out.
    TakeOver,
    /// Repairing jobs that an earlier clock or other time zone data left with a wrong next fire time.
    Repair,
    /// Deleting history that exceeds the store's retention.
    Retention,
    /// Counting queued runs for the metrics.
    QueueDepth,
}

/// The name in the HTTP API and in the log: `take_over`, `repair`, `retention` or `queue_depth`.
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

/// A secondary duty that is currently failing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DutyFailure {
    /// The duty.
    pub duty: Duty,
    /// The start of the failure.
    pub since: DateTime<Utc>,
    /// The store's last error.
    pub error: Arc<str>,
}

/// The lease that this node holds in a store that several nodes share.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LeaseHealth {
    /// The current identity of this node.
    pub node: NodeId,
    /// When the lease ends if no more heartbeats succeed, by the store's clock.
    pub valid_until: DateTime<Utc>,
    /// The store's clock minus the node's. Decisions about fire times use the store's clock.
    pub clock_offset: TimeDelta,
}

/// The load of one executor; see [`Health`] for an example.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ExecutorHealth {
    /// Its name.
    pub name: Arc<str>,
    /// How many runs it carries out at once.
    pub limit: usize,
    /// How many runs it is carrying out now.
    pub in_use: usize,
}

/// Something that an operator should know.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Warning {
    /// When it occurred, in [store time](crate::Scheduler::store_now).
    pub at: DateTime<Utc>,
    /// The warning.
    pub text: Arc<str>,
}

const MAX_WARNINGS: usize = 20;

/// The state that the drivers report.
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
