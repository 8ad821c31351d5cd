//! Jobs in a store, and a scheduler that can run all of them at once.

use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use scheduler_core::prelude::*;
use scheduler_sqlx::SqlStore;

/// How many of the jobs have run.
pub static FIRED: AtomicU64 = AtomicU64::new(0);

#[task]
async fn count() {
    FIRED.fetch_add(1, Ordering::Relaxed);
}

/// Starts a scheduler on a store.
pub async fn scheduler(store: SqlStore) -> Scheduler {
    let builder = Scheduler::builder().store(store).claim_batch(batch());
    let wide = scheduler_core::LocalExecutor::with_limit(100_000);
    builder.executor("wide", wide).start().await.unwrap()
}

/// Starts a handle that adds jobs and runs none.
pub async fn client(store: SqlStore) -> Scheduler {
    let builder = Scheduler::builder().client().store(store);
    let wide = scheduler_core::LocalExecutor::with_limit(1);
    builder.executor("wide", wide).start().await.unwrap()
}

/// Adds jobs that fire at `start`, and then once per `every`.
pub async fn add(scheduler: &Scheduler, count: usize, start: DateTime<Utc>, every: &str) {
    let trigger: Trigger = format!("every {every} start={}", start.to_rfc3339())
        .parse()
        .unwrap();
    for first in (0..count).step_by(10_000) {
        let jobs = (first..count.min(first + 10_000)).map(|number| {
            let job = self::count::job().id(format!("job-{number}"));
            job.trigger(trigger.clone()).executor("wide")
        });
        scheduler.add_jobs(jobs).await.unwrap();
    }
}

/// Returns a whole second, `lead` seconds from now.
pub fn in_seconds(lead: usize) -> DateTime<Utc> {
    DateTime::from_timestamp(Utc::now().timestamp() + lead as i64, 0).unwrap()
}

/// Waits for a future instant.
pub async fn wait_for(start: DateTime<Utc>) {
    let wait = (start - Utc::now())
        .to_std()
        .expect("the jobs were added in time");
    tokio::time::sleep(wait).await;
}

/// Returns the number of jobs in a claim: the default, unless `BATCH` is set.
pub fn batch() -> usize {
    std::env::var("BATCH").map_or(1_000, |batch| batch.parse().unwrap())
}
