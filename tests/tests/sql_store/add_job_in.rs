//! A job added in the application's own transaction, with the application's own data.

use scheduler_core::prelude::*;
use scheduler_core::{Error, JobRecord, RunKind, SkipReason, SkippedFilter};
use scheduler_sqlx::{SqlError, SqlStore};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{PgPool, SqlitePool};

use crate::support::{Node, Place, later, note, of_store, plain, until};

/// The application's pool.
enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// How the application ends its transaction.
#[derive(Clone, Copy, PartialEq, Debug)]
enum End {
    Commit,
    Rollback,
}

/// A database with a table of the application, and a scheduler over the application's pool.
struct Application {
    place: Place,
    pool: Pool,
    store: SqlStore,
    node: Node,
}

impl Application {
    async fn on(place: Place) -> Self {
        place
            .run("CREATE TABLE users (id integer PRIMARY KEY)")
            .await;
        let (pool, store) = match &place {
            Place::Sqlite(folder) => {
                let options = SqliteConnectOptions::new()
                    .filename(folder.file())
                    .journal_mode(SqliteJournalMode::Wal)
                    // Longer than the other transactions take on a busy machine.
                    .busy_timeout(std::time::Duration::from_secs(60));
                let pool = SqlitePool::connect_with(options).await.unwrap();
                let store = SqlStore::from_pool(pool.clone()).await.unwrap();
                (Pool::Sqlite(pool), store)
            }
            Place::Postgres(database) => {
                let pool = PgPool::connect(&database.url()).await.unwrap();
                let store = SqlStore::from_pool(pool.clone()).await.unwrap();
                (Pool::Postgres(pool), store)
            }
        };
        let node = Node::start(store.clone()).await;
        Self {
            place,
            pool,
            store,
            node,
        }
    }

    async fn each() -> Vec<Self> {
        let mut applications = Vec::new();
        for place in Place::each() {
            applications.push(Self::on(place).await);
        }
        applications
    }

    /// Inserts a user and adds a job in one transaction.
    async fn sign_up(&self, user: i32, job: Job, end: End) -> Result<JobRecord, Error> {
        let job = self.node.scheduler.prepare_job(job)?;
        let insert = sqlx::AssertSqlSafe(format!("INSERT INTO users (id) VALUES ({user})"));
        match &self.pool {
            Pool::Sqlite(pool) => {
                let mut transaction = pool.begin().await.unwrap();
                sqlx::query(insert)
                    .execute(&mut *transaction)
                    .await
                    .unwrap();
                let added = self.store.add_job_in(&mut *transaction, job).await;
                match end {
                    End::Commit if added.is_ok() => transaction.commit().await.unwrap(),
                    _ => transaction.rollback().await.unwrap(),
                }
                added
            }
            Pool::Postgres(pool) => {
                let mut transaction = pool.begin().await.unwrap();
                sqlx::query(insert)
                    .execute(&mut *transaction)
                    .await
                    .unwrap();
                let added = self.store.add_job_in(&mut *transaction, job).await;
                match end {
                    End::Commit if added.is_ok() => transaction.commit().await.unwrap(),
                    _ => transaction.rollback().await.unwrap(),
                }
                added
            }
        }
    }

    async fn users(&self) -> i64 {
        self.place.number("SELECT count(*) FROM users").await
    }
}

#[tokio::test]
async fn with_the_commit_both_are_there_and_the_job_runs() {
    for app in Application::each().await {
        let added = app
            .sign_up(
                1,
                note::job("hello".into()).id("welcome").now(),
                End::Commit,
            )
            .await
            .unwrap();
        assert_eq!(added.id.as_str(), "welcome");
        app.node.ran("welcome", 1).await;
        assert_eq!(app.node.log.texts("welcome"), ["hello"]);
        assert_eq!(app.users().await, 1);
        app.node.stop().await;
    }
}

#[tokio::test]
async fn with_a_rollback_neither_is_there_and_nothing_runs() {
    for app in Application::each().await {
        app.sign_up(1, plain().id("never").now(), End::Rollback)
            .await
            .unwrap();
        assert_eq!(app.users().await, 0);
        assert!(app.node.scheduler.get_job("never").await.unwrap().is_none());
        app.sign_up(1, plain().id("after").now(), End::Commit)
            .await
            .unwrap();
        app.node.ran("after", 1).await;
        assert_eq!(app.node.log.count("never"), 0);
        assert!(app.node.runs("never").await.is_empty());
        app.node.stop().await;
    }
}

#[tokio::test]
async fn another_node_is_woken_by_the_commit() {
    for app in Application::each().await {
        app.node.scheduler.pause();
        let other = Node::start(app.place.store().await).await;
        // Due tomorrow, so that its timer does not wake the node.
        other.add(later(plain()).id("tomorrow")).await;
        other.scheduler.run_job_now("tomorrow").await.unwrap();
        other.ran("tomorrow", 1).await;
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        app.sign_up(1, plain().id("today").now(), End::Commit)
            .await
            .unwrap();
        other.ran("today", 1).await;
        assert_eq!(app.node.log.count("today"), 0);
        other.stop().await;
        app.node.stop().await;
    }
}

#[tokio::test]
async fn a_taken_id_is_told_and_the_transaction_can_be_taken_back() {
    for app in Application::each().await {
        app.sign_up(
            1,
            later(note::job("first".into())).id("reminder"),
            End::Commit,
        )
        .await
        .unwrap();
        let again = later(note::job("second".into())).id("reminder");
        let error = app.sign_up(2, again, End::Commit).await.unwrap_err();
        assert!(
            matches!(&error, Error::JobExists { job } if job == "reminder"),
            "{error}"
        );
        assert_eq!(app.users().await, 1);
        let replace = later(note::job("third".into()))
            .id("reminder")
            .replace_existing(true);
        app.sign_up(3, replace, End::Commit).await.unwrap();
        let job = app
            .node
            .scheduler
            .get_job("reminder")
            .await
            .unwrap()
            .unwrap();
        assert_eq!(job.arguments.get("text").unwrap(), "third");
        assert_eq!(app.users().await, 2);
        app.node.stop().await;
    }
}

#[tokio::test]
async fn a_job_that_is_replaced_loses_what_was_pending_with_the_commit_only() {
    for app in Application::each().await {
        app.node.scheduler.pause();
        app.node.add(plain().id("often").interval("50ms")).await;
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        let replace = || later(plain()).id("often").replace_existing(true);
        app.sign_up(1, replace(), End::Rollback).await.unwrap();
        assert!(
            app.node
                .scheduler
                .list_skipped(&SkippedFilter::new().job("often").limit(10))
                .await
                .unwrap()
                .items
                .is_empty()
        );
        app.sign_up(1, replace(), End::Commit).await.unwrap();
        let skipped = app
            .node
            .scheduler
            .list_skipped(&SkippedFilter::new().job("often").limit(10))
            .await
            .unwrap()
            .items;
        assert_eq!(skipped[0].reason, SkipReason::Superseded);
        app.node.stop().await;
    }
}

#[tokio::test]
async fn unchanged_job_carries_on_when_it_is_replaced_in_a_transaction() {
    for app in Application::each().await {
        let job = || later(plain()).id("reminder").replace_existing(true);
        let first = app.sign_up(1, job(), End::Commit).await.unwrap();
        let again = app.sign_up(2, job().retries(2), End::Commit).await.unwrap();
        assert_eq!((again.watermark, again.next), (first.watermark, first.next));
        assert_eq!(again.trigger, first.trigger);
        let stored = app.node.scheduler.get_job("reminder").await.unwrap();
        assert_eq!(stored, Some(again));
        app.node.stop().await;
    }
}

#[tokio::test]
async fn id_of_a_finished_job_can_be_used_again_in_a_transaction() {
    for app in Application::each().await {
        let added = app.sign_up(1, plain().id("once").now(), End::Commit).await;
        added.unwrap();
        until("it has ended", async || {
            let runs = app.node.runs("once").await;
            runs.first().is_some_and(|run| run.state.is_final())
        })
        .await;
        let again = later(plain()).id("once");
        app.sign_up(2, again.clone(), End::Commit).await.unwrap();
        let error = app.sign_up(3, again, End::Commit).await.unwrap_err();
        assert!(matches!(error, Error::JobExists { .. }), "{error}");
        assert_eq!(app.node.runs("once").await.len(), 1, "history stays");
        app.node.stop().await;
    }
}

#[tokio::test]
async fn a_connection_to_another_kind_of_database_is_refused() {
    let Some(server) = Place::postgres() else {
        return;
    };
    let (file, server) = (
        Application::on(Place::sqlite()).await,
        Application::on(server).await,
    );
    let (Pool::Sqlite(file_pool), Pool::Postgres(server_pool)) = (&file.pool, &server.pool) else {
        panic!("they are what they are");
    };
    let prepared = || {
        file.node
            .scheduler
            .prepare_job(later(plain()).id("lost"))
            .unwrap()
    };
    let mut to_server = server_pool.begin().await.unwrap();
    let error = file
        .store
        .add_job_in(&mut *to_server, prepared())
        .await
        .unwrap_err();
    assert!(
        matches!(
            of_store(&error),
            SqlError::WrongDatabase {
                store: "SQLite",
                connection: "PostgreSQL"
            }
        ),
        "{error}"
    );
    let mut to_file = file_pool.begin().await.unwrap();
    let error = server
        .store
        .add_job_in(&mut *to_file, prepared())
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("give a connection to the same database"),
        "{error}"
    );
    to_server.rollback().await.unwrap();
    to_file.rollback().await.unwrap();
    file.node.stop().await;
    server.node.stop().await;
}

#[tokio::test]
async fn a_job_that_runs_when_it_is_added_does_so_after_the_commit() {
    for app in Application::each().await {
        let job = later(plain()).id("at-once").run_on_start(true);
        app.sign_up(1, job.clone(), End::Rollback).await.unwrap();
        assert!(app.node.runs("at-once").await.is_empty());
        app.sign_up(1, job.clone(), End::Commit).await.unwrap();
        app.node.ran("at-once", 1).await;
        assert_eq!(app.node.runs("at-once").await[0].kind, RunKind::Startup);
        // A paused job waits until it is resumed.
        app.sign_up(2, job.id("paused").paused("later"), End::Commit)
            .await
            .unwrap();
        app.sign_up(3, plain().id("last").now(), End::Commit)
            .await
            .unwrap();
        app.node.ran("last", 1).await;
        assert_eq!(app.node.log.count("paused"), 0);
        assert!(
            app.node
                .scheduler
                .get_job("paused")
                .await
                .unwrap()
                .unwrap()
                .paused
                .is_some()
        );
        app.node.stop().await;
    }
}

#[tokio::test]
async fn many_sign_ups_at_once_beside_a_scheduler_at_work_all_get_through() {
    for app in Application::each().await {
        app.node.add(plain().id("busy").interval("10ms")).await;
        let count = 40;
        let sign_ups: Vec<_> = (0..count)
            .map(|user| app.sign_up(user, plain().id(format!("user-{user}")).now(), End::Commit))
            .collect();
        for done in futures(sign_ups).await {
            done.unwrap();
        }
        for user in 0..count {
            app.node.ran(&format!("user-{user}"), 1).await;
        }
        assert_eq!(app.users().await, i64::from(count));
        app.node.stop().await;
    }
}

/// Polls all futures concurrently until each has completed.
async fn futures<T>(futures: Vec<impl Future<Output = T>>) -> Vec<T> {
    let mut futures: Vec<_> = futures.into_iter().map(Box::pin).collect();
    let mut done: Vec<Option<T>> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, slot) in futures.iter_mut().zip(&mut done) {
            if slot.is_none()
                && let std::task::Poll::Ready(value) = future.as_mut().poll(context)
            {
                *slot = Some(value);
            }
        }
        if done.iter().all(Option::is_some) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    done.into_iter().flatten().collect()
}

#[tokio::test]
async fn a_transaction_may_begin_with_the_job_beside_a_scheduler_at_work() {
    for app in Application::each().await {
        app.node.add(plain().id("busy").interval("5ms")).await;
        for number in 0..100 {
            let job = later(plain()).id(format!("job-{number}"));
            let job = app.node.scheduler.prepare_job(job).unwrap();
            match &app.pool {
                Pool::Sqlite(pool) => {
                    let mut transaction = pool.begin().await.unwrap();
                    app.store.add_job_in(&mut *transaction, job).await.unwrap();
                    transaction.commit().await.unwrap();
                }
                Pool::Postgres(pool) => {
                    let mut transaction = pool.begin().await.unwrap();
                    app.store.add_job_in(&mut *transaction, job).await.unwrap();
                    transaction.commit().await.unwrap();
                }
            }
        }
        until("all are there", async || {
            app.place
                .number("SELECT count(*) FROM scheduler_jobs")
                .await
                == 101
        })
        .await;
        app.node.stop().await;
    }
}

#[tokio::test]
async fn a_connection_without_a_transaction_adds_the_job_at_once() {
    for app in Application::each().await {
        let job = app
            .node
            .scheduler
            .prepare_job(plain().id("plain").now())
            .unwrap();
        match &app.pool {
            Pool::Sqlite(pool) => {
                let mut connection = pool.acquire().await.unwrap();
                app.store.add_job_in(&mut *connection, job).await.unwrap();
            }
            Pool::Postgres(pool) => {
                let mut connection = pool.acquire().await.unwrap();
                app.store.add_job_in(&mut *connection, job).await.unwrap();
            }
        }
        app.node.ran("plain", 1).await;
        app.node.stop().await;
    }
}
