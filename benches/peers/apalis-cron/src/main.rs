//! apalis-cron: adding jobs, and firing them. Each job is a worker with its own schedule, as a task of the runtime.
//!
//! `peer-apalis-cron jobs|same COUNT SECONDS`

use std::time::Duration;

use apalis::prelude::*;
use apalis_cron::{CronScheduler, Tick};
use bench_measure::{Adding, Arguments, Report, arguments, fired, start_after, watch};
use cron::Schedule;

#[tokio::main]
async fn main() {
    let Arguments {
        scenario,
        count,
        seconds,
        ..
    } = arguments();
    let report = match scenario.as_str() {
        "jobs" => jobs(count, seconds).await,
        "same" => same(count, seconds).await,
        _ => panic!("jobs|same"),
    };
    report.finish()
}

/// Adds jobs that are due next year, then idles.
async fn jobs(count: usize, seconds: u64) -> Report {
    let adding = Adding::begin();
    add(count, "0 0 0 1 1 *");
    tokio::task::spawn_blocking(move || adding.done(count, seconds))
        .await
        .unwrap()
}

/// Fires each of the given number of jobs every second.
async fn same(count: usize, seconds: u64) -> Report {
    add(count, "* * * * * *");
    let start = start_after(Duration::from_secs(3 + count as u64 / 50_000));
    tokio::task::spawn_blocking(move || watch(start, count, seconds))
        .await
        .unwrap()
}

fn add(count: usize, expression: &str) {
    for number in 0..count {
        let schedule: Schedule = expression.parse().unwrap();
        let worker = WorkerBuilder::new(format!("job-{number}"))
            .backend(CronScheduler::new(schedule))
            .build(tick);
        tokio::spawn(worker.run());
    }
}

async fn tick(tick: Tick) {
    fired(i64::try_from(tick.get_timestamp()).unwrap() * 1_000_000_000);
}
