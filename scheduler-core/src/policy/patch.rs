//! Some policies, to be laid over others.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Backoff, Coalesce, Overlap, Policies};
use crate::error::PolicyError;

/// Some policies of a job; what is left out stays as it is.
///
/// The form of `builder.defaults(…)`, of overrides and of
/// [`modify_job`](crate::Scheduler::modify_job). Its JSON has one entry per policy that is set;
/// durations are text such as `"10m"`, and `"none"` takes a limit away.
///
/// ```
/// use scheduler_core::{Backoff, Coalesce, Overlap, PolicyPatch};
/// use std::time::Duration;
///
/// let patch = PolicyPatch::new()
///     .misfire_grace_time(Duration::from_secs(300))
///     .coalesce(Coalesce::Earliest)
///     .max_instances(2)
///     .overlap(Overlap::Queue(1))
///     .timeout(None)
///     .retries(3)
///     .backoff(Backoff::exponential(Duration::from_secs(1), Duration::from_secs(10)))
///     .jitter(Duration::from_secs(30))
///     .at_most_once(false)
///     .executor("reports")
///     .store("default")
///     .run_on_start(true);
/// let same: PolicyPatch = serde_json::from_str(r#"{
///     "misfire_grace_time": "5m", "coalesce": "earliest", "max_instances": 2, "overlap": "queue",
///     "timeout": "none", "retries": 3, "backoff": "1s..10s", "jitter": "30s",
///     "at_most_once": false, "executor": "reports", "store": "default", "run_on_start": true
/// }"#)?;
/// assert_eq!(patch, same);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolicyPatch {
    #[serde(with = "optional_limit", skip_serializing_if = "Option::is_none")]
    pub(super) misfire_grace_time: Option<Option<Duration>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) coalesce: Option<Coalesce>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_instances: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) overlap: Option<Overlap>,
    #[serde(with = "optional_limit", skip_serializing_if = "Option::is_none")]
    pub(super) timeout: Option<Option<Duration>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) retries: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) backoff: Option<Backoff>,
    #[serde(with = "optional_duration", skip_serializing_if = "Option::is_none")]
    pub(super) jitter: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) at_most_once: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) executor: Option<Cow<'static, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) store: Option<Cow<'static, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) run_on_start: Option<bool>,
}

impl PolicyPatch {
    /// Makes a patch that changes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Does not run a fire time that cannot start within this of its instant.
    ///
    /// `None`, the default, runs it however late. What is too late is recorded as `missed`. Retries
    /// are never too late.
    #[must_use]
    pub fn misfire_grace_time(mut self, grace: impl Into<Option<Duration>>) -> Self {
        self.misfire_grace_time = Some(grace.into());
        self
    }

    /// Chooses which of several fire times that came due at once are run.
    ///
    /// Default: [`Coalesce::Latest`]. The others are recorded as `coalesced` or `catch_up_limit`.
    #[must_use]
    pub fn coalesce(mut self, coalesce: Coalesce) -> Self {
        self.coalesce = Some(coalesce);
        self
    }

    /// Limits how many runs of the job go on at once, over all nodes of its store.
    ///
    /// Default: 1. A slot is held from claim to final outcome, back-off included, and by a sync
    /// task until its thread has returned. 0 is refused: pause the job instead.
    #[must_use]
    pub fn max_instances(mut self, count: u32) -> Self {
        self.max_instances = Some(count);
        self
    }

    /// Chooses what happens at `max_instances`. Default: [`Overlap::Skip`].
    #[must_use]
    pub fn overlap(mut self, overlap: Overlap) -> Self {
        self.overlap = Some(overlap);
        self
    }

    /// Limits how long one attempt may take. `None`, the default, is no limit.
    ///
    /// An async task is dropped at its next await; a sync task sees
    /// [`is_cancelled`](crate::JobContext::is_cancelled) and keeps its slot until it has returned.
    #[must_use]
    pub fn timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.timeout = Some(timeout.into());
        self
    }

    /// Tries attempts that failed, panicked or timed out again, so many times. Default: 0.
    #[must_use]
    pub fn retries(mut self, count: u32) -> Self {
        self.retries = Some(count);
        self
    }

    /// Sets how long a failed run waits before its next attempt. Default: `1s..1m`, doubling.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = Some(backoff);
        self
    }

    /// Delays each fire time by up to this much, always by the same for one fire time.
    ///
    /// Default: 0. A delay never reaches past the next fire time, and `scheduled_for` stays the
    /// nominal instant.
    #[must_use]
    pub fn jitter(mut self, jitter: Duration) -> Self {
        self.jitter = Some(jitter);
        self
    }

    /// Leaves a run that was lost with its node lost, instead of trying it again. Default: false.
    ///
    /// Contradicts `retries`: the two together are refused.
    #[must_use]
    pub fn at_most_once(mut self, at_most_once: bool) -> Self {
        self.at_most_once = Some(at_most_once);
        self
    }

    /// Names the executor. Default: `"default"`, which for a sync task means `"sync"`.
    #[must_use]
    pub fn executor(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.executor = Some(name.into());
        self
    }

    /// Names the store. Default: `"default"`. A job cannot move to another one.
    #[must_use]
    pub fn store(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.store = Some(name.into());
        self
    }

    /// Runs the job once more each time the process starts, and when the job is added. Default:
    /// false.
    #[must_use]
    pub fn run_on_start(mut self, run: bool) -> Self {
        self.run_on_start = Some(run);
        self
    }

    /// Lays a later patch over this one: what it names takes the place of what this one says.
    ///
    /// ```
    /// use scheduler_core::PolicyPatch;
    ///
    /// let patch = PolicyPatch::new().retries(1).max_instances(2).then(PolicyPatch::new().retries(5));
    /// assert_eq!(patch, PolicyPatch::new().retries(5).max_instances(2));
    /// ```
    #[must_use]
    pub fn then(self, later: Self) -> Self {
        Self {
            misfire_grace_time: later.misfire_grace_time.or(self.misfire_grace_time),
            coalesce: later.coalesce.or(self.coalesce),
            max_instances: later.max_instances.or(self.max_instances),
            overlap: later.overlap.or(self.overlap),
            timeout: later.timeout.or(self.timeout),
            retries: later.retries.or(self.retries),
            backoff: later.backoff.or(self.backoff),
            jitter: later.jitter.or(self.jitter),
            at_most_once: later.at_most_once.or(self.at_most_once),
            executor: later.executor.or(self.executor),
            store: later.store.or(self.store),
            run_on_start: later.run_on_start.or(self.run_on_start),
        }
    }

    /// Lays these policies over `base` and checks that they fit together.
    ///
    /// # Errors
    /// A value outside its bounds, or policies that contradict each other.
    ///
    /// ```
    /// use scheduler_core::{Policies, PolicyPatch};
    ///
    /// let policies = PolicyPatch::new().retries(3).over(&Policies::default())?;
    /// assert_eq!((policies.retries, policies.max_instances), (3, 1));
    ///
    /// let contradiction = PolicyPatch::new().at_most_once(true).over(&policies);
    /// assert!(contradiction.is_err());
    /// # Ok::<(), scheduler_core::PolicyError>(())
    /// ```
    pub fn over(&self, base: &Policies) -> Result<Policies, PolicyError> {
        let policies = Policies {
            misfire_grace_time: self.misfire_grace_time.unwrap_or(base.misfire_grace_time),
            coalesce: self.coalesce.unwrap_or(base.coalesce),
            max_instances: self.max_instances.unwrap_or(base.max_instances),
            overlap: self.overlap.unwrap_or(base.overlap),
            timeout: self.timeout.unwrap_or(base.timeout),
            retries: self.retries.unwrap_or(base.retries),
            backoff: self.backoff.unwrap_or(base.backoff),
            jitter: self.jitter.unwrap_or(base.jitter),
            at_most_once: self.at_most_once.unwrap_or(base.at_most_once),
            executor: self
                .executor
                .clone()
                .unwrap_or_else(|| base.executor.clone()),
            store: self.store.clone().unwrap_or_else(|| base.store.clone()),
            run_on_start: self.run_on_start.unwrap_or(base.run_on_start),
        };
        policies.check()?;
        Ok(policies)
    }
}

/// The shortest back-off; that of intervals, too.
const SHORTEST_WAIT: Duration = Duration::from_millis(1);

impl Policies {
    /// The rules that no single field can know. The macros check the same while compiling.
    fn check(&self) -> Result<(), PolicyError> {
        if self.max_instances == 0 {
            return Err(PolicyError::new(
                "max_instances",
                "0",
                "the job could never run: write 1 or more, or pause the job",
            ));
        }
        if self.at_most_once && self.retries > 0 {
            return Err(PolicyError::new(
                "at_most_once",
                "true",
                "a job that runs at most once cannot be tried again: leave out `retries` or `at_most_once`",
            ));
        }
        for (key, limit) in [
            ("misfire_grace_time", self.misfire_grace_time),
            ("timeout", self.timeout),
        ] {
            // Texts count in microseconds: what is shorter would read as `0s`.
            if limit.is_some_and(|limit| limit.as_micros() == 0) {
                return Err(PolicyError::new(
                    key,
                    "0s",
                    "nothing could ever start or end within it: write a longer time, or `none`",
                ));
            }
        }
        if self.backoff.delay(1) < SHORTEST_WAIT {
            return Err(PolicyError::new(
                "backoff",
                self.backoff.to_string(),
                "a job that keeps failing would do nothing else: wait at least `1ms`",
            ));
        }
        // Counts that were never a text have not been compared with their bounds yet.
        self.coalesce.check()?;
        self.overlap.check()
    }
}

mod optional_limit {
    use super::super::duration_text::limit;
    use serde::{Deserializer, Serializer};
    use std::time::Duration;

    #[allow(clippy::ref_option, clippy::option_option)] // the form that serde calls
    pub(super) fn serialize<S: Serializer>(
        value: &Option<Option<Duration>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        limit::serialize(&value.flatten(), serializer)
    }

    #[allow(clippy::option_option)]
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Option<Duration>>, D::Error> {
        limit::deserialize(deserializer).map(Some)
    }
}

mod optional_duration {
    use super::super::duration_text::required;
    use serde::{Deserializer, Serializer};
    use std::time::Duration;

    #[allow(clippy::ref_option)] // the form that serde calls
    pub(super) fn serialize<S: Serializer>(
        value: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        required::serialize(&value.unwrap_or_default(), serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        required::deserialize(deserializer).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_changes_only_what_it_names() {
        let base = Policies {
            retries: 3,
            ..Policies::default()
        };
        let patch: PolicyPatch = serde_json::from_str(r#"{"max_instances": 2}"#).unwrap();
        let policies = patch.over(&base).unwrap();
        assert_eq!((policies.max_instances, policies.retries), (2, 3));
        assert_eq!(
            serde_json::to_string(&patch).unwrap(),
            r#"{"max_instances":2}"#
        );
    }

    #[test]
    fn none_takes_a_limit_away() {
        let base = Policies {
            timeout: Some(Duration::from_secs(1)),
            ..Policies::default()
        };
        let patch: PolicyPatch = serde_json::from_str(r#"{"timeout": "none"}"#).unwrap();
        assert_eq!(patch.over(&base).unwrap().timeout, None);
    }

    #[test]
    fn contradictions_are_refused_by_name() {
        let check = |json: &str| {
            let patch: PolicyPatch = serde_json::from_str(json).unwrap();
            patch.over(&Policies::default()).unwrap_err().to_string()
        };
        assert!(check(r#"{"max_instances": 0}"#).contains("`max_instances`"));
        assert!(check(r#"{"at_most_once": true, "retries": 1}"#).contains("`at_most_once`"));
        assert!(check(r#"{"timeout": "0s"}"#).contains("`timeout`"));
        assert!(serde_json::from_str::<PolicyPatch>(r#"{"retry": 1}"#).is_err());
    }
}
