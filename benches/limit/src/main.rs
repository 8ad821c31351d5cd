//! The limit: the cost of a heap, one timer and an empty future spawned per fire, on unmodified tokio.
//!
//! That is the minimum for a job that has an id and runs each time it is due. The loop runs on the main thread, next
//! to the workers: as a task on a worker it is slower.
//!
//! `bench-limit jobs|same|spread|startup COUNT SECONDS`

mod heap;

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use bench_measure::{Adding, Arguments, Report, arguments, fired, now_nanos, start_after, watch};
use heap::{Entry, Heap, SECOND};

#[tokio::main]
async fn main() {
    let Arguments {
        scenario,
        count,
        seconds,
        ..
    } = arguments();
    match scenario.as_str() {
        "jobs" => jobs(count, seconds).await,
        "same" => fires(count, seconds, 0).await,
        "spread" => fires(count, seconds, SECOND / i64::try_from(count).unwrap()).await,
        "startup" => startup(count).await,
        _ => panic!("jobs|same|spread|startup"),
    }
}

/// Pushes jobs that are due in an hour.
async fn jobs(count: usize, seconds: u64) {
    let adding = Adding::begin();
    let at = start_after(Duration::from_secs(3_600));
    let mut heap = Heap::default();
    for job in 0..count {
        heap.push(at, Entry::new(job, 3_600 * SECOND, nothing));
    }
    let watched = tokio::task::spawn_blocking(move || adding.done(count, seconds).finish());
    heap.run().await;
    watched.await.unwrap()
}

/// Fires each of `count` jobs every second, `apart` nanoseconds after each other.
async fn fires(count: usize, seconds: u64, apart: i64) {
    let start = start_after(Duration::from_secs(1 + count as u64 / 500_000));
    let mut heap = Heap::default();
    for job in 0..count {
        heap.push(start + apart * job as i64, Entry::new(job, SECOND, fired));
    }
    let watched = tokio::task::spawn_blocking(move || watch(start, count, seconds).finish());
    heap.run().await;
    watched.await.unwrap()
}

/// Pushes jobs that are due later and one that is due now, and measures how soon that one runs.
async fn startup(count: usize) {
    let begun = *BEGUN.get_or_init(Instant::now);
    let later = start_after(Duration::from_secs(3_600));
    let mut heap = Heap::default();
    for job in 0..count {
        heap.push(later, Entry::new(job, 3_600 * SECOND, nothing));
    }
    heap.push(now_nanos(), Entry::new(count, 3_600 * SECOND, first));
    STARTED.get_or_init(|| begun.elapsed());
    heap.run().await;
}

static BEGUN: OnceLock<Instant> = OnceLock::new();
static STARTED: OnceLock<Duration> = OnceLock::new();

fn first(_: i64) {
    let millis = |time: Option<Duration>| time.unwrap_or_default().as_secs_f64() * 1e3;
    Report::new()
        .with("start_ms", millis(STARTED.get().copied()))
        .with("first_ms", millis(BEGUN.get().map(Instant::elapsed)))
        .finish()
}

fn nothing(_: i64) {}
