//! Properties that only this database has: locks, and statements that several connections run at once.
//!
//! Each test has a database of its own, with a schema in it. Behaviour common to all databases is checked by the
//! conformance suite.

mod due;
mod jobs;
mod leases;
mod migrations;
mod nodes;
mod queues;
mod runs;

use std::time::Duration;

use crate::sqlx::pool::PoolConnection;
use crate::sqlx::{PgConnection, PgPool};
use scheduler_test_servers::postgres::{Database, database};

use super::Postgres;
use crate::backend::{Backend, Wanted};
use crate::job_row::{Advance, JobRow};
use crate::run_row::{NewRun, OpenFrom, RunRow};
use crate::sqlx;
use crate::tables::Tables;

/// A lease that does not expire during a test, in microseconds.
const LONG: i64 = 600_000_000;

/// Empty tables.
struct Fixture {
    postgres: Postgres,
    pool: PgPool,
    /// Dropped with the test.
    _database: Database,
}

impl Fixture {
    /// Creates the tables for the test of this name; `None` without a server.
    async fn new(name: &str) -> Option<Self> {
        let this = Self::without_tables(name).await?;
        super::migrate(&this.pool, &this.postgres.tables)
            .await
            .unwrap();
        Some(this)
    }

    async fn without_tables(name: &str) -> Option<Self> {
        let database = database()?;
        let tables = Tables::new("t_", Some(&format!("sqlx_{name}"))).unwrap();
        let pool = super::pool(super::options(&database.url()).unwrap(), 12);
        sqlx::raw_sql(tables.fill("DROP SCHEMA IF EXISTS {schema} CASCADE"))
            .execute(&pool)
            .await
            .unwrap();
        Some(Self {
            postgres: Postgres::new(tables, None),
            pool,
            _database: database,
        })
    }

    async fn connection(&self) -> PoolConnection<sqlx::Postgres> {
        self.pool.acquire().await.unwrap()
    }

    /// Returns a connection in a transaction.
    async fn transaction(&self) -> PoolConnection<sqlx::Postgres> {
        let mut connection = self.connection().await;
        self.postgres
            .execute(&mut connection, Postgres::BEGIN)
            .await
            .unwrap();
        connection
    }

    async fn commit(&self, connection: &mut PgConnection) {
        self.postgres.execute(connection, "COMMIT").await.unwrap();
    }

    async fn execute(&self, sql: &str) {
        let sql = self.postgres.tables.fill(sql);
        sqlx::raw_sql(sql).execute(&self.pool).await.unwrap();
    }

    async fn run(&self, id: u128) -> RunRow {
        let mut connection = self.connection().await;
        self.postgres
            .runs(&mut connection, &[id])
            .await
            .unwrap()
            .remove(0)
    }

    async fn drop_tables(self) {
        self.execute("DROP SCHEMA {schema} CASCADE").await;
        self.pool.close().await;
    }
}

/// Waits long enough for a statement that does not wait for a lock.
async fn a_while() {
    let _ = tokio::time::timeout(Duration::from_millis(300), std::future::pending::<()>()).await;
}

fn job(id: &str, due: i64) -> JobRow {
    JobRow {
        id: id.to_owned(),
        task: "task".to_owned(),
        arguments: "{}".to_owned(),
        trigger: "interval".to_owned(),
        policies: "{}".to_owned(),
        executor: "default".to_owned(),
        is_static: false,
        hash: None,
        written: Some(i64::MIN),
        replaced: None,
        edited: false,
        paused: None,
        watermark: due - 1,
        next: Some((due, due)),
        created_at: 1,
        ended_at: None,
        zone_data: "2025b".to_owned(),
        open_from: None,
        ctid: None,
    }
}

/// Advances a job that was read and has no runs.
fn advance(job: &JobRow, watermark: i64, next: Option<(i64, i64)>) -> Advance<'_> {
    Advance {
        id: &job.id,
        ctid: job.ctid.as_deref(),
        watermark,
        next,
        ended_at: next.is_none().then_some(30),
        open_from: None,
    }
}

/// Returns all open runs of jobs.
fn all<'a>(jobs: &[&'a str]) -> Vec<OpenFrom<'a>> {
    jobs.iter()
        .map(|job_id| OpenFrom {
            job_id,
            open_from: None,
        })
        .collect()
}

fn new_run(id: u128, job_id: &str, at: i64, node: Option<i64>) -> NewRun<'_> {
    NewRun {
        id,
        job_id,
        task: "task",
        kind: 0,
        scheduled_for: at,
        node,
        started_at: node.map(|_| at),
    }
}

const WANTED: Wanted<'static> = Wanted {
    tasks: &["task"],
    executors: &["default"],
    skipped: &[],
};

fn ids(jobs: &[JobRow]) -> Vec<&str> {
    jobs.iter().map(|job| &*job.id).collect()
}
