//! Changing the schedule of jobs defined in code, without recompiling.

use std::collections::BTreeMap;

use scheduler_triggers::Trigger;
use serde::{Deserialize, Serialize};

use crate::policy::PolicyPatch;

/// Triggers and policies by job id, from any serde source, that override the code.
///
/// Passed to [`Builder::overrides`](crate::Builder::overrides). Unknown fields and unknown ids are errors, so that a
/// misspelled one does not go unnoticed.
///
/// ```
/// use scheduler_core::{JobOverride, Overrides, PolicyPatch, Trigger};
/// use std::time::Duration;
///
/// let read: Overrides = serde_json::from_str(r#"{
///     "cleanup_sessions": { "trigger": "every 30m", "policies": { "timeout": "5m" } }
/// }"#)?;
///
/// let timeout = PolicyPatch::new().timeout(Duration::from_secs(300));
/// let change = JobOverride::new().trigger(Trigger::every("30m")?).policies(timeout);
/// assert_eq!(read, Overrides::new().job("cleanup_sessions", change));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Overrides(pub(crate) BTreeMap<String, JobOverride>);

impl Overrides {
    /// Creates overrides that change nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the change to one job. A second one for the same id replaces the first.
    #[must_use]
    pub fn job(mut self, id: impl Into<String>, change: JobOverride) -> Self {
        self.0.insert(id.into(), change);
        self
    }
}

/// The changes to one job; [`Overrides`] has an example.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JobOverride {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) trigger: Option<Trigger>,
    pub(crate) policies: PolicyPatch,
}

impl JobOverride {
    /// Creates an empty change.
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces the trigger of the attribute.
    #[must_use]
    pub fn trigger(mut self, trigger: Trigger) -> Self {
        self.trigger = Some(trigger);
        self
    }

    /// Applies policies on top of those of the attribute. Policies that are not set stay as in the code.
    #[must_use]
    pub fn policies(mut self, policies: PolicyPatch) -> Self {
        self.policies = self.policies.then(policies);
        self
    }
}
