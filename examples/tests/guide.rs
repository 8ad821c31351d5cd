//! The pages of the guide: their code is tested, their links have targets, and the README stays short.

#![allow(clippy::unwrap_used)] // a test

use std::path::{Path, PathBuf};

const TESTED: &str = include_str!("../src/lib.rs");
/// Pages that show the code of a program with its own tests.
const SHOWN: [&str; 2] = ["from-fastapi.md", "writing-a-store.md"];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Returns the README and all Markdown files below `docs`.
fn pages() -> Vec<PathBuf> {
    let mut pages = vec![repository().join("README.md")];
    for folder in ["docs", "docs/decisions"] {
        for entry in std::fs::read_dir(repository().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path);
            }
        }
    }
    pages
}

/// Returns the text without its code blocks.
fn prose(text: &str) -> String {
    let mut inside = false;
    let mut prose = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            inside = !inside;
        } else if !inside {
            prose.push_str(line);
            prose.push('\n');
        }
    }
    prose
}

/// Returns the anchors that a forge generates for the headings.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            let kept = title
                .chars()
                .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

#[test]
fn every_page_with_code_is_tested() {
    for page in pages() {
        let name = page.file_name().unwrap().to_str().unwrap();
        let text = std::fs::read_to_string(&page).unwrap();
        if text.contains("```rust") && !SHOWN.contains(&name) {
            assert!(TESTED.contains(&format!("{name}\")]")), "{name}");
        }
    }
}

#[test]
fn links_lead_to_files_and_headings() {
    let mut broken = Vec::new();
    for page in pages() {
        let text = prose(&std::fs::read_to_string(&page).unwrap());
        for link in text.split("](").skip(1) {
            let link = link.split_once(')').unwrap().0;
            if link.contains("://") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                page.clone()
            } else {
                page.parent().unwrap().join(file)
            };
            let there = target.exists()
                && (anchor.is_empty()
                    || anchors(&prose(&std::fs::read_to_string(&target).unwrap()))
                        .iter()
                        .any(|heading| heading == anchor));
            if !there {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn every_page_is_in_the_table_of_contents() {
    let summary = std::fs::read_to_string(repository().join("docs/SUMMARY.md")).unwrap();
    for page in pages() {
        let page = page.strip_prefix(repository()).unwrap().to_owned();
        let Ok(page) = page.strip_prefix("docs") else {
            continue;
        };
        let name = page.to_str().unwrap();
        assert!(
            name == "SUMMARY.md" || summary.contains(&format!("({name})")),
            "{name}"
        );
    }
}

#[test]
fn the_readme_is_short() {
    let text = std::fs::read_to_string(repository().join("README.md")).unwrap();
    assert!(text.lines().count() <= 250);
}

/// The benchmark rows in the README are copied unchanged from a table in `docs/benchmarks.md`.
#[test]
fn figures_in_the_readme_are_those_of_the_benchmarks() {
    let readme = std::fs::read_to_string(repository().join("README.md")).unwrap();
    let all = std::fs::read_to_string(repository().join("docs/benchmarks.md")).unwrap();
    let (_, section) = readme.split_once("## How fast\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let rows: Vec<_> = section
        .lines()
        .filter(|l| l.starts_with("| ") && !l.contains("---"))
        .collect();
    assert_eq!(rows.len(), 4, "a head and three rows");
    for row in rows {
        assert!(all.contains(row), "{row}");
    }
}
