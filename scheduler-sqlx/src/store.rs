//! The store's public type.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use scheduler_core::reconcile::{Reconciled, StaticJob};
use scheduler_core::store::{
    CancelAnswer, CancelledRun, ClaimRequest, Claimed, Cluster, Edit, Edited, Finished, Heartbeat,
    History, Inserted, JobAnswer, JobQuery, Lease, ManualRequest, ManualRun, NewJob, NewNode,
    Repaired, SkippedQuery, Store, StoreFuture, TakenOver, Wake,
};
use scheduler_core::testing::{hold_virtual_time, is_time_virtual};
use scheduler_core::{JobRecord, Node, NodeId, Revision, Run, RunFilter, RunId, Skipped};

use crate::builder::{IntoSqlPool, SqlStoreBuilder};
use crate::engine::Engine;
use crate::error::SqlError;
use crate::own_connection::with_cause;

/// Keeps jobs and their history in SQLite or PostgreSQL.
///
/// A clone is another handle on the same store.
///
/// ```
/// use scheduler_core::prelude::*;
/// use scheduler_sqlx::SqlStore;
///
/// #[task]
/// async fn refresh_feed(url: String) {}
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = std::env::temp_dir().join(format!("store-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let url = format!("sqlite://{}/scheduler.db", folder.display());
/// for start in 1..=2 {
///     let store = SqlStore::connect(&url).await?; // "sqlite://scheduler.db"
///     let scheduler = Scheduler::builder().store(store).without_static_jobs().start().await?;
///     assert_eq!(scheduler.get_jobs().await?.len(), start - 1); // what the last start added
///     let job = refresh_feed::job("https://example.org/feed".into()).interval("1h");
///     scheduler.add_job(job.id(format!("feed-{start}"))).await?;
///     scheduler.shutdown(Shutdown::wait()).await;
/// }
/// # let _ = std::fs::remove_dir_all(&folder); // the store's connections may still be closing
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SqlStore(pub(crate) Database);

/// One engine per supported database.
#[derive(Clone)]
pub(crate) enum Database {
    #[cfg(feature = "sqlite")]
    Sqlite(Arc<Engine<crate::sqlite::Sqlite>>),
    #[cfg(feature = "postgres")]
    Postgres(Arc<Engine<crate::postgres::Postgres>>),
}

/// Evaluates the same expression with the engine of either database.
macro_rules! on {
    ($store:expr, $engine:ident => $call:expr) => {
        match &$store.0 {
            #[cfg(feature = "sqlite")]
            Database::Sqlite($engine) => $call,
            #[cfg(feature = "postgres")]
            Database::Postgres($engine) => $call,
        }
    };
}

impl SqlStore {
    /// Opens the store at a URL: `sqlite://path/to/file.db` (created if missing) or
    /// `postgres://user:password@host/database`. Tables are created or updated.
    ///
    /// For other settings see [`builder`](Self::builder).
    ///
    /// # Errors
    /// [`SqlError`]: the URL is invalid, the database cannot be reached or refuses the connection, the tables are of
    /// a newer version, and so on.
    pub async fn connect(url: &str) -> Result<Self, SqlError> {
        Self::builder().connect(url).await
    }

    /// Opens the store with a pool that the application already has.
    ///
    /// The pool should have at least two spare connections. It keeps the application's settings: see
    /// [`SqlStoreBuilder::from_pool`].
    ///
    /// # Errors
    /// As [`connect`](Self::connect), and [`SqlError::UnfitPool`].
    pub async fn from_pool(pool: impl IntoSqlPool) -> Result<Self, SqlError> {
        Self::builder().from_pool(pool).await
    }

    /// Returns a builder for a store: table prefix, schema, lease, retention.
    pub fn builder() -> SqlStoreBuilder {
        SqlStoreBuilder::default()
    }

    /// Creates the tables or updates them; [`connect`](Self::connect) has already done so unless migration was turned
    /// off. Several processes may call this at the same time.
    ///
    /// # Errors
    /// [`SqlError::TooNew`], and errors of the database.
    pub async fn migrate(&self) -> Result<(), SqlError> {
        let _hold = hold_virtual_time(crate::builder::OPEN_WITHIN);
        match &self.0 {
            #[cfg(feature = "sqlite")]
            Database::Sqlite(engine) => with_cause(engine.migrate().await, &engine.pool).await,
            #[cfg(feature = "postgres")]
            Database::Postgres(engine) => {
                let migrated = crate::postgres::migrate(&engine.pool, &engine.backend.tables).await;
                with_cause(migrated, &engine.pool).await
            }
        }
    }

    /// The database's name, for messages.
    pub(crate) fn database_name(&self) -> &'static str {
        on!(self, engine => engine.database_name())
    }
}

impl fmt::Debug for SqlStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SqlStore")
            .field(&self.database_name())
            .finish()
    }
}

/// Calls the engine, with the time limit for an answer.
macro_rules! ask {
    ($store:expr, $engine:ident => $call:expr) => {
        on!($store, $engine => Box::pin($engine.within($call)))
    };
}

impl Store for SqlStore {
    fn is_persistent(&self) -> bool {
        true
    }

    fn insert(&self, jobs: Vec<NewJob>, now: DateTime<Utc>) -> StoreFuture<'_, Inserted> {
        ask!(self, engine => async move { engine.insert(&jobs, now).await })
    }

    fn reconcile(
        &self,
        jobs: Vec<StaticJob>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'_, Vec<Reconciled>> {
        ask!(self, engine => async move { engine.reconcile(&jobs, now).await })
    }

    fn get_job<'a>(&'a self, id: &'a str) -> StoreFuture<'a, Option<JobRecord>> {
        ask!(self, engine => engine.get_job(id))
    }

    fn list_jobs<'a>(&'a self, query: &'a JobQuery) -> StoreFuture<'a, Vec<JobRecord>> {
        ask!(self, engine => engine.list_jobs(query))
    }

    fn edit<'a>(
        &'a self,
        id: &'a str,
        edit: Edit<'a>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'a, Option<Edited>> {
        ask!(self, engine => engine.edit(id, edit, now))
    }

    fn remove<'a>(
        &'a self,
        id: &'a str,
        seen: Option<Revision>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'a, JobAnswer<Edited>> {
        ask!(self, engine => engine.remove(id, seen, now))
    }

    fn claim<'a>(&'a self, request: &'a ClaimRequest<'a>) -> StoreFuture<'a, Claimed> {
        ask!(self, engine => engine.claim(request))
    }

    fn next_due<'a>(
        &'a self,
        request: &'a ClaimRequest<'a>,
    ) -> StoreFuture<'a, Option<DateTime<Utc>>> {
        ask!(self, engine => engine.next_due(request))
    }

    fn run_now<'a>(
        &'a self,
        request: &'a ManualRequest<'a>,
    ) -> StoreFuture<'a, JobAnswer<ManualRun>> {
        ask!(self, engine => engine.run_now(request))
    }

    fn cancel(&self, run: RunId, now: DateTime<Utc>) -> StoreFuture<'_, CancelAnswer> {
        ask!(self, engine => engine.cancel(run, now))
    }

    fn list_cancellations(&self, node: NodeId) -> StoreFuture<'_, Vec<RunId>> {
        ask!(self, engine => engine.list_cancellations(node))
    }

    fn finish(&self, node: NodeId, finished: Vec<Finished>) -> StoreFuture<'_, Vec<bool>> {
        ask!(self, engine => async move { engine.finish(node, &finished).await })
    }

    fn release(
        &self,
        node: NodeId,
        runs: Vec<RunId>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'_, Vec<CancelledRun>> {
        ask!(self, engine => async move { engine.release(node, &runs, now).await })
    }

    fn list_held(&self, node: NodeId) -> StoreFuture<'_, Vec<RunId>> {
        ask!(self, engine => engine.list_held(node))
    }

    fn repair(&self, now: DateTime<Utc>) -> StoreFuture<'_, Repaired> {
        ask!(self, engine => engine.repair(now))
    }

    fn store_time(&self) -> StoreFuture<'_, Option<DateTime<Utc>>> {
        ask!(self, engine => engine.store_time())
    }

    fn cluster(&self) -> Option<&dyn Cluster> {
        Some(self)
    }

    fn subscribe(&self, wake: Wake) {
        if is_time_virtual() {
            // No listener: notifications arrive in real time, at an arbitrary virtual time. Drivers poll before virtual
            // time passes, and every 30 s of it.
            return;
        }
        match &self.0 {
            #[cfg(feature = "sqlite")]
            Database::Sqlite(engine) => {
                if let Some(listener) = engine.wakes.add(wake) {
                    crate::sqlite::watch(engine.pool.clone(), listener);
                }
            }
            #[cfg(feature = "postgres")]
            Database::Postgres(engine) => {
                if let Some(listener) = engine.wakes.add(wake) {
                    let channel = engine.backend.tables.channel();
                    let listening = crate::postgres::Listening {
                        pool: engine.pool.clone(),
                        at: engine.backend.listens_at.clone(),
                        sessions: engine.backend.tables.sessions.clone(),
                        channel,
                    };
                    crate::postgres::listen(listening, listener);
                }
            }
        }
    }

    fn notice(&self) -> Option<Arc<str>> {
        on!(self, engine => engine.wakes.notice())
    }

    fn poll_every(&self) -> Duration {
        let is_listening = on!(self, engine => engine.wakes.is_listening());
        if is_time_virtual() {
            Duration::MAX
        } else if is_listening {
            scheduler_core::store::POLL_EVERY
        } else {
            Duration::from_secs(1)
        }
    }
}

impl History for SqlStore {
    fn list_runs<'a>(&'a self, filter: &'a RunFilter) -> StoreFuture<'a, Vec<Run>> {
        ask!(self, engine => engine.list_runs(filter))
    }

    fn get_run(&self, id: RunId) -> StoreFuture<'_, Option<Run>> {
        ask!(self, engine => engine.get_run(id))
    }

    fn list_skipped<'a>(&'a self, query: &'a SkippedQuery) -> StoreFuture<'a, Vec<(u64, Skipped)>> {
        ask!(self, engine => engine.list_skipped(query))
    }

    fn prune(&self, now: DateTime<Utc>) -> StoreFuture<'_, bool> {
        match &self.0 {
            #[cfg(feature = "sqlite")]
            Database::Sqlite(engine) => Box::pin(engine.within(async move {
                // Also if nothing can be deleted: the log may be what fills the disk.
                let more = engine.prune(now).await;
                engine.truncate_log().await?;
                more
            })),
            #[cfg(feature = "postgres")]
            Database::Postgres(engine) => Box::pin(engine.within(engine.prune(now))),
        }
    }
}

impl Cluster for SqlStore {
    fn join<'a>(&'a self, node: &'a NewNode) -> StoreFuture<'a, Lease> {
        ask!(self, engine => async move { engine.join(node).await })
    }

    fn heartbeat(&self, node: NodeId) -> StoreFuture<'_, Heartbeat> {
        ask!(self, engine => engine.heartbeat(node))
    }

    fn is_only_node(&self, node: NodeId) -> StoreFuture<'_, bool> {
        ask!(self, engine => engine.is_only_node(node))
    }

    fn leave(&self, node: NodeId) -> StoreFuture<'_, ()> {
        ask!(self, engine => engine.leave(node))
    }

    fn take_over(&self, now: DateTime<Utc>) -> StoreFuture<'_, TakenOver> {
        ask!(self, engine => engine.take_over(now))
    }

    fn list_nodes(&self) -> StoreFuture<'_, Vec<Node>> {
        ask!(self, engine => engine.list_nodes())
    }
}
