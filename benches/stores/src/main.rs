//! The cost of persistent stores, and the cost of the same databases without a scheduler.
//!
//! `bench-stores SCENARIO COUNT SECONDS URL`; `BATCH` sets how many jobs a transaction includes (default 1,000, like
//! the scheduler's), for both the scheduler and its limit. Full history is kept.

mod limit;
mod pickup;
mod pile;
mod raw;
mod start;
mod stored;
mod sustained;
mod url;

use std::time::Duration;

use bench_measure::{Arguments, arguments};

#[tokio::main]
async fn main() {
    let Arguments {
        scenario,
        count,
        seconds,
        url,
    } = arguments();
    let report = match scenario.as_str() {
        "sustained" => sustained::run(&url, count, seconds).await,
        "limit" => limit::run(&url, count, Duration::from_secs(seconds)).await,
        "pile" => pile::run(&url, count).await,
        "start" => start::run(&url, count).await,
        "pickup" => pickup::run(&url, count).await,
        "raw" => raw::run(&url, count).await,
        _ => panic!("sustained|limit|pile|start|pickup|raw"),
    };
    report.finish()
}
