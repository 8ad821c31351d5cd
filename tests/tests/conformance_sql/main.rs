//! The store conformance suite, run on SQLite files and on a PostgreSQL server.

#![allow(clippy::unwrap_used, clippy::panic, reason = "these are tests")]

mod pgbouncer;
mod postgres;
mod safeguard;
mod sqlite;

use std::time::Duration;

use scheduler_core::NodeId;
use scheduler_sqlx::{IntoSqlPool, SqlPool, SqlStore, SqlStoreBuilder};
use scheduler_store_tests::Subject;

/// Longer than any case takes on a busy machine: where a lease must run out, its end is written to the database.
/// Leases that run out on their own are tested in `sql_store`.
const LEASE: Duration = Duration::from_secs(120);

const FORGETS_AFTER: Duration = Duration::from_secs(86_400);
const KEEPS_RUNS: u16 = 1_000;

fn builder() -> SqlStoreBuilder {
    SqlStore::builder()
        .lease(LEASE)
        .keep_runs_for(FORGETS_AFTER)
        .keep_runs(KEEPS_RUNS.into())
}

/// Returns a subject with two handles on a store, like two processes; the pool is the test's own.
fn subject(handles: (SqlStore, SqlStore), pool: impl IntoSqlPool) -> Subject {
    let pool = pool.into_sql_pool();
    Subject::new(handles.0)
        .second_handle(handles.1)
        .lease(LEASE)
        .expire_with(move |node| {
            let pool = pool.clone();
            async move { expire(&pool, node).await }
        })
        .forgets_after(FORGETS_AFTER)
        .keeps_runs(KEEPS_RUNS.into())
}

async fn expire(pool: &SqlPool, node: NodeId) {
    let node = node.as_u64().cast_signed();
    let sql = "UPDATE scheduler_nodes SET lease_until = 1 WHERE id = $1";
    match pool {
        SqlPool::Sqlite(pool) => {
            sqlx::query(sql).bind(node).execute(pool).await.unwrap();
        }
        SqlPool::Postgres(pool) => {
            sqlx::query(sql).bind(node).execute(pool).await.unwrap();
        }
        other => panic!("{other:?}"),
    }
}
