//! The jobs of a web shop and what they did in the last hours, for screenshots of the page.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use scheduler_core::prelude::*;
use scheduler_core::{RunIds, SystemClock};
use scheduler_sqlx::SqlStore;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};

/// The static jobs; a service without a story leaves them out.
pub(crate) const JOBS: [&str; 8] = [
    "backup-database",
    "charge-subscriptions",
    "cleanup-sessions",
    "daily-report",
    "import-orders",
    "rebuild-search-index",
    "refresh-exchange-rates",
    "sync-stock",
];

/// The tasks that users may schedule.
pub(crate) const CREATABLE: &[&str] = &["send_newsletter", "send_reminder"];

/// Simulates work.
async fn work(seconds: f64, ctx: &JobContext) -> Result<(), &'static str> {
    tokio::select! {
        () = ctx.cancelled() => Err("asked to stop"),
        () = tokio::time::sleep(Duration::from_secs_f64(seconds)) => Ok(()),
    }
}

#[scheduled_job(
    cron = "30 2 * * *",
    id = "backup-database",
    timezone = "Europe/Berlin",
    timeout = "1h"
)]
async fn backup_database(ctx: JobContext) -> Result<(), &'static str> {
    work(1_500.0, &ctx).await
}

#[scheduled_job(
    cron = "0 9 * * mon-fri",
    id = "charge-subscriptions",
    timezone = "Europe/Berlin",
    at_most_once = true
)]
async fn charge_subscriptions(ctx: JobContext) -> Result<u32, &'static str> {
    work(40.0, &ctx).await?;
    Ok(212)
}

#[scheduled_job(
    interval = "1h",
    id = "cleanup-sessions",
    max_instances = 1,
    misfire_grace_time = "5m"
)]
async fn cleanup_sessions(ctx: JobContext) -> Result<u64, &'static str> {
    work(0.8, &ctx).await?;
    Ok(1_843)
}

#[scheduled_job(
    cron = "0 6 * * *",
    id = "daily-report",
    timezone = "Asia/Shanghai",
    retries = 3
)]
async fn daily_report(ctx: JobContext) -> Result<(), &'static str> {
    work(95.0, &ctx).await
}

#[scheduled_job(cron = "*/15 * * * *", id = "import-orders", retries = 1)]
async fn import_orders(ctx: JobContext) -> Result<u32, &'static str> {
    work(70.0, &ctx).await?;
    Ok(57)
}

#[scheduled_job(cron = "10 */2 * * *", id = "rebuild-search-index", timeout = "20m")]
async fn rebuild_search_index(ctx: JobContext) -> Result<(), &'static str> {
    work(780.0, &ctx).await
}

#[scheduled_job(cron = "*/5 * * * *", id = "refresh-exchange-rates", jitter = "20s")]
async fn refresh_exchange_rates(ctx: JobContext) -> Result<(), &'static str> {
    work(1.4, &ctx).await
}

#[scheduled_job(cron = "*/2 8-19 * * *", id = "sync-stock", overlap = "skip")]
async fn sync_stock(ctx: JobContext) -> Result<u32, &'static str> {
    work(25.0, &ctx).await?;
    Ok(340)
}

/// Sends a newsletter to a list of readers.
#[task]
async fn send_newsletter(list: String, test: bool, ctx: JobContext) -> Result<(), &'static str> {
    let _ = (list, test);
    work(180.0, &ctx).await
}

/// Reminds a user of something.
#[task]
async fn send_reminder(user_id: u64, text: String) {
    let _ = (user_id, text);
}

/// Adds the jobs that users have scheduled.
pub(crate) async fn add(scheduler: &Scheduler) -> Result<(), scheduler_core::Error> {
    let newsletter = send_newsletter::job("readers-de".into(), false)
        .id("newsletter-de")
        .cron("0 7 * * tue")
        .timezone(Tz::Europe__Berlin);
    let stand_up = send_reminder::job(42, "stand-up".into())
        .id("reminder-42")
        .cron("45 8 * * mon-fri")
        .timezone(Tz::America__New_York);
    let invoices = send_reminder::job(7, "send the invoices".into())
        .id("reminder-7")
        .cron("0 16 L * *")
        .timezone(Tz::Europe__Berlin);
    scheduler.add_jobs([newsletter, stand_up, invoices]).await?;
    let note = "until the new template is approved";
    scheduler.pause_job_with_note("newsletter-de", note).await?;
    scheduler.run_job_now("rebuild-search-index").await?;
    scheduler.run_job_now("cleanup-sessions").await?;
    Ok(())
}

/// How a job's runs usually went: their seconds, the outcome of one run in a given number, and the value returned.
struct Habit {
    job: &'static str,
    trigger: &'static str,
    seconds: f64,
    trouble: Option<(u64, i64, &'static str)>,
    value: Option<&'static str>,
}

const FAILED: i64 = 3;
const TIMED_OUT: i64 = 4;

const HABITS: [Habit; 8] = [
    Habit {
        job: "backup-database",
        trigger: "cron 30 2 * * * timezone=Europe/Berlin",
        seconds: 1_480.0,
        trouble: None,
        value: None,
    },
    Habit {
        job: "charge-subscriptions",
        trigger: "cron 0 9 * * mon-fri timezone=Europe/Berlin",
        seconds: 38.0,
        trouble: None,
        value: Some("212"),
    },
    Habit {
        job: "cleanup-sessions",
        trigger: "cron 41 * * * *",
        seconds: 0.9,
        trouble: None,
        value: Some("1843"),
    },
    Habit {
        job: "daily-report",
        trigger: "cron 0 6 * * * timezone=Asia/Shanghai",
        seconds: 94.0,
        trouble: None,
        value: None,
    },
    Habit {
        job: "import-orders",
        trigger: "cron */15 * * * *",
        seconds: 72.0,
        trouble: Some((
            5,
            FAILED,
            "partner API answered 503 Service Unavailable\n  GET https://partner.example/orders?since=2026\n  after 3 redirects",
        )),
        value: Some("57"),
    },
    Habit {
        job: "rebuild-search-index",
        trigger: "cron 10 */2 * * *",
        seconds: 790.0,
        trouble: Some((4, TIMED_OUT, "did not end within its timeout of 20m")),
        value: None,
    },
    Habit {
        job: "refresh-exchange-rates",
        trigger: "cron */5 * * * *",
        seconds: 1.6,
        trouble: Some((19, FAILED, "no rate for ISK")),
        value: None,
    },
    Habit {
        job: "sync-stock",
        trigger: "cron */2 8-19 * * *",
        seconds: 31.0,
        trouble: Some((37, FAILED, "deadlock detected; transaction rolled back")),
        value: Some("340"),
    },
];

/// How far back the story goes, and the maximum number of runs per job.
const PAST: TimeDelta = TimeDelta::days(12);
const MOST_RUNS: usize = 250;

/// Writes the history from before this process began.
pub(crate) async fn write(file: &str) -> Result<(), Box<dyn std::error::Error>> {
    // Creates the tables.
    drop(SqlStore::connect(&format!("sqlite://{file}")).await?);
    let pool = SqlitePool::connect_with(SqliteConnectOptions::new().filename(file)).await?;
    let now = scheduler_core::Clock::now(&SystemClock);
    let ids = RunIds::random();
    let mut transaction = pool.begin().await?;
    let before = now - PAST;
    sqlx::query(
        "INSERT INTO scheduler_nodes VALUES (5467213094218031640, 'web-1', '2.3.9', ?, ?, ?, 0)",
    )
    .bind(micros(before))
    .bind(micros(now - TimeDelta::seconds(41)))
    .bind(micros(now - TimeDelta::seconds(26)))
    .execute(&mut *transaction)
    .await?;
    for habit in &HABITS {
        let trigger: Trigger = habit.trigger.parse()?;
        let fires = trigger.upcoming(before);
        let fires: Vec<_> = fires
            .take_while(|at| *at < now - TimeDelta::minutes(4))
            .collect();
        let told = fires.len().saturating_sub(MOST_RUNS);
        for (count, &at) in (0_u64..).zip(&fires[told..]) {
            let dice = (count + 3).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
            let (state, error) = match habit.trouble {
                Some((sides, state, text)) if dice.is_multiple_of(sides) => (state, Some(text)),
                _ => (2, None),
            };
            let lateness = TimeDelta::milliseconds(i64::try_from(dice % 180)?);
            let share = 0.7 + f64::from(u32::try_from(dice % 100)?) / 170.0;
            let seconds = if state == TIMED_OUT {
                1_200.0
            } else {
                habit.seconds * share
            };
            let length = TimeDelta::from_std(Duration::from_secs_f64(seconds))?;
            let started = at + lateness;
            let value = habit.value.filter(|_| error.is_none());
            sqlx::query(
                "INSERT INTO scheduler_runs (id, job_id, task, kind, scheduled_for, state, slot, node, attempt,
                    failures, lost, cancel_requested, started_at, finished_at, lateness, error, value)
                 VALUES (?, ?, ?, 0, ?, ?, 0, 5467213094218031640, 1, 0, 0, 0, ?, ?, ?, ?, ?)",
            )
            .bind(ids.next(at).as_u128().to_be_bytes().to_vec())
            .bind(habit.job)
            .bind(habit.job.replace('-', "_"))
            .bind(micros(at))
            .bind(state)
            .bind(micros(started))
            .bind(micros(started + length))
            .bind(lateness.num_microseconds())
            .bind(error)
            .bind(value)
            .execute(&mut *transaction)
            .await?;
        }
    }
    for (job, reason, minutes, count) in [
        ("sync-stock", "overlap", 12, 1_i64),
        ("sync-stock", "overlap", 44, 2),
        ("newsletter-de", "paused", 310, 1),
        ("import-orders", "coalesced", 338, 3),
        ("cleanup-sessions", "missed", 339, 1),
        ("refresh-exchange-rates", "coalesced", 339, 7),
        ("rebuild-search-index", "queue_full", 620, 1),
    ] {
        let last = now - TimeDelta::minutes(minutes);
        sqlx::query(
            "INSERT INTO scheduler_skipped (job_id, reason, first_at, last_at, count, is_exact, decided_at)
             VALUES (?, ?, ?, ?, ?, 1, ?)",
        )
        .bind(job)
        .bind(reason)
        .bind(micros(last - TimeDelta::minutes(5 * (count - 1))))
        .bind(micros(last))
        .bind(count)
        .bind(micros(last + TimeDelta::milliseconds(40)))
        .execute(&mut *transaction)
        .await?;
    }
    transaction.commit().await?;
    pool.close().await;
    Ok(())
}

fn micros(at: DateTime<Utc>) -> i64 {
    at.timestamp_micros()
}
