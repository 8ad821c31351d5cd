//! Detecting that another process has written to the file.

use std::time::Duration;

use crate::sqlx::{Connection, SqliteConnection, SqlitePool};
use tokio::time::MissedTickBehavior;

use crate::own_connection::own_connection;
use crate::sqlx;
use crate::wakes::Listener;

/// How often the version of the file is read.
const EVERY: Duration = Duration::from_millis(250);

/// How long to wait for the connection that watches.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// Wakes drivers when the file has changed, until no driver is left.
///
/// The version is read over a dedicated connection, which sees the commits of all others, including those of this
/// process: a driver that is woken by its own commit polls once more than necessary.
pub(crate) fn watch(pool: SqlitePool, mut listener: Listener) {
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut connection: Option<SqliteConnection> = None;
        let mut seen = None;
        loop {
            ticks.tick().await;
            if !listener.is_wanted() {
                break;
            }
            match version(&mut connection, &pool).await {
                Ok(version) => {
                    listener.hears();
                    if seen.replace(version) != Some(version) {
                        listener.wake_all();
                    }
                }
                Err(error) => {
                    tracing::debug!(%error, "the version of the file was not read");
                    connection = None;
                    seen = None;
                    listener.hears_nothing("the version of the file cannot be read, so changes by other processes are looked for once a second");
                }
            }
        }
        if let Some(connection) = connection {
            let _ = connection.close().await;
        }
    });
}

async fn version(
    connection: &mut Option<SqliteConnection>,
    pool: &SqlitePool,
) -> Result<i64, sqlx::Error> {
    if connection.is_none() {
        *connection = Some(own_connection(pool, CONNECT_WITHIN).await?);
    }
    let Some(connection) = connection else {
        return Err(sqlx::Error::WorkerCrashed);
    };
    sqlx::query_scalar("PRAGMA data_version")
        .fetch_one(connection)
        .await
}
