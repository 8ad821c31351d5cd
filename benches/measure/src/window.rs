//! The seconds in which fires count: their number, their lateness and their cost.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use crate::{Histogram, Report, cpu};

const SECOND: i64 = 1_000_000_000;

/// A fire this long before the window still belongs to its first second; an earlier one, due a second before, does
/// not.
const EARLY: i64 = SECOND / 1_000;

static LATENESS: Histogram = Histogram::new();
static START: AtomicI64 = AtomicI64::new(i64::MAX);
static END: AtomicI64 = AtomicI64::new(i64::MAX);
/// The number of fires of each job in the window, for programs whose jobs do not receive their fire time.
static TURNS: OnceLock<Vec<AtomicU32>> = OnceLock::new();

/// Returns the wall clock time in nanoseconds.
pub fn now_nanos() -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.expect("after 1970")
        .as_nanos()
        .try_into()
        .expect("before 2262")
}

/// Returns the first whole second, in nanoseconds, that is at least `lead` away.
pub fn start_after(lead: Duration) -> i64 {
    let lead = i64::try_from(lead.as_nanos()).expect("short");
    (now_nanos() + lead).div_euclid(SECOND) * SECOND + SECOND
}

/// Records a fire. For jobs that know their nominal fire time.
pub fn fired(nominal: i64) {
    if nominal >= START.load(Ordering::Relaxed) && nominal < END.load(Ordering::Relaxed) {
        LATENESS.record(now_nanos() - nominal);
    }
}

/// Records a fire. For jobs that do not: their n-th fire in the window counts as that of the n-th second.
pub fn fired_again(job: usize) {
    let start = START.load(Ordering::Relaxed);
    let now = now_nanos();
    if now < start.saturating_sub(EARLY) {
        return;
    }
    let turns = TURNS.get().and_then(|turns| turns.get(job));
    let turn = turns.map_or(0, |turn| turn.fetch_add(1, Ordering::Relaxed));
    let nominal = start + i64::from(turn) * SECOND;
    if nominal < END.load(Ordering::Relaxed) {
        LATENESS.record(now - nominal);
    }
}

/// Watches `count` fires in each of `seconds` seconds from `start` on, and one more second for late ones. Blocks:
/// call it on a separate thread, so that a busy runtime does not delay it.
///
/// # Panics
/// If `start` has passed, because setting up took too long.
pub fn watch(start: i64, count: usize, seconds: u64) -> Report {
    let left = start - now_nanos();
    assert!(
        left > SECOND / 20,
        "getting ready took {} ms too long",
        -left / 1_000_000
    );
    TURNS.get_or_init(|| (0..count).map(|_| AtomicU32::new(0)).collect());
    let end = start + i64::try_from(seconds).expect("short") * SECOND;
    END.store(end, Ordering::Relaxed);
    START.store(start, Ordering::Relaxed);
    // Both instants lie between two bursts and inside the window, so that the processor time belongs to the counted
    // fires.
    sleep_until(start + SECOND * 7 / 10);
    let (cpu_before, before) = (cpu(), LATENESS.count());
    sleep_until(end - SECOND * 3 / 10);
    let used = cpu() - cpu_before;
    let during = LATENESS.count() - before;
    sleep_until(end + SECOND);
    let millis = |nanos: f64| nanos / 1e6;
    let report = Report::new()
        .with("fires", LATENESS.count() as f64)
        .with("expected", count as f64 * seconds as f64)
        .with("cpu_us", used.as_secs_f64() * 1e6 / during as f64);
    let Some((smallest, largest)) = LATENESS.extremes() else {
        return report;
    };
    let quantile = |part| millis(LATENESS.quantile(part).unwrap_or(f64::NAN));
    report
        .with("min_ms", millis(smallest as f64))
        .with("p50_ms", quantile(0.5))
        .with("p99_ms", quantile(0.99))
        .with("max_ms", millis(largest as f64))
}

fn sleep_until(instant: i64) {
    let left = instant - now_nanos();
    std::thread::sleep(Duration::from_nanos(left.try_into().unwrap_or(0)));
}
