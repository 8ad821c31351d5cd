//! The health of the scheduler.

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
    /// Claims and runs jobs.
    Running,
    /// Claims nothing until it is resumed.
    Paused,
    /// Claims nothing more; live runs are finished.
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
            // Phases of later versions: none in which to rely on the scheduler.
            _ => Self::Stopped,
        }
    }
}

/// The health of the scheduler of this process.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Health)]
pub(crate) struct HealthBody {
    /// `true` if it is running and every store works.
    ok: bool,
    /// What it is doing.
    phase: PhaseName,
    /// The number of its live runs.
    live_runs: usize,
    /// Its stores.
    stores: Vec<StoreBody>,
    /// Its executors.
    executors: Vec<ExecutorBody>,
    /// Fire times skipped since it started, by reason.
    #[schema(value_type = BTreeMap<String, u64>)]
    skipped: BTreeMap<SkipReason, u64>,
    /// The newest warnings, at most 20, oldest first.
    warnings: Vec<WarningBody>,
}

/// The health of a store.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StoreHealth)]
pub(crate) struct StoreBody {
    /// Its name.
    #[schema(value_type = String)]
    name: Arc<str>,
    /// Its current failure.
    #[schema(required = true)]
    error: Option<FailureBody>,
    /// The lease of this node, in a store that several nodes share.
    #[schema(required = true)]
    lease: Option<LeaseBody>,
    /// Secondary duties that currently fail. Jobs run regardless.
    failing_duties: Vec<DutyBody>,
    /// A reason why it works less well than it could, and the remedy.
    #[schema(required = true, value_type = Option<String>)]
    notice: Option<Arc<str>>,
}

/// A secondary duty that currently fails; it is retried once a minute.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DutyFailure)]
pub(crate) struct DutyBody {
    /// Which one: `take_over`, `repair`, `retention` or `queue_depth`.
    #[schema(example = "retention")]
    duty: String,
    /// When it began to fail.
    since: DateTime<Utc>,
    /// The store's last error.
    #[schema(value_type = String)]
    text: Arc<str>,
}

/// The current failure of a store.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StoreFailure)]
pub(crate) struct FailureBody {
    /// When it began.
    since: DateTime<Utc>,
    /// The error.
    #[schema(value_type = String)]
    text: Arc<str>,
}

/// The lease of this node.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Lease)]
pub(crate) struct LeaseBody {
    /// The current identity of this node.
    node: String,
    /// When it expires if no further heartbeat succeeds.
    valid_until: DateTime<Utc>,
    /// The clock of the store minus that of the node, in milliseconds.
    clock_offset_ms: i64,
}

/// The load of an executor.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExecutorHealth)]
pub(crate) struct ExecutorBody {
    /// Its name.
    #[schema(value_type = String)]
    name: Arc<str>,
    /// How many runs it can carry out at once.
    limit: usize,
    /// How many runs it is carrying out now.
    in_use: usize,
}

/// Something that an operator should know.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Warning)]
pub(crate) struct WarningBody {
    /// When it was logged.
    at: DateTime<Utc>,
    /// The text of the warning.
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

/// The public health of the service: whether to send requests to this process, or to restart it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Probe {
    /// The status.
    pub(crate) status: ProbeStatus,
}

/// The status of the service, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ProbeStatus {
    /// It works.
    Ok,
    /// The scheduler is paused; the service works.
    Paused,
    /// It is about to end.
    Stopping,
    /// Its scheduler has stopped.
    Stopped,
    /// A store is failing.
    StoreFailing,
}

impl ProbeStatus {
    pub(crate) fn is_good(self) -> bool {
        matches!(self, Self::Ok | Self::Paused)
    }
}
