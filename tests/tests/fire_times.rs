//! Every case of `cases/fire_times.jsonl`: a trigger, an instant, and the fire times that follow.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test's helpers are tests too"
)]

use chrono::{DateTime, Utc};
use scheduler_triggers::Trigger;
use serde_json::Value;

const CASES: &str = include_str!("../cases/fire_times.jsonl");
const FIRES: usize = 8;

/// Compares the instants of a case with those of the trigger. A refused trigger never fires.
fn judge(case: &Value) -> Result<(), String> {
    let instant = |value: &Value| -> DateTime<Utc> {
        let text = value.as_str().unwrap_or_default();
        text.parse()
            .unwrap_or_else(|error| panic!("{text}: {error}"))
    };
    let expected: Vec<_> = case["fires"]
        .as_array()
        .into_iter()
        .flatten()
        .map(instant)
        .collect();
    let actual = match serde_json::from_value::<Trigger>(case["trigger"].clone()) {
        Ok(trigger) => trigger
            .upcoming(instant(&case["after"]))
            .take(FIRES)
            .collect(),
        Err(_) if expected.is_empty() => Vec::new(),
        Err(error) => return Err(format!("refused: {error}")),
    };
    if actual == expected {
        return Ok(());
    }
    Err(format!("\n  expected {expected:?}\n  found    {actual:?}"))
}

#[test]
fn all_cases_fire_when_they_should() {
    let cases: Vec<Value> = CASES
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(cases.len(), 1_200);
    let failures: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let reason = judge(case).err()?;
            Some(format!(
                "{} {} after {}: {reason}",
                case["id"], case["trigger"], case["after"]
            ))
        })
        .collect();
    assert!(
        failures.is_empty(),
        "{} of {} cases failed:\n{}",
        failures.len(),
        cases.len(),
        failures.join("\n")
    );
}
