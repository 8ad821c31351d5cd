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

/// The journal mode in which readers and a writer go on side by side.
pub(super) const WAL: &str = "wal";

/// How long to wait for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// 32 MiB of pages per connection: what a claim touches is read from the file once.
const CACHE_SIZE: &str = "-32768";

/// Pages (of 4 KiB) in the log before they are copied into the file: those that change in every batch are
/// copied once for many.
const CHECKPOINT_PAGES: &str = "8000";

/// Rows on their way from the thread of a connection to who asked.
const ROW_BUFFER: usize = 1_024;

/// What the URL says, and for what it does not say: a missing file is made, WAL, and a commit is on the
/// disk before it counts.
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

/// The parameter `mode` of a URL.
fn mode(url: &str) -> Option<&str> {
    let (_, parameters) = url.split_once('?')?;
    let mut named = parameters.split('&').filter_map(|one| one.split_once('='));
    let (_, mode) = named.rfind(|(name, _)| *name == "mode")?;
    Some(mode)
}

/// Refuses a URL whose database is in no file: all connections have to be to the same one.
pub(crate) async fn check_file(pool: &SqlitePool, url: &str) -> Result<(), SqlError> {
    let mut connection = pool.acquire().await?;
    match file_of(&mut connection).await? {
        Some(_) => Ok(()),
        None => Err(SqlError::url(url, Some(NO_FILE))),
    }
}

const NO_FILE: &str = "; it names no file: a database in memory, or without a name, is one of its own per \
    connection, and `MemoryStore` is faster";

/// Returns the file that a connection is open on, as SQLite has found it: absolute, and without symbolic links.
/// `None` for a database that is in no file, or in one without a name that goes with the connection.
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
