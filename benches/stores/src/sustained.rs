//! `COUNT` jobs due every second, with full history: does the scheduler keep up without coalescing?

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bench_measure::{Report, cpu};
use scheduler_core::prelude::*;

use crate::stored::{FIRED, add, in_seconds, scheduler, wait_for};

pub async fn run(url: &str, count: usize, seconds: u64) -> Report {
    let scheduler = scheduler(crate::url::open(url).await).await;
    let start = in_seconds(3 + count / 5_000);
    add(&scheduler, count, start, "1s").await;
    wait_for(start).await;
    let (fired, begun, before) = (FIRED.load(Ordering::Relaxed), Instant::now(), cpu());
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let done = (FIRED.load(Ordering::Relaxed) - fired) as f64;
    let took = begun.elapsed().as_secs_f64();
    let used = (cpu() - before).as_secs_f64();
    let skipped: u64 = scheduler.health().skipped.values().sum();
    scheduler.shutdown(Shutdown::abort()).await;
    Report::new()
        .with("fires", done)
        .with("expected", (count as u64 * seconds) as f64)
        .with("fires_per_second", done / took)
        .with("cpu_us", used * 1e6 / done)
        .with("skipped", skipped as f64)
}
