//! How much the scheduler takes: memory per job, CPU while idle, CPU per fire and lateness under load.
//!
//! `cargo run --release --manifest-path benches/Cargo.toml -p bench-runtime -- memory|idle|fires [count]`

use std::collections::BinaryHeap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use scheduler_core::MemoryStore;
use scheduler_core::prelude::*;

static FIRED: AtomicUsize = AtomicUsize::new(0);

#[task]
async fn nothing() {
    FIRED.fetch_add(1, Ordering::Relaxed);
}

#[task]
async fn timed(lateness: Data<Lateness>, ctx: JobContext) {
    lateness.record(ctx.scheduled_for().timestamp_micros());
    FIRED.fetch_add(1, Ordering::Relaxed);
}

/// Microseconds after the nominal instant, of every fire.
struct Lateness(std::sync::Mutex<Vec<i64>>);

impl Lateness {
    fn record(&self, nominal_micros: i64) {
        let late = now_micros() - nominal_micros;
        self.0.lock().unwrap().push(late);
    }

    fn print(&self) {
        let mut all = std::mem::take(&mut *self.0.lock().unwrap());
        all.sort_unstable();
        let at = |part: f64| all[((all.len() - 1) as f64 * part) as usize] as f64 / 1000.0;
        println!(
            "lateness ms: min {:.2} p50 {:.2} p99 {:.2} max {:.2} over {} fires",
            at(0.0),
            at(0.5),
            at(0.99),
            at(1.0),
            all.len()
        );
    }
}

fn now_micros() -> i64 {
    i64::try_from(
        SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap()
            .as_micros(),
    )
    .unwrap()
}

/// User and system time of this process.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<usize>()
        .unwrap()
        * 4096
}

async fn start(history: usize) -> (Scheduler, Arc<Lateness>) {
    let lateness = Arc::new(Lateness(std::sync::Mutex::new(Vec::new())));
    let scheduler = Scheduler::builder()
        .store(MemoryStore::new().keep_runs(history))
        .shared_data(lateness.clone())
        .start()
        .await
        .unwrap();
    (scheduler, lateness)
}

async fn add(scheduler: &Scheduler, count: usize, job: impl Fn(usize) -> Job) {
    for first in (0..count).step_by(10_000) {
        let batch = (first..(first + 10_000).min(count)).map(&job);
        scheduler.add_jobs(batch).await.unwrap();
    }
}

async fn memory(count: usize) {
    let (scheduler, _) = start(0).await;
    let before = resident_bytes();
    let started = Instant::now();
    add(&scheduler, count, |index| {
        nothing::job().id(format!("job-{index}")).interval("1h")
    })
    .await;
    let elapsed = started.elapsed();
    let bytes = resident_bytes() - before;
    println!(
        "{count} jobs: {} bytes each, added at {:.0}/s",
        bytes / count,
        count as f64 / elapsed.as_secs_f64()
    );
    scheduler.shutdown(Shutdown::abort()).await;
}

async fn idle(count: usize) {
    let (scheduler, _) = start(0).await;
    add(&scheduler, count, |index| {
        nothing::job().id(format!("job-{index}")).cron("0 0 1 1 *")
    })
    .await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let before = cpu();
    tokio::time::sleep(Duration::from_secs(65)).await;
    println!("{count} idle jobs: {:?} of CPU in 65 s", cpu() - before);
    scheduler.shutdown(Shutdown::abort()).await;
}

async fn fires(count: usize, history: usize) {
    const SECONDS: usize = 10;
    let (scheduler, lateness) = start(history).await;
    let start_at = (now_micros() / 1_000_000 + 4) as u64;
    let text = rfc3339(start_at);
    add(&scheduler, count, |index| {
        timed::job()
            .id(format!("job-{index}"))
            .interval("1s")
            .start(&text)
    })
    .await;
    let until = SystemTime::UNIX_EPOCH + Duration::from_micros(start_at * 1_000_000 - 300_000);
    tokio::time::sleep(until.duration_since(SystemTime::now()).unwrap_or_default()).await;
    let (cpu_before, fired_before) = (cpu(), FIRED.load(Ordering::Relaxed));
    tokio::time::sleep(Duration::from_secs(SECONDS as u64)).await;
    let fired = FIRED.load(Ordering::Relaxed) - fired_before;
    let used = cpu() - cpu_before;
    println!(
        "{count} jobs each second, history {history}: {fired} of {} fires, {:.2} µs of CPU each",
        count * SECONDS,
        used.as_secs_f64() * 1e6 / fired as f64
    );
    lateness.print();
    let dropped = scheduler.health().dropped;
    println!("not run: {dropped:?}");
    scheduler.shutdown(Shutdown::abort()).await;
}

/// The limit: a heap, one timer, an empty future spawned per fire.
async fn limit(count: usize) {
    const SECONDS: usize = 10;
    let lateness = Arc::new(Lateness(std::sync::Mutex::new(Vec::new())));
    let base_micros = (now_micros() / 1_000_000 + 2) * 1_000_000;
    let mut heap: BinaryHeap<std::cmp::Reverse<(i64, usize)>> = (0..count)
        .map(|job| std::cmp::Reverse((base_micros, job)))
        .collect();
    let (cpu_before, end) = (cpu(), base_micros + SECONDS as i64 * 1_000_000 - 300_000);
    while let Some(std::cmp::Reverse((at, job))) = heap.pop() {
        if at > end {
            break;
        }
        let wait = at - now_micros();
        if wait > 0 {
            tokio::time::sleep(Duration::from_micros(wait as u64)).await;
        }
        heap.push(std::cmp::Reverse((at + 1_000_000, job)));
        let lateness = lateness.clone();
        tokio::spawn(async move {
            lateness.record(at);
            FIRED.fetch_add(1, Ordering::Relaxed);
        });
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    let fired = FIRED.load(Ordering::Relaxed);
    println!(
        "limit, {count} each second: {fired} fires, {:.2} µs of CPU each",
        (cpu() - cpu_before).as_secs_f64() * 1e6 / fired as f64
    );
    lateness.print();
}

fn rfc3339(seconds: u64) -> String {
    scheduler_core::Trigger::interval(Duration::from_secs(1))
        .unwrap()
        .with("start", "1970-01-01T00:00:00Z")
        .unwrap()
        .next_after((SystemTime::UNIX_EPOCH + Duration::from_secs(seconds - 1)).into())
        .unwrap()
        .to_rfc3339()
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let count = arguments.get(2).and_then(|count| count.parse().ok());
    match arguments.get(1).map(String::as_str) {
        Some("memory") => memory(count.unwrap_or(1_000_000)).await,
        Some("idle") => idle(count.unwrap_or(1_000_000)).await,
        Some("fires") => fires(count.unwrap_or(100_000), 10_000).await,
        Some("fires-bare") => fires(count.unwrap_or(100_000), 0).await,
        Some("limit") => limit(count.unwrap_or(100_000)).await,
        _ => println!("memory | idle | fires | fires-bare | limit, and how many"),
    }
}
