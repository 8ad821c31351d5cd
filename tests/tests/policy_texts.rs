//! The builder's JSON takes the policies of `cases/policies.txt` and no others; the macros check
//! the same table in their own tests.

use scheduler_core::{Policies, PolicyPatch};

#[test]
fn the_table_holds_for_the_json_form() {
    let mut wrong = Vec::new();
    let lines = include_str!("../cases/policies.txt").lines();
    for line in lines.filter(|line| !line.starts_with('#')) {
        let (key, rest) = line.split_once('\t').unwrap();
        let (verdict, value) = rest.split_once('\t').unwrap();
        let patch = serde_json::from_str::<PolicyPatch>(&format!("{{\"{key}\": {value}}}"));
        let taken = patch.is_ok_and(|patch| patch.over(&Policies::default()).is_ok());
        if taken != (verdict == "yes") {
            wrong.push(line);
        }
    }
    assert!(
        wrong.is_empty(),
        "taken or refused against the table: {wrong:#?}"
    );
}
