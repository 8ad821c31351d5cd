//! This scheduler with its store in memory: adding jobs, and firing them.
//!
//! `bench-runtime jobs|same|spread|same-bare|spread-bare COUNT SECONDS`; the bare scenarios keep no history.

use std::time::Duration;

use bench_measure::{Adding, Arguments, Report, arguments, fired, start_after, watch};
use chrono::{DateTime, Utc};
use scheduler_core::MemoryStore;
use scheduler_core::prelude::*;

#[task]
async fn nothing() {}

#[task]
async fn timed(ctx: JobContext) {
    fired(
        ctx.scheduled_for()
            .timestamp_nanos_opt()
            .unwrap_or_default(),
    );
}

#[tokio::main]
async fn main() {
    let Arguments {
        scenario,
        count,
        seconds,
        ..
    } = arguments();
    let apart = 1_000_000_000 / count as i64;
    let report = match scenario.as_str() {
        "jobs" => jobs(count, seconds).await,
        "same" => fires(MemoryStore::new(), count, seconds, 0).await,
        "spread" => fires(MemoryStore::new(), count, seconds, apart).await,
        "same-bare" => fires(MemoryStore::new().keep_runs(0), count, seconds, 0).await,
        "spread-bare" => fires(MemoryStore::new().keep_runs(0), count, seconds, apart).await,
        _ => panic!("jobs|same|spread|same-bare|spread-bare"),
    };
    report.finish()
}

/// Adds jobs that are due in an hour, then idles.
async fn jobs(count: usize, seconds: u64) -> Report {
    let scheduler = Scheduler::builder().start().await.unwrap();
    let adding = Adding::begin();
    add(&scheduler, count, |number| {
        nothing::job().id(format!("job-{number}")).interval("1h")
    })
    .await;
    let report = tokio::task::spawn_blocking(move || adding.done(count, seconds)).await;
    drop(scheduler);
    report.unwrap()
}

/// Fires each of `count` jobs every second, `apart` nanoseconds after each other.
async fn fires(store: MemoryStore, count: usize, seconds: u64, apart: i64) -> Report {
    let scheduler = Scheduler::builder().store(store).start().await.unwrap();
    let start = start_after(Duration::from_secs(2 + count as u64 / 200_000));
    add(&scheduler, count, |number| {
        let first: DateTime<Utc> = DateTime::from_timestamp_nanos(start + apart * number as i64);
        timed::job()
            .id(format!("job-{number}"))
            .interval("1s")
            .start(first)
    })
    .await;
    let report = tokio::task::spawn_blocking(move || watch(start, count, seconds))
        .await
        .unwrap();
    let skipped: u64 = scheduler.health().skipped.values().sum();
    report.with("skipped", skipped as f64)
}

async fn add(scheduler: &Scheduler, count: usize, job: impl Fn(usize) -> Job) {
    for first in (0..count).step_by(10_000) {
        let batch = (first..(first + 10_000).min(count)).map(&job);
        scheduler.add_jobs(batch).await.unwrap();
    }
}
