//! Secret arguments, `#[arg(secret)]`: their placeholder, and its meaning when it is sent back.

use scheduler_core::{Arguments, ParameterInfo, TaskInfo};
use serde_json::Value;

/// The placeholder for a secret value.
pub(crate) const WITHHELD: &str = "***";

/// Returns the arguments without secret values. The task defines which of them are secret: if it is not in this
/// program, all of them may be.
pub(crate) fn shown(task: Option<&TaskInfo>, arguments: Arguments) -> Arguments {
    if !arguments.iter().any(|(name, _)| may_be_secret(task, name)) {
        return arguments;
    }
    replaced(&arguments, |name, value| {
        if may_be_secret(task, name) {
            Value::from(WITHHELD)
        } else {
            value.clone()
        }
    })
}

/// Returns `true` if a value is the placeholder.
pub(crate) fn has_withheld(arguments: &Arguments) -> bool {
    arguments.iter().any(|(_, value)| value == WITHHELD)
}

/// Returns the arguments with each placeholder of a secret replaced by the stored value.
///
/// # Errors
/// The name of a secret that has the placeholder, but no stored value.
pub(crate) fn restored(
    task: Option<&TaskInfo>,
    given: &Arguments,
    stored: &Arguments,
) -> Result<Arguments, String> {
    let is_withheld = |name: &str, value: &Value| value == WITHHELD && may_be_secret(task, name);
    let missing = given
        .iter()
        .find(|(name, value)| is_withheld(name, value) && stored.get(name).is_none());
    if let Some((name, _)) = missing {
        return Err(name.to_owned());
    }
    Ok(replaced(given, |name, value| {
        let kept = stored.get(name).filter(|_| is_withheld(name, value));
        kept.unwrap_or(value).clone()
    }))
}

fn may_be_secret(task: Option<&TaskInfo>, name: &str) -> bool {
    let Some(task) = task else { return true };
    let named = |parameter: &&ParameterInfo| parameter.name == name;
    task.parameters
        .iter()
        .find(named)
        // A parameter that the task no longer has may have been secret.
        .is_none_or(|parameter| parameter.secret)
}

fn replaced(arguments: &Arguments, value: impl Fn(&str, &Value) -> Value) -> Arguments {
    let replaced = arguments
        .iter()
        .map(|(name, old)| (name.to_owned(), value(name, old)));
    Arguments::from(replaced.collect::<serde_json::Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn arguments(value: Value) -> Arguments {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn nothing_of_a_job_whose_task_is_elsewhere_is_shown() {
        let stored = arguments(json!({"key": {"id": 1}, "city": "Berlin"}));
        let shown = shown(None, stored.clone());
        assert_eq!(shown, arguments(json!({"key": "***", "city": "***"})));
        assert_eq!(restored(None, &shown, &stored), Ok(stored));
    }

    #[test]
    fn what_was_never_stored_cannot_be_kept() {
        let given = arguments(json!({"key": "***"}));
        assert_eq!(
            restored(None, &given, &Arguments::new()),
            Err("key".to_owned())
        );
    }
}
