//! A connection that is at work.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use crate::sqlx::Pool;
use crate::sqlx::pool::PoolConnection;
use tokio::sync::{Mutex, MutexGuard};

use crate::backend::{Backend, Connection, Sql};
use crate::own_connection::own_connection;

/// Of those who write in this process one goes after the other, where the database has one writer:
/// waiting here is fair and costs nothing, waiting there is neither. They write over one connection,
/// because its cache of pages stays good for as long as nobody else writes.
pub(crate) type Turn<B> = Mutex<Option<Connection<B>>>;

/// A connection at work. One that is dropped in the middle of something, because its caller was
/// cancelled or the database did not answer, is closed and not used again: nothing has to be rolled
/// back on a connection that may be half-open.
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
    /// A connection to read with.
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

    /// A transaction to write in.
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

    /// Commits what was written, and gives the connection back.
    pub(crate) async fn commit(mut self, backend: &B) -> Sql<()> {
        backend.execute(&mut self, "COMMIT").await?;
        self.release_runs();
        Ok(())
    }

    /// Takes back what was written, if anything was, and gives the connection back.
    pub(crate) async fn end(mut self, backend: &B) -> Sql<()> {
        if self.is_in_transaction {
            backend.execute(&mut self, "ROLLBACK").await?;
        }
        self.release_runs();
        Ok(())
    }

    /// As [`end`](Self::end), for calls that another one follows and whose answer nobody is in a hurry for. The pool
    /// tests each connection that comes back, beside the caller: a call that begins meanwhile would open one
    /// more, and nodes at rest would have one more than they need.
    pub(crate) async fn end_in_order(mut self, backend: &B) -> Sql<()> {
        if self.is_in_transaction {
            backend.execute(&mut self, "ROLLBACK").await?;
        }
        if let Some(Held::Pooled(connection)) = &mut self.connection {
            connection.return_to_pool().await;
        }
        self.release_runs();
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
