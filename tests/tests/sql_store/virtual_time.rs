//! A day over a database passes in an instant: virtual time stops during database calls.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use scheduler_core::prelude::*;
use scheduler_core::testing::VirtualClock;
use scheduler_core::{Clock, Run, RunState};
use scheduler_sqlx::{SqlError, SqlStore};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection, PgPool, SqliteConnection, SqlitePool};

use crate::support::{Node, Place, later, of_store, plain};

fn clock() -> VirtualClock {
    VirtualClock::at("2026-03-01T00:00:00Z").unwrap()
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Starts a scheduler that uses a virtual clock.
async fn node(store: SqlStore, clock: &VirtualClock) -> Node {
    Node::with(store, |builder| {
        builder.without_static_jobs().clock(clock.clone())
    })
    .await
}

/// Asserts that runs started and ended at exactly the instants for which they were scheduled.
fn assert_exact(runs: &[Run]) {
    for run in runs {
        assert_eq!(run.state, RunState::Succeeded, "{run:?}");
        assert_eq!(run.started_at, Some(run.scheduled_for));
        assert_eq!(run.finished_at, Some(run.scheduled_for));
    }
}

#[tokio::test(start_paused = true)]
async fn a_day_of_virtual_time_passes_over_a_database_with_each_run_at_its_instant() {
    for place in Place::each() {
        let clock = clock();
        let node = node(place.store().await, &clock).await;
        node.add(plain().id("hourly").interval("1h")).await;
        clock.advance(TimeDelta::days(1)).await;

        let runs = node.runs("hourly").await;
        let hours = (1..=24).rev().map(TimeDelta::hours);
        let expected: Vec<_> = hours
            .map(|hours| at("2026-03-01T00:00:00Z") + hours)
            .collect();
        let found: Vec<_> = runs.iter().map(|run| run.scheduled_for).collect();
        assert_eq!(found, expected);
        assert_exact(&runs);
        assert_eq!(node.log.count("hourly"), 24);
        assert_eq!(clock.now(), at("2026-03-02T00:00:00Z"));
        let health = node.scheduler.health();
        assert!(health.is_ok() && health.warnings.is_empty(), "{health:?}");
        node.stop().await;
    }
}

/// The pool of an application, over which the scheduler runs.
#[derive(Clone)]
enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Pool {
    async fn of(place: &Place) -> Self {
        match place {
            Place::Sqlite(folder) => {
                let options = SqliteConnectOptions::new()
                    .filename(folder.file())
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Full);
                Self::Sqlite(SqlitePool::connect_with(options).await.unwrap())
            }
            Place::Postgres(database) => {
                Self::Postgres(PgPool::connect(&database.url()).await.unwrap())
            }
        }
    }

    async fn store(&self) -> SqlStore {
        match self {
            Self::Sqlite(pool) => SqlStore::from_pool(pool.clone()).await.unwrap(),
            Self::Postgres(pool) => SqlStore::from_pool(pool.clone()).await.unwrap(),
        }
    }

    /// Inserts both a user and a job, or neither.
    async fn sign_up(&self, store: &SqlStore, scheduler: &Scheduler, user: i32, job: Job) {
        let job = scheduler.prepare_job(job).unwrap();
        let insert = sqlx::AssertSqlSafe(format!("INSERT INTO users (id) VALUES ({user})"));
        match self {
            Self::Sqlite(pool) => {
                let mut transaction = pool.begin().await.unwrap();
                sqlx::query(insert)
                    .execute(&mut *transaction)
                    .await
                    .unwrap();
                store.add_job_in(&mut *transaction, job).await.unwrap();
                transaction.commit().await.unwrap();
            }
            Self::Postgres(pool) => {
                let mut transaction = pool.begin().await.unwrap();
                sqlx::query(insert)
                    .execute(&mut *transaction)
                    .await
                    .unwrap();
                store.add_job_in(&mut *transaction, job).await.unwrap();
                transaction.commit().await.unwrap();
            }
        }
    }
}

/// The data that the application's tasks use.
struct Service {
    pool: Pool,
    store: SqlStore,
}

/// Inserts another user, with a job that is due five seconds later.
#[task]
async fn invite(ctx: JobContext, service: Data<Service>, scheduler: Data<Handle>) -> i32 {
    let user = ctx.scheduled_for().timestamp().try_into().unwrap();
    let due = ctx.scheduled_for() + TimeDelta::seconds(5);
    let job = plain().id(format!("welcome-{user}")).date(due);
    let scheduler = scheduler.0.get().unwrap();
    service
        .pool
        .sign_up(&service.store, scheduler, user, job)
        .await;
    user
}

/// The scheduler, for tasks that add jobs.
#[derive(Debug, Default)]
struct Handle(std::sync::OnceLock<Scheduler>);

#[tokio::test(start_paused = true)]
async fn a_service_adds_jobs_in_its_own_transactions_in_virtual_time() {
    for place in Place::each() {
        place
            .run("CREATE TABLE users (id integer PRIMARY KEY)")
            .await;
        let clock = clock().hold_during_runs();
        let pool = clock.hold(Pool::of(&place)).await;
        let store = pool.store().await;
        let handle = std::sync::Arc::new(Handle::default());
        let service = Service {
            pool: pool.clone(),
            store: store.clone(),
        };
        let node = Node::with(store.clone(), |builder| {
            builder
                .without_static_jobs()
                .clock(clock.clone())
                .data(service)
                .shared_data(handle.clone())
        })
        .await;
        handle.0.set(node.scheduler.clone()).unwrap();

        // Added by the test and by a task: both are due before the next poll.
        let due = clock.now() + TimeDelta::seconds(5);
        let job = plain().id("welcome").date(due);
        clock
            .hold(pool.sign_up(&store, &node.scheduler, 1, job))
            .await;
        // No time passes during database calls; otherwise this timeout would expire at once.
        node.add(
            invite::job()
                .id("invite")
                .interval("8h")
                .timeout(Duration::from_secs(1)),
        )
        .await;
        clock.advance(TimeDelta::days(1)).await;

        let welcome = node.runs("welcome").await;
        assert_eq!(welcome[0].scheduled_for, due);
        assert_exact(&welcome);
        let invited = node.runs("invite").await;
        assert_eq!(invited.len(), 3);
        assert_exact(&invited);
        for run in invited.iter().skip(1) {
            let user = run.scheduled_for.timestamp();
            let welcome = node.runs(&format!("welcome-{user}")).await;
            assert_eq!(
                welcome[0].scheduled_for,
                run.scheduled_for + TimeDelta::seconds(5)
            );
            assert_exact(&welcome);
        }
        assert_eq!(place.number("SELECT count(*) FROM users").await, 4);
        node.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn nodes_of_one_database_share_fire_times_in_virtual_time() {
    for place in Place::each() {
        let clock = clock();
        let first = node(place.store().await, &clock).await;
        let second = node(place.store().await, &clock).await;
        first.add(plain().id("minutely").interval("1m")).await;
        clock.advance(TimeDelta::minutes(90)).await;
        assert_eq!(first.runs("minutely").await.len(), 90);
        let counts = [first.log.count("minutely"), second.log.count("minutely")];
        assert_eq!(counts.iter().sum::<usize>(), 90, "{counts:?}");
        assert_exact(&first.runs("minutely").await);
        second.stop().await;
        first.add(plain().id("later").interval("1m")).await;
        clock.advance(TimeDelta::minutes(1)).await;
        assert_eq!(first.log.count("later"), 1);
        first.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_opens_and_closes_under_paused_time_without_a_virtual_clock() {
    for place in Place::each() {
        let node = Node::start(place.store().await).await;
        node.add(later(plain()).id("job")).await;
        assert!(node.scheduler.get_job("job").await.unwrap().is_some());
        node.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_database_that_does_not_answer_is_an_error_in_virtual_time_too() {
    let place = Place::sqlite();
    let store = SqlStore::builder().answer_within(Duration::from_millis(300));
    let store = store.connect(&place.url()).await.unwrap();
    let node = node(store, &clock()).await;
    let mut other = SqliteConnection::connect(&place.url()).await.unwrap();
    sqlx::raw_sql("BEGIN IMMEDIATE")
        .execute(&mut other)
        .await
        .unwrap();
    let added = node.scheduler.add_job(later(plain()).id("job")).await;
    assert!(matches!(
        of_store(&added.unwrap_err()),
        SqlError::NoAnswer(_)
    ));
    other.close().await.unwrap();
    node.stop().await;
}
