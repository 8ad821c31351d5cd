//! Opening a file.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::sqlx;
use crate::sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};
use crate::sqlx::{SqliteConnection, SqlitePool};

use crate::error::SqlError;

/// The journal mode in which readers and a writer do not block each other.
pub(super) const WAL: &str = "wal";

/// How long to wait for another process that is writing.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// 32 MiB of pages per connection, so a claim reads its pages from the file only once.
const CACHE_SIZE: &str = "-32768";

/// Pages (of 4 KiB) in the log before they are copied into the file. Pages that change in every batch are copied once
/// for many batches.
const CHECKPOINT_PAGES: &str = "8000";

/// Rows buffered between the thread of a connection and its caller.
const ROW_BUFFER: usize = 1_024;

/// Returns the options of a URL. Defaults: a missing file is created, WAL, and a commit returns once it is on the disk.
pub(crate) fn options(url: &str) -> Result<SqliteConnectOptions, SqlError> {
    let options = SqliteConnectOptions::from_str(url).map_err(|_| SqlError::url(url, None))?;
    let is_made = !matches!(mode(url), Some("ro" | "rw"));
    Ok(options
        .create_if_missing(is_made)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(false)
        .row_buffer_size(ROW_BUFFER)
        .pragma("cache_size", CACHE_SIZE)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES))
}

/// Returns the parameter `mode` of a URL.
fn mode(url: &str) -> Option<&str> {
    let (_, parameters) = url.split_once('?')?;
    let mut named = parameters.split('&').filter_map(|one| one.split_once('='));
    let (_, mode) = named.rfind(|(name, _)| *name == "mode")?;
    Some(mode)
}

/// Rejects a URL whose database is not in a file: all connections must reach the same database.
pub(crate) async fn check_file(pool: &SqlitePool, url: &str) -> Result<(), SqlError> {
    let mut connection = pool.acquire().await?;
    match file_of(&mut connection).await? {
        Some(_) => Ok(()),
        None => Err(SqlError::url(url, Some(NO_FILE))),
    }
}

const NO_FILE: &str = "; it names no file: a database in memory, or without a name, is one of its own per \
    connection, and `MemoryStore` is faster";

/// Returns the file that a connection has open, as SQLite resolved it: absolute, without symbolic links. `None` for a
/// database that is not in a file, or is in a nameless temporary file.
pub(super) async fn file_of(
    connection: &mut SqliteConnection,
) -> Result<Option<PathBuf>, sqlx::Error> {
    let file = sqlx::query_scalar("SELECT file FROM pragma_database_list WHERE name = 'main'");
    let file: Option<String> = file.fetch_one(connection).await?;
    Ok(file.filter(|file| !file.is_empty()).map(PathBuf::from))
}

pub(crate) fn pool(options: SqliteConnectOptions, max_connections: u32) -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(max_connections)
        .test_before_acquire(false)
        .acquire_timeout(Duration::from_secs(10))
        .connect_lazy_with(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mode_is_read_where_it_stands() {
        assert_eq!(mode("sqlite://a/b.db"), None);
        assert_eq!(mode("sqlite:a.db?cache=private&mode=rwc"), Some("rwc"));
        assert_eq!(mode("sqlite:///mode=ro/a.db"), None);
    }
}
