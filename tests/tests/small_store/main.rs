//! The store of `docs/writing-a-store.md`: it passes the suite, and the document shows all of it.

#![allow(clippy::unwrap_used)] // a test; the exception for them leaves out what they share

#[allow(unreachable_pub)] // as in a library
mod store;

use chrono::TimeDelta;
use scheduler_core::prelude::*;
use scheduler_core::testing::VirtualClock;
use scheduler_core::{RunFilter, RunState};
use scheduler_store_tests::{Outcome, Subject, case_names, run_case};

use store::SmallStore;

/// Two handles on the same jobs and runs.
async fn small() -> Subject {
    let store = SmallStore::default();
    Subject::new(store.clone()).second_handle(store)
}

mod plain {
    scheduler_store_tests::tests!(super::small);
}

/// Every call fails once before and once after it was carried out.
mod losing_answers {
    scheduler_store_tests::tests!(|| async { super::small().await.losing_answers() });
}

#[tokio::test]
async fn only_leases_and_retention_are_left_out() {
    let mut left_out = Vec::new();
    for name in case_names() {
        if let Outcome::LeftOut(what) = run_case(name, small().await).await.unwrap() {
            left_out.push(what);
        }
    }
    left_out.sort_unstable();
    left_out.dedup();
    let expected = ["leases", "retention by age", "retention by count"];
    assert_eq!(left_out, expected);
}

/// The blocks of code in the document, in their order.
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
    let count = format!("The store has {} lines", store.lines().count());
    assert!(document.contains(&count), "the document says: {count}");
}

#[task]
async fn sort_letters() {}

#[tokio::test(start_paused = true)]
async fn scheduler_runs_jobs_of_the_store() {
    let clock = VirtualClock::at("2026-01-01T00:00:00Z").unwrap();
    let builder = Scheduler::builder()
        .clock(clock.clone())
        .store(SmallStore::default());
    let scheduler = builder.without_static_jobs().start().await.unwrap();
    let job = sort_letters::job().id("letters").interval("1h");
    scheduler.add_job(job).await.unwrap();
    clock.advance(TimeDelta::hours(3)).await;
    let runs = scheduler.list_runs(&RunFilter::new()).await.unwrap().items;
    let states: Vec<RunState> = runs.iter().map(|run| run.state).collect();
    assert_eq!(states, [RunState::Succeeded; 3]);
    scheduler.shutdown(Shutdown::wait()).await;
}
