//! The same writes, tables, indexes and driver without the scheduler.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use scheduler_core::prelude::*;

pub async fn run(url: &str, count: usize, duration: Duration) {
    let store = crate::url::open(url).await;
    let client = Scheduler::builder().client().store(store.clone());
    let client = client.executor("wide", scheduler_core::Executor::with_limit(1));
    let client = client.start().await.unwrap();
    let start = DateTime::from_timestamp(Utc::now().timestamp() + 3_600, 0).unwrap();
    crate::sustained::add(&client, count, start).await;
    let ids: Vec<String> = (0..count).map(|number| format!("job-{number}")).collect();
    let batch = crate::sustained::batch();
    let begun = Instant::now();
    let cpu = crate::sustained::cpu();
    let done = store.write_limit(&ids, batch, duration).await.unwrap();
    println!(
        "{url}: limit {:.0} fires/s, CPU {:.1} us per fire",
        done as f64 / begun.elapsed().as_secs_f64(),
        (crate::sustained::cpu() - cpu).as_micros() as f64 / done as f64,
    );
}
