//! The contract that every store must keep, as tests that you can run on your own store.
//!
//! For authors of stores. Add the crate to the dev-dependencies. In a file under `tests/`, write a function that
//! makes an empty store and declares what it can do beyond the minimum; one line then generates a test for every case
//! of the suite, named after the case:
//!
//! ```
//! use scheduler_core::MemoryStore;
//! use scheduler_store_tests::Subject;
//!
//! async fn empty() -> Subject {
//!     let store = MemoryStore::new();
//!     Subject::new(store.clone()).second_handle(store)
//! }
//!
//! scheduler_store_tests::tests!(empty);
//! # fn main() {}
//! ```
//!
//! Cases call the store directly and pass all instants themselves, in 2026. A case that needs something that the
//! [`Subject`] does not declare prints a note and passes. Each case has its own store and its own multi-threaded
//! runtime.
//!
//! | cases that need | are left out unless the subject has |
//! | --- | --- |
//! | leases, fencing, take-over | [`lease`](Subject::lease): the store supports nodes |
//! | two processes at once | [`second_handle`](Subject::second_handle) |
//! | retention by age | [`forgets_after`](Subject::forgets_after) |
//! | retention by count | [`keeps_runs`](Subject::keeps_runs) |
//!
//! # One case
//!
//! [`run_case`] runs one case by name, so that a test can assert that a deliberately broken store fails it:
//!
//! ```
//! use scheduler_core::MemoryStore;
//! use scheduler_store_tests::{Outcome, Subject, case_names, run_case};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let subject = Subject::new(MemoryStore::new());
//! let outcome = run_case("a_fire_time_is_claimed_once", subject).await?;
//! assert_eq!(outcome, Outcome::Passed);
//!
//! // A memory store has no nodes.
//! let subject = Subject::new(MemoryStore::new());
//! let outcome = run_case("a_node_whose_lease_ran_out_is_fenced", subject).await?;
//! assert!(matches!(outcome, Outcome::LeftOut(_)));
//! assert!(case_names().count() > 50);
//! # Ok(())
//! # }
//! ```
//!
//! # A storage of records
//!
//! A [`RecordStore`](scheduler_core::store::records::RecordStore) answers from memory, whatever the storage below it.
//! Wrap the storage under test in a [`CheckedStorage`], which loads after each write and compares.
//!
//! # Faults
//!
//! A call to a database server can fail before or after it is carried out. [`Subject::losing_answers`] runs the same
//! cases while each call fails both ways before it works, under a caller that [retries](TriesAgain) as the driver
//! does. [`faulty`] makes individual calls of any store fail, for tests of your own.
//!
//! ```
//! # use scheduler_core::MemoryStore;
//! # use scheduler_store_tests::Subject;
//! # async fn empty() -> Subject { Subject::new(MemoryStore::new()) }
//! mod losing_answers {
//!     async fn empty() -> scheduler_store_tests::Subject {
//!         super::empty().await.losing_answers()
//!     }
//!
//!     scheduler_store_tests::tests!(empty);
//! }
//! # fn main() {}
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]
#![expect(
    clippy::disallowed_methods,
    reason = "cases wait in the time of the runtime, and for leases in that of the store"
)]

mod cases;
mod claims;
mod definitions;
mod draft;
mod edits;
mod ends;
mod failure;
mod faults;
mod history;
mod jobs;
mod leases;
mod listing;
mod manual;
mod queued;
mod releasing;
mod repair;
mod replacing;
mod stage;
mod storage;
mod subject;
mod together;
mod tries_again;
mod worker;

pub use crate::__store_tests as tests;
pub use failure::{CaseFailure, Outcome};
pub use faults::{Fault, Faults, faulty};
pub use storage::CheckedStorage;
pub use subject::Subject;
pub use tries_again::TriesAgain;

use failure::Stop;
use stage::Stage;

/// Lists the names of all cases.
pub fn case_names() -> impl Iterator<Item = &'static str> {
    cases::CASES.iter().map(|case| case.name)
}

/// Runs one case on an empty store.
///
/// Cases in which two processes act at once are only meaningful on a multi-threaded runtime.
///
/// # Errors
/// The store breaks its contract, or there is no such case.
pub async fn run_case(name: &str, subject: Subject) -> Result<Outcome, CaseFailure> {
    let failed = |problem| CaseFailure {
        case: name.to_owned(),
        problem,
    };
    let Some(case) = cases::CASES.iter().find(|case| case.name == name) else {
        return Err(failed("there is no case of this name".to_owned()));
    };
    let stage = Stage::new(subject);
    match (case.run)(&stage).await {
        Ok(()) => Ok(Outcome::Passed),
        Err(Stop::LeftOut(why)) => Ok(Outcome::LeftOut(why)),
        Err(Stop::Failed(problem)) => Err(failed(problem)),
    }
}

/// Runs one case as the body of a test; what [`tests!`](tests) expands to.
#[doc(hidden)]
#[expect(clippy::print_stderr, reason = "a test that was left out must say so")]
pub fn run_as_test<F, Fut, S>(name: &str, set_up: F) -> Result<(), CaseFailure>
where
    F: FnOnce() -> Fut,
    Fut: Future<Output = S>,
    S: Into<Option<Subject>>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .map_err(|error| CaseFailure {
            case: name.to_owned(),
            problem: format!("no runtime: {error}"),
        })?;
    let outcome = runtime.block_on(async {
        match set_up().await.into() {
            Some(subject) => run_case(name, subject).await,
            // Something that the store needs is not on this machine; the set-up has printed so.
            None => Ok(Outcome::Passed),
        }
    })?;
    if let Outcome::LeftOut(what) = outcome {
        eprintln!("{name}: left out, since the store has no {what}");
    }
    Ok(())
}
