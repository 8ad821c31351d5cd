//! Adding a job in the caller's transaction.

use scheduler_core::store::{Inserted, NewJob};
use scheduler_core::{Error, JobRecord, RunIds, RunKind};

use crate::backend::{Backend, Connection};
use crate::engine::{Engine, Failure};
use crate::instant::micros;
use crate::run_row::NewRun;
use crate::sqlx;
use crate::store::{Database, SqlStore};

/// A connection, usually in a transaction, of a supported database.
#[derive(Debug)]
#[non_exhaustive]
pub enum SqlConnection<'c> {
    /// SQLite.
    #[cfg(feature = "sqlite")]
    Sqlite(&'c mut sqlx::SqliteConnection),
    /// PostgreSQL.
    #[cfg(feature = "postgres")]
    Postgres(&'c mut sqlx::PgConnection),
}

#[cfg(feature = "sqlite")]
impl<'c> From<&'c mut sqlx::SqliteConnection> for SqlConnection<'c> {
    fn from(connection: &'c mut sqlx::SqliteConnection) -> Self {
        Self::Sqlite(connection)
    }
}

#[cfg(feature = "postgres")]
impl<'c> From<&'c mut sqlx::PgConnection> for SqlConnection<'c> {
    fn from(connection: &'c mut sqlx::PgConnection) -> Self {
        Self::Postgres(connection)
    }
}

impl SqlStore {
    /// Adds a job in the caller's own transaction: the job exists once the transaction commits, and never existed if it
    /// is rolled back. All statements use this connection.
    ///
    /// In SQLite, a transaction that reads before it writes should begin with `BEGIN IMMEDIATE`
    /// (`pool.begin_with(…)`): otherwise it fails if another connection writes in between, as any such transaction
    /// does.
    ///
    /// Nodes see the job when the transaction commits. No `JobAdded` event is published, and with several stores the id
    /// is not checked against the other stores.
    ///
    /// # Errors
    /// [`Error::JobExists`] and [`Error::StaticJob`] if the id is taken; [`Error::Store`] for errors of the database,
    /// and if the connection is to another kind of database. On an error, roll the transaction back.
    ///
    /// ```
    /// use scheduler_core::prelude::*;
    /// use scheduler_sqlx::SqlStore;
    /// use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
    ///
    /// #[task]
    /// async fn send_reminder(user_id: i64) {}
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = std::env::temp_dir().join(format!("add-job-in-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder)?;
    /// # let url = format!("sqlite://{}/app.db?mode=rwc", folder.display());
    /// let options: SqliteConnectOptions = url.parse()?;
    /// let options = options.journal_mode(SqliteJournalMode::Wal);
    /// let pool = sqlx::SqlitePool::connect_with(options).await?; // the application's own
    /// let store = SqlStore::from_pool(pool.clone()).await?;
    /// let scheduler = Scheduler::builder().store(store.clone()).without_static_jobs().start().await?;
    /// sqlx::query("CREATE TABLE users (id integer PRIMARY KEY)").execute(&pool).await?;
    ///
    /// let mut transaction = pool.begin().await?;
    /// sqlx::query("INSERT INTO users (id) VALUES (42)").execute(&mut *transaction).await?;
    /// let reminder = send_reminder::job(42).id("reminder-42").interval("24h");
    /// store.add_job_in(&mut *transaction, scheduler.prepare_job(reminder)?).await?;
    /// transaction.commit().await?; // the user and the reminder, or neither
    ///
    /// assert!(scheduler.get_job("reminder-42").await?.is_some());
    /// # scheduler.shutdown(Shutdown::wait()).await;
    /// # pool.close().await;
    /// # let _ = std::fs::remove_dir_all(&folder); // the store's own connections may still be closing
    /// # Ok(())
    /// # }
    /// ```
    pub async fn add_job_in<'c>(
        &self,
        connection: impl Into<SqlConnection<'c>>,
        job: NewJob,
    ) -> Result<JobRecord, Error> {
        let added = match (&self.0, connection.into()) {
            #[cfg(feature = "sqlite")]
            (Database::Sqlite(engine), SqlConnection::Sqlite(connection)) => {
                engine.add_in(connection, &job).await
            }
            #[cfg(feature = "postgres")]
            (Database::Postgres(engine), SqlConnection::Postgres(connection)) => {
                engine.add_in_transaction(connection, &job).await
            }
            #[cfg(all(feature = "sqlite", feature = "postgres"))]
            (_, connection) => Err(Failure::Sql(crate::SqlError::WrongDatabase {
                store: self.database_name(),
                connection: match connection {
                    SqlConnection::Sqlite(_) => "SQLite",
                    SqlConnection::Postgres(_) => "PostgreSQL",
                },
            })),
        };
        let store = || job.record.policies.store.to_string();
        match added {
            Ok(None) => Err(Error::JobExists {
                job: job.record.id.to_string(),
            }),
            Ok(Some(Inserted::Exists(id))) => Err(Error::JobExists {
                job: id.to_string(),
            }),
            Ok(Some(Inserted::IsStatic(id))) => Err(Error::StaticJob {
                job: id.to_string(),
                location: "the place where it is annotated".to_owned(),
                problem: "choose another id",
            }),
            Ok(Some(Inserted::All(mut inserted))) => {
                let record = inserted.carried_on.pop().unwrap_or(job.record);
                tracing::debug!(job_id = %record.id, trigger = %record.trigger, "job added in a transaction");
                Ok(record)
            }
            Err(Failure::Fenced) => Err(Error::Stopped),
            Err(Failure::Sql(error)) => Err(Error::Store {
                store: store(),
                source: Box::new(error),
            }),
        }
    }
}

#[cfg(feature = "postgres")]
impl Engine<crate::postgres::Postgres> {
    /// Adds a job in the connection's transaction. If sessions are not kept and there is no transaction, begins one:
    /// behind a pooler, a statement outside a transaction could run in a session with another program's statements.
    async fn add_in_transaction(
        &self,
        connection: &mut sqlx::PgConnection,
        job: &NewJob,
    ) -> Result<Option<Inserted>, Failure> {
        if self.backend.keeps_sessions() || crate::postgres::is_in_transaction(connection).await? {
            return self.add_in(connection, job).await;
        }
        let mut transaction = sqlx::Connection::begin(connection).await?;
        let added = self.add_in(&mut transaction, job).await?;
        if matches!(added, Some(Inserted::All(_))) {
            transaction.commit().await?;
        } else {
            transaction.rollback().await?;
        }
        Ok(added)
    }
}

impl<B: Backend> Engine<B> {
    async fn add_in(
        &self,
        connection: &mut Connection<B>,
        job: &NewJob,
    ) -> Result<Option<Inserted>, Failure> {
        let _hold = self.options.hold_virtual_time();
        let record = &job.record;
        let now = record.created_at;
        if B::ONE_WRITER {
            // Deletes nothing: a transaction that has not read yet can wait for its turn to write, but not after it has
            // read the jobs.
            self.backend.delete_runs(connection, &[]).await?;
        }
        let inserted = self
            .insert_on(connection, std::slice::from_ref(job), now)
            .await?;
        let is_there = matches!(inserted, Some(Inserted::All(_)));
        if is_there && record.policies.run_on_start && record.paused.is_none() {
            let run = NewRun {
                id: RunIds::random().next(now).as_u128(),
                job_id: record.id.as_str(),
                task: &record.task,
                kind: RunKind::Startup.code(),
                scheduled_for: micros(now),
                node: None,
                started_at: None,
            };
            self.backend.insert_runs(connection, &[run]).await?;
            self.backend.notify(connection, micros(now)).await?;
        }
        Ok(inserted)
    }
}
