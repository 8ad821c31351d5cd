//! The tasks and jobs of the service.

use std::time::Duration;

use scheduler_core::prelude::*;
use scheduler_core::{Error, Job};

use crate::orders::Orders;

/// The static jobs.
pub(crate) const JOBS: [&str; 5] = [
    "broken-import",
    "heartbeat",
    "on-leave",
    "overrun",
    "slow-export",
];

/// The tasks that may be created over the API.
pub(crate) const CREATABLE: &[&str] =
    &["fail_at_length", "greet", "keep_numbers", "rest", "sign_in"];

/// Succeeds every time, with a value to record.
#[scheduled_job(interval = "2s", id = "heartbeat")]
async fn heartbeat(ctx: JobContext) -> String {
    format!("attempt {}", ctx.attempt())
}

/// Fails with a text that a careless page would execute.
#[scheduled_job(cron = "0 0 1 1 *", id = "broken-import")]
async fn broken_import() -> Result<(), &'static str> {
    Err("row 7 has <img src=x onerror=alert(1)> and <script>alert(2)</script>\n  <b>not bold</b>")
}

/// Takes half a minute, unless it is cancelled.
#[scheduled_job(cron = "0 3 1 1 *", id = "slow-export")]
async fn slow_export(ctx: JobContext) -> Result<(), &'static str> {
    tokio::select! {
        () = ctx.cancelled() => Err("stopped half-way"),
        () = tokio::time::sleep(Duration::from_secs(30)) => Ok(()),
    }
}

/// Paused initially.
#[scheduled_job(
    cron = "0 6 * * *",
    id = "on-leave",
    paused = "waits for the new server"
)]
async fn on_leave() {}

/// Due every second although it takes longer: fire times in between are skipped.
#[scheduled_job(interval = "1s", id = "overrun")]
async fn overrun() {
    tokio::time::sleep(Duration::from_millis(2_500)).await;
}

/// Takes arguments of several types.
#[task]
async fn greet(
    name: String,
    times: u32,
    loud: bool,
    ratio: Option<f64>,
    tags: Vec<String>,
) -> String {
    let words = format!("hello {name}, {times} times, {ratio:?}, {}", tags.join("+"));
    if loud { words.to_uppercase() } else { words }
}

/// Takes numbers that JavaScript would round, and records one of them.
#[task]
async fn keep_numbers(account: u64, others: Vec<i64>, ratio: f64, more: serde_json::Value) -> u64 {
    let _ = (others, ratio, more);
    account
}

/// Fails with more lines than fit on the page.
#[task]
async fn fail_at_length() -> Result<(), String> {
    let lines: Vec<String> = (1..=200).map(|line| format!("line {line}")).collect();
    Err(lines.join("\n"))
}

/// Does nothing.
#[task]
async fn rest() {}

/// Adds the jobs that are not in the code, unless they already exist.
pub(crate) async fn add(scheduler: &Scheduler, orders: &Orders) -> Result<(), Error> {
    if orders.crowd == 0 || scheduler.get_job("crowd-00000").await?.is_some() {
        return Ok(());
    }
    let jobs = (0..orders.crowd).map(|number| {
        Job::new("rest")
            .id(format!("crowd-{number:05}"))
            .cron(format!("{} {} 1 1 *", number % 60, number / 60 % 24))
    });
    scheduler.add_jobs(jobs).await?;
    Ok(())
}

#[task]
async fn sign_in(
    host: String,
    #[arg(secret)] password: String,
    #[arg(default, secret)] code: u16,
) -> String {
    format!("{host} {} {}", password.len(), code > 0)
}
