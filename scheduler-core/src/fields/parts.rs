//! The fields that jobs and job patches have in common.

use std::sync::Arc;

use scheduler_triggers::policies::POLICIES;
use scheduler_triggers::{Trigger, Zone};
use serde_json::{Map, Value};

use super::{FieldError, FieldProblem, Fields};
use crate::policy::{Policies, PolicyPatch};
use crate::revision::Revision;
use crate::task::arguments::Arguments;

impl Fields {
    /// Takes `trigger`, as text or as a map with `type`, and `timezone`, which applies to a text that names no time
    /// zone.
    pub fn trigger(&mut self) -> Option<Trigger> {
        let zone = self.zone();
        let Some(value) = self.take("trigger") else {
            if zone.is_some() {
                let message = "it belongs to a trigger, and there is none: give both";
                self.refuse("timezone", FieldProblem::invalid(message));
            }
            return None;
        };
        let is_text = value.is_string();
        let read = if is_text || value.is_object() {
            serde_json::from_value::<Trigger>(value).map_err(FieldProblem::invalid)
        } else {
            let expected = "text such as `every 5m` or an object with `type`";
            Err(FieldProblem::wrong_type(expected, &value))
        };
        let (field, refused) = match (read, zone) {
            (Err(problem), _) => ("trigger", problem),
            (Ok(trigger), None) => return Some(trigger),
            (Ok(trigger), Some(zone)) => match in_zone(trigger, is_text, zone) {
                Ok(trigger) => return Some(trigger),
                Err(problem) => {
                    // The trigger itself was given and is valid.
                    self.answer("trigger");
                    ("timezone", problem)
                }
            },
        };
        self.refuse(field, refused);
        None
    }

    fn zone(&mut self) -> Option<Zone> {
        let zone = self.text("timezone", Self::MAX_NAME)?.parse();
        let zone = zone.map_err(FieldProblem::invalid);
        zone.map_err(|problem| self.refuse("timezone", problem))
            .ok()
    }

    /// Takes `revision`, the text of a [`Revision`].
    pub(crate) fn revision(&mut self) -> Option<Revision> {
        let revision = self.text("revision", Self::MAX_NAME)?.parse();
        let revision = revision.map_err(FieldProblem::invalid);
        revision
            .map_err(|problem| self.refuse("revision", problem))
            .ok()
    }

    /// Takes `arguments`, an object with the arguments by name.
    ///
    /// Only the task defines what they have to be, so they are checked when the job is added. The only check here
    /// refuses arguments with more than 64 levels of lists and objects.
    pub fn arguments(&mut self) -> Option<Arguments> {
        let arguments: Arguments = match self.take("arguments")? {
            Value::Object(arguments) => arguments.into(),
            other => {
                let expected = "an object with the arguments by name";
                self.refuse("arguments", FieldProblem::wrong_type(expected, &other));
                return None;
            }
        };
        if let Some((name, problem)) = arguments.too_deep() {
            self.refuse(format!("arguments.{name}"), FieldProblem::invalid(problem));
            return None;
        }
        Some(arguments)
    }

    /// Takes `policies`, an object with policies by name. Each policy is checked on its own. Their consistency is
    /// checked when they are applied on top of the job's other policies.
    pub fn policies(&mut self) -> Option<PolicyPatch> {
        let written = match self.take("policies")? {
            Value::Object(written) => written,
            other => {
                self.refuse("policies", FieldProblem::wrong_type("an object", &other));
                return None;
            }
        };
        let known: Arc<[&str]> = POLICIES.iter().map(|policy| policy.name).collect();
        let mut patch = PolicyPatch::new();
        for (name, value) in written {
            let field = || format!("policies.{name}");
            if !known.contains(&name.as_str()) {
                let problem = || FieldProblem::unknown_among("policy", &name, &known);
                self.errors.push(|| FieldError::new(field(), problem()));
                continue;
            }
            match one_policy(&name, value) {
                Ok(one) => patch = patch.then(one),
                Err(problem) => self.refuse(field(), problem),
            }
        }
        Some(patch)
    }
}

fn in_zone(trigger: Trigger, is_text: bool, zone: Zone) -> Result<Trigger, FieldProblem> {
    if !is_text {
        let message = "a trigger in the JSON form has its own `timezone`: write it there";
        return Err(FieldProblem::invalid(message));
    }
    if let Some(own) = trigger.zone() {
        let message = format!("the trigger says `timezone={own}` itself: leave one of the two out");
        return Err(FieldProblem::invalid(message));
    }
    trigger.timezone(zone).map_err(FieldProblem::invalid)
}

/// Reads a single policy, so that each error has the policy's name. `null` counts as absent.
fn one_policy(name: &str, value: Value) -> Result<PolicyPatch, FieldProblem> {
    if value.is_null() {
        return Ok(PolicyPatch::new());
    }
    let one = Map::from_iter([(name.to_owned(), value)]);
    let one: PolicyPatch =
        serde_json::from_value(Value::Object(one)).map_err(FieldProblem::invalid)?;
    // A single policy never contradicts the defaults, so this checks only its own bounds.
    one.over(&Policies::default())
        .map_err(FieldProblem::invalid)?;
    Ok(one)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(json: &str) -> Fields {
        serde_json::from_str(json).unwrap()
    }

    fn wrong(json: &str) -> String {
        let mut fields = fields(json);
        let _ = (fields.trigger(), fields.arguments(), fields.policies());
        fields.finish().unwrap_err().to_string()
    }

    #[test]
    fn zone_applies_to_a_text_that_names_none() {
        let mut written = fields(r#"{"trigger": "0 9 * * *", "timezone": "Europe/Berlin"}"#);
        let trigger = written.trigger().unwrap().to_string();
        assert_eq!(trigger, "cron 0 9 * * * timezone=Europe/Berlin");
        for (json, part) in [
            (r#"{"timezone": "UTC"}"#, "give both"),
            (r#"{"trigger": "0 9 * * *", "timezone": "UCT+1"}"#, "IANA"),
            (
                r#"{"trigger": "cron 0 9 * * * timezone=UTC", "timezone": "UTC"}"#,
                "leave one",
            ),
            (
                r#"{"trigger": {"type": "cron", "expr": "0 9 * * *"}, "timezone": "UTC"}"#,
                "write it there",
            ),
            (
                r#"{"trigger": "every 5m", "timezone": "UTC"}"#,
                "`timezone`: ",
            ),
        ] {
            let wrong = wrong(json);
            assert!(
                wrong.starts_with("`timezone`: ") && wrong.contains(part),
                "{json}: {wrong}"
            );
        }
    }

    #[test]
    fn trigger_whose_zone_is_refused_is_not_missing() {
        let json =
            r#"{"trigger": "and(cron 0 6 * * *; cron hour=6)", "timezone": "Europe/Berlin"}"#;
        let mut written = fields(json);
        assert!(written.trigger().is_none());
        written.missing("trigger", "say when to run");
        let errors = written.finish().unwrap_err();
        let named: Vec<&str> = errors.iter().map(|error| &*error.field).collect();
        assert_eq!(named, ["timezone"], "{errors}");
    }

    #[test]
    fn argument_nested_too_deep_is_refused_by_name() {
        let nested = |levels| {
            let (open, close) = ("[".repeat(levels), "]".repeat(levels));
            format!(r#"{{"arguments": {{"tree": {open}{close}}}}}"#)
        };
        assert!(fields(&nested(64)).arguments().is_some());
        let wrong = wrong(&nested(65));
        assert!(
            wrong.starts_with("`arguments.tree`: it has more than 64 levels"),
            "{wrong}"
        );
    }

    #[test]
    fn policies_are_read_one_by_one_within_their_bounds() {
        let json = r#"{"policies": {
            "max_instances": 0, "retries": "3", "timeout": "soon", "jitter": null, "overlap": "queue(0)",
            "retris": 1, "backoff": "1s..1m"
        }}"#;
        let wrong = wrong(json);
        for part in [
            "5 fields",
            "`policies.max_instances`: ",
            "`policies.overlap`: ",
            "`policies.retries`: ",
            "`policies.retris`: there is no such policy: did you mean `retries`?",
            "`policies.timeout`: ",
        ] {
            assert!(wrong.contains(part), "{part}: {wrong}");
        }
    }

    #[test]
    fn contradictions_with_other_policies_are_left_to_the_job() {
        let mut written = fields(r#"{"policies": {"at_most_once": true, "retries": 2}}"#);
        let patch = PolicyPatch::new().at_most_once(true).retries(2);
        assert_eq!(written.policies(), Some(patch));
    }
}
