//! Changes to a job.

use scheduler_triggers::Trigger;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::fields::{FieldErrors, Fields};
use crate::policy::PolicyPatch;
use crate::revision::Revision;
use crate::task::arguments::Arguments;

/// Changes to a job, for [`modify_job`](crate::Scheduler::modify_job). Fields that are not set stay unchanged.
///
/// Serde reads it from any self-describing format: the object that `PATCH api/jobs/{id}` of `scheduler-axum`
/// takes, with the fields `trigger`, `timezone`, `arguments` and `policies` of a [`Job`](crate::Job#as-data), and `revision`; see
/// [`if_revision`](Self::if_revision).
///
/// ```
/// use scheduler_core::{JobPatch, PolicyPatch, Trigger};
///
/// let patch = JobPatch::new()
///     .trigger(Trigger::every("30m")?)
///     .policies(PolicyPatch::new().max_instances(2));
/// let same: JobPatch =
///     serde_json::from_str(r#"{"trigger": "every 30m", "policies": {"max_instances": 2}}"#)?;
/// assert_eq!(patch, same);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[must_use = "a change does nothing until it is given to `modify_job`"]
pub struct JobPatch {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) trigger: Option<Trigger>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) arguments: Option<Arguments>,
    pub(crate) policies: PolicyPatch,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) revision: Option<Revision>,
}

impl JobPatch {
    /// Creates a patch that changes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces the trigger, which counts from now. Pending fire times are skipped as `superseded`. An unchanged
    /// trigger keeps its fire times.
    pub fn trigger(mut self, trigger: Trigger) -> Self {
        self.trigger = Some(trigger);
        self
    }

    /// Replaces all arguments. They are checked against the task's parameters when the patch is applied.
    pub fn arguments(mut self, arguments: impl Into<Arguments>) -> Self {
        self.arguments = Some(arguments.into());
        self
    }

    /// Applies policies on top of the job's. A second call replaces the first.
    pub fn policies(mut self, policies: PolicyPatch) -> Self {
        self.policies = self.policies.then(policies);
        self
    }

    /// Applies the patch only to this revision of the job. If the job was changed after the revision was read,
    /// [`modify_job`](crate::Scheduler::modify_job) returns [`Error::StaleRevision`](crate::Error::StaleRevision)
    /// with the current job. [`Revision`] has an example.
    pub fn if_revision(mut self, revision: Revision) -> Self {
        self.revision = Some(revision);
        self
    }

    /// Creates a patch from an object. This is the same as reading it with serde, except that the errors are data.
    ///
    /// # Errors
    /// Returns every invalid field. The arguments are checked when the patch is applied.
    ///
    /// ```
    /// use scheduler_core::JobPatch;
    ///
    /// let json = r#"{"trigger": "0 9 * * *", "timezone": "Europe/Berlin"}"#;
    /// let patch = JobPatch::from_json(serde_json::from_str(json)?)?;
    /// let trigger = "cron 0 9 * * * timezone=Europe/Berlin".parse()?;
    /// assert_eq!(patch, JobPatch::new().trigger(trigger));
    ///
    /// let json = r#"{"trigger": "0 9 * * *", "timezone": "Europe/Berln"}"#;
    /// let errors = JobPatch::from_json(serde_json::from_str(json)?).unwrap_err();
    /// assert!(errors.iter().any(|error| error.field == "timezone"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_json(object: Map<String, Value>) -> Result<Self, FieldErrors> {
        Self::from_fields(Fields::new(object))
    }

    /// Creates a patch from fields, which may already contain errors.
    ///
    /// # Errors
    /// Returns the errors already in the fields, followed by those of [`from_json`](Self::from_json).
    ///
    /// ```
    /// use scheduler_core::{Fields, JobPatch, PolicyPatch};
    ///
    /// let json = r#"{"reason": "too many failures", "policies": {"retries": 5}}"#;
    /// let mut fields: Fields = serde_json::from_str(json)?;
    /// let reason = fields.text("reason", 200); // a field of the service's own
    /// let patch = JobPatch::from_fields(fields)?;
    /// assert_eq!(patch, JobPatch::new().policies(PolicyPatch::new().retries(5)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_fields(mut fields: Fields) -> Result<Self, FieldErrors> {
        let trigger = fields.trigger();
        let arguments = fields.arguments();
        let policies = fields.policies();
        let revision = fields.revision();
        fields.finish()?;
        Ok(Self {
            trigger,
            arguments,
            policies: policies.unwrap_or_default(),
            revision,
        })
    }
}

/// The error names each invalid field.
impl<'de> Deserialize<'de> for JobPatch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_fields(Fields::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<JobPatch, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn patch_round_trips() {
        let patches = [
            JobPatch::new(),
            JobPatch::new().arguments(Arguments::new()),
            JobPatch::new()
                .trigger("cron 0 9 * * * timezone=Europe/Berlin".parse().unwrap())
                .arguments(Arguments::new().with("most", u64::MAX).unwrap())
                .policies(PolicyPatch::new().retries(3).timeout(None)),
            JobPatch::new().if_revision("0123456789abcdef".parse().unwrap()),
        ];
        for patch in patches {
            let json = serde_json::to_string(&patch).unwrap();
            assert_eq!(read(&json).unwrap(), patch, "{json}");
        }
    }

    #[test]
    fn null_and_absent_fields_change_nothing() {
        let nothing = r#"{"trigger": null, "timezone": null, "arguments": null, "policies": null}"#;
        assert_eq!(read(nothing).unwrap(), JobPatch::new());
        assert_eq!(read("{}").unwrap(), JobPatch::new());
    }

    #[test]
    fn all_mistakes_are_reported_at_once() {
        let json = r#"{
            "id": "y", "trigger": "evry 5m", "arguments": [], "policies": {"max_instances": 0}, "argument": {}
        }"#;
        let errors = read(json).unwrap_err();
        assert!(errors.starts_with("5 fields cannot be taken:"), "{errors}");
        for field in [
            "id",
            "trigger",
            "arguments",
            "policies.max_instances",
            "argument",
        ] {
            assert!(
                errors.contains(&format!("  - `{field}`: ")),
                "{field}: {errors}"
            );
        }
        let alone = read(r#"{"timezone": "UTC"}"#).unwrap_err();
        assert!(
            alone.starts_with("`timezone`: ") && alone.contains("give both"),
            "{alone}"
        );
        assert!(read(r#"{"policies": {"retries": 1, "retries": 2}}"#).is_err());
    }
}
