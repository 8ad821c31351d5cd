//! Skipped fire times, and the reasons.

use std::fmt;

use chrono::{DateTime, Utc};
use scheduler_triggers::Count;
use serde::{Deserialize, Serialize};

use crate::id::JobId;

/// The reason why fire times were skipped.
///
/// ```
/// use scheduler_core::SkipReason;
///
/// assert_eq!(SkipReason::QueueFull.as_str(), "queue_full");
/// assert_eq!(serde_json::to_string(&SkipReason::Missed)?, r#""missed""#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SkipReason {
    /// The start would be later than `misfire_grace_time` allows.
    Missed,
    /// Several came due at once, and `coalesce` runs one of them.
    Coalesced,
    /// The job was at `max_instances`.
    Overlap,
    /// The job was at `max_instances`, and its queue was full.
    QueueFull,
    /// The job was paused.
    Paused,
    /// More came due at once than `coalesce = "all(n)"` runs.
    CatchUpLimit,
    /// The trigger was changed, or a newer fire time replaced a queued one.
    Superseded,
    /// The job was removed.
    Removed,
}

impl SkipReason {
    /// Returns the name used in logs, metrics and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missed => "missed",
            Self::Coalesced => "coalesced",
            Self::Overlap => "overlap",
            Self::QueueFull => "queue_full",
            Self::Paused => "paused",
            Self::CatchUpLimit => "catch_up_limit",
            Self::Superseded => "superseded",
            Self::Removed => "removed",
        }
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Fire times that one decision skipped for one reason; part of a [`Plan`](crate::plan::Plan).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SkippedTimes {
    /// The reason.
    pub reason: SkipReason,
    /// The first of them.
    pub first: DateTime<Utc>,
    /// The last of them.
    pub last: DateTime<Utc>,
    /// The number of fire times.
    pub count: Count,
}

impl SkippedTimes {
    /// Creates a span of one fire time.
    pub fn one(reason: SkipReason, at: DateTime<Utc>) -> Self {
        Self {
            reason,
            first: at,
            last: at,
            count: Count {
                value: 1,
                exact: true,
            },
        }
    }

    /// Creates a span from a list of fire times, oldest first.
    pub(crate) fn of(reason: SkipReason, times: &[DateTime<Utc>]) -> Option<Self> {
        Some(Self {
            reason,
            first: *times.first()?,
            last: *times.last()?,
            count: Count {
                value: times.len() as u64,
                exact: true,
            },
        })
    }
}

/// The record of skipped fire times.
///
/// Listed by [`Scheduler::list_skipped`](crate::Scheduler::list_skipped) and published as
/// [`EventKind::Skipped`](crate::EventKind::Skipped).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Skipped {
    /// The job.
    pub job_id: JobId,
    /// The reason.
    pub reason: SkipReason,
    /// The first of them.
    pub first: DateTime<Utc>,
    /// The last of them.
    pub last: DateTime<Utc>,
    /// The number of fire times.
    pub count: u64,
    /// If `true`, `count` is exact; otherwise there are more.
    pub exact: bool,
    /// When the decision was made.
    pub decided_at: DateTime<Utc>,
}

impl Skipped {
    /// Creates the record of one decision, for stores.
    ///
    /// ```
    /// use scheduler_core::triggers::Count;
    /// use scheduler_core::{SkipReason, Skipped, SkippedTimes, JobId};
    ///
    /// let times = SkippedTimes {
    ///     reason: SkipReason::Coalesced,
    ///     first: "2026-01-01T00:00:00Z".parse()?,
    ///     last: "2026-01-01T02:00:00Z".parse()?,
    ///     count: Count { value: 3, exact: true },
    /// };
    /// let skipped = Skipped::new(JobId::new("import")?, times, "2026-01-01T03:00:00Z".parse()?);
    /// assert_eq!(skipped.to_string(), "3 fire time(s) of `import` not run: coalesced");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(job_id: JobId, times: SkippedTimes, decided_at: DateTime<Utc>) -> Self {
        Self {
            job_id,
            reason: times.reason,
            first: times.first,
            last: times.last,
            count: times.count.value,
            exact: times.count.exact,
            decided_at,
        }
    }

    /// Returns the fire times in the record.
    pub(crate) fn times(&self) -> SkippedTimes {
        SkippedTimes {
            reason: self.reason,
            first: self.first,
            last: self.last,
            count: Count {
                value: self.count,
                exact: self.exact,
            },
        }
    }
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let more = if self.exact { "" } else { "more than " };
        write!(
            f,
            "{more}{} fire time(s) of `{}` not run: {}",
            self.count, self.job_id, self.reason
        )
    }
}
