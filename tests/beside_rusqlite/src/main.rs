//! A program that uses rusqlite for its own files and keeps its jobs in PostgreSQL.
//!
//! `tests/compile/tests/beside_rusqlite.rs` checks that its dependencies resolve and that it compiles.

use scheduler_core::prelude::*;
use scheduler_sqlx::SqlStore;
use sqlx_postgres::PgPool;

/// Counts the rows in the file.
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
