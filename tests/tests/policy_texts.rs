//! The builder's JSON accepts exactly the policies of `scheduler-macros/src/attr/policies.txt`, and jobs accept its
//! ids; the macros check the same table in their own tests.

#![allow(clippy::unwrap_used)] // a test; the exception for them leaves out what they share

use scheduler_core::{JobId, Policies, PolicyPatch};

/// Returns `true` if a policy is accepted as JSON.
fn takes(key: &str, value: &str) -> bool {
    if key == "id" {
        let id: String = serde_json::from_str(value).unwrap();
        return JobId::new(id).is_ok();
    }
    let patch = serde_json::from_str::<PolicyPatch>(&format!("{{\"{key}\": {value}}}"));
    patch.is_ok_and(|patch| patch.over(&Policies::default()).is_ok())
}

#[test]
fn the_table_holds_for_the_json_form() {
    let mut wrong = Vec::new();
    let lines = include_str!("../../scheduler-macros/src/attr/policies.txt").lines();
    for line in lines.filter(|line| !line.starts_with('#')) {
        let (key, rest) = line.split_once('\t').unwrap();
        let (verdict, value) = rest.split_once('\t').unwrap();
        if takes(key, value) != (verdict == "yes") {
            wrong.push(line);
        }
    }
    assert!(
        wrong.is_empty(),
        "taken or refused against the table: {wrong:#?}"
    );
}
