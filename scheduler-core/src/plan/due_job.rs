//! A job that may be due: its watermark and its next fire time.

use chrono::{DateTime, TimeDelta, Utc};
use scheduler_triggers::Trigger;
use serde::{Deserialize, Serialize};

use crate::id::JobId;
use crate::policy::Policies;

/// How far ahead of now a watermark may be before it is taken for the work of a wrong clock: five seconds.
///
/// A claim never decides beyond its own now, so a watermark is ahead by the error of that now alone. Nodes
/// measure the store's clock by heartbeats, whose answer counts for half the lease at most: with the lease
/// of 15 s that is an error of less than 4 s, and of milliseconds as a rule.
pub const WATERMARK_TOLERANCE: TimeDelta = TimeDelta::seconds(5);

/// A fire time and when it starts. The two differ by the job's jitter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NextFire {
    /// The instant that the trigger names.
    pub nominal: DateTime<Utc>,
    /// The same, delayed by the job's jitter.
    pub at: DateTime<Utc>,
}

/// What a plan looks at; the [module](super) has an example.
#[derive(Debug, Clone, Copy)]
pub struct DueJob<'a> {
    /// The job's id; its jitter depends on it.
    pub id: &'a JobId,
    /// Its trigger.
    pub trigger: &'a Trigger,
    /// Its policies.
    pub policies: &'a Policies,
    /// Fire times up to here are dealt with.
    pub watermark: DateTime<Utc>,
    /// The first fire time after the watermark.
    pub next: NextFire,
}
