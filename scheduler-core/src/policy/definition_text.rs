//! The frozen texts of policies that hashes of job definitions are made of.
//!
//! They are made from values, and from neither `Display` nor serde, whose words may change. These must
//! not: every stored job would look changed. A new policy adds an entry.

use std::time::Duration;

use scheduler_triggers::definition_duration;

use super::patch::PolicyPatch;
use super::{Backoff, Coalesce, Overlap};

/// A policy that was written, by its key, and its value as a fragment of JSON.
pub(crate) type WrittenPolicy = (&'static str, String);

impl PolicyPatch {
    /// Returns the policies that this patch names, in the order of their keys.
    pub(crate) fn written(&self) -> Vec<WrittenPolicy> {
        let values = [
            ("at_most_once", self.at_most_once.map(|it| it.to_string())),
            ("backoff", self.backoff.map(backoff)),
            ("coalesce", self.coalesce.map(coalesce)),
            ("executor", self.executor.as_deref().map(quoted)),
            ("jitter", self.jitter.map(duration)),
            ("max_instances", self.max_instances.map(|it| it.to_string())),
            ("misfire_grace_time", self.misfire_grace_time.map(limit)),
            ("overlap", self.overlap.map(overlap)),
            ("retries", self.retries.map(|it| it.to_string())),
            ("run_on_start", self.run_on_start.map(|it| it.to_string())),
            ("store", self.store.as_deref().map(quoted)),
            ("timeout", self.timeout.map(limit)),
        ];
        let named = values.into_iter();
        named
            .filter_map(|(key, value)| Some((key, value?)))
            .collect()
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn duration(duration: Duration) -> String {
    quoted(&definition_duration(duration))
}

fn limit(limit: Option<Duration>) -> String {
    limit.map_or_else(|| quoted("none"), duration)
}

fn backoff(backoff: Backoff) -> String {
    let (first, max) = backoff.bounds();
    let (shown, longest) = (definition_duration(first), definition_duration(max));
    if first == max {
        quoted(&shown)
    } else {
        quoted(&format!("{shown}..{longest}"))
    }
}

fn coalesce(coalesce: Coalesce) -> String {
    match coalesce {
        Coalesce::Latest => quoted("latest"),
        Coalesce::Earliest => quoted("earliest"),
        Coalesce::All(count) => quoted(&format!("all({count})")),
    }
}

fn overlap(overlap: Overlap) -> String {
    match overlap {
        Overlap::Skip => quoted("skip"),
        Overlap::Queue(count) => quoted(&format!("queue({count})")),
        Overlap::CancelRunning => quoted("cancel_running"),
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
