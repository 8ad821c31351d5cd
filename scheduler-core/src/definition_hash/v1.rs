//! The hash of task, arguments and policies as the first schema version stores it. It is frozen.
//!
//! Nodes of that version hash the JSON of all policies, with their own defaults. This copies what they do, from
//! values and with those defaults in a table, so that no new policy, changed default or changed wording in this
//! version affects it.

use serde_json::Value;

use super::{Written, json};
use crate::hash::Fnv1a;

/// The policies of that version in the order of their JSON, with their defaults.
const DEFAULTS: [(&str, &str); 12] = [
    ("misfire_grace_time", r#""none""#),
    ("coalesce", r#""latest""#),
    ("max_instances", "1"),
    ("overlap", r#""skip""#),
    ("timeout", r#""none""#),
    ("retries", "0"),
    ("backoff", r#""1s..1m""#),
    ("jitter", r#""0s""#),
    ("at_most_once", "false"),
    ("executor", r#""default""#),
    ("store", r#""default""#),
    ("run_on_start", "false"),
];

/// Returns `true` if this was the default of the policy in that version, so that it was not stored. A version with
/// another default can recognize the earlier one this way.
pub(crate) fn was_default(key: &str, value: &Value) -> bool {
    let of_key = DEFAULTS.into_iter().filter(|(name, _)| *name == key);
    of_key
        .filter_map(|(_, text)| serde_json::from_str::<Value>(text).ok())
        .any(|default| default == *value)
}

pub(super) fn rest(written: Written<'_>) -> u64 {
    let text = text(written);
    Fnv1a::new().bytes(text.as_bytes()).finish()
}

fn text(written: Written<'_>) -> String {
    let mut text = format!("{}\n{}\n{{", written.task, json(written.arguments));
    for (index, (key, default)) in DEFAULTS.into_iter().enumerate() {
        let named = written.policies.iter().find(|(name, _)| *name == key);
        let mut value = named.map_or(default, |(_, value)| value.as_str());
        if key == "executor" && written.is_sync && value == default {
            value = r#""sync""#;
        }
        let comma = if index > 0 { "," } else { "" };
        text.extend([comma, "\"", key, "\":", value]);
    }
    text.push('}');
    // That version knows no other policies, so it has no hash for a definition that names one. Any hash will do, as
    // long as it is different.
    for (key, value) in written.policies {
        if DEFAULTS.iter().all(|(known, _)| known != key) {
            text.extend(["\n", *key, "=", value.as_str()]);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use scheduler_triggers::{Trigger, Zone};

    use super::*;
    use crate::policy::{Policies, PolicyPatch, WrittenPolicy};
    use crate::task::arguments::Arguments;

    fn text_of(policies: &[WrittenPolicy], is_sync: bool) -> String {
        text(Written {
            trigger: &Trigger::now(),
            zone: Zone::UTC,
            task: "report",
            is_sync,
            arguments: &Arguments::new(),
            policies,
        })
    }

    #[test]
    fn definitions_have_the_text_that_the_first_version_hashes() {
        let frozen = concat!(
            "report\n{}\n",
            r#"{"misfire_grace_time":"none","coalesce":"latest","max_instances":1,"#,
            r#""overlap":"skip","timeout":"none","retries":3,"backoff":"1s..1m","jitter":"0s","#,
            r#""at_most_once":false,"executor":"default","store":"default","run_on_start":false}"#
        );
        let written = PolicyPatch::new().retries(3).written();
        assert_eq!(text_of(&written, false), frozen);
        let of_sync = frozen.replace(r#""executor":"default""#, r#""executor":"sync""#);
        assert_eq!(text_of(&written, true), of_sync);
        let written = PolicyPatch::new().retries(3).executor("own").written();
        let own = frozen.replace(r#""executor":"default""#, r#""executor":"own""#);
        assert_eq!(text_of(&written, true), own);
    }

    /// Shows that the copy is exact for the policies that this version knows.
    #[test]
    fn frozen_text_still_equals_the_json_of_policies() {
        let json = serde_json::to_string(&Policies::default()).unwrap();
        let known = DEFAULTS.map(|(key, default)| format!("\"{key}\":{default}"));
        let mut rest = json.as_str();
        for entry in &known {
            let at = rest.find(entry.as_str()).unwrap();
            rest = &rest[at + entry.len()..];
        }
        let text = format!("report\n{{}}\n{{{}}}", known.join(","));
        assert_eq!(text_of(&[], false), text);
    }
}
