//! The application's own table, in the same database as the jobs.

use anyhow::Context;
use sqlx::AnyPool;
use sqlx::any::AnyPoolOptions;

/// Opens the database and creates the table; a missing SQLite file is created.
pub(crate) async fn open(url: &str) -> anyhow::Result<AnyPool> {
    sqlx::any::install_default_drivers();
    let url = match url.strip_prefix("sqlite:") {
        Some(_) if !url.contains('?') => format!("{url}?mode=rwc"),
        _ => url.to_owned(),
    };
    let pool = AnyPoolOptions::new().max_connections(5).connect(&url).await;
    let pool = pool.context("DATABASE_URL: the database cannot be opened")?;
    sqlx::query(
        "CREATE TABLE IF NOT EXISTS sessions (
            token text PRIMARY KEY, user_id bigint NOT NULL, expires_at bigint NOT NULL)",
    )
    .execute(&pool)
    .await?;
    Ok(pool)
}
