//! The storage of `docs/writing-a-store.md`: it passes the suite, and the document shows all of its code.

#![allow(clippy::unwrap_used)] // a test; the exception for them leaves out what they share

mod compaction;
mod reopening;
#[allow(unreachable_pub)] // as in a library
mod store;

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use scheduler_core::NodeId;
use scheduler_core::store::StoreError;
use scheduler_core::store::records::{RecordChange, RecordStore, Records, Storage};
use scheduler_store_tests::{CheckedStorage, Outcome, Subject, case_names, run_case};

use store::Journal;

/// A separate folder, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("small-store-{}", NodeId::random()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn journal(&self) -> Journal {
        Journal::open(self.0.join("jobs")).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Two handles on the same records.
async fn over(storage: impl Storage) -> Subject {
    let store = RecordStore::open(storage, at("2026-01-01T00:00:00Z")).await;
    let store = store.unwrap().keep_runs(1_000);
    Subject::new(store.clone())
        .second_handle(store)
        .keeps_runs(1_000)
}

/// Each write is followed by a load, which must return what was written.
async fn plain() -> Subject {
    let folder = Folder::new();
    let storage = CheckedStorage::new(folder.journal());
    over(storage).await.keep(folder)
}

mod plain {
    scheduler_store_tests::tests!(super::plain);
}

/// Calls and writes fail, before they were carried out or after.
async fn losing_answers() -> Subject {
    let folder = Folder::new();
    let storage = CheckedStorage::new(folder.journal()).losing_writes();
    over(storage).await.losing_answers().keep(folder)
}

mod losing_answers {
    scheduler_store_tests::tests!(super::losing_answers);
}

/// Keeps nothing beyond the lifetime of the process.
#[derive(Default)]
struct Volatile(Records);

impl Storage for Volatile {
    async fn load(&mut self) -> Result<Records, StoreError> {
        Ok(self.0.clone())
    }

    async fn write(&mut self, _: &[RecordChange], after: &Records) -> Result<(), StoreError> {
        self.0 = after.clone();
        Ok(())
    }
}

#[tokio::test]
async fn only_leases_and_retention_by_age_are_left_out() {
    let mut left_out = Vec::new();
    for name in case_names() {
        let subject = over(Volatile::default()).await;
        if let Outcome::LeftOut(what) = run_case(name, subject).await.unwrap() {
            left_out.push(what);
        }
    }
    left_out.sort_unstable();
    left_out.dedup();
    assert_eq!(left_out, ["leases", "retention by age"]);
}

/// Returns the code blocks of the document, in order.
fn blocks(document: &str) -> impl Iterator<Item = &str> {
    let blocks = document.split("```rust\n").skip(1);
    blocks.map(|block| block.split_once("```").unwrap().0)
}

#[test]
fn document_shows_the_whole_store() {
    let document = include_str!("../../../docs/writing-a-store.md");
    let (store, test) = (include_str!("store.rs"), include_str!("main.rs"));
    let of_store: Vec<&str> = blocks(document)
        .filter(|block| !test.contains(block))
        .collect();
    for block in &of_store {
        assert!(store.contains(block), "this is not in store.rs:\n{block}");
    }
    assert_eq!(of_store.join("\n"), store, "the document leaves out a part");
    let count = format!("has {} lines", store.lines().count());
    assert!(document.contains(&count), "the document says: {count}");
}
