//! A separate database for every case; the second handle is another pool, like that of another process.

use scheduler_sqlx::SqlStoreBuilder;
use scheduler_store_tests::{Outcome, Subject, run_case};
use scheduler_test_servers::postgres::{Database, database};
use sqlx::PgPool;

use crate::safeguard::{Safeguard, Without};

pub(crate) fn builder() -> SqlStoreBuilder {
    crate::builder().max_connections(4)
}

/// Returns `None`, with a printed note, if there is no PostgreSQL server.
async fn server() -> Option<Subject> {
    let database = database()?;
    let url = database.url();
    Some(open(database, &url).await)
}

async fn open(database: Database, url: &str) -> Subject {
    let store = builder().connect(url).await.unwrap();
    let other = builder().connect(url).await.unwrap();
    let pool = PgPool::connect_lazy(&database.url()).unwrap();
    crate::subject((store, other), pool).keep(database)
}

mod plain {
    scheduler_store_tests::tests!(super::server);
}

mod losing_answers {
    async fn server() -> Option<scheduler_store_tests::Subject> {
        Some(super::server().await?.losing_answers())
    }

    scheduler_store_tests::tests!(server);
}

/// Asserts that a case fails if one safeguard is removed; otherwise the case would prove nothing.
async fn assert_bites(safeguard: Safeguard, case: &str) {
    // A race is lost sooner or later, but not every time.
    for _ in 0..20 {
        let Some(database) = database() else {
            return;
        };
        let without = Without::new(safeguard, &database.url()).await;
        let subject = open(database, &without.url).await;
        let outcome = run_case(case, subject).await;
        assert!(without.took_out(), "no statement has {safeguard:?}");
        match outcome {
            Err(_) => return,
            Ok(outcome) => assert_eq!(outcome, Outcome::Passed),
        }
    }
    panic!("{case} passes without {safeguard:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_the_unique_key_a_fire_time_is_claimed_twice() {
    // With a free slot and no open run, a claim does not check for runs of the fire time.
    assert_bites(
        Safeguard::UniqueKey,
        "a_clock_that_came_back_runs_nothing_twice",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_the_fence_a_node_without_lease_goes_on() {
    assert_bites(Safeguard::Fence, "a_node_whose_lease_ran_out_is_fenced").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_the_row_lock_limits_are_broken() {
    assert_bites(
        Safeguard::RowLock,
        "a_claim_and_a_manual_run_keep_to_the_limit",
    )
    .await;
}
