//! The suite through pgbouncer, in the mode without sessions: no call may rely on what an earlier transaction left
//! behind. There are few server sessions, used in turn, so that transactions run on sessions that other connections
//! have used.

use scheduler_sqlx::SqlStore;
use scheduler_store_tests::Subject;
use scheduler_test_servers::pgbouncer::{Pgbouncer, PoolMode};
use scheduler_test_servers::postgres::database;
use sqlx::PgPool;

use super::postgres::builder;

const FEW: &[(&str, &str)] = &[("default_pool_size", "4"), ("server_round_robin", "1")];

/// Returns `None`, with a printed note, if there is no PostgreSQL server or no pgbouncer.
async fn transactions() -> Option<Subject> {
    let database = database()?;
    let pooler = Pgbouncer::before_with(&database.url(), PoolMode::Transaction, FEW)?;
    let open = async || -> SqlStore { builder().connect(&pooler.url()).await.unwrap() };
    let (store, other) = (open().await, open().await);
    // Bypasses the pooler, whose sessions are for the store.
    let pool = PgPool::connect_lazy(&database.url()).unwrap();
    let subject = crate::subject((store, other), pool).keep((pooler, database));
    Some(subject)
}

scheduler_store_tests::tests!(transactions);
