//! The store conformance suite, run on the memory store and on deliberately broken stores.

#![allow(clippy::unwrap_used)] // tests; the exception for them leaves out what they share

mod broken;
#[path = "../leased/mod.rs"]
mod leased;

use scheduler_core::MemoryStore;
use scheduler_store_tests::{Outcome, Subject, case_names, run_case};

use leased::{LEASE, Leased};

/// Two handles on the same jobs act as two processes.
async fn memory() -> Subject {
    let store = MemoryStore::new().keep_runs(1_000);
    Subject::new(store.clone())
        .second_handle(store)
        .keeps_runs(1_000)
}

/// Two handles on the same jobs and nodes.
async fn leased() -> Subject {
    let handle = Leased::with_one_writer();
    Subject::new(handle.store())
        .second_handle(handle.store())
        .lease(LEASE.length)
        .expire_with(move |node| {
            handle.run_out(node);
            std::future::ready(())
        })
}

mod plain {
    scheduler_store_tests::tests!(super::memory);
}

/// Every call fails once before and once after it is carried out.
mod losing_answers {
    scheduler_store_tests::tests!(|| async { super::memory().await.losing_answers() });
}

/// The part that the memory store itself does not support: nodes and their leases.
mod with_leases {
    scheduler_store_tests::tests!(super::leased);
}

mod with_leases_losing_answers {
    scheduler_store_tests::tests!(|| async { super::leased().await.losing_answers() });
}

#[tokio::test]
async fn what_a_store_cannot_do_is_left_out() {
    let mut left_out = Vec::new();
    for name in case_names() {
        let subject = Subject::new(MemoryStore::new());
        if let Outcome::LeftOut(what) = run_case(name, subject).await.unwrap() {
            left_out.push(what);
        }
    }
    left_out.sort_unstable();
    left_out.dedup();
    let expected = [
        "leases",
        "retention by age",
        "retention by count",
        "second handle",
    ];
    assert_eq!(left_out, expected);
}

#[tokio::test]
async fn an_unknown_case_fails() {
    let failure = run_case("no_such_case", memory().await).await.unwrap_err();
    assert_eq!(
        failure.to_string(),
        "no_such_case: there is no case of this name"
    );
}
