//! How soon the first fire happens with many stored jobs, and the memory that this takes.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use bench_measure::{Report, resident};
use scheduler_core::prelude::*;
use scheduler_sqlx::SqlStore;

use crate::stored::{add, client, in_seconds, scheduler};

static FIRST: OnceLock<Instant> = OnceLock::new();

#[task]
async fn first() {
    FIRST.get_or_init(Instant::now);
}

/// Stores `count` jobs that are due in an hour, and one that is due now; then starts on a new handle, like a new
/// process.
pub async fn run(url: &str, count: usize) -> Report {
    let client = client(crate::url::open(url).await).await;
    add(&client, count, in_seconds(3_600), "1s").await;
    let before = resident();
    client
        .add_job(first::job().id("first").trigger(Trigger::now()))
        .await
        .unwrap();
    let again = SqlStore::builder().prefix(crate::url::prefix(url));
    let begun = Instant::now();
    let again = again.connect(url).await.unwrap();
    let scheduler = scheduler(again).await;
    let fired = loop {
        if let Some(fired) = FIRST.get() {
            break *fired;
        }
        tokio::time::sleep(Duration::from_micros(200)).await;
    };
    let bytes = resident().saturating_sub(before);
    scheduler.shutdown(Shutdown::abort()).await;
    Report::new()
        .with("first_ms", (fired - begun).as_secs_f64() * 1e3)
        .with("resident_mib", bytes as f64 / (1_024.0 * 1_024.0))
}
