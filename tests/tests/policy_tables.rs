//! The tables of policies in the documentation match the table of policies in the code.

#![allow(clippy::unwrap_used)] // a test; the exception for them leaves out what they share

use std::fmt::Write;
use std::path::Path;

use scheduler_core::triggers::policies::{POLICIES, PolicyKind, PolicySpec};

/// Files, each with the first line of its table.
const FILES: [(&str, &str); 2] = [
    ("../docs/policies.md", HEAD),
    ("../scheduler-macros/src/policies.md", HEAD),
];

const HEAD: &str = "| key | unless given | meaning |\n";

fn table() -> String {
    let mut table = format!("{HEAD}| --- | --- | --- |\n");
    for policy in POLICIES {
        let (entries, default, meaning) = (entries(policy), policy.default, policy.meaning);
        writeln!(table, "| {entries} | `{default}` | {meaning} |").unwrap();
    }
    table
}

/// Returns the notation of a policy: every form, or one example if all forms are alike.
fn entries(policy: &PolicySpec) -> String {
    let mut entries = format!("`{}`", policy.entry);
    if matches!(policy.kind, PolicyKind::Coalesce | PolicyKind::Overlap) {
        for sample in &policy.samples[1..] {
            write!(entries, ", `{sample}`").unwrap();
        }
    }
    entries
}

/// Returns the text with its table replaced; the old one begins with the same line.
fn with_table(text: &str, head: &str, table: &str) -> String {
    let start = text.find(head).unwrap();
    let rows = text[start..]
        .lines()
        .take_while(|line| line.starts_with('|'));
    let length: usize = rows.map(|row| row.len() + 1).sum();
    format!("{}{table}{}", &text[..start], &text[start + length..])
}

#[test]
fn documentation_has_the_table_of_policies() {
    let table = table();
    let mut others = Vec::new();
    for (file, head) in FILES {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        let right = with_table(&text, head, &table);
        if text == right {
            continue;
        }
        if std::env::var_os("UPDATE_TABLES").is_some() {
            std::fs::write(&path, right).unwrap();
        } else {
            others.push(file);
        }
    }
    assert!(
        others.is_empty(),
        "another table of policies stands in {others:?}; to write it anew, run \
         UPDATE_TABLES=1 cargo test -p scheduler-tests --test policy_tables"
    );
}

#[test]
fn table_takes_the_place_of_the_one_that_is_there() {
    let text = with_table(
        "a\n\n| k |\n| --- |\n| old |\n\nb\n",
        "| k |\n",
        "| k |\n| new |\n",
    );
    assert_eq!(text, "a\n\n| k |\n| new |\n\nb\n");
}
