//! A program with rusqlite for files of its own and its jobs in PostgreSQL.
//!
//! `tests/compile/tests/beside_rusqlite.rs` checks that it can be resolved and compiles.

use scheduler_core::prelude::*;
use scheduler_sqlx::SqlStore;
use sqlx_postgres::PgPool;

/// Counts what the file holds.
#[scheduled_job(interval = "1h", id = "count_notes")]
async fn count_notes() -> Result<i64, rusqlite::Error> {
    let file = rusqlite::Connection::open("notes.db")?;
    file.query_row("SELECT count(*) FROM notes", [], |row| row.get(0))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pool = PgPool::connect("postgres://app@db/app").await?;
    let store = SqlStore::from_pool(pool).await?;
    let scheduler = Scheduler::builder().store(store).start().await?;
    scheduler.shutdown(Shutdown::wait()).await;
    Ok(())
}
