//! A connection in use.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use crate::sqlx::Pool;
use crate::sqlx::pool::PoolConnection;
use tokio::sync::{Mutex, MutexGuard};

use crate::backend::{Backend, Connection, Sql};
use crate::own_connection::own_connection;

/// In a database with one writer, the writers of this process take turns: waiting for this lock is fair and cheap,
/// waiting for SQLite's is neither. They share one connection, because its page cache stays valid as long as no
/// other connection writes.
pub(crate) type Turn<B> = Mutex<Option<Connection<B>>>;

/// A connection in use. If it is dropped before it is finished, because its caller was cancelled or the database did
/// not answer, it is closed and not reused, so that nothing has to be rolled back on a possibly half-open connection.
pub(crate) struct Session<'a, B: Backend> {
    connection: Option<Held<B>>,
    is_in_transaction: bool,
    turn: Option<MutexGuard<'a, Option<Connection<B>>>>,
}

enum Held<B: Backend> {
    Pooled(PoolConnection<B::Db>),
    Own(Connection<B>),
}

impl<'a, B: Backend> Session<'a, B> {
    /// Acquires a connection for reading.
    pub(crate) async fn read(backend: &B, pool: &Pool<B::Db>) -> Sql<Self> {
        let mut session = Self {
            connection: Some(Held::Pooled(pool.acquire().await?)),
            is_in_transaction: !backend.keeps_sessions(),
            turn: None,
        };
        if session.is_in_transaction {
            backend.execute(&mut session, B::BEGIN_READ).await?;
        }
        Ok(session)
    }

    /// Begins a transaction for writing.
    pub(crate) async fn write(
        backend: &B,
        pool: &Pool<B::Db>,
        turn: Option<&'a Turn<B>>,
        connect_within: Duration,
    ) -> Sql<Self> {
        let (connection, turn) = match turn {
            Some(turn) => {
                let mut turn = turn.lock().await;
                let connection = match turn.take() {
                    Some(connection) => connection,
                    None => own_connection(pool, connect_within).await?,
                };
                (Held::Own(connection), Some(turn))
            }
            None => (Held::Pooled(pool.acquire().await?), None),
        };
        let mut session = Self {
            connection: Some(connection),
            is_in_transaction: true,
            turn,
        };
        backend.execute(&mut session, B::BEGIN).await?;
        Ok(session)
    }

    /// Commits, and releases the connection.
    pub(crate) async fn commit(mut self, backend: &B) -> Sql<()> {
        backend.execute(&mut self, "COMMIT").await?;
        self.release_runs();
        Ok(())
    }

    /// Rolls back if anything was written, and releases the connection.
    pub(crate) async fn end(mut self, backend: &B) -> Sql<()> {
        if self.is_in_transaction {
            backend.execute(&mut self, "ROLLBACK").await?;
        }
        self.release_runs();
        Ok(())
    }

    /// As [`end`](Self::end), for calls that are followed by another one and whose result is not urgent. The pool tests
    /// each returned connection in the background: a call that begins meanwhile would open one more connection, and
    /// idle nodes would keep one more than they need.
    pub(crate) async fn end_in_order(mut self, backend: &B) -> Sql<()> {
        if self.is_in_transaction {
            backend.execute(&mut self, "ROLLBACK").await?;
        }
        match self.connection.take() {
            // Taken out first: if this call is cancelled meanwhile, `drop` must not close what the pool already has.
            Some(Held::Pooled(mut connection)) => connection.return_to_pool().await,
            own => {
                self.connection = own;
                self.release_runs();
            }
        }
        Ok(())
    }

    fn release_runs(&mut self) {
        match (self.connection.take(), &mut self.turn) {
            (Some(Held::Own(connection)), Some(turn)) => **turn = Some(connection),
            (pooled, _) => drop(pooled),
        }
    }
}

impl<B: Backend> Drop for Session<'_, B> {
    fn drop(&mut self) {
        if let Some(Held::Pooled(connection)) = self.connection.take() {
            drop(connection.detach());
        }
    }
}

impl<B: Backend> Deref for Session<'_, B> {
    type Target = Connection<B>;

    #[expect(
        clippy::expect_used,
        reason = "taken out by `commit`, `end` and `drop` only, which consume it"
    )]
    fn deref(&self) -> &Connection<B> {
        match self.connection.as_ref().expect("the connection is there") {
            Held::Pooled(connection) => connection,
            Held::Own(connection) => connection,
        }
    }
}

impl<B: Backend> DerefMut for Session<'_, B> {
    #[expect(
        clippy::expect_used,
        reason = "taken out by `commit`, `end` and `drop` only, which consume it"
    )]
    fn deref_mut(&mut self) -> &mut Connection<B> {
        match self.connection.as_mut().expect("the connection is there") {
            Held::Pooled(connection) => connection,
            Held::Own(connection) => connection,
        }
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use std::future::Future;
    use std::task::{Context, Waker};

    use super::*;
    use crate::sqlite::Sqlite;
    use crate::sqlx::SqlitePool;
    use crate::tables::Tables;

    /// The caller of a store may be cancelled at any `await`, also while the pool takes a connection back.
    #[tokio::test]
    async fn call_that_is_cancelled_while_its_connection_is_returned_does_not_panic() {
        let pool = SqlitePool::connect_lazy("sqlite::memory:").unwrap();
        let backend = Sqlite::new(Tables::new("scheduler_", None).unwrap());
        let session = Session::<Sqlite> {
            connection: Some(Held::Pooled(pool.acquire().await.unwrap())),
            is_in_transaction: false,
            turn: None,
        };
        let mut end = Box::pin(session.end_in_order(&backend));
        let mut context = Context::from_waker(Waker::noop());
        assert!(end.as_mut().poll(&mut context).is_pending());
        drop(end);
        assert!(pool.acquire().await.is_ok());
    }
}
