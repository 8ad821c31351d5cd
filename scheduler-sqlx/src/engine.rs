//! The store above its statements, written once for all databases.

use std::sync::Arc;
use std::time::Duration;

use crate::sqlx::{Connection as _, Pool};
use scheduler_core::store::StoreError;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::backend::{Backend, Connection, Wanted};
use crate::counted::Counted;
use crate::error::SqlError;
use crate::options::Options;
use crate::own_connection::{cause, own_connection};
use crate::policy_cache::PolicyCache;
use crate::quarantine::Quarantine;
use crate::session::{Session, Turn};
use crate::sqlx;
use crate::wakes::Wakes;

/// How long calls must not have overlapped before connections are closed.
const QUIET: Duration = Duration::from_secs(10);

/// One store.
pub(crate) struct Engine<B: Backend> {
    pub(crate) backend: B,
    pub(crate) pool: Pool<B::Db>,
    pub(crate) options: Options,
    pub(crate) cache: PolicyCache,
    pub(crate) quarantine: Quarantine,
    pub(crate) wakes: Arc<Wakes>,
    /// The counts of runs and of skipped fire times, as far as they have been counted.
    pub(crate) counted: Mutex<(Counted, Counted)>,
    turn: Turn<B>,
    /// When two calls last overlapped.
    shared_at: Mutex<Option<Instant>>,
    /// The connection for heartbeats, which belongs to the runtime of their thread.
    heartbeats: Mutex<Option<Connection<B>>>,
    /// If several calls fail to get a connection, only one finds out why: each would open another connection.
    finding_cause: Mutex<()>,
}

impl<B: Backend> Engine<B> {
    pub(crate) fn new(backend: B, pool: Pool<B::Db>, options: Options) -> Self {
        Self {
            backend,
            pool,
            options,
            cache: PolicyCache::default(),
            quarantine: Quarantine::default(),
            wakes: Arc::default(),
            counted: Mutex::default(),
            turn: Mutex::new(None),
            shared_at: Mutex::new(None),
            heartbeats: Mutex::new(None),
            finding_cause: Mutex::new(()),
        }
    }

    #[expect(clippy::unused_self, reason = "it says which database it is")]
    pub(crate) fn database_name(&self) -> &'static str {
        B::NAME
    }

    /// Closes all but one connection of the store's own pool once no two calls have overlapped for a while. The pool
    /// itself rotates its connections, so none is ever idle for long.
    async fn trim_pool(&self) {
        if B::ONE_WRITER || !self.options.owns_pool {
            return;
        }
        let (now, pool) = (Instant::now(), &self.pool);
        let is_shared = pool.size() as usize > pool.num_idle();
        let is_quiet = {
            let mut shared_at = self.shared_at.lock().await;
            if is_shared {
                *shared_at = Some(now);
            }
            shared_at.is_none_or(|at| now.saturating_duration_since(at) >= QUIET)
        };
        while is_quiet && pool.num_idle() > 1 {
            let Some(connection) = pool.try_acquire() else {
                return;
            };
            if let Err(error) = connection.detach().close().await {
                tracing::debug!(%error, "an unneeded connection was not closed cleanly");
            }
        }
    }

    pub(crate) async fn read(&self) -> Result<Session<'_, B>, SqlError> {
        self.trim_pool().await;
        Ok(Session::read(&self.backend, &self.pool).await?)
    }

    pub(crate) async fn write(&self) -> Result<Session<'_, B>, SqlError> {
        self.trim_pool().await;
        let turn = B::ONE_WRITER.then_some(&self.turn);
        let connect_within = self.options.connect_within();
        Ok(Session::write(&self.backend, &self.pool, turn, connect_within).await?)
    }

    /// Fails a call if the database does not answer in time: a half-open connection must not stop the driver.
    pub(crate) async fn within<T>(
        &self,
        call: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, StoreError> {
        let hold = self.options.hold_virtual_time();
        let answer = tokio::time::timeout(self.options.answer_within, call).await;
        drop(hold);
        if !matches!(answer, Ok(Ok(_))) {
            self.wakes.due_floor.clear();
        }
        match answer {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(Failure::Fenced)) => Err(StoreError::fenced()),
            Ok(Err(Failure::Sql(error))) => {
                let error = self.cause(error).await;
                match error {
                    // Idle connections still work, and the pool may be unable to open new ones.
                    SqlError::NoConnection(_) => return Err(StoreError::unreachable(error)),
                    SqlError::Unreachable(_) => {
                        self.close_idle();
                        return Err(StoreError::unreachable(error));
                    }
                    SqlError::Pooler(_) => self.lose_sessions().await,
                    _ => {}
                }
                Err(StoreError::new(error))
            }
            Err(_) => {
                self.close_idle();
                let error = SqlError::NoAnswer(self.options.answer_within);
                // A process that locks the file blocks writers, but not readers.
                Err(if B::ONE_WRITER {
                    StoreError::new(error)
                } else {
                    StoreError::unreachable(error)
                })
            }
        }
    }

    /// Replaces a pool's acquire timeout by its cause.
    async fn cause(&self, error: SqlError) -> SqlError {
        let _hold = self.options.hold_virtual_time();
        match self.finding_cause.try_lock() {
            Ok(_turn) => cause(error, &self.pool).await,
            Err(_) => error,
        }
    }

    /// Runs all statements inside transactions from now on, and closes the connections that hold named ones.
    async fn lose_sessions(&self) {
        if self.backend.lose_sessions() {
            tracing::warn!(
                "a pooler lies between this program and the database: from now on, statements stand inside \
                 of transactions"
            );
            self.close_own().await;
        }
        self.close_idle();
    }

    /// Closes idle connections: if one was lost, the others usually were too, and each would cause another failure,
    /// with a longer backoff every time.
    fn close_idle(&self) {
        if B::ONE_WRITER {
            // A file has no network over which to lose a connection.
            return;
        }
        for _ in 0..self.pool.num_idle() {
            if let Some(connection) = self.pool.try_acquire() {
                drop(connection.detach());
            }
        }
    }

    /// Calls a function with the connection for heartbeats, which is reopened after a failure.
    pub(crate) async fn on_heartbeat_connection<T>(
        &self,
        call: impl AsyncFnOnce(&B, &mut Connection<B>) -> Result<T, sqlx::Error>,
    ) -> Result<T, Failure> {
        let mut slot = self.heartbeats.lock().await;
        // Taken out of the slot while in use, so a cancelled call does not leave a bad connection behind.
        let mut connection = match slot.take() {
            Some(connection) => connection,
            None => own_connection(&self.pool, self.options.connect_within()).await?,
        };
        let is_alone = self.backend.keeps_sessions();
        if !is_alone {
            self.backend.execute(&mut connection, B::BEGIN).await?;
        }
        let answer = call(&self.backend, &mut connection).await?;
        if !is_alone {
            self.backend.execute(&mut connection, "COMMIT").await?;
        }
        *slot = Some(connection);
        Ok(answer)
    }

    /// Closes the connections that do not belong to the pool.
    pub(crate) async fn close_own(&self) {
        self.heartbeats.lock().await.take();
        self.turn.lock().await.take();
    }
}

/// Why a call failed.
pub(crate) enum Failure {
    /// The node no longer has a lease.
    Fenced,
    Sql(SqlError),
}

impl From<SqlError> for Failure {
    fn from(error: SqlError) -> Self {
        Self::Sql(error)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error.into())
    }
}

/// The names in a claim, sorted, so that equal requests use the same statement.
pub(crate) struct Names<'a> {
    tasks: Vec<&'a str>,
    executors: Vec<&'a str>,
    skipped: Vec<String>,
}

impl<'a> Names<'a> {
    pub(crate) fn of(
        request: &'a scheduler_core::store::ClaimRequest<'_>,
        skipped: Vec<String>,
    ) -> Self {
        let mut tasks: Vec<&str> = request.claimable.tasks.iter().map(|task| &**task).collect();
        tasks.sort_unstable();
        let with_capacity = request
            .capacity
            .iter()
            .filter(|(_, capacity)| **capacity > 0);
        let mut executors: Vec<&str> = with_capacity.map(|(name, _)| &**name).collect();
        executors.sort_unstable();
        Self {
            tasks,
            executors,
            skipped,
        }
    }

    pub(crate) fn wanted(&self) -> Wanted<'_> {
        Wanted {
            tasks: &self.tasks,
            executors: &self.executors,
            skipped: &self.skipped,
        }
    }
}
