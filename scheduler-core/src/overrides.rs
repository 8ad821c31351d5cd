//! Changing the schedule of jobs written in the code, without recompiling.

use std::collections::BTreeMap;

use scheduler_triggers::Trigger;
use serde::{Deserialize, Serialize};

use crate::policy::PolicyPatch;

/// Triggers and policies by job id, from any serde source, laid over what the code says.
///
/// ```
/// use scheduler_core::Overrides;
///
/// let overrides: Overrides = serde_json::from_str(r#"{
///     "cleanup_sessions": { "trigger": "every 30m", "policies": { "timeout": "5m" } },
///     "daily_report": { "trigger": "cron 0 7 * * * timezone=Asia/Shanghai" }
/// }"#)?;
/// # let _ = overrides;
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Overrides(pub(crate) BTreeMap<String, JobOverride>);

impl Overrides {
    /// Changes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the change of one job.
    #[must_use]
    pub fn job(mut self, id: impl Into<String>, change: JobOverride) -> Self {
        self.0.insert(id.into(), change);
        self
    }
}

/// What is changed of one job.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JobOverride {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) trigger: Option<Trigger>,
    pub(crate) policies: PolicyPatch,
}

impl JobOverride {
    /// Changes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces the trigger.
    #[must_use]
    pub fn trigger(mut self, trigger: Trigger) -> Self {
        self.trigger = Some(trigger);
        self
    }

    /// Lays policies over those of the code.
    #[must_use]
    pub fn policies(mut self, policies: PolicyPatch) -> Self {
        self.policies = policies;
        self
    }
}
