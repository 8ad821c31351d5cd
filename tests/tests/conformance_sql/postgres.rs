//! A database of its own for every case; the second handle is another pool, as of another process.

use scheduler_sqlx::{Broken, SqlStoreBuilder};
use scheduler_store_tests::{Outcome, Subject, run_case};
use scheduler_test_servers::postgres::database;
use sqlx::PgPool;

pub(crate) fn builder() -> SqlStoreBuilder {
    crate::builder().max_connections(4)
}

/// `None`: there is no PostgreSQL here, which was said aloud.
async fn open(builder: SqlStoreBuilder) -> Option<Subject> {
    let database = database()?;
    let store = builder.clone().connect(&database.url()).await.unwrap();
    let other = builder.connect(&database.url()).await.unwrap();
    let pool = PgPool::connect_lazy(&database.url()).unwrap();
    let subject = crate::subject((store, other), pool).keep(database);
    Some(subject)
}

async fn server() -> Option<Subject> {
    open(builder()).await
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

/// With one safeguard taken away, a case must fail; else it proves nothing.
async fn assert_bites(broken: Broken, case: &str) {
    // A race is lost sooner or later, not every time.
    for _ in 0..20 {
        let Some(subject) = open(builder().broken(broken)).await else {
            return;
        };
        match run_case(case, subject).await {
            Err(_) => return,
            Ok(outcome) => assert_eq!(outcome, Outcome::Passed),
        }
    }
    panic!("{case} passes without {broken:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_the_unique_key_a_fire_time_is_claimed_twice() {
    assert_bites(
        Broken::UniqueKey,
        "a_watermark_set_back_by_an_edit_runs_nothing_twice",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_the_fence_a_node_without_lease_goes_on() {
    assert_bites(Broken::Fence, "a_node_whose_lease_ran_out_is_fenced").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_the_row_lock_limits_are_broken() {
    assert_bites(
        Broken::RowLock,
        "a_claim_and_a_manual_run_keep_to_the_limit",
    )
    .await;
}
