//! The same writes, tables, indexes and driver without the scheduler: over so many stored jobs, for so long.

use std::time::{Duration, Instant};

use bench_measure::{Report, cpu};

use crate::stored::{add, batch, client, in_seconds};

pub async fn run(url: &str, count: usize, duration: Duration) -> Report {
    let store = crate::url::open(url).await;
    let client = client(store.clone()).await;
    add(&client, count, in_seconds(3_600), "1s").await;
    let ids: Vec<String> = (0..count).map(|number| format!("job-{number}")).collect();
    let (begun, before) = (Instant::now(), cpu());
    let done = store.write_limit(&ids, batch(), duration).await.unwrap() as f64;
    let took = begun.elapsed().as_secs_f64();
    Report::new()
        .with("fires_per_second", done / took)
        .with("cpu_us", (cpu() - before).as_secs_f64() * 1e6 / done)
}
