//! All stored jobs due at the same instant: how long until all have run.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bench_measure::Report;
use chrono::Utc;
use scheduler_core::prelude::*;

use crate::stored::{FIRED, add, in_seconds, scheduler, wait_for};

pub async fn run(url: &str, count: usize) -> Report {
    let scheduler = scheduler(crate::url::open(url).await).await;
    let start = in_seconds(3 + count / 5_000);
    add(&scheduler, count, start, "1d").await;
    wait_for(start).await;
    let begun = Instant::now();
    while FIRED.load(Ordering::Relaxed) < count as u64 {
        assert!(
            begun.elapsed() < Duration::from_secs(120),
            "not all had run after two minutes"
        );
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let took = (Utc::now() - start).as_seconds_f64();
    scheduler.shutdown(Shutdown::abort()).await;
    Report::new().with("seconds", took)
}
