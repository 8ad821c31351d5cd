//! Fire times that were not run.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use scheduler_core::{DropReason, Dropped, JobId};
use serde::Serialize;
use utoipa::ToSchema;

/// Why fire times were not run.
#[derive(ToSchema)]
#[schema(as = DropReason, rename_all = "snake_case")]
#[allow(dead_code)] // describes what the core writes
pub(crate) enum DropReasonShape {
    Missed,
    Coalesced,
    Overlap,
    QueueFull,
    Paused,
    CatchUpLimit,
    Superseded,
    Removed,
}

/// The reasons by name.
pub(crate) const REASONS: [(&str, DropReason); 8] = [
    ("missed", DropReason::Missed),
    ("coalesced", DropReason::Coalesced),
    ("overlap", DropReason::Overlap),
    ("queue_full", DropReason::QueueFull),
    ("paused", DropReason::Paused),
    ("catch_up_limit", DropReason::CatchUpLimit),
    ("superseded", DropReason::Superseded),
    ("removed", DropReason::Removed),
];

/// Fire times that were not run, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DroppedList {
    /// The records; each may stand for many fire times.
    pub(crate) items: Vec<DroppedBody>,
    /// Whether there may be older records that are not in the list.
    pub(crate) has_more: bool,
    /// Fire times not run since this process started, by reason.
    #[schema(value_type = BTreeMap<String, u64>)]
    pub(crate) since_start: BTreeMap<DropReason, u64>,
}

/// Fire times of one job that were not run, for one reason.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Dropped)]
pub(crate) struct DroppedBody {
    /// The job.
    #[schema(value_type = String)]
    job_id: JobId,
    /// Why.
    #[schema(value_type = DropReasonShape)]
    reason: DropReason,
    /// The first of them.
    first: DateTime<Utc>,
    /// The last of them.
    last: DateTime<Utc>,
    /// How many.
    count: u64,
    /// Whether there are exactly so many, or more.
    exact: bool,
    /// When that was decided.
    decided_at: DateTime<Utc>,
}

impl From<Dropped> for DroppedBody {
    fn from(dropped: Dropped) -> Self {
        Self {
            job_id: dropped.job_id,
            reason: dropped.reason,
            first: dropped.first,
            last: dropped.last,
            count: dropped.count,
            exact: dropped.exact,
            decided_at: dropped.decided_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_reasons_are_those_of_the_core() {
        for (name, reason) in REASONS {
            assert_eq!(reason.as_str(), name);
        }
    }
}
