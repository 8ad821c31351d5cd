//! How the scheduler is doing.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use scheduler_core::{Health, Phase, SkipReason};
use serde::Serialize;
use utoipa::ToSchema;

/// What the scheduler is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PhaseName {
    /// Claims and runs.
    Running,
    /// Claims nothing until it is resumed.
    Paused,
    /// Claims nothing more; what runs comes to its end.
    Stopping,
    /// Has stopped.
    Stopped,
}

impl From<Phase> for PhaseName {
    fn from(phase: Phase) -> Self {
        match phase {
            Phase::Running => Self::Running,
            Phase::Paused => Self::Paused,
            Phase::Stopping => Self::Stopping,
            // Phases that later versions know are none in which to rely on it.
            _ => Self::Stopped,
        }
    }
}

/// How the scheduler of this process is doing.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Health)]
pub(crate) struct HealthBody {
    /// Whether it runs and every store works.
    ok: bool,
    /// What it is doing.
    phase: PhaseName,
    /// Runs that it carries out now.
    live_runs: usize,
    /// Its stores.
    stores: Vec<StoreBody>,
    /// Its executors.
    executors: Vec<ExecutorBody>,
    /// Fire times not run since it started, by reason.
    #[schema(value_type = BTreeMap<String, u64>)]
    skipped: BTreeMap<SkipReason, u64>,
    /// The newest warnings, at most 20, oldest first.
    warnings: Vec<WarningBody>,
}

/// How a store is doing.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StoreHealth)]
pub(crate) struct StoreBody {
    /// Its name.
    #[schema(value_type = String)]
    name: Arc<str>,
    /// Its present failure.
    #[schema(required = true)]
    error: Option<FailureBody>,
    /// The lease of this node, in a store that several nodes share.
    #[schema(required = true)]
    lease: Option<LeaseBody>,
    /// Secondary duties that fail at present. Jobs run all the same.
    failing_duties: Vec<DutyBody>,
    /// What makes it work less well than it could, and what to do about it.
    #[schema(required = true, value_type = Option<String>)]
    notice: Option<Arc<str>>,
}

/// A secondary duty that fails at present; it is tried again once a minute.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DutyFailure)]
pub(crate) struct DutyBody {
    /// Which one: `take_over`, `repair`, `retention` or `queue_depth`.
    #[schema(example = "retention")]
    duty: String,
    /// Since when.
    since: DateTime<Utc>,
    /// What the store said last.
    #[schema(value_type = String)]
    text: Arc<str>,
}

/// The present failure of a store.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StoreFailure)]
pub(crate) struct FailureBody {
    /// Since when.
    since: DateTime<Utc>,
    /// What it says.
    #[schema(value_type = String)]
    text: Arc<str>,
}

/// The lease of this node.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Lease)]
pub(crate) struct LeaseBody {
    /// The present identity of this node.
    node: String,
    /// Until when it holds if no beat gets through any more.
    valid_until: DateTime<Utc>,
    /// The clock of the store minus that of the node, in milliseconds.
    clock_offset_ms: i64,
}

/// How full an executor is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExecutorHealth)]
pub(crate) struct ExecutorBody {
    /// Its name.
    #[schema(value_type = String)]
    name: Arc<str>,
    /// How many runs it carries out at once.
    limit: usize,
    /// How many it carries out now.
    in_use: usize,
}

/// Something that an operator should know.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Warning)]
pub(crate) struct WarningBody {
    /// When.
    at: DateTime<Utc>,
    /// What.
    #[schema(value_type = String)]
    text: Arc<str>,
}

impl From<Health> for HealthBody {
    fn from(health: Health) -> Self {
        Self {
            ok: health.is_ok(),
            phase: health.phase.into(),
            live_runs: health.live_runs,
            stores: health
                .stores
                .into_iter()
                .map(|store| StoreBody {
                    name: store.name,
                    error: store.error.map(|(since, text)| FailureBody { since, text }),
                    notice: store.notice,
                    lease: store.lease.map(|lease| LeaseBody {
                        node: lease.node.to_string(),
                        valid_until: lease.valid_until,
                        clock_offset_ms: lease.clock_offset.num_milliseconds(),
                    }),
                    failing_duties: store
                        .failing_duties
                        .into_iter()
                        .map(|failure| DutyBody {
                            duty: failure.duty.to_string(),
                            since: failure.since,
                            text: failure.error,
                        })
                        .collect(),
                })
                .collect(),
            executors: health
                .executors
                .into_iter()
                .map(|executor| ExecutorBody {
                    name: executor.name,
                    limit: executor.limit,
                    in_use: executor.in_use,
                })
                .collect(),
            skipped: health.skipped,
            warnings: health
                .warnings
                .into_iter()
                .map(|warning| WarningBody {
                    at: warning.at,
                    text: warning.text,
                })
                .collect(),
        }
    }
}

/// What is told to everybody: whether to send requests here, or to start the process anew.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Probe {
    /// In one word.
    pub(crate) status: ProbeStatus,
}

/// How the service is, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ProbeStatus {
    /// It works.
    Ok,
    /// Somebody has paused the scheduler; the service works.
    Paused,
    /// It is about to end.
    Stopping,
    /// Its scheduler has stopped.
    Stopped,
    /// A store fails.
    StoreFailing,
}

impl ProbeStatus {
    pub(crate) fn is_good(self) -> bool {
        matches!(self, Self::Ok | Self::Paused)
    }
}
