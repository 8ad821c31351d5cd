//! The frozen policy texts from which hashes of job definitions are computed.
//!
//! They are generated from values rather than from `Display` or serde, whose output may change. These texts must not
//! change: every stored job would appear modified.

use std::borrow::Cow;
use std::time::Duration;

use scheduler_triggers::definition_duration;

use super::patch::PolicyPatch;
use super::{Backoff, Coalesce, Overlap};

/// An explicitly set policy: its key, and its value as a JSON fragment.
pub(crate) type WrittenPolicy = (&'static str, String);

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
        impl PolicyPatch {
            /// Returns the policies that this patch sets, ordered by key.
            pub(crate) fn written(&self) -> Vec<WrittenPolicy> {
                let mut written = Vec::new();
                $(
                    if let Some(value) = &self.$name {
                        written.push((stringify!($name), value.definition_text()));
                    }
                )+
                written.sort_unstable_by_key(|(key, _)| *key);
                written
            }
        }
    };
}

scheduler_triggers::policies!(define);

/// A policy type with the text that is hashed.
trait DefinitionText {
    fn definition_text(&self) -> String;
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

impl DefinitionText for u32 {
    fn definition_text(&self) -> String {
        self.to_string()
    }
}

impl DefinitionText for bool {
    fn definition_text(&self) -> String {
        self.to_string()
    }
}

impl DefinitionText for Cow<'static, str> {
    fn definition_text(&self) -> String {
        quoted(self)
    }
}

impl DefinitionText for Duration {
    fn definition_text(&self) -> String {
        quoted(&definition_duration(*self))
    }
}

impl DefinitionText for Option<Duration> {
    fn definition_text(&self) -> String {
        match self {
            Some(limit) => limit.definition_text(),
            None => quoted("none"),
        }
    }
}

impl DefinitionText for Backoff {
    fn definition_text(&self) -> String {
        let (first, max) = self.bounds();
        let (shown, longest) = (definition_duration(first), definition_duration(max));
        if first == max {
            quoted(&shown)
        } else {
            quoted(&format!("{shown}..{longest}"))
        }
    }
}

impl DefinitionText for Coalesce {
    fn definition_text(&self) -> String {
        match self {
            Self::Latest => quoted("latest"),
            Self::Earliest => quoted("earliest"),
            Self::All(count) => quoted(&format!("all({count})")),
        }
    }
}

impl DefinitionText for Overlap {
    fn definition_text(&self) -> String {
        match self {
            Self::Skip => quoted("skip"),
            Self::Queue(count) => quoted(&format!("queue({count})")),
            Self::CancelRunning => quoted("cancel_running"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_policies_have_frozen_texts() {
        let patch = PolicyPatch::new()
            .misfire_grace_time(Duration::from_secs(90))
            .coalesce(Coalesce::All(20))
            .max_instances(2)
            .overlap(Overlap::Queue(3))
            .timeout(None)
            .retries(0)
            .backoff(Backoff::exponential(
                Duration::from_millis(250),
                Duration::from_secs(90),
            ))
            .jitter(Duration::ZERO)
            .at_most_once(false)
            .executor("a \"b\"")
            .store("ledger")
            .run_on_start(true);
        let texts: Vec<String> = patch
            .written()
            .into_iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        let frozen = [
            r"at_most_once=false",
            r#"backoff="250ms..1m 30s""#,
            r#"coalesce="all(20)""#,
            r#"executor="a \"b\"""#,
            r#"jitter="0s""#,
            r"max_instances=2",
            r#"misfire_grace_time="1m 30s""#,
            r#"overlap="queue(3)""#,
            r"retries=0",
            r"run_on_start=true",
            r#"store="ledger""#,
            r#"timeout="none""#,
        ];
        assert_eq!(texts, frozen);
        let patch = PolicyPatch::new()
            .coalesce(Coalesce::Earliest)
            .overlap(Overlap::CancelRunning)
            .backoff(Backoff::constant(Duration::from_secs(5)));
        let values: Vec<String> = patch.written().into_iter().map(|it| it.1).collect();
        assert_eq!(values, [r#""5s""#, r#""earliest""#, r#""cancel_running""#]);
        assert!(PolicyPatch::new().written().is_empty());
    }
}
