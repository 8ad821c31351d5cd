//! The suite through pgbouncer, in the mode that keeps no sessions: every call has to do without what an
//! earlier transaction left behind. The server's sessions are few and taken in turn, so that transactions
//! meet those of other connections.

use scheduler_sqlx::SqlStore;
use scheduler_store_tests::Subject;
use scheduler_test_servers::pgbouncer::{Pgbouncer, PoolMode};
use scheduler_test_servers::postgres::database;
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
    let subject = crate::subject((store, other), pool).keep((pooler, database));
    Some(subject)
}

scheduler_store_tests::tests!(transactions);
