//! Truncating a write-ahead log that has grown. A long-running reader keeps it from starting over, and a file that has
//! grown never shrinks by itself.

use std::time::Duration;

use super::Sqlite;
use super::connect::file_of;
use crate::engine::Engine;
use crate::own_connection::own_connection;
use crate::sqlx;
use crate::sqlx::{Connection, SqliteConnection};

/// Up to this size, in bytes, the log is left alone: slightly more than it reaches before it is copied into the file.
const KEPT: u64 = 34_000_000;

/// How long the truncation waits for readers while it blocks writers; if a reader takes longer, the next call retries.
const BUSY_TIMEOUT: Duration = Duration::from_millis(50);

impl Engine<Sqlite> {
    /// Copies a log that has grown into the file and truncates it, unless a reader still needs it.
    pub(crate) async fn truncate_log(&self) -> Result<(), sqlx::Error> {
        if self.log_size().await?.is_none_or(|size| size <= KEPT) {
            return Ok(());
        }
        let mut connection = own_connection(&self.pool, self.options.connect_within()).await?;
        let truncated = truncate(&mut connection).await;
        let closed = connection.close().await;
        truncated.and(closed)
    }

    /// Returns the size of the log in bytes, if there is one.
    ///
    /// It is next to the file itself, for which the name in the pool's options may be a symbolic link.
    async fn log_size(&self) -> Result<Option<u64>, sqlx::Error> {
        let mut connection = self.pool.acquire().await?;
        let Some(file) = file_of(&mut connection).await? else {
            return Ok(None);
        };
        let mut log = file.into_os_string();
        log.push("-wal");
        Ok(std::fs::metadata(log).ok().map(|log| log.len()))
    }
}

async fn truncate(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let busy_timeout = format!("PRAGMA busy_timeout = {}", BUSY_TIMEOUT.as_millis());
    sqlx::raw_sql(sqlx::AssertSqlSafe(busy_timeout))
        .execute(&mut *connection)
        .await?;
    // This checkpoint blocks no one, and copies nearly all of the log.
    sqlx::raw_sql("PRAGMA wal_checkpoint(PASSIVE)")
        .execute(&mut *connection)
        .await?;
    sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        .execute(&mut *connection)
        .await?;
    Ok(())
}
