//! Skipped fire times.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use scheduler_core::{JobId, SkipReason, Skipped, SkippedCursor};
use serde::Serialize;
use utoipa::ToSchema;

/// Why fire times were skipped.
#[derive(ToSchema)]
#[schema(as = SkipReason, rename_all = "snake_case")]
#[allow(dead_code)] // describes what the core writes
pub(crate) enum SkipReasonShape {
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
pub(crate) const REASONS: [(&str, SkipReason); 8] = [
    ("missed", SkipReason::Missed),
    ("coalesced", SkipReason::Coalesced),
    ("overlap", SkipReason::Overlap),
    ("queue_full", SkipReason::QueueFull),
    ("paused", SkipReason::Paused),
    ("catch_up_limit", SkipReason::CatchUpLimit),
    ("superseded", SkipReason::Superseded),
    ("removed", SkipReason::Removed),
];

/// A page of skipped fire times, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SkippedPage {
    /// The records; each may cover many fire times.
    pub(crate) items: Vec<SkippedBody>,
    /// The value of `before` for the next page; null on the last one.
    #[schema(value_type = Option<String>, required = true)]
    pub(crate) next: Option<SkippedCursor>,
    /// Fire times skipped since this process started, by reason.
    #[schema(value_type = BTreeMap<String, u64>)]
    pub(crate) since_start: BTreeMap<SkipReason, u64>,
}

/// Fire times of one job that were skipped for one reason.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Skipped)]
pub(crate) struct SkippedBody {
    /// The job.
    #[schema(value_type = String)]
    job_id: JobId,
    /// The reason.
    #[schema(value_type = SkipReasonShape)]
    reason: SkipReason,
    /// The first of them.
    first: DateTime<Utc>,
    /// The last of them.
    last: DateTime<Utc>,
    /// Their number.
    count: u64,
    /// `true` if the count is exact, `false` if there are more.
    exact: bool,
    /// When they were skipped.
    decided_at: DateTime<Utc>,
}

impl From<Skipped> for SkippedBody {
    fn from(skipped: Skipped) -> Self {
        Self {
            job_id: skipped.job_id,
            reason: skipped.reason,
            first: skipped.first,
            last: skipped.last,
            count: skipped.count,
            exact: skipped.exact,
            decided_at: skipped.decided_at,
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
