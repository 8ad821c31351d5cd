//! Jobs of every kind: fast, failing, slow and sync ones, and ones with arguments of several types.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use scheduler_core::prelude::*;

/// The tasks for which `--allow-all` allows jobs to be created.
pub(crate) const TASKS: [&str; 5] = ["greet", "send_report", "resize", "flaky", "slow"];

#[scheduled_job(interval = "2s", id = "heartbeat")]
async fn heartbeat() -> u64 {
    17
}

#[scheduled_job(
    cron = "0 6 * * mon-fri",
    timezone = "Asia/Shanghai",
    timeout = "10m",
    retries = 3
)]
async fn daily_report() -> Result<String, String> {
    Ok("sent".to_owned())
}

#[scheduled_job(interval = "5s", id = "always_failing", retries = 1)]
async fn always_failing() -> Result<(), String> {
    Err("<img src=x onerror=alert(1)> no route to host".to_owned())
}

#[scheduled_job(interval = "10s", id = "long_import", max_instances = 1)]
async fn long_import() {
    pause(Duration::from_secs(4)).await;
}

#[scheduled_job(
    cron = "*/15 * * * *",
    id = "on_hold",
    paused = "until the invoices are paid"
)]
async fn on_hold() {}

#[scheduled_job(interval = "20s", id = "checksum")]
fn checksum() -> String {
    "b1946ac92492d2347c6235b4d2611184".to_owned()
}

/// Does nothing but greet.
#[task]
async fn greet(name: String, times: Option<u8>) -> String {
    format!("Hello, {name}!").repeat(usize::from(times.unwrap_or(1)))
}

/// The task of the example in the API description.
#[task]
async fn send_report(city: String) {
    tracing::info!(city, "sent");
}

/// Takes arguments of several types.
#[task]
async fn resize(
    image: String,
    width: u32,
    ratio: f64,
    tags: Vec<String>,
    options: HashMap<String, bool>,
    not_before: Option<DateTime<Utc>>,
) {
    tracing::info!(image, width, ratio, ?tags, ?options, ?not_before, "resized");
}

/// Fails as many times as requested.
#[task]
async fn flaky(ctx: JobContext, #[arg(default)] failures: u32) -> Result<u32, String> {
    if ctx.attempt() <= failures {
        return Err(format!("attempt {} failed", ctx.attempt()));
    }
    Ok(ctx.attempt())
}

#[task]
async fn slow(#[arg(default)] seconds: u64) {
    pause(Duration::from_secs(seconds.min(60))).await;
}

#[allow(clippy::disallowed_methods, reason = "what a job does takes real time")]
async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}
