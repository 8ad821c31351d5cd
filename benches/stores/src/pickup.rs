//! How soon a node runs a job that another process adds for now.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use bench_measure::Report;
use scheduler_core::prelude::*;
use scheduler_sqlx::SqlStore;

static STARTED: Mutex<Option<Instant>> = Mutex::new(None);

#[task]
async fn noticed() {
    *STARTED.lock().unwrap() = Some(Instant::now());
}

/// Runs a client and a node on separate connections, and measures from before a job is added until it runs.
pub async fn run(url: &str, turns: usize) -> Report {
    let store = crate::url::open(url).await;
    let client = Scheduler::builder()
        .client()
        .store(store)
        .start()
        .await
        .unwrap();
    let other = SqlStore::builder()
        .prefix(crate::url::prefix(url))
        .connect(url)
        .await
        .unwrap();
    let node = Scheduler::builder().store(other).start().await.unwrap();
    // By then, the node sleeps and listens.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let mut took = Vec::new();
    for turn in 0..turns {
        let begun = Instant::now();
        let job = noticed::job()
            .id(format!("turn-{turn}"))
            .trigger(Trigger::now());
        client.add_job(job).await.unwrap();
        let started = loop {
            if let Some(started) = STARTED.lock().unwrap().take() {
                break started;
            }
            tokio::time::sleep(Duration::from_micros(200)).await;
        };
        took.push((started - begun).as_secs_f64() * 1e3);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    node.shutdown(Shutdown::abort()).await;
    took.sort_by(f64::total_cmp);
    let at = |part: f64| took[((took.len() - 1) as f64 * part) as usize];
    Report::new()
        .with("p50_ms", at(0.5))
        .with("p95_ms", at(0.95))
}
