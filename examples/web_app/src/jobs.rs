//! The work: jobs with fixed schedules, and tasks for the schedules of users.

use std::time::Duration;

use scheduler_core::prelude::*;
use serde::Serialize;
use sqlx::AnyPool;

/// The tasks that users may schedule; everything else is refused, by both APIs.
pub(crate) const TASKS_OF_USERS: [&str; 3] = ["send_newsletter", "export_data", "flaky_sync"];

/// Deletes expired sessions. The return value is stored in the record of the run.
#[scheduled_job(interval = "1h", id = "cleanup_sessions", retries = 3)]
async fn cleanup_sessions(db: Data<AnyPool>, ctx: JobContext) -> Result<u64, sqlx::Error> {
    let deleted = sqlx::query("DELETE FROM sessions WHERE expires_at <= $1")
        .bind(ctx.scheduled_for().timestamp())
        .execute(&*db)
        .await?
        .rows_affected();
    tracing::info!(deleted, "expired sessions are gone");
    Ok(deleted)
}

#[derive(Serialize)]
struct Report {
    sessions: i64,
    users: i64,
}

/// Counts sessions and users, at six in the morning in Shanghai.
#[scheduled_job(cron = "0 6 * * *", id = "daily_report", timezone = "Asia/Shanghai")]
async fn daily_report(db: Data<AnyPool>) -> Result<Report, sqlx::Error> {
    let (sessions, users) =
        sqlx::query_as::<_, (i64, i64)>("SELECT count(*), count(DISTINCT user_id) FROM sessions")
            .fetch_one(&*db)
            .await?;
    tracing::info!(sessions, users, "the daily report");
    Ok(Report { sessions, users })
}

/// Never runs twice at once, and is skipped if it would be over five minutes late.
#[scheduled_job(
    interval = "5m",
    id = "my_cleanup_task",
    max_instances = 1,
    misfire_grace_time = "5m"
)]
async fn my_cleanup_task() {
    tracing::info!("cleaning up");
}

/// A task that users can schedule.
#[task]
async fn send_newsletter(#[arg(default)] topic: Option<String>) {
    tracing::info!(topic, "the newsletter is on its way");
    work(Duration::from_millis(300)).await;
}

/// A longer task: stop the service meanwhile, and see that it waits.
#[task]
async fn export_data(#[arg(default)] seconds: Option<u64>, ctx: JobContext) -> &'static str {
    tokio::select! {
        () = work(Duration::from_secs(seconds.unwrap_or(10).min(3_600))) => "exported",
        () = ctx.cancelled() => "stopped half-way",
    }
}

/// A task that fails in a typical way.
#[task]
async fn flaky_sync() -> anyhow::Result<()> {
    anyhow::bail!("the other side answered 502 Bad Gateway")
}

#[allow(clippy::disallowed_methods, reason = "it stands for work")]
async fn work(takes: Duration) {
    tokio::time::sleep(takes).await;
}
