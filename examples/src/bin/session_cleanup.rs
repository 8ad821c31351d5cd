//! Run it: `cargo run -p examples --bin session_cleanup -- --demo` (or without `--demo`, for real).
//!
//! A `SQLite` file with sessions: expired ones are deleted every hour, and a report is written each day at 06:00 in
//! Berlin. The connection pool is injected into both jobs.
//!
//! Nobody wants to wait an hour for an example. `--demo` applies *overrides* to the code, as an operator would from a
//! file: the clean-up runs every second, and the report is run manually. The program prints what each run did, and
//! after six seconds the records and the remaining sessions. Without `--demo` it follows the schedule in the code
//! until Ctrl-C.
//!
//! The database is a temporary file, removed at the end, unless a path is given.

#![allow(clippy::print_stdout, reason = "an example shows what it does")]
#![allow(clippy::disallowed_methods, reason = "the demo waits for its jobs")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::bail;
use chrono::{DateTime, Utc};
use scheduler_core::prelude::*;
use scheduler_core::{Overrides, RunFilter};
use serde::Serialize;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool};

/// Deletes expired sessions, 200 at a time, so that logins do not have to wait for long.
///
/// Never runs twice at once; if it could not start within five minutes, the run of the next hour does the work.
#[scheduled_job(
    interval = "1h",
    id = "cleanup_sessions",
    max_instances = 1,
    misfire_grace_time = "5m",
    timeout = "10m",
    retries = 3
)]
async fn cleanup_expired_sessions(
    db: Data<SqlitePool>,
    ctx: JobContext,
) -> Result<u64, sqlx::Error> {
    let mut deleted = 0;
    // Every batch is complete in itself: a cancelled run ends here, not half-way.
    while !ctx.is_cancelled() {
        let result = sqlx::query(
            "DELETE FROM sessions WHERE token IN
               (SELECT token FROM sessions WHERE expires_at <= ?1 LIMIT 200)",
        )
        .bind(ctx.scheduled_for().timestamp_millis())
        .execute(&*db)
        .await?;
        if result.rows_affected() == 0 {
            break;
        }
        deleted += result.rows_affected();
    }
    println!(
        "  {}  {:<16} deleted {deleted} expired session(s)",
        clock(ctx.scheduled_for()),
        ctx.job_id()
    );
    Ok(deleted)
}

/// The content of the daily report. A task may return anything that serde can serialize: it is stored in the record.
#[derive(Serialize)]
struct Report {
    sessions: i64,
    users: i64,
}

/// Counts sessions and users, once a day, even on days when clocks change.
#[scheduled_job(
    cron = "0 6 * * *",
    timezone = "Europe/Berlin",
    timeout = "5m",
    retries = 2
)]
async fn daily_report(db: Data<SqlitePool>, ctx: JobContext) -> anyhow::Result<Report> {
    let (sessions, users) =
        sqlx::query_as::<_, (i64, i64)>("SELECT count(*), count(DISTINCT user_id) FROM sessions")
            .fetch_one(&*db)
            .await?;
    println!(
        "  {}  {:<16} {users} user(s) with {sessions} session(s)",
        clock(ctx.scheduled_for()),
        ctx.job_id()
    );
    Ok(Report { sessions, users })
}

/// What `--demo` changes; in a service, the content of a file next to the program.
const DEMO_OVERRIDES: &str = r#"{ "cleanup_sessions": { "trigger": "every 1s" } }"#;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut demo = false;
    let mut path = None;
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--demo" => demo = true,
            option if option.starts_with('-') => {
                bail!("unknown option `{option}`: there is `--demo`, and the path of a database")
            }
            file => path = Some(PathBuf::from(file)),
        }
    }
    let temporary = path.is_none();
    let path = path.unwrap_or_else(|| {
        std::env::temp_dir().join(format!("session_cleanup-{}.db", std::process::id()))
    });

    let result = run(&path, demo, temporary).await;
    if temporary {
        for suffix in ["", "-wal", "-shm"] {
            let mut file = path.clone().into_os_string();
            file.push(suffix);
            // SQLite removes the last two itself when it closes properly.
            let _ = std::fs::remove_file(file);
        }
    }
    result
}

async fn run(path: &Path, demo: bool, temporary: bool) -> anyhow::Result<()> {
    let db = open(path).await?;
    let added = log_people_in(&db).await?;
    let note = if temporary { " (temporary)" } else { "" };
    println!("DATABASE {}{note}", path.display());
    println!(
        "  {added} sessions added: 1,000 expired, 500 expiring within five seconds, 300 that stay\n"
    );

    let overrides: Overrides = if demo {
        serde_json::from_str(DEMO_OVERRIDES)?
    } else {
        Overrides::new()
    };
    let scheduler = Scheduler::builder()
        .data(db.clone())
        .overrides(overrides)
        .start()
        .await?;

    println!("SCHEDULE");
    for job in scheduler.get_jobs().await? {
        let zone = job.trigger.zone().unwrap_or(Tz::UTC);
        let next = job.next_run_time().map_or("never".to_owned(), |at| {
            at.with_timezone(&zone).format("%a %F %T %Z").to_string()
        });
        println!("  {:<16} next {next}  {}", job.id.as_str(), job.trigger);
    }
    println!("\nRUNS (times in UTC)");

    if demo {
        tokio::time::sleep(Duration::from_millis(5_500)).await;
        scheduler.run_job_now("daily_report").await?;
        tokio::time::sleep(Duration::from_millis(300)).await;
    } else {
        println!("  … Ctrl-C stops");
        tokio::signal::ctrl_c().await?;
    }

    let report = scheduler
        .shutdown(Shutdown::wait_up_to(Duration::from_secs(30)))
        .await;
    println!("\nRECORDS");
    for run in scheduler.list_runs(&RunFilter::new()).await? {
        println!(
            "  {}  {:<16} {:?} {:?}, value {}",
            clock(run.scheduled_for),
            run.job_id.as_str(),
            run.kind,
            run.state,
            run.value.as_deref().unwrap_or("none")
        );
    }
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM sessions")
        .fetch_one(&db)
        .await?;
    println!("\n{left} session(s) are left in the database");
    println!("STOPPED: {report}");
    db.close().await;
    Ok(())
}

async fn open(path: &Path) -> Result<SqlitePool, sqlx::Error> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal);
    let db = SqlitePool::connect_with(options).await?;
    for statement in [
        "CREATE TABLE IF NOT EXISTS sessions (
           token      TEXT PRIMARY KEY,
           user_id    INTEGER NOT NULL,
           expires_at INTEGER NOT NULL -- milliseconds since 1970
         )",
        "CREATE INDEX IF NOT EXISTS sessions_by_expiry ON sessions (expires_at)",
    ] {
        sqlx::query(statement).execute(&db).await?;
    }
    Ok(db)
}

/// Adds 1,800 sessions, and returns their number.
async fn log_people_in(db: &SqlitePool) -> Result<u64, sqlx::Error> {
    let result = sqlx::query(
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1799)
         INSERT INTO sessions (token, user_id, expires_at)
         SELECT lower(hex(randomblob(16))), i % 250,
                CAST(unixepoch('subsec') * 1000 AS INTEGER) + CASE
                  WHEN i < 1000 THEN -60000
                  WHEN i < 1500 THEN (i - 1000) * 10
                  ELSE 86400000
                END
         FROM n",
    )
    .execute(db)
    .await?;
    Ok(result.rows_affected())
}

fn clock(at: DateTime<Utc>) -> String {
    at.format("%T%.3f").to_string()
}
