//! The limits for starting and for picking up a job: a database alone.
//!
//! `open_ms` is a new connection that writes a row and commits, as a node does before its first fire. `told_ms` is
//! the time from writing a row until another connection notices the commit: by a notification on PostgreSQL, by
//! polling on SQLite.

use std::time::{Duration, Instant};

use bench_measure::Report;
use sqlx::postgres::{PgConnection, PgListener};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Executor};

pub async fn run(url: &str, turns: usize) -> Report {
    let (mut open, mut told) = (Vec::new(), Vec::new());
    if url.starts_with("sqlite") {
        crate::url::remove(url);
        let mut writer = sqlite(url).await;
        writer
            .execute("CREATE TABLE raw (row INTEGER)")
            .await
            .unwrap();
        let mut reader = sqlite(url).await;
        for turn in 1..=turns {
            let begun = Instant::now();
            let mut opened = sqlite(url).await;
            opened.execute("INSERT INTO raw VALUES (0)").await.unwrap();
            open.push(millis(begun));
            opened.close().await.unwrap();
            let begun = Instant::now();
            writer.execute("INSERT INTO raw VALUES (1)").await.unwrap();
            while seen(&mut reader).await < turn as i64 {
                tokio::time::sleep(Duration::from_micros(200)).await;
            }
            told.push(millis(begun));
        }
    } else {
        let mut writer = PgConnection::connect(url).await.unwrap();
        writer
            .execute("CREATE TABLE IF NOT EXISTS raw (row BIGINT)")
            .await
            .unwrap();
        let mut listener = PgListener::connect(url).await.unwrap();
        listener.listen("raw").await.unwrap();
        for _ in 0..turns {
            let begun = Instant::now();
            let mut opened = PgConnection::connect(url).await.unwrap();
            opened.execute("INSERT INTO raw VALUES (0)").await.unwrap();
            open.push(millis(begun));
            opened.close().await.unwrap();
            let begun = Instant::now();
            let mut transaction = writer.begin().await.unwrap();
            transaction
                .execute("INSERT INTO raw VALUES (1)")
                .await
                .unwrap();
            transaction.execute("NOTIFY raw").await.unwrap();
            transaction.commit().await.unwrap();
            listener.recv().await.unwrap();
            told.push(millis(begun));
        }
    }
    let middle = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    Report::new()
        .with("open_ms", middle(&mut open))
        .with("told_ms", middle(&mut told))
}

async fn sqlite(url: &str) -> SqliteConnection {
    let options: SqliteConnectOptions = url.parse().unwrap();
    options
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .connect()
        .await
        .unwrap()
}

async fn seen(reader: &mut SqliteConnection) -> i64 {
    let count = sqlx::query_scalar("SELECT count(*) FROM raw WHERE row = 1");
    count.fetch_one(reader).await.unwrap()
}

fn millis(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1e3
}
