//! Every case of `cases/public_fire_times.jsonl`: a trigger, an instant, and the fire times that follow. The expected
//! instants were computed without this project's code.

use chrono::{DateTime, Utc};
use scheduler_core::Trigger;
use serde::Deserialize;

const CASES: &str = include_str!("../../cases/public_fire_times.jsonl");

#[derive(Debug, Deserialize)]
struct Case {
    id: String,
    source: String,
    trigger: String,
    after: DateTime<Utc>,
    /// Empty for a trigger that must be refused.
    fires: Vec<DateTime<Utc>>,
}

fn cases() -> Vec<Case> {
    let lines = CASES.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn judge(case: &Case) -> Result<(), String> {
    let found: Vec<_> = match case.trigger.parse::<Trigger>() {
        Ok(trigger) => {
            let fires = trigger.upcoming(case.after);
            fires.take(case.fires.len().max(1)).collect()
        }
        Err(_) if case.fires.is_empty() => Vec::new(),
        Err(error) => return Err(format!("refused: {error}")),
    };
    if found == case.fires {
        return Ok(());
    }
    Err(format!(
        "\n  expected {:?}\n  found    {found:?}",
        case.fires
    ))
}

#[test]
fn reported_triggers_fire_when_they_should() {
    let failures: Vec<String> = cases()
        .iter()
        .filter_map(|case| {
            let reason = judge(case).err()?;
            let Case {
                id,
                source,
                trigger,
                ..
            } = case;
            Some(format!("{id} ({source}) {trigger}: {reason}"))
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn each_case_names_its_source_once() {
    let cases = cases();
    let ids: std::collections::HashSet<_> = cases.iter().map(|case| &case.id).collect();
    assert_eq!(ids.len(), cases.len(), "ids are unique");
    assert!(cases.len() >= 109, "{}", cases.len());
    assert!(cases.iter().all(|case| !case.source.is_empty()));
}
