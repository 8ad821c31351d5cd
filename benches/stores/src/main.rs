//! What persistent stores take, and what the same databases take without a scheduler.
//!
//! `bench-stores SCENARIO COUNT SECONDS URL`; `BATCH` sets how many jobs a transaction takes (1,000 unless
//! given, as the scheduler has it), for the scheduler and for its limit alike. Full history is kept.

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
