//! Run it: `cargo run -p examples --bin quickstart` (Ctrl-C stops it), or `… -- --for 10s`.
//!
//! Five jobs with all kinds of triggers and policies. It prints what is upcoming, what ran, and why something did
//! not; then it stops and waits for the live runs.

#![allow(clippy::print_stdout, reason = "an example shows what it does")]
#![allow(clippy::disallowed_methods, reason = "sleeping stands for work here")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use scheduler_core::prelude::*;
use scheduler_core::triggers::{format_duration, parse_duration};
use scheduler_core::{
    Event, EventKind, EventStream, NextEvent, RunEvent, RunFilter, RunState, SkipReason,
    SkippedFilter,
};

/// The time zone of the output, and of triggers that name none.
const ZONE: Tz = Tz::Europe__Berlin;

/// A resource of the application that jobs need; in a real service, a connection pool.
#[derive(Default)]
struct Warehouse {
    orders: AtomicU64,
}

// ---------------------------------------------------------------------------------------------
// The jobs. They are found at start-up, without any list of them.
// ---------------------------------------------------------------------------------------------

/// An interval. `run_on_start` adds a run when the program starts.
#[scheduled_job(interval = "2s", run_on_start = true)]
async fn heartbeat() {}

/// Takes five seconds and is due every two. It never runs twice at once (`max_instances` is 1 by default), so some
/// fire times are skipped with the reason `overlap`; `overlap = "queue"` would queue them,
/// `overlap = "cancel_running"` would cancel the live run.
#[scheduled_job(
    interval = "2s",
    id = "import_orders",
    overlap = "skip",
    timeout = "30s"
)]
async fn import_orders(warehouse: Data<Warehouse>) -> u64 {
    tokio::time::sleep(Duration::from_secs(5)).await;
    // The return value of a task is stored in the run's record.
    warehouse.orders.fetch_add(17, Ordering::Relaxed) + 17
}

/// A cron expression: every fourth second, in six fields with seconds first. The first attempt of each run fails and
/// is retried half a second later.
#[scheduled_job(
    cron = "*/4 * * * * *",
    timezone = "Asia/Shanghai",
    retries = 2,
    backoff = "500ms..5s"
)]
async fn call_partner(ctx: JobContext) -> anyhow::Result<()> {
    if ctx.attempt() == 1 {
        bail!("503 Service Unavailable");
    }
    Ok(())
}

/// A cron trigger by field. The function is not async: it runs on a separate thread of the scheduler and may block.
#[scheduled_job(cron(second = "*/5"), misfire_grace_time = "1s")]
fn checksum(warehouse: Data<Warehouse>) -> String {
    std::thread::sleep(Duration::from_millis(300));
    format!("{:016x}", warehouse.orders.load(Ordering::Relaxed))
}

/// Several triggers combined: monthly at half past two, and each weekday at six in Shanghai. If clocks go forward
/// over 02:30, it fires at 03:00, once.
#[scheduled_job(
    or(
        calendar_interval(months = 1, time = "02:30", start_date = "2026-01-31"),
        cron("0 6 * * mon-fri", timezone = "Asia/Shanghai")
    ),
    id = "send_invoices",
    jitter = "30s",
    misfire_grace_time = "6h"
)]
async fn send_invoices() {}

// ---------------------------------------------------------------------------------------------
// The program.
// ---------------------------------------------------------------------------------------------

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let run_for = run_for(std::env::args().skip(1))?;

    let scheduler = Scheduler::builder()
        .timezone(ZONE)
        .data(Warehouse::default())
        .start()
        .await?;
    let watcher = tokio::spawn(watch(scheduler.events()));

    print_coming(&scheduler).await?;
    println!("\nWHAT HAPPENS (times in {ZONE}; Ctrl-C stops)\n");

    let why = tokio::select! {
        _ = tokio::signal::ctrl_c() => "Ctrl-C",
        () = after(run_for) => "time is up",
    };
    println!("\n{why}: nothing new starts, what runs has five seconds to end\n");
    let report = scheduler
        .shutdown(Shutdown::wait_up_to(Duration::from_secs(5)))
        .await;

    watcher.await?;
    print_summary(&scheduler).await?;
    println!("\nSTOPPED: {report}");
    Ok(())
}

/// Prints every job with its trigger, and the next fire times of all jobs.
async fn print_coming(scheduler: &Scheduler) -> anyhow::Result<()> {
    println!("JOBS\n");
    for job in scheduler.get_jobs().await? {
        let zone = job.trigger.zone().unwrap_or(ZONE);
        let next = job.next_fire_time().map_or_else(
            || "never".to_owned(),
            |at| at.with_timezone(&zone).format("%a %F %T %Z").to_string(),
        );
        println!("  {:<14} next {next:<28} {}", job.id.as_str(), job.trigger);
    }

    println!("\nTHE NEXT TEN FIRE TIMES (times in {ZONE})\n");
    for fire in scheduler.upcoming(10).await? {
        println!("  {}  {}", clock(fire.scheduled_for), fire.job_id);
    }
    Ok(())
}

/// Prints events until the scheduler begins to stop.
async fn watch(mut events: EventStream) {
    while let Some(next) = events.next().await {
        match next {
            NextEvent::Event(event) => print_event(&event),
            NextEvent::Lagged(lost) => {
                println!("  … {lost} events lost: this terminal is too slow");
            }
            _ => {}
        }
    }
}

fn print_event(event: &Event) {
    let (what, text) = match &event.kind {
        EventKind::Succeeded { run, duration } => {
            ("ok", format!("{}, took {}", due(run), rounded(*duration)))
        }
        EventKind::Retrying { run, error, delay } => (
            "retry",
            format!(
                "{}, attempt {}: {error}; again in {}",
                due(run),
                run.attempt,
                rounded(*delay)
            ),
        ),
        EventKind::Failed { run, error } => ("failed", format!("{}: {error}", due(run))),
        EventKind::TimedOut { run, timeout, .. } => (
            "timed out",
            format!("{}, took over {}", due(run), rounded(*timeout)),
        ),
        EventKind::Skipped(skipped) => (
            "not run",
            format!(
                "due {}, reason: {}",
                clock(skipped.last),
                why(skipped.reason)
            ),
        ),
        _ => return,
    };
    let job = event.kind.job_id().map_or("", |job| job.as_str());
    println!("  {}  {job:<14} {what:<9} {text}", clock(event.at));
}

/// Describes the skip reasons that can occur here.
fn why(reason: SkipReason) -> String {
    match reason {
        SkipReason::Overlap => format!("{reason} (the run before it had not ended)"),
        SkipReason::Missed => format!("{reason} (later than misfire_grace_time)"),
        SkipReason::Coalesced => format!("{reason} (one run for several that were due at once)"),
        other => other.to_string(),
    }
}

/// Prints what each job did, from the records, since events end when the scheduler begins to stop.
async fn print_summary(scheduler: &Scheduler) -> anyhow::Result<()> {
    println!("WHAT HAPPENED\n");
    println!(
        "  {:<14} {:>4} {:>8} {:>10} {:>8}  last value",
        "job", "ok", "not ok", "attempts", "not run"
    );
    for job in scheduler.get_jobs().await? {
        let id = job.id.as_str();
        let runs = scheduler
            .list_runs(&RunFilter::new().job(id).limit(usize::MAX))
            .await?
            .items;
        let ok = runs
            .iter()
            .filter(|run| run.state == RunState::Succeeded)
            .count();
        let attempts: u32 = runs.iter().map(|run| run.attempt).sum();
        let skipped = scheduler
            .list_skipped(&SkippedFilter::new().job(id).limit(usize::MAX))
            .await?
            .items;
        let not_run: u64 = skipped.iter().map(|one| one.count).sum();
        let value = runs
            .iter()
            .find_map(|run| run.value.as_deref())
            .unwrap_or("-");
        println!(
            "  {id:<14} {ok:>4} {:>8} {attempts:>10} {not_run:>8}  {value}",
            runs.len() - ok
        );
    }
    Ok(())
}

fn due(run: &RunEvent) -> String {
    format!("due {}", clock(run.scheduled_for))
}

fn clock(at: DateTime<Utc>) -> String {
    at.with_timezone(&ZONE).format("%T%.3f").to_string()
}

fn rounded(duration: Duration) -> String {
    match u64::try_from(duration.as_millis()).unwrap_or(u64::MAX) {
        0 => "<1ms".to_owned(),
        millis => format_duration(Duration::from_millis(millis)),
    }
}

/// Waits until the time limit has passed, or forever.
async fn after(limit: Option<Duration>) {
    match limit {
        Some(limit) => tokio::time::sleep(limit).await,
        None => std::future::pending().await,
    }
}

/// Parses `--for 10s`.
fn run_for(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<Option<Duration>> {
    let Some(option) = arguments.next() else {
        return Ok(None);
    };
    if option != "--for" {
        bail!("unknown option `{option}`: there is only `--for 10s`");
    }
    let limit = arguments
        .next()
        .context("`--for` needs a time, as in `--for 10s`")?;
    Ok(Some(parse_duration(&limit)?))
}
