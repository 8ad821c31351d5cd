//! Setting up a store.

use std::sync::Arc;
use std::time::Duration;

use scheduler_core::testing::hold_virtual_time;

use crate::engine::Engine;
use crate::error::SqlError;
use crate::options::Options;
use crate::own_connection::with_cause;
use crate::sqlx;
use crate::store::{Database, SqlStore};
use crate::tables::Tables;

/// How long virtual time is paused while a store is opened, in real time; migrations may take long.
pub(crate) const OPEN_WITHIN: Duration = Duration::from_secs(60);

/// Sets up a [`SqlStore`]; [`connect`](Self::connect) or [`from_pool`](Self::from_pool) opens it.
///
/// ```no_run
/// use std::time::Duration;
///
/// use scheduler_sqlx::SqlStore;
///
/// # async fn example() -> Result<(), scheduler_sqlx::SqlError> {
/// let store = SqlStore::builder()
///     .schema("background")
///     .keep_runs_for(Duration::from_secs(7 * 86_400))
///     .lease(Duration::from_secs(30))
///     .connect("postgres://app@db.internal/app")
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a store is opened by `.connect(…)` or `.from_pool(…)`"]
pub struct SqlStoreBuilder {
    options: Options,
    prefix: String,
    schema: Option<String>,
    migrates: bool,
    max_connections: u32,
    named_statements: Option<bool>,
    listen_url: Option<String>,
}

impl Default for SqlStoreBuilder {
    fn default() -> Self {
        Self {
            options: Options::default(),
            prefix: "scheduler_".to_owned(),
            schema: None,
            migrates: true,
            max_connections: 8,
            named_statements: None,
            listen_url: None,
        }
    }
}

impl SqlStoreBuilder {
    /// Sets the prefix of the table names (default: `scheduler_`), which allows two stores in one database.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Puts the tables into this schema of PostgreSQL, which is created if missing (default: the first schema of the
    /// connection's search path). SQLite has no schemas and ignores it.
    pub fn schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = Some(schema.into());
        self
    }

    /// If `true` (the default), opening the store creates its tables or updates them. If `false`, opening a store whose
    /// tables are missing or old is an error: call [`migrate`](SqlStore::migrate) first.
    pub fn migrate(mut self, migrates: bool) -> Self {
        self.migrates = migrates;
        self
    }

    /// Sets how long a node counts as alive without a heartbeat (default: 15 s, minimum: 1 s); it sends three
    /// heartbeats in that time.
    ///
    /// With a shorter lease, the runs of a dead node are taken over sooner. With a longer one, a node survives a longer
    /// loss of its connection to the database without losing its runs. All nodes should use the same lease.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.options.lease = lease.max(Duration::from_secs(1));
        self
    }

    /// Sets how long the database may take to answer (default: 10 s) before the call fails, its connection is closed,
    /// and the scheduler backs off.
    pub fn answer_within(mut self, limit: Duration) -> Self {
        self.options.answer_within = limit.max(Duration::from_millis(10));
        self
    }

    /// Sets how long ended runs, finished jobs and records of skipped fire times are kept (default: 30 days).
    pub fn keep_runs_for(mut self, age: Duration) -> Self {
        self.options.keep_for = Some(age);
        self
    }

    /// Sets how many runs, and how many records of skipped fire times, are kept at most (default: 1,000,000 each).
    /// Beyond that, the oldest are deleted, some thousands at a time.
    pub fn keep_runs(mut self, count: u64) -> Self {
        self.options.keep_runs = Some(count);
        self
    }

    /// Keeps all history, regardless of age and size.
    pub fn keep_all_runs(mut self) -> Self {
        self.options.keep_for = None;
        self.options.keep_runs = None;
        self
    }

    /// Sets the maximum number of connections in the pool (default: 8). One more is opened for heartbeats, and one for
    /// notifications. On PostgreSQL, all connections but one are closed after 10 s without concurrent calls.
    pub fn max_connections(mut self, count: u32) -> Self {
        self.max_connections = count.max(2);
        self
    }

    /// Sets whether statements are prepared under names, once per connection, which needs a direct connection to the
    /// server. PostgreSQL only; detected when the store is opened unless set.
    ///
    /// Behind a pooler, statements run inside transactions and are unnamed, which works in every mode and costs one
    /// round trip per statement. Pass `true` to avoid that cost if you know that named statements work: behind a pooler
    /// in session mode, or behind pgbouncer 1.21 or later with `max_prepared_statements` above 0.
    pub fn named_statements(mut self, named: bool) -> Self {
        self.named_statements = Some(named);
        self
    }

    /// Listens for changes by other nodes at this URL of the same database. Use the server's own URL if the store
    /// connects through a pooler in transaction mode, which does not forward notifications. PostgreSQL only (default:
    /// the store's URL). Everything else, heartbeats included, still uses the store's URL.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), scheduler_sqlx::SqlError> {
    /// let store = scheduler_sqlx::SqlStore::builder()
    ///     .listen_url("postgres://app@db.internal:5432/app")
    ///     .connect("postgres://app@pgbouncer.internal:6432/app")
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Without it, such a store checks for changes once a second, and reports this in
    /// [`StoreHealth::notice`](scheduler_core::StoreHealth::notice).
    ///
    /// # Errors
    /// [`SqlError::Url`] when the store is opened, if this is not a URL of PostgreSQL.
    pub fn listen_url(mut self, url: impl Into<String>) -> Self {
        self.listen_url = Some(url.into());
        self
    }

    /// Opens the store at a URL; see [`SqlStore::connect`].
    ///
    /// # Errors
    /// See there.
    pub async fn connect(mut self, url: &str) -> Result<SqlStore, SqlError> {
        self.options.owns_pool = true;
        let tables = self.tables()?;
        let _hold = hold_virtual_time(OPEN_WITHIN);
        match url.split_once(':').map(|(scheme, _)| scheme) {
            #[cfg(feature = "sqlite")]
            Some("sqlite") => {
                let options = crate::sqlite::options(url)?;
                let pool = crate::sqlite::pool(options, self.max_connections);
                crate::sqlite::check_file(&pool, url).await?;
                self.open_sqlite(tables, pool).await
            }
            #[cfg(feature = "postgres")]
            Some("postgres" | "postgresql") => {
                let options = crate::postgres::options(url)?;
                let has_no_cache = crate::postgres::has_no_statement_cache(url);
                let named = self.named_statements.or(has_no_cache.then_some(false));
                let pool = crate::postgres::pool(options, self.max_connections);
                let this = Self {
                    named_statements: named,
                    ..self
                };
                this.open_postgres(tables, pool).await
            }
            _ => Err(SqlError::url(url, None)),
        }
    }

    /// Opens the store with a pool that the application already has.
    ///
    /// The pool keeps the application's settings. A pool of SQLite needs `journal_mode(Wal)`, a `busy_timeout` (sqlx's
    /// default is 5 s) and no `locking_mode(Exclusive)`; without them, the transactions of the application and of the
    /// scheduler make each other fail, so the pool is rejected. `synchronous(Full)` keeps commits through a power
    /// failure; a weaker setting logs a warning. In the application, begin a transaction that reads before it writes
    /// with `BEGIN IMMEDIATE` (`pool.begin_with(…)`): SQLite refuses its first write if another connection has written
    /// since the read.
    ///
    /// `test_before_acquire(false)` saves a round trip per call, provided that `before_acquire` tests connections that
    /// were idle. The store's own connections, for heartbeats and for notifications, use the options and hooks of the
    /// pool.
    ///
    /// # Errors
    /// As [`SqlStore::connect`], and [`SqlError::UnfitPool`].
    pub async fn from_pool(self, pool: impl IntoSqlPool) -> Result<SqlStore, SqlError> {
        let tables = self.tables()?;
        let _hold = hold_virtual_time(OPEN_WITHIN);
        match pool.into_sql_pool() {
            #[cfg(feature = "sqlite")]
            SqlPool::Sqlite(pool) => {
                with_cause(crate::sqlite::check_settings(&pool).await, &pool).await?;
                self.open_sqlite(tables, pool).await
            }
            #[cfg(feature = "postgres")]
            SqlPool::Postgres(pool) => self.open_postgres(tables, pool).await,
        }
    }

    fn tables(&self) -> Result<Tables, SqlError> {
        Tables::new(&self.prefix, self.schema.as_deref())
    }

    #[cfg(feature = "sqlite")]
    async fn open_sqlite(
        self,
        tables: Tables,
        pool: sqlx::SqlitePool,
    ) -> Result<SqlStore, SqlError> {
        let backend = crate::sqlite::Sqlite::new(tables.without_schema());
        let engine = Arc::new(Engine::new(backend, pool, self.options));
        let opened = if self.migrates {
            engine.migrate().await
        } else {
            engine.check().await
        };
        with_cause(opened, &engine.pool).await?;
        Ok(SqlStore(Database::Sqlite(engine)))
    }

    #[cfg(feature = "postgres")]
    async fn open_postgres(
        self,
        mut tables: Tables,
        pool: sqlx::PgPool,
    ) -> Result<SqlStore, SqlError> {
        let listens_at = match &self.listen_url {
            Some(url) => Some(crate::postgres::options(url)?),
            None => None,
        };
        tables.sessions = crate::postgres::Sessions::of(&pool, self.named_statements).await?;
        let opened = if self.migrates {
            crate::postgres::migrate(&pool, &tables).await
        } else {
            crate::postgres::check(&pool, &tables).await
        };
        with_cause(opened, &pool).await?;
        let backend = crate::postgres::Postgres::new(tables, listens_at);
        let engine = Arc::new(Engine::new(backend, pool, self.options));
        Ok(SqlStore(Database::Postgres(engine)))
    }
}

/// A connection pool of a database that the store supports.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum SqlPool {
    /// SQLite.
    #[cfg(feature = "sqlite")]
    Sqlite(sqlx::SqlitePool),
    /// PostgreSQL.
    #[cfg(feature = "postgres")]
    Postgres(sqlx::PgPool),
}

/// Pools from which a store can be opened: `SqlitePool` and `PgPool`.
pub trait IntoSqlPool {
    /// Converts the pool into a [`SqlPool`].
    fn into_sql_pool(self) -> SqlPool;
}

impl IntoSqlPool for SqlPool {
    fn into_sql_pool(self) -> SqlPool {
        self
    }
}

#[cfg(feature = "sqlite")]
impl IntoSqlPool for sqlx::SqlitePool {
    fn into_sql_pool(self) -> SqlPool {
        SqlPool::Sqlite(self)
    }
}

#[cfg(feature = "postgres")]
impl IntoSqlPool for sqlx::PgPool {
    fn into_sql_pool(self) -> SqlPool {
        SqlPool::Postgres(self)
    }
}
