//! The settings that an application's pool needs, so that its transactions and the scheduler's do not block each
//! other.

use super::connect::{WAL, file_of};
use crate::error::SqlError;
use crate::sqlx;
use crate::sqlx::SqlitePool;

/// A value of `PRAGMA synchronous`: a commit returns once it is on the disk.
const FULL: i64 = 2;

/// A value of `PRAGMA locking_mode`: a connection locks the file only during a transaction.
const NORMAL: &str = "normal";

/// Checks the settings of a pool that the store will share.
pub(crate) async fn check_settings(pool: &SqlitePool) -> Result<(), SqlError> {
    let mut connection = pool.acquire().await?;
    let is_in_file = file_of(&mut connection).await?.is_some();
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode")
        .fetch_one(&mut *connection)
        .await?;
    let busy_timeout: i64 = sqlx::query_scalar("PRAGMA busy_timeout")
        .fetch_one(&mut *connection)
        .await?;
    let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous")
        .fetch_one(&mut *connection)
        .await?;
    let locking: String = sqlx::query_scalar("PRAGMA locking_mode")
        .fetch_one(&mut *connection)
        .await?;
    if let Some(unfit) = unfit(is_in_file, &mode, &locking, busy_timeout) {
        return Err(unfit);
    }
    if synchronous < FULL {
        tracing::warn!(
            synchronous,
            "commits of this pool may be lost when the power fails, and fire times then run again: set \
             `.synchronous(SqliteSynchronous::Full)` in its options"
        );
    }
    Ok(())
}

/// Returns a setting that makes the application's transactions fail, if there is one.
fn unfit(is_in_file: bool, mode: &str, locking: &str, busy_timeout: i64) -> Option<SqlError> {
    if !is_in_file {
        return Some(SqlError::UnfitPool {
            setting: "journal_mode",
            found: mode.to_owned(),
            effect: "a database that is in no file is one of its own per connection",
            remedy: "give the store a pool of a file, or use `MemoryStore`",
        });
    }
    if !mode.eq_ignore_ascii_case(WAL) {
        return Some(SqlError::UnfitPool {
            setting: "journal_mode",
            found: mode.to_owned(),
            effect: "transactions beside the scheduler would fail with \"database is locked\"",
            remedy: "set `.journal_mode(SqliteJournalMode::Wal)` in the pool's options",
        });
    }
    if !locking.eq_ignore_ascii_case(NORMAL) {
        return Some(SqlError::UnfitPool {
            setting: "locking_mode",
            found: locking.to_owned(),
            effect: "its first connection would lock out all others, those of the scheduler among them",
            remedy: "leave `.locking_mode(…)` out of the pool's options, or set `SqliteLockingMode::Normal`",
        });
    }
    (busy_timeout == 0).then(|| SqlError::UnfitPool {
        setting: "busy_timeout",
        found: "0".to_owned(),
        effect: "a transaction that meets another one would fail instead of waiting",
        remedy: "set `.busy_timeout(Duration::from_secs(5))` in the pool's options",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_pool_with_wal_that_waits_for_other_writers_and_lets_them_in_is_fit() {
        let found_with = |is_in_file, mode, locking, busy_timeout| match unfit(
            is_in_file,
            mode,
            locking,
            busy_timeout,
        ) {
            Some(SqlError::UnfitPool {
                setting, remedy, ..
            }) => Some((setting, remedy.contains("file"))),
            _ => None,
        };
        let found =
            |is_in_file, mode, busy_timeout| found_with(is_in_file, mode, "normal", busy_timeout);
        assert_eq!(found(true, "wal", 5_000), None);
        assert_eq!(found(true, "wal", 0), Some(("busy_timeout", false)));
        let exclusive = found_with(true, "wal", "exclusive", 5_000);
        assert_eq!(exclusive, Some(("locking_mode", false)));
        for mode in ["delete", "truncate", "persist", "memory", "off"] {
            let journal_mode = Some(("journal_mode", false));
            assert_eq!(found(true, mode, 5_000), journal_mode, "{mode}");
        }
        for mode in ["memory", "delete"] {
            let no_file = Some(("journal_mode", true));
            assert_eq!(found(false, mode, 5_000), no_file, "{mode}");
        }
    }
}
