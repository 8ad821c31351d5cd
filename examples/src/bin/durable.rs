//! Run it: `cargo run -p examples --bin durable`, kill it (Ctrl-\ or `kill -9`), and run it again.
//!
//! Jobs in a SQLite file outlive the process: runs that were interrupted by a kill are retried, fire times that
//! passed meanwhile are caught up as each job's policies say, and every fire time that is not run leaves a reason.
//! `-- --for 8s` stops on its own, `-- --file other.db` uses another file, and `-- --kill-me-after 4s` ends the
//! process like `kill -9`.

#![allow(clippy::print_stdout, reason = "an example shows what it does")]
#![allow(
    clippy::disallowed_methods,
    reason = "the demo looks at the clock and waits"
)]

use std::time::Duration;

use anyhow::Context;
use chrono::Utc;
use scheduler_core::prelude::*;
use scheduler_core::{RunFilter, RunState, SkippedFilter};
use scheduler_sqlx::SqlStore;

/// Every second; missed fire times are coalesced into one run.
#[scheduled_job(interval = "1s", id = "collect_metrics")]
async fn collect_metrics(ctx: JobContext) {
    println!("{} collect_metrics  for {}", clock(), time(&ctx));
}

/// Every two seconds; of the missed fire times, the latest three are run, one after the other.
#[scheduled_job(
    interval = "2s",
    id = "bill_usage",
    coalesce = "all(3)",
    overlap = "queue(3)"
)]
async fn bill_usage(ctx: JobContext) {
    println!("{} bill_usage       for {}", clock(), time(&ctx));
}

/// Every three seconds; a late fire time is skipped.
#[scheduled_job(interval = "3s", id = "refresh_board", misfire_grace_time = "1s")]
async fn refresh_board(ctx: JobContext) {
    println!("{} refresh_board    for {}", clock(), time(&ctx));
}

/// Runs so long that it is running whenever the process is killed; it is retried then.
#[scheduled_job(interval = "10s", id = "build_report", run_on_start = true)]
async fn build_report(ctx: JobContext) {
    let (_, attempt) = ctx.fencing_token();
    println!(
        "{} build_report     for {}, attempt {attempt}",
        clock(),
        time(&ctx)
    );
    tokio::time::sleep(Duration::from_secs(9)).await;
    println!("{} build_report     done", clock());
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::read()?;
    let store = SqlStore::builder()
        // Short, so that the runs of the killed process are taken over soon.
        .lease(Duration::from_secs(3))
        .connect(&format!("sqlite://{}", options.file))
        .await?;
    // A client can read the store without running anything.
    let before = Scheduler::builder()
        .client()
        .store(store.clone())
        .start()
        .await?;
    publish_what_is_there(&before, &options.file).await?;
    let known = before
        .list_skipped(&SkippedFilter::new().limit(1_000))
        .await?
        .items
        .len();

    let scheduler = Scheduler::builder().store(store).start().await?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    report_what_was_not_run(&scheduler, known).await?;

    let stop = async {
        match (options.run_for, options.kill_after) {
            (_, Some(after)) => {
                tokio::time::sleep(after).await;
                println!("KILLED, as by `kill -9`: run me again");
                std::process::abort();
            }
            (Some(time), None) => tokio::time::sleep(time).await,
            (None, None) => {
                let _ = tokio::signal::ctrl_c().await;
            }
        }
    };
    let how = Shutdown::wait_up_to(Duration::from_secs(2));
    let report = scheduler.run_until(stop, how).await;
    println!("STOPPED: {report}");
    Ok(())
}

async fn publish_what_is_there(scheduler: &Scheduler, file: &str) -> anyhow::Result<()> {
    let jobs = scheduler.get_jobs().await?;
    if jobs.is_empty() {
        println!("{file}: a new file. Kill me, wait a little, and run me again\n");
        return Ok(());
    }
    println!("{file}: {} jobs from before", jobs.len());
    let now = Utc::now();
    for job in jobs {
        let late = job.next_run_time().map(|next| (now - next).num_seconds());
        match late {
            Some(late) if late > 0 => println!("  {:<16} was due {late} s ago", job.id.as_str()),
            _ => println!("  {:<16} is not due yet", job.id.as_str()),
        }
    }
    let running = RunFilter::new().state(RunState::Running);
    for run in scheduler.list_runs(&running).await? {
        println!(
            "  {:<16} was at work when the process ended: attempt {}",
            run.job_id.as_str(),
            run.attempt
        );
    }
    println!();
    Ok(())
}

async fn report_what_was_not_run(scheduler: &Scheduler, known: usize) -> anyhow::Result<()> {
    let skipped = scheduler
        .list_skipped(&SkippedFilter::new().limit(1_000))
        .await?
        .items;
    let news = skipped.len().saturating_sub(known);
    for one in skipped.iter().take(news).rev() {
        println!("NOT RUN: {one}");
    }
    Ok(())
}

fn clock() -> String {
    Utc::now().format("%H:%M:%S%.3f").to_string()
}

fn time(ctx: &JobContext) -> String {
    ctx.scheduled_for().format("%H:%M:%S").to_string()
}

struct Options {
    file: String,
    run_for: Option<Duration>,
    kill_after: Option<Duration>,
}

impl Options {
    fn read() -> anyhow::Result<Self> {
        let mut options = Self {
            file: "durable.db".to_owned(),
            run_for: None,
            kill_after: None,
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(name) = arguments.next() {
            let value = arguments
                .next()
                .with_context(|| format!("{name} needs a value"))?;
            let duration = || scheduler_core::triggers::parse_duration(&value);
            match name.as_str() {
                "--file" => options.file = value,
                "--for" => options.run_for = Some(duration()?),
                "--kill-me-after" => options.kill_after = Some(duration()?),
                other => {
                    anyhow::bail!("no option {other}: there are --file, --for and --kill-me-after")
                }
            }
        }
        Ok(options)
    }
}
