//! A connection that is at work.

use std::ops::{Deref, DerefMut};

use sqlx::Pool;
use sqlx::pool::PoolConnection;
use tokio::sync::{Mutex, MutexGuard};

use crate::backend::{Backend, Connection, Sql};

/// A connection out of the pool. One that is dropped in the middle of something, because its caller
/// was cancelled or the database did not answer, is closed and not used again: nothing has to be
/// rolled back on a connection that may be half-open.
pub(crate) struct Session<'a, B: Backend> {
    connection: Option<PoolConnection<B::Db>>,
    is_writing: bool,
    /// Of those who write in this process one goes after the other, where the database has one writer:
    /// waiting here is fair and costs nothing, waiting there is neither.
    _turn: Option<MutexGuard<'a, ()>>,
}

impl<'a, B: Backend> Session<'a, B> {
    /// A connection to read with.
    pub(crate) async fn read(pool: &Pool<B::Db>) -> Sql<Self> {
        Ok(Self {
            connection: Some(pool.acquire().await?),
            is_writing: false,
            _turn: None,
        })
    }

    /// A transaction to write in.
    pub(crate) async fn write(
        backend: &B,
        pool: &Pool<B::Db>,
        turn: Option<&'a Mutex<()>>,
    ) -> Sql<Self> {
        let turn = match turn {
            Some(turn) => Some(turn.lock().await),
            None => None,
        };
        let mut session = Self {
            connection: Some(pool.acquire().await?),
            is_writing: true,
            _turn: turn,
        };
        backend.execute(&mut session, B::BEGIN).await?;
        Ok(session)
    }

    /// Commits what was written, and gives the connection back.
    pub(crate) async fn commit(mut self, backend: &B) -> Sql<()> {
        backend.execute(&mut self, "COMMIT").await?;
        self.give_back();
        Ok(())
    }

    /// Takes back what was written, if anything was, and gives the connection back.
    pub(crate) async fn end(mut self, backend: &B) -> Sql<()> {
        if self.is_writing {
            backend.execute(&mut self, "ROLLBACK").await?;
        }
        self.give_back();
        Ok(())
    }

    fn give_back(&mut self) {
        drop(self.connection.take());
    }
}

impl<B: Backend> Drop for Session<'_, B> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
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
        self.connection.as_ref().expect("the connection is there")
    }
}

impl<B: Backend> DerefMut for Session<'_, B> {
    #[expect(
        clippy::expect_used,
        reason = "taken out by `commit`, `end` and `drop` only, which consume it"
    )]
    fn deref_mut(&mut self) -> &mut Connection<B> {
        self.connection.as_mut().expect("the connection is there")
    }
}
