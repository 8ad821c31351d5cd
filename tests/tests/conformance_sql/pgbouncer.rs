//! The suite through pgbouncer, in the mode that keeps no sessions: every call has to do without what an
//! earlier transaction left behind. The server's sessions are few and taken in turn, so that transactions
//! meet those of other connections.

use std::time::Duration;

use scheduler_core::conformance::Subject;
use scheduler_sqlx::SqlStore;
use scheduler_tests::pgbouncer::{Pgbouncer, PoolMode};
use scheduler_tests::postgres::database;
use sqlx::PgPool;

use super::postgres::builder;

const FEW: &[(&str, &str)] = &[("default_pool_size", "4"), ("server_round_robin", "1")];

/// `None`: there is no PostgreSQL here or no pgbouncer, which was said aloud.
async fn transactions() -> Option<Subject> {
    let database = database()?;
    let pooler = Pgbouncer::before_with(&database.url(), PoolMode::Transaction, FEW)?;
    let open = async || -> SqlStore { builder().connect(&pooler.url()).await.unwrap() };
    let (store, other) = (open().await, open().await);
    // Past the pooler, whose sessions are for the store.
    let pool = PgPool::connect_lazy(&database.url()).unwrap();
    let subject = Subject::new(store)
        .second_handle(other)
        .lease(crate::LEASE)
        .expire_with(move |node| {
            let pool = pool.clone();
            async move {
                sqlx::query("UPDATE scheduler_nodes SET lease_until = 1 WHERE id = $1")
                    .bind(node.as_u64().cast_signed())
                    .execute(&pool)
                    .await
                    .unwrap();
            }
        })
        .forgets_after(Duration::from_secs(86_400))
        .keeps_runs(1_000)
        .keep((pooler, database));
    Some(subject)
}

scheduler_core::conformance::tests!(transactions);
