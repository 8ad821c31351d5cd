//! Opening a file.

use std::str::FromStr;
use std::time::Duration;

use crate::sqlx::SqlitePool;
use crate::sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};

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
    let (path, mode) = path_and_mode(url);
    if path == ":memory:" || mode == Some("memory") {
        let hint =
            "; a database in memory is one of its own per connection, and `MemoryStore` is faster";
        return Err(SqlError::url(url, Some(hint)));
    }
    let is_made = !matches!(mode, Some("ro" | "rw"));
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

/// The file that a URL names, and its parameter `mode`.
fn path_and_mode(url: &str) -> (&str, Option<&str>) {
    let rest = url.trim_start_matches("sqlite:").trim_start_matches("//");
    let (path, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let mut named = parameters.split('&').filter_map(|one| one.split_once('='));
    let mode = named.rfind(|(name, _)| *name == "mode");
    (path, mode.map(|(_, mode)| mode))
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
    fn path_and_mode_are_read_where_they_stand() {
        assert_eq!(path_and_mode("sqlite://a/b.db"), ("a/b.db", None));
        assert_eq!(
            path_and_mode("sqlite:a.db?cache=private&mode=rwc"),
            ("a.db", Some("rwc"))
        );
        assert_eq!(path_and_mode("sqlite::memory:"), (":memory:", None));
        assert_eq!(
            path_and_mode("sqlite:///mode=ro/a.db"),
            ("/mode=ro/a.db", None)
        );
    }
}
