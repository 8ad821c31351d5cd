//! So many jobs due each second, full history: does the scheduler keep up, with nothing coalesced?

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use scheduler_core::prelude::*;

static FIRED: AtomicU64 = AtomicU64::new(0);

#[task]
async fn nothing() {
    FIRED.fetch_add(1, Ordering::Relaxed);
}

/// Adds jobs that fire each second from `start` on.
pub async fn add(scheduler: &Scheduler, count: usize, start: DateTime<Utc>) {
    let start = start.to_rfc3339();
    for first in (0..count).step_by(10_000) {
        let jobs = (first..count.min(first + 10_000)).map(|number| {
            nothing::job()
                .id(format!("job-{number}"))
                .trigger(format!("every 1s start={start}").parse::<Trigger>().unwrap())
                .executor("wide")
        });
        scheduler.add_jobs(jobs).await.unwrap();
    }
}

pub async fn run(url: &str, count: usize, seconds: u64) {
    let store = crate::url::open(url).await;
    let scheduler = Scheduler::builder()
        .store(store)
        .executor("wide", scheduler_core::Executor::with_limit(100_000))
        .claim_batch(batch())
        .start()
        .await
        .unwrap();
    let begun = Instant::now();
    let lead = 3 + count as u64 / 10_000;
    let now = Utc::now().timestamp() + i64::try_from(lead).unwrap();
    let start = DateTime::from_timestamp(now, 0).unwrap();
    add(&scheduler, count, start).await;
    println!("{count} jobs added in {:.2?}", begun.elapsed());
    let wait = (start - Utc::now()).to_std().expect("the jobs were added in time");
    tokio::time::sleep(wait).await;
    let (fired, begun, cpu) = (FIRED.load(Ordering::Relaxed), Instant::now(), cpu());
    let mut last = fired;
    for _ in 0..seconds {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let now = FIRED.load(Ordering::Relaxed);
        print!("{} ", now - last);
        last = now;
    }
    let done = last - fired;
    let took = begun.elapsed();
    let dropped: u64 = scheduler.health().dropped.values().sum();
    let held = if dropped == 0 && done as f64 > 0.98 * (count as f64 * seconds as f64) {
        "HELD"
    } else {
        "not held"
    };
    println!(
        "\n{url}: {count} jobs a second {held}: {:.0} fires/s, not run {dropped}, CPU {:.1} us per fire",
        done as f64 / took.as_secs_f64(),
        (self::cpu() - cpu).as_micros() as f64 / done as f64,
    );
    scheduler.shutdown(Shutdown::abort()).await;
}

/// Jobs of one claim: as it comes, unless `BATCH` says otherwise.
pub fn batch() -> usize {
    std::env::var("BATCH").map_or(1_000, |batch| batch.parse().unwrap())
}

/// User and system time of this process.
pub fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}
