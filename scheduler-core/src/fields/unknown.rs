//! Fields that are unknown in their position.

use std::borrow::Cow;
use std::sync::Arc;

use scheduler_triggers::Trigger;
use scheduler_triggers::policies::POLICIES;

use super::error::FieldProblem;

/// Returns the problem of an unknown field. A name that belongs elsewhere in a job is a likelier mistake than a
/// misspelled one.
pub(super) fn unknown_field(name: &str, known: &Arc<[&'static str]>) -> FieldProblem {
    match elsewhere(name, known) {
        Some(place) => FieldProblem::Unknown {
            what: "field",
            suggestion: Some(place),
            known: known.clone(),
        },
        None => FieldProblem::unknown_among("field", name, known),
    }
}

/// Returns where data contains what is a key of the attribute: kinds of triggers are in `trigger`, policies in
/// `policies`.
fn elsewhere(name: &str, known: &[&'static str]) -> Option<Cow<'static, str>> {
    if known.contains(&"trigger") && Trigger::kinds().any(|kind| kind == name) {
        return Some("trigger".into());
    }
    let is_policy = POLICIES.iter().any(|policy| policy.name == name);
    (is_policy && known.contains(&"policies")).then(|| format!("policies.{name}").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misplaced_keys_are_reported_with_their_place() {
        let known: [&'static str; 3] = ["task", "trigger", "policies"];
        let problem =
            |name: &str, known: &[&'static str]| unknown_field(name, &known.into()).to_string();
        assert!(problem("cron", &known).ends_with("did you mean `trigger`?"));
        assert!(problem("retries", &known).ends_with("did you mean `policies.retries`?"));
        assert!(problem("retries", &["task"]).ends_with("it takes `task`"));
        assert!(problem("tsk", &known).ends_with("did you mean `task`?"));
    }
}
