//! Shared by the tests: databases, schedulers over them, tasks that leave a trace, and waiting.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use scheduler_core::prelude::*;
use scheduler_core::{Builder, Error, EventKind, EventStream, NextEvent, NodeId, Run, RunFilter};
use scheduler_sqlx::{SqlError, SqlStore};
use scheduler_test_servers::postgres::{Database, database};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};

/// How long a test waits for a state. Shorter than the interval at which nodes poll on their own (22 s and more), so
/// that a state that is reached in time proves that the node was woken.
const PATIENCE: Duration = Duration::from_secs(20);

/// A folder that is deleted with the test.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        let path = std::env::temp_dir().join(format!("scheduler-{}", NodeId::random()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Returns the path of the store's file.
    pub(crate) fn file(&self) -> PathBuf {
        self.0.join("jobs.db")
    }

    pub(crate) fn url(&self) -> String {
        format!("sqlite://{}", self.file().display())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// An empty database for one test.
#[derive(Debug)]
pub(crate) enum Place {
    Sqlite(Folder),
    Postgres(Database),
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        Self::Sqlite(Folder::new())
    }

    /// Returns `None`, with a printed note, if there is no PostgreSQL server.
    pub(crate) fn postgres() -> Option<Self> {
        database().map(Self::Postgres)
    }

    /// Returns one database of each kind that is available.
    pub(crate) fn each() -> Vec<Self> {
        std::iter::once(Self::sqlite())
            .chain(Self::postgres())
            .collect()
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite(folder) => folder.url(),
            Self::Postgres(database) => database.url(),
        }
    }

    /// Returns a handle on the store, like that of a separate process.
    pub(crate) async fn store(&self) -> SqlStore {
        SqlStore::connect(&self.url()).await.unwrap()
    }

    /// Executes statements like a user with a database shell.
    pub(crate) async fn run(&self, statements: &str) {
        let sql = sqlx::raw_sql(AssertSqlSafe(statements));
        let done = match self {
            Self::Sqlite(_) => {
                let url = format!("{}?mode=rwc", self.url());
                let mut connection = SqliteConnection::connect(&url).await.unwrap();
                let done = sql.execute(&mut connection).await.map(drop);
                connection.close().await.unwrap();
                done
            }
            Self::Postgres(_) => {
                let mut connection = PgConnection::connect(&self.url()).await.unwrap();
                let done = sql.execute(&mut connection).await.map(drop);
                connection.close().await.unwrap();
                done
            }
        };
        done.unwrap_or_else(|error| panic!("{statements}: {error}"));
    }

    /// Waits until this many connections of this database listen.
    pub(crate) async fn listeners(&self, count: i64) {
        until("there is somebody who listens", async || {
            self.number(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                 AND pid <> pg_backend_pid() AND query LIKE 'LISTEN %'",
            )
            .await
                >= count
        })
        .await;
    }

    /// Ends the listening connections of this database, and returns their number.
    pub(crate) async fn end_listeners(&self) -> i64 {
        self.number(
            "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE 'LISTEN %'",
        )
        .await
    }

    /// Returns the single number that a query yields.
    pub(crate) async fn number(&self, query: &str) -> i64 {
        let query = sqlx::AssertSqlSafe(query);
        match self {
            Self::Sqlite(_) => {
                let mut connection = SqliteConnection::connect(&self.url()).await.unwrap();
                let number = sqlx::query_scalar(query).fetch_one(&mut connection).await;
                connection.close().await.unwrap();
                number.unwrap()
            }
            Self::Postgres(_) => {
                let mut connection = PgConnection::connect(&self.url()).await.unwrap();
                let number = sqlx::query_scalar(query).fetch_one(&mut connection).await;
                connection.close().await.unwrap();
                number.unwrap()
            }
        }
    }
}

impl Place {
    /// Returns the texts that a query yields, one per row.
    pub(crate) async fn texts(&self, query: &str) -> Vec<String> {
        let query = sqlx::AssertSqlSafe(query);
        match self {
            Self::Sqlite(_) => {
                let mut connection = SqliteConnection::connect(&self.url()).await.unwrap();
                let texts = sqlx::query_scalar(query).fetch_all(&mut connection).await;
                connection.close().await.unwrap();
                texts.unwrap()
            }
            Self::Postgres(_) => {
                let mut connection = PgConnection::connect(&self.url()).await.unwrap();
                let texts = sqlx::query_scalar(query).fetch_all(&mut connection).await;
                connection.close().await.unwrap();
                texts.unwrap()
            }
        }
    }
}

/// What runs left behind: the id of the job and the text of its argument.
#[derive(Debug, Default)]
pub(crate) struct Log(Mutex<Vec<(String, String)>>);

impl Log {
    fn write(&self, ctx: &JobContext, text: &str) {
        let entry = (ctx.job_id().to_owned(), text.to_owned());
        self.0.lock().unwrap().push(entry);
    }

    /// Returns how many runs of a job have begun.
    pub(crate) fn count(&self, job: &str) -> usize {
        let entries = self.0.lock().unwrap();
        entries.iter().filter(|(id, _)| id == job).count()
    }

    /// Returns the texts of a job's runs.
    pub(crate) fn texts(&self, job: &str) -> Vec<String> {
        let entries = self.0.lock().unwrap();
        let of_job = entries.iter().filter(|(id, _)| id == job);
        of_job.map(|(_, text)| text.clone()).collect()
    }
}

/// Writes an entry to the log.
#[task]
pub(crate) async fn note(#[arg(default)] text: String, ctx: JobContext, log: Data<Log>) {
    log.write(&ctx, &text);
}

/// Writes an entry to the log, and ends when cancelled.
#[task]
pub(crate) async fn go_on(ctx: JobContext, log: Data<Log>) {
    log.write(&ctx, "");
    ctx.cancelled().await;
}

/// Lets runs end.
#[derive(Debug, Default)]
pub(crate) struct Gate(tokio::sync::Notify);

impl Gate {
    /// Lets one run end.
    pub(crate) fn open(&self) {
        self.0.notify_one();
    }
}

/// Writes an entry to the log, and ends when the gate is opened.
#[task]
pub(crate) async fn wait_at_gate(ctx: JobContext, log: Data<Log>, gate: Data<Gate>) -> u64 {
    log.write(&ctx, "");
    gate.0.notified().await;
    42
}

/// A scheduler over a store, and a log of what it ran.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) scheduler: Scheduler,
    pub(crate) log: Arc<Log>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) events: EventStream,
}

impl Node {
    /// Starts a scheduler without static jobs.
    pub(crate) async fn start(store: SqlStore) -> Self {
        Self::with(store, Builder::without_static_jobs).await
    }

    pub(crate) async fn with(store: SqlStore, set_up: impl FnOnce(Builder) -> Builder) -> Self {
        Self::try_with(store, set_up).await.unwrap()
    }

    pub(crate) async fn try_with(
        store: SqlStore,
        set_up: impl FnOnce(Builder) -> Builder,
    ) -> Result<Self, Error> {
        let (log, gate) = (Arc::new(Log::default()), Arc::new(Gate::default()));
        let builder = Scheduler::builder()
            .store(store)
            .shared_data(log.clone())
            .shared_data(gate.clone());
        let scheduler = set_up(builder).start().await?;
        let events = scheduler.events();
        Ok(Self {
            scheduler,
            log,
            gate,
            events,
        })
    }

    pub(crate) async fn add(&self, job: Job) {
        self.scheduler.add_job(job).await.unwrap();
    }

    /// Adds a job, retrying until the store can be reached.
    pub(crate) async fn add_at_last(&self, job: Job) {
        until("the job is added", async || {
            self.scheduler.add_job(job.clone()).await.is_ok()
        })
        .await;
    }

    pub(crate) async fn runs(&self, job: &str) -> Vec<Run> {
        self.scheduler
            .list_runs(&RunFilter::new().job(job).limit(usize::MAX))
            .await
            .unwrap()
            .items
    }

    /// Waits until a job has run at least this many times on this node.
    pub(crate) async fn ran(&self, job: &str, times: usize) {
        until(&format!("{job} runs"), async || {
            self.log.count(job) >= times
        })
        .await;
    }

    /// Waits for an event.
    pub(crate) async fn event(&mut self, what: &str, is_it: impl Fn(&EventKind) -> bool) {
        let found = async {
            loop {
                match self.events.next().await {
                    Some(NextEvent::Event(event)) if is_it(&event.kind) => return,
                    Some(_) => {}
                    None => panic!("no more events, and none was: {what}"),
                }
            }
        };
        tokio::time::timeout(PATIENCE, found)
            .await
            .unwrap_or_else(|_| panic!("no event: {what}"));
    }

    pub(crate) async fn stop(self) {
        let report = self.scheduler.shutdown(Shutdown::abort()).await;
        assert!(report.running.is_empty(), "{report}");
    }
}

/// Returns a job that writes an empty entry.
pub(crate) fn plain() -> Job {
    note::job(String::new())
}

/// Makes a job due only after a day.
pub(crate) fn later(job: Job) -> Job {
    job.interval("24h")
}

/// Waits for a condition.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting)
        .await
        .unwrap_or_else(|_| panic!("not in time: {what}"));
}

/// Extracts the store's error from an error of the scheduler.
pub(crate) fn of_store(error: &Error) -> &SqlError {
    match error {
        Error::Store { source, .. } => match source.downcast_ref() {
            Some(error) => error,
            None => panic!("no error of the SQL store: {error}"),
        },
        other => panic!("no error of a store: {other}"),
    }
}
