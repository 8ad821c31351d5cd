//! A job that may be due: its watermark and its next fire time.

use chrono::{DateTime, Utc};
use scheduler_triggers::Trigger;
use serde::{Deserialize, Serialize};

use crate::id::JobId;
use crate::policy::Policies;

/// A fire time and the instant at which it starts. They differ by the job's jitter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NextFire {
    /// The instant that the trigger names.
    pub nominal: DateTime<Utc>,
    /// The same instant, delayed by the job's jitter.
    pub at: DateTime<Utc>,
}

/// A job as a plan sees it; the [module](super) has an example.
#[derive(Debug, Clone, Copy)]
pub struct DueJob<'a> {
    /// The job's id; its jitter depends on it.
    pub id: &'a JobId,
    /// Its trigger.
    pub trigger: &'a Trigger,
    /// Its policies.
    pub policies: &'a Policies,
    /// The watermark: fire times up to this instant have been decided.
    pub watermark: DateTime<Utc>,
    /// The first fire time after the watermark.
    pub next: NextFire,
}
