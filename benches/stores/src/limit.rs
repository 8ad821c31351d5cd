//! The same writes, tables, indexes and driver without the scheduler: over `count` stored jobs, for a given duration.
//!
//! The writes of a fire: the job advanced and the run inserted in one transaction, the run ended in another.

use std::time::{Duration, Instant};

use bench_measure::{Report, cpu};
use scheduler_core::store::{Cluster, NewNode};
use scheduler_core::{NodeId, RunKind, RunState};
use scheduler_sqlx::SqlStore;
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgPool;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use crate::stored::{add, batch, client, in_seconds};

/// Far from the fire times of anything else in the same tables, in microseconds.
const FIRST: i64 = 4_000_000_000_000_000;

const SECOND: i64 = 1_000_000;

pub async fn run(url: &str, count: usize, duration: Duration) -> Report {
    crate::url::remove(url);
    let (database, store) = open(url).await;
    let client = client(store.clone()).await;
    add(&client, count, in_seconds(3_600), "1s").await;
    let ids: Vec<String> = (0..count).map(|number| format!("job-{number}")).collect();
    let node = NewNode {
        id: NodeId::random(),
        name: "limit".into(),
        version: "".into(),
    };
    store.join(&node).await.unwrap();
    let (begun, before) = (Instant::now(), cpu());
    let done = database.write(&ids, node.id, duration).await as f64;
    let took = begun.elapsed().as_secs_f64();
    Report::new()
        .with("fires_per_second", done / took)
        .with("cpu_us", (cpu() - before).as_secs_f64() * 1e6 / done)
}

/// Opens a store, and a pool like the one that the store creates itself.
async fn open(url: &str) -> (Database, SqlStore) {
    let prefix = crate::url::prefix(url);
    let lease = Duration::from_secs(3_600);
    let builder = SqlStore::builder()
        .keep_all_runs()
        .prefix(prefix.clone())
        .lease(lease);
    if url.starts_with("sqlite") {
        let options: SqliteConnectOptions = url.parse().unwrap();
        let options = options
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(5))
            .pragma("cache_size", "-32768")
            .pragma("wal_autocheckpoint", "8000");
        let pool = SqlitePoolOptions::new()
            .connect_with(options)
            .await
            .unwrap();
        let store = builder.from_pool(pool.clone()).await.unwrap();
        (Database::Sqlite(pool, prefix), store)
    } else {
        let pool = PgPool::connect(url).await.unwrap();
        let store = builder.from_pool(pool.clone()).await.unwrap();
        (Database::Postgres(pool, prefix), store)
    }
}

/// A pool, and the prefix of the tables.
enum Database {
    Sqlite(SqlitePool, String),
    Postgres(PgPool, String),
}

/// One fire time of a batch of jobs.
struct Fires<'a> {
    jobs: &'a [String],
    /// The id of the first run; the other ids follow it.
    first: u128,
    at: i64,
    node: i64,
}

impl Database {
    /// Writes fires, and returns their number.
    async fn write(&self, ids: &[String], node: NodeId, duration: Duration) -> u64 {
        let end = Instant::now() + duration;
        let mut fires = Fires {
            jobs: &[],
            first: 0x019b_76da_a800_8000_8000_0000_0000_0000,
            at: FIRST,
            node: node.as_u64().cast_signed(),
        };
        let mut done = 0;
        while Instant::now() < end {
            fires.at += SECOND;
            for jobs in ids.chunks(batch()) {
                fires.jobs = jobs;
                match self {
                    Self::Sqlite(pool, prefix) => fires.write_to_sqlite(pool, prefix).await,
                    Self::Postgres(pool, prefix) => fires.write_to_postgres(pool, prefix).await,
                }
                .unwrap();
                fires.first += jobs.len() as u128;
                done += jobs.len() as u64;
                if Instant::now() >= end {
                    break;
                }
            }
        }
        done
    }
}

impl Fires<'_> {
    fn runs(&self) -> impl Iterator<Item = (u128, &String)> {
        (self.first..).zip(self.jobs)
    }

    async fn write_to_sqlite(&self, pool: &SqlitePool, prefix: &str) -> Result<(), sqlx::Error> {
        let Self { at, node, .. } = *self;
        let (running, ended) = (RunState::Running.code(), RunState::Succeeded.code());
        let kind = RunKind::Scheduled.code();
        let next = at + SECOND;
        let rows = |row: &dyn Fn(u128, &str) -> String| {
            let rows: Vec<String> = self.runs().map(|(run, job)| row(run, job)).collect();
            format!("[{}]", rows.join(","))
        };
        let advanced = rows(&|_, job| format!("[\"{job}\",{at},{next},{next},null]"));
        let begun = rows(&|run, job| {
            format!("[\"{run:032x}\",\"{job}\",\"nothing\",{kind},{at},{node},{at}]")
        });
        let over =
            rows(&|run, _| format!("[\"{run:032x}\",1,{ended},0,{at},{},1,null,null]", at + 1));
        let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
        let advance = format!(
            "UPDATE OR FAIL {prefix}jobs AS j SET watermark = value ->> '$[1]', next_nominal = value ->> '$[2]', \
                next_at = value ->> '$[3]', due_at = value ->> '$[3]', ended_at = value ->> '$[4]' \
             FROM jsonb_each(?1) AS x WHERE j.id = value ->> '$[0]'"
        );
        let advance = sqlx::query(AssertSqlSafe(advance)).bind(advanced);
        advance.execute(&mut *transaction).await?;
        let insert = format!(
            "INSERT OR FAIL INTO {prefix}runs (id, job_id, task, kind, scheduled_for, node, started_at, state, \
                slot, attempt, failures, lost, cancel_requested) \
             SELECT unhex(value ->> '$[0]'), value ->> '$[1]', value ->> '$[2]', value ->> '$[3]', value ->> '$[4]', \
                value ->> '$[5]', value ->> '$[6]', {running}, 2, 1, 0, 0, 0 \
             FROM jsonb_each(?1) WHERE true ON CONFLICT DO NOTHING"
        );
        let insert = sqlx::query(AssertSqlSafe(insert)).bind(begun);
        insert.execute(&mut *transaction).await?;
        transaction.commit().await?;
        let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
        let end = format!(
            "UPDATE OR FAIL {prefix}runs AS r SET state = x.value ->> '$[2]', slot = 2 * (x.value ->> '$[3]'), \
                started_at = x.value ->> '$[4]', finished_at = x.value ->> '$[5]', \
                lateness = coalesce(r.lateness, x.value ->> '$[6]'), error = x.value ->> '$[7]', \
                value = x.value ->> '$[8]' \
             FROM jsonb_each(?2) AS x \
             WHERE r.id = unhex(x.value ->> '$[0]') AND r.attempt = x.value ->> '$[1]' \
                AND r.slot = 2 AND r.state = {running} AND r.node = ?1 AND EXISTS (SELECT 1 FROM {prefix}nodes \
                    WHERE id = ?1 AND is_alive = 1 \
                        AND lease_until > CAST(unixepoch('subsec') * 1000000 AS INTEGER))"
        );
        let end = sqlx::query(AssertSqlSafe(end)).bind(node).bind(over);
        assert_eq!(
            end.execute(&mut *transaction).await?.rows_affected(),
            self.jobs.len() as u64
        );
        transaction.commit().await
    }

    async fn write_to_postgres(&self, pool: &PgPool, prefix: &str) -> Result<(), sqlx::Error> {
        let Self { at, node, .. } = *self;
        let (running, ended) = (RunState::Running.code(), RunState::Succeeded.code());
        let kind = RunKind::Scheduled.code();
        let runs: Vec<String> = self.runs().map(|(run, _)| format!("{run:032x}")).collect();
        let column = |value: i64| vec![value; self.jobs.len()];
        let mut transaction = pool.begin().await?;
        let advance = format!(
            "UPDATE {prefix}jobs j SET watermark = u.watermark, next_nominal = u.next_nominal,
                 next_at = u.next_at, due_at = u.next_at, ended_at = NULL
             FROM UNNEST($1::text[], $2::bigint[], $3::bigint[], $4::bigint[])
                 AS u (id, watermark, next_nominal, next_at)
             WHERE j.id = ANY($1) AND j.id = u.id"
        );
        let advance = sqlx::query(AssertSqlSafe(advance))
            .bind(self.jobs)
            .bind(column(at));
        let advance = advance.bind(column(at + SECOND)).bind(column(at + SECOND));
        advance.execute(&mut *transaction).await?;
        let insert = format!(
            "INSERT INTO {prefix}runs (id, job_id, task, kind, scheduled_for, node, started_at,
                 state, slot, attempt, failures, lost, cancel_requested)
             SELECT u.id, u.job_id, 'nothing', {kind}, u.scheduled_for, $4, u.scheduled_for, {running}, 2, 1, 0, 0, FALSE
             FROM UNNEST($1::text[]::uuid[], $2::text[], $3::bigint[]) AS u (id, job_id, scheduled_for)
             ON CONFLICT (job_id, scheduled_for) WHERE kind = {kind} DO NOTHING RETURNING id"
        );
        let insert = sqlx::query(AssertSqlSafe(insert))
            .bind(&runs)
            .bind(self.jobs);
        let insert = insert.bind(column(at)).bind(node);
        insert.fetch_all(&mut *transaction).await?;
        transaction.commit().await?;
        let mut transaction = pool.begin().await?;
        let end = format!(
            "WITH me AS MATERIALIZED (SELECT 1 FROM {prefix}nodes WHERE id = $1 AND is_alive
                 AND lease_until > (extract(epoch FROM clock_timestamp()) * 1000000)::bigint FOR KEY SHARE)
             UPDATE {prefix}runs r SET state = {ended}, slot = 0, started_at = u.started_at,
                 finished_at = u.finished_at, lateness = COALESCE(r.lateness, u.lateness)
             FROM UNNEST($2::text[]::uuid[], $3::bigint[], $4::bigint[], $5::bigint[])
                 AS u (id, started_at, finished_at, lateness)
             WHERE r.id = ANY($2::text[]::uuid[]) AND r.id = u.id AND r.attempt = 1 AND r.node = $1
                 AND r.slot + 0 = 2 AND r.state = {running} AND EXISTS (SELECT 1 FROM me) RETURNING r.id"
        );
        let end = sqlx::query(AssertSqlSafe(end)).bind(node).bind(&runs);
        let end = end.bind(column(at)).bind(column(at + 1)).bind(column(1));
        assert_eq!(
            end.fetch_all(&mut *transaction).await?.len(),
            self.jobs.len()
        );
        transaction.commit().await
    }
}
