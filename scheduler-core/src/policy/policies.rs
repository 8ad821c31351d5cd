//! A complete set of policies for a job.

use std::borrow::Cow;
use std::time::Duration;

use scheduler_triggers::policies::named;
use serde::{Deserialize, Serialize};

use super::check::Check;
use super::{Backoff, Coalesce, Overlap, json};
use crate::error::PolicyError;

/// The name of the executor and the store that jobs use by default.
pub(crate) const DEFAULT_NAME: &str = "default";

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
        /// A complete set of policies for a job.
        ///
        /// Created by applying [`PolicyPatch`](super::PolicyPatch)es on top of [`Policies::default`].
        ///
        /// ```
        /// use scheduler_core::{Coalesce, Overlap, Policies};
        ///
        /// let policies = Policies::default();
        /// assert_eq!(policies.max_instances, 1);
        /// assert_eq!((policies.coalesce, policies.overlap), (Coalesce::Latest, Overlap::Skip));
        /// assert_eq!((policies.misfire_grace_time, policies.timeout), (None, None));
        /// ```
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(default)]
        #[non_exhaustive]
        pub struct Policies {
            $(
                #[doc = concat!($meaning, " Default: `", stringify!($default), "`.")]
                #[serde(with = "json")]
                pub $name: $type,
            )+
        }

        impl Default for Policies {
            fn default() -> Self {
                Self { $($name: $value),+ }
            }
        }

        impl Policies {
            /// Checks the bounds of each policy, and that the policies do not contradict each other. The macros check
            /// the same at compile time.
            pub(super) fn check(&self) -> Result<(), PolicyError> {
                $(
                    Check::check(&self.$name, &named::$name)?;
                    $(
                        if differ(&self.$name, &$value)
                            && differ(&self.$other, &Self::default().$other)
                        {
                            let value = self.$name.to_string();
                            return Err(PolicyError::new(stringify!($name), value, $problem));
                        }
                    )?
                )+
                Ok(())
            }
        }
    };
}

scheduler_triggers::policies!(define);

fn differ<T: PartialEq>(value: &T, other: &T) -> bool {
    value != other
}

#[cfg(test)]
mod tests {
    use scheduler_triggers::policies::POLICIES;

    use super::*;

    #[test]
    fn defaults_are_those_that_the_table_shows() {
        let written = serde_json::to_string(&Policies::default()).unwrap();
        let entries: Vec<String> = POLICIES
            .iter()
            .map(|policy| format!("\"{}\":{}", policy.name, policy.default))
            .collect();
        assert_eq!(written, format!("{{{}}}", entries.join(",")));
    }

    #[test]
    fn samples_of_the_table_are_accepted() {
        for policy in POLICIES {
            for sample in policy.samples {
                let json = format!("{{\"{}\":{sample}}}", policy.name);
                let patch: super::super::PolicyPatch = serde_json::from_str(&json).unwrap();
                assert!(patch.over(&Policies::default()).is_ok(), "{json}");
            }
        }
    }

    #[test]
    fn record_without_a_policy_has_its_default() {
        let policies: Policies = serde_json::from_str(r#"{"retries":3}"#).unwrap();
        assert_eq!((policies.retries, policies.max_instances), (3, 1));
    }
}
