//! A partial set of policies that overrides others.

use std::borrow::Cow;
use std::time::Duration;

use serde::ser::Error as _;
use serde::{Deserialize, Serialize, Serializer};

use super::{Backoff, Coalesce, IntoPolicy, Overlap, Policies, json};
use crate::error::PolicyError;

macro_rules! define {
    ($(
        $(#[$doc:meta])*
        $name:ident($argument:ident: $input:ty): $type:ty = $value:expr;
        kind: $kind:expr;
        default: $default:literal;
        samples: $($sample:literal),+;
        $(excludes: $other:ident, $problem:literal;)?
        meaning: $meaning:literal;
    )+) => {
        /// A partial set of policies for a job. Policies that are not set stay unchanged.
        ///
        /// Used by `builder.defaults(…)`, overrides and [`modify_job`](crate::Scheduler::modify_job). Its JSON has
        /// one entry for each policy that is set; durations are text such as `"10m"`, and `"none"` removes a limit.
        /// The methods accept such texts too. A text that cannot be parsed is reported when the patch is used.
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
            $(
                #[serde(with = "json::named", skip_serializing_if = "Option::is_none")]
                pub(super) $name: Option<$type>,
            )+
            /// Texts that could not be parsed, at most one per policy.
            #[serde(
                skip_deserializing,
                serialize_with = "refuse",
                skip_serializing_if = "Vec::is_empty"
            )]
            unreadable: Vec<PolicyError>,
        }

        /// One method for each policy.
        impl PolicyPatch {
            $(
                $(#[$doc])*
                #[must_use]
                pub fn $name(mut self, $argument: $input) -> Self {
                    let value = IntoPolicy::<$type>::into_policy($argument, stringify!($name));
                    self.$name = self.readable(stringify!($name), value);
                    self
                }
            )+
        }

        impl PolicyPatch {
            fn names(&self, policy: &str) -> bool {
                $((policy == stringify!($name) && self.$name.is_some()))||+
                    || self.unreadable.iter().any(|error| error.policy() == policy)
            }

            fn take(&mut self, later: Self) {
                $(
                    if later.$name.is_some() {
                        self.$name = later.$name;
                    }
                )+
                self.unreadable.extend(later.unreadable);
            }

            fn named_or(&self, base: &Policies) -> Policies {
                Policies {
                    $($name: self.$name.as_ref().unwrap_or(&base.$name).clone(),)+
                }
            }
        }
    };
}

scheduler_triggers::policies!(define);

impl PolicyPatch {
    /// Creates a patch that changes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Applies a later patch on top of this one. Policies that it sets replace those of this patch.
    ///
    /// ```
    /// use scheduler_core::PolicyPatch;
    ///
    /// let patch = PolicyPatch::new().retries(1).max_instances(2).then(PolicyPatch::new().retries(5));
    /// assert_eq!(patch, PolicyPatch::new().retries(5).max_instances(2));
    /// ```
    #[must_use]
    pub fn then(mut self, later: Self) -> Self {
        self.unreadable.retain(|error| !later.names(error.policy()));
        self.take(later);
        self
    }

    /// Applies these policies on top of `base` and checks that they are consistent.
    ///
    /// # Errors
    /// Returns an error for a text that could not be parsed, a value outside its bounds, or policies that contradict
    /// each other.
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
        if let Some(error) = self.unreadable.first() {
            return Err(error.clone());
        }
        let policies = self.named_or(base);
        policies.check()?;
        Ok(policies)
    }

    /// Keeps the error of a value that could not be parsed, to be reported when the patch is used. The last value of
    /// a policy counts.
    fn readable<T>(&mut self, policy: &'static str, value: Result<T, PolicyError>) -> Option<T> {
        self.unreadable.retain(|error| error.policy() != policy);
        value.map_err(|error| self.unreadable.push(error)).ok()
    }
}

/// Refuses to serialize a patch that contains an error.
fn refuse<S: Serializer>(unreadable: &[PolicyError], _: S) -> Result<S::Ok, S::Error> {
    let first = unreadable.first().map(ToString::to_string);
    Err(S::Error::custom(first.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patch_changes_only_the_policies_that_it_sets() {
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
    fn none_removes_a_limit() {
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
        assert!(serde_json::from_str::<PolicyPatch>(r#"{"unreadable": []}"#).is_err());
    }

    #[test]
    fn unreadable_text_is_reported_unless_a_later_value_replaces_it() {
        let problem = |patch: &PolicyPatch| {
            patch
                .over(&Policies::default())
                .map_err(|it| it.to_string())
        };
        let patch = PolicyPatch::new().timeout("soon").jitter("5");
        let refused = problem(&patch).unwrap_err();
        assert!(
            refused.starts_with("`timeout`: cannot take `soon`"),
            "{refused}"
        );
        assert!(serde_json::to_string(&patch).is_err());
        let patch = patch.timeout("1s");
        let refused = problem(&patch).unwrap_err();
        assert!(refused.contains("`jitter`: cannot take `5`"), "{refused}");
        assert!(refused.ends_with("write `5s`"), "{refused}");
        let patch = patch.then(PolicyPatch::new().jitter("5s"));
        assert_eq!(patch, PolicyPatch::new().timeout("1s").jitter("5s"));
        let patch = patch.then(PolicyPatch::new().jitter("soon"));
        assert!(problem(&patch).unwrap_err().contains("`soon`"));
        let patch = patch.then(PolicyPatch::new().jitter("later"));
        assert!(problem(&patch).unwrap_err().contains("`later`"));
    }

    #[test]
    fn texts_are_those_of_json() {
        let text = "90s".to_owned();
        let patch = PolicyPatch::new()
            .misfire_grace_time("none")
            .coalesce("all(20)")
            .overlap(String::from("queue"))
            .timeout(&text)
            .backoff("5s..1m")
            .jitter("250ms");
        let json = r#"{"misfire_grace_time":"none","coalesce":"all(20)","overlap":"queue(1)","timeout":"1m 30s","backoff":"5s..1m","jitter":"250ms"}"#;
        assert_eq!(serde_json::to_string(&patch).unwrap(), json);
        assert_eq!(patch, serde_json::from_str(json).unwrap());
        assert_eq!(patch, patch.clone().timeout(text));
    }
}
