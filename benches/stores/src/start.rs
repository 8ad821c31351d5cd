//! How soon the first fire is, above so many stored jobs, and what memory that takes.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use scheduler_core::prelude::*;
use scheduler_sqlx::SqlStore;

static FIRST: OnceLock<Instant> = OnceLock::new();

#[task]
async fn first() {
    FIRST.get_or_init(Instant::now);
}

/// Stores so many jobs that are due in an hour, and one that is due now; then starts, on a handle of its
/// own, as a new process would.
pub async fn run(url: &str, count: usize) {
    let store = crate::url::open(url).await;
    let client = Scheduler::builder().client().store(store.clone());
    let client = client.executor("wide", scheduler_core::Executor::with_limit(1));
    let client = client.start().await.unwrap();
    let later = DateTime::from_timestamp(Utc::now().timestamp() + 3_600, 0).unwrap();
    crate::sustained::add(&client, count, later).await;
    let resident = resident_kib();
    for turn in 1..=5 {
        client
            .add_job(first::job().id(format!("first-{turn}")).trigger(Trigger::now()))
            .await
            .unwrap();
    }
    let again = SqlStore::builder().prefix(crate::url::prefix(url));
    let begun = Instant::now();
    let again = again.connect(url).await.unwrap();
    let connected = begun.elapsed();
    let scheduler = Scheduler::builder()
        .store(again)
        .executor("wide", scheduler_core::Executor::with_limit(100_000))
        .start()
        .await
        .unwrap();
    while FIRST.get().is_none() {
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
    let fired = *FIRST.get().unwrap() - begun;
    println!(
        "{url}: {count} stored jobs: first fire {:.1} ms after start() ({:.1} ms with opening), {} KiB more resident",
        (fired - connected).as_secs_f64() * 1e3,
        fired.as_secs_f64() * 1e3,
        resident_kib().saturating_sub(resident),
    );
    scheduler.shutdown(Shutdown::abort()).await;
}

fn resident_kib() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = statm.split_whitespace().nth(1).unwrap().parse().unwrap();
    pages * 4
}
