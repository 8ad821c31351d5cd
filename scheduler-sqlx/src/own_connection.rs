//! The store's own connections, outside the application's pool, and the causes of a pool's acquire timeout.

use std::time::Duration;

use crate::error::SqlError;
use crate::sqlx::pool::{Pool, PoolOptions};
use crate::sqlx::{self, ConnectOptions, Connection, Database};

/// How long to try to connect just to find out whether the database accepts connections.
const TRIAL: Duration = Duration::from_secs(2);

/// Returns a pool of one connection, with the options and hooks of `pool`, so that an `after_connect` that sets a role
/// or a search path applies to this connection, too. Acquiring it takes at most `patience`, even if `pool` allows
/// longer.
pub(crate) fn pool_of_one<DB: Database>(pool: &Pool<DB>, patience: Duration) -> Pool<DB> {
    let options = pool.options().clone();
    let patience = patience.min(options.get_acquire_timeout());
    one(options.acquire_timeout(patience)).connect_lazy_with(
        <DB::Connection as Connection>::Options::clone(&pool.connect_options()),
    )
}

/// Limits a pool to one connection, which stays open for as long as it is used.
pub(crate) fn one<DB: Database>(options: PoolOptions<DB>) -> PoolOptions<DB> {
    options
        .max_connections(1)
        .min_connections(0)
        .max_lifetime(None)
        .idle_timeout(None)
}

/// Opens a connection as `pool` does, but outside of it.
pub(crate) async fn own_connection<DB: Database>(
    pool: &Pool<DB>,
    patience: Duration,
) -> Result<DB::Connection, sqlx::Error> {
    Ok(pool_of_one(pool, patience).acquire().await?.detach())
}

/// Replaces an error by its [`cause`].
pub(crate) async fn with_cause<T, E, DB>(
    result: Result<T, E>,
    pool: &Pool<DB>,
) -> Result<T, SqlError>
where
    SqlError: From<E>,
    DB: Database,
{
    match result {
        Ok(answer) => Ok(answer),
        Err(error) => Err(cause(error.into(), pool).await),
    }
}

/// Replaces a pool's acquire timeout by its cause. A pool retries while a server may be starting, and after its
/// `after_connect` hook has failed, and does not report why.
pub(crate) async fn cause<DB: Database>(error: SqlError, pool: &Pool<DB>) -> SqlError {
    let SqlError::Unreachable(timed_out @ sqlx::Error::PoolTimedOut) = error else {
        return error;
    };
    let options = pool.connect_options();
    match tokio::time::timeout(TRIAL, options.connect()).await {
        Ok(Err(error)) => error.into(),
        Ok(Ok(_)) => SqlError::NoConnection(timed_out),
        Err(_) => SqlError::Unreachable(timed_out),
    }
}
