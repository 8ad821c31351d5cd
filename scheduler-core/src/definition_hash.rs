//! Hashes of a job's definition in code.
//!
//! They are stored, and compared by other processes, other versions of the program and other versions of this
//! library. So they cover only what was explicitly specified, in frozen words: the trigger, the task, the arguments,
//! and the policies that the attribute, [`Builder::defaults`](crate::Builder::defaults) or an override names. A
//! version of this library that adds a policy, changes a default or words a trigger differently computes the same
//! hashes.

mod v1;

pub(crate) use v1::was_default;

use scheduler_triggers::{Trigger, Zone};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::hash::Fnv1a;
use crate::policy::WrittenPolicy;
use crate::task::arguments::Arguments;

/// The hashes of a definition, as of the last start that changed it.
///
/// They are the same in every process and on every platform, because they are compared with hashes stored by other
/// processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefinitionHash {
    /// The hash of the trigger as it was specified, and of the scheduler's time zone.
    pub trigger: u64,
    /// The hash of the task, its arguments and all policies, as the first schema version stores it.
    ///
    /// Nodes of that version compare only this one, so it is kept up to date for them. Policies that were not
    /// specified count with the defaults of that version.
    pub rest: u64,
    /// The hash of the task, its arguments and the specified policies. `None` in a record that no newer version has
    /// seen yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written: Option<u64>,
}

impl DefinitionHash {
    /// Returns `true` if both triggers were specified identically.
    pub(crate) fn has_trigger_of(&self, other: &Self) -> bool {
        self.trigger == other.trigger
    }

    /// Returns `true` if task, arguments and policies were specified identically.
    ///
    /// Both hashes have to agree: a node of the first version that stores another definition leaves `written`
    /// unchanged.
    pub(crate) fn has_rest_of(&self, other: &Self) -> bool {
        let written = self.written.zip(other.written);
        self.rest == other.rest && written.is_none_or(|(this, other)| this == other)
    }
}

/// What the code, the builder and its overrides specify for a job.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written<'a> {
    pub(crate) trigger: &'a Trigger,
    pub(crate) zone: Zone,
    pub(crate) task: &'a str,
    /// A sync function runs on other threads, which no policy key expresses.
    pub(crate) is_sync: bool,
    pub(crate) arguments: &'a Arguments,
    /// Ordered by key.
    pub(crate) policies: &'a [WrittenPolicy],
}

impl Written<'_> {
    pub(crate) fn hash(self) -> DefinitionHash {
        let trigger = format!("{}\n{}", self.trigger.definition_text(), self.zone.name());
        DefinitionHash {
            trigger: Fnv1a::new().bytes(trigger.as_bytes()).finish(),
            rest: v1::rest(self),
            written: Some(self.written()),
        }
    }

    fn written(self) -> u64 {
        let body = if self.is_sync { "sync" } else { "async" };
        let mut text = format!("{body} {}\n{}\n", self.task, json(self.arguments));
        for (key, value) in self.policies {
            text.extend([key, "=", value, "\n"]);
        }
        Fnv1a::new().bytes(text.as_bytes()).finish()
    }
}

/// Returns the JSON of arguments with sorted names, regardless of the features that `serde_json` was built with.
fn json(arguments: &Arguments) -> String {
    let mut text = String::new();
    write_object(&mut text, arguments.iter());
    text
}

/// Returns the JSON of a value with sorted object keys, or `null` for a value that JSON cannot represent.
pub(crate) fn sorted_json(value: &impl Serialize) -> String {
    let mut text = String::new();
    write_value(&mut text, &serde_json::to_value(value).unwrap_or_default());
    text
}

fn write_object<'a>(text: &mut String, fields: impl Iterator<Item = (&'a str, &'a Value)>) {
    let mut fields: Vec<_> = fields.collect();
    fields.sort_unstable_by_key(|(name, _)| *name);
    text.push('{');
    for (index, (name, value)) in fields.into_iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(&Value::from(name).to_string());
        text.push(':');
        write_value(text, value);
    }
    text.push('}');
}

fn write_value(text: &mut String, value: &Value) {
    match value {
        Value::Object(fields) => {
            write_object(text, fields.iter().map(|(name, it)| (name.as_str(), it)));
        }
        Value::Array(values) => {
            text.push('[');
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_value(text, value);
            }
            text.push(']');
        }
        plain => text.push_str(&plain.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::PolicyPatch;

    fn arguments() -> Arguments {
        let arguments = Arguments::new().with("user_id", 42).unwrap();
        let nested = serde_json::json!({"b": [1, 2.5, null, {"z": true, "a": "\"ü\""}], "a": {}});
        arguments.with("nested", nested).unwrap()
    }

    fn hash(policies: &[WrittenPolicy]) -> DefinitionHash {
        let trigger: Trigger = "cron 0 6 * * mon-fri".parse().unwrap();
        let written = Written {
            trigger: &trigger,
            zone: Zone::UTC,
            task: "report",
            is_sync: false,
            arguments: &arguments(),
            policies,
        };
        written.hash()
    }

    /// These are part of stored records: if this test fails, every stored job would look changed. Fix the code, not
    /// the test.
    #[test]
    fn hashes_of_definitions_are_frozen() {
        let patch = PolicyPatch::new().retries(3).executor("reports");
        assert_eq!(
            hash(&patch.written()),
            DefinitionHash {
                trigger: 0x9afa_ab5f_94f4_5daf,
                rest: 0x4d36_337b_c774_acbd,
                written: Some(0x5134_c479_8b6f_b8c4),
            }
        );
        assert_eq!(
            hash(&[]),
            DefinitionHash {
                trigger: 0x9afa_ab5f_94f4_5daf,
                rest: 0xef85_9cdc_f211_81a4,
                written: Some(0x188e_e0e1_7ae1_dcff),
            }
        );
    }

    #[test]
    fn arguments_are_written_in_the_order_of_their_names() {
        assert_eq!(
            json(&arguments()),
            r#"{"nested":{"a":{},"b":[1,2.5,null,{"a":"\"ü\"","z":true}]},"user_id":42}"#
        );
        assert_eq!(json(&Arguments::new()), "{}");
    }

    /// Simulates a version with one more policy, which the code of a job does not name yet.
    #[test]
    fn policy_added_to_the_library_does_not_change_hashes() {
        let patch = PolicyPatch::new().retries(3);
        let mut with_priority = patch.written();
        assert_eq!(hash(&with_priority), hash(&patch.written()));
        // Once the code names it, the job has changed, even compared with a record of the first version.
        with_priority.push(("priority", "5".to_owned()));
        let stored = DefinitionHash {
            written: None,
            ..hash(&patch.written())
        };
        assert!(!hash(&with_priority).has_rest_of(&stored));
        assert!(!hash(&with_priority).has_rest_of(&hash(&patch.written())));
    }

    #[test]
    fn explicit_default_changes_only_the_hash_of_explicit_policies() {
        let (unwritten, written) = (hash(&[]), hash(&PolicyPatch::new().retries(0).written()));
        assert_eq!(written.rest, unwritten.rest);
        assert!(!written.has_rest_of(&unwritten));
        let of_v1 = DefinitionHash {
            written: None,
            ..unwritten
        };
        assert!(written.has_rest_of(&of_v1));
    }

    #[test]
    fn record_overwritten_by_a_node_of_the_first_version_is_another_definition() {
        let ours = hash(&PolicyPatch::new().retries(3).written());
        let theirs = hash(&PolicyPatch::new().retries(4).written());
        let overwritten = DefinitionHash {
            written: ours.written,
            ..theirs
        };
        assert!(!ours.has_rest_of(&overwritten));
    }
}
