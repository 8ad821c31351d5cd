//! clokwerk: adding jobs, and firing them. It is polled every 100 ms, as in its documentation.
//!
//! `peer-clokwerk jobs|same COUNT SECONDS`

use std::time::Duration;

use bench_measure::{Adding, Arguments, Report, arguments, fired_again, start_after, watch};
use chrono::Utc;
use clokwerk::{AsyncScheduler, Interval};

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

/// Adds jobs that are due in weeks, then idles.
async fn jobs(count: usize, seconds: u64) -> Report {
    let mut scheduler = AsyncScheduler::with_tz(Utc);
    let adding = Adding::begin();
    for _ in 0..count {
        scheduler.every(Interval::Weeks(52)).run(|| async {});
    }
    let watched = tokio::task::spawn_blocking(move || adding.done(count, seconds));
    tokio::spawn(run(scheduler));
    watched.await.unwrap()
}

/// Fires each of the given number of jobs every second.
async fn same(count: usize, seconds: u64) -> Report {
    let mut scheduler = AsyncScheduler::with_tz(Utc);
    for number in 0..count {
        scheduler
            .every(Interval::Seconds(1))
            .run(move || async move { fired_again(number) });
    }
    tokio::spawn(run(scheduler));
    let start = start_after(Duration::from_secs(3 + count as u64 / 50_000));
    tokio::task::spawn_blocking(move || watch(start, count, seconds))
        .await
        .unwrap()
}

async fn run(mut scheduler: AsyncScheduler<Utc>) {
    loop {
        scheduler.run_pending().await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
