//! The store's own connections, outside the application's pool.

use crate::sqlx;
use crate::sqlx::pool::{Pool, PoolOptions};
use crate::sqlx::{Connection, Database};

/// A pool of one connection, made as those of `pool` are: with its options and its hooks, so that an
/// `after_connect` that sets a role or a search path holds for this connection, too.
pub(crate) fn pool_of_one<DB: Database>(pool: &Pool<DB>) -> Pool<DB> {
    one(pool.options().clone()).connect_lazy_with(<DB::Connection as Connection>::Options::clone(
        &pool.connect_options(),
    ))
}

/// Limits a pool to one connection, which it keeps open for as long as it is used.
pub(crate) fn one<DB: Database>(options: PoolOptions<DB>) -> PoolOptions<DB> {
    options
        .max_connections(1)
        .min_connections(0)
        .max_lifetime(None)
        .idle_timeout(None)
}

/// A connection that is made as those of `pool` are and does not belong to it.
pub(crate) async fn own_connection<DB: Database>(
    pool: &Pool<DB>,
) -> Result<DB::Connection, sqlx::Error> {
    Ok(pool_of_one(pool).acquire().await?.detach())
}
