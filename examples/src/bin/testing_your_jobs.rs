//! Run it: `cargo test -p examples --bin testing_your_jobs` runs its tests; `cargo run` instead of `cargo test`
//! prints a tour.
//!
//! Four ways to test jobs, none of which waits: call the function; give it a context; let virtual time pass on a real
//! scheduler; simulate a schedule. The tests are at the end of the file; the tour prints what they check.

#![allow(clippy::print_stdout, reason = "an example shows what it does")]
#![allow(
    clippy::disallowed_methods,
    reason = "sleeping stands for work here, in virtual time"
)]

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::bail;
use chrono::{DateTime, TimeDelta, Utc};
use scheduler_core::prelude::*;
use scheduler_core::testing::{Simulated, SimulatedKind, VirtualClock, simulate};
use scheduler_core::{Overlap, Run, RunFilter};

// ---------------------------------------------------------------------------------------------
// The jobs under test.
// ---------------------------------------------------------------------------------------------

/// A stand-in for a service that the job calls; it fails the given number of times.
#[derive(Default)]
struct Ledger {
    failures_to_come: AtomicU32,
}

impl Ledger {
    fn failing(times: u32) -> Self {
        Self {
            failures_to_come: AtomicU32::new(times),
        }
    }

    fn close(&self) -> anyhow::Result<()> {
        let failures = &self.failures_to_come;
        let take_one = |left: u32| left.checked_sub(1);
        if failures
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take_one)
            .is_ok()
        {
            bail!("the ledger is busy");
        }
        Ok(())
    }
}

/// Closes the books each night at half past two, which does not exist in the night when clocks go forward, and occurs
/// twice in the night when they go back.
#[scheduled_job(
    cron = "30 2 * * *",
    timezone = "Europe/Berlin",
    retries = 3,
    backoff = "1m..1h"
)]
async fn close_books(ledger: Data<Ledger>, ctx: JobContext) -> anyhow::Result<String> {
    ledger.close()?;
    Ok(format!("closed for {}", ctx.scheduled_for().date_naive()))
}

/// Takes twenty-five minutes.
#[task]
async fn import_prices() {
    tokio::time::sleep(Duration::from_secs(25 * 60)).await;
}

// ---------------------------------------------------------------------------------------------
// The tour.
// ---------------------------------------------------------------------------------------------

/// Returns a scheduler in virtual time, with only the jobs that the test names.
async fn scheduler_at(
    start: &str,
    ledger: Ledger,
    jobs: &[&str],
) -> anyhow::Result<(Scheduler, VirtualClock)> {
    let clock = VirtualClock::at(start)?;
    let scheduler = Scheduler::builder()
        .clock(clock.clone())
        .data(ledger)
        .only(jobs.iter().copied())
        .start()
        .await?;
    Ok((scheduler, clock))
}

/// Returns the runs of a job, oldest first.
async fn runs_of(scheduler: &Scheduler, job: &str) -> anyhow::Result<Vec<Run>> {
    let all = RunFilter::new().job(job).limit(usize::MAX);
    let mut runs = scheduler.list_runs(&all).await?.items;
    runs.reverse();
    Ok(runs)
}

/// Simulates an hour of an import that takes 25 minutes and is due every ten minutes.
async fn simulated_hour(overlap: Overlap) -> anyhow::Result<Vec<Simulated>> {
    let (scheduler, _clock) = scheduler_at("2026-01-01T00:00:00Z", Ledger::default(), &[]).await?;
    let job = import_prices::job().id("import").cron("*/10 * * * *");
    scheduler.add_job(job.overlap(overlap)).await?;
    Ok(simulate(
        &scheduler.get_jobs().await?,
        "2026-01-01T00:00:00Z".parse()?,
        "2026-01-01T01:00:00Z".parse()?,
        |_| Duration::from_secs(25 * 60),
    ))
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    println!("1. CALL THE FUNCTION, with a context made for it");
    let ctx = scheduler_core::testing::context("close_books")?;
    let text = close_books(Data::new(Ledger::default()), ctx).await?;
    println!("   close_books says: {text}");

    println!("\n2. LET TIME PASS: the nights around both changes of the clock, in a moment");
    for start in ["2026-03-27T12:00:00Z", "2026-10-23T12:00:00Z"] {
        let (scheduler, clock) = scheduler_at(start, Ledger::default(), &["close_books"]).await?;
        clock.advance(TimeDelta::days(3)).await;
        for run in runs_of(&scheduler, "close_books").await? {
            println!("   {:?} at {}", run.state, in_berlin(run.scheduled_for));
        }
        println!();
    }

    println!("3. LET IT FAIL: two failures, so the third attempt succeeds, after 1 and 2 minutes");
    let ledger = Ledger::failing(2);
    let (scheduler, clock) = scheduler_at("2026-01-01T00:00:00Z", ledger, &["close_books"]).await?;
    clock.advance(TimeDelta::days(1)).await;
    for run in runs_of(&scheduler, "close_books").await? {
        for attempt in &run.earlier_attempts {
            println!(
                "   attempt {} at {}: {}",
                attempt.attempt,
                in_berlin(attempt.started_at),
                attempt.error.as_deref().unwrap_or_default()
            );
        }
        let started = run.started_at.map(in_berlin).unwrap_or_default();
        println!("   attempt {} at {started}: {:?}", run.attempt, run.state);
    }

    println!("\n4. SIMULATE: an import of 25 minutes, due every ten, by overlap policy (UTC)");
    for overlap in [Overlap::Skip, Overlap::Queue(1), Overlap::CancelRunning] {
        println!("   overlap = \"{overlap}\"");
        for what in simulated_hour(overlap).await? {
            let at = what.at.format("%H:%M");
            match what.kind {
                SimulatedKind::Run(due) => {
                    println!("     {at} runs what was due {}", due.format("%H:%M"));
                }
                SimulatedKind::Skipped(times) => println!(
                    "     {at} does not run what was due {}: {}",
                    times.last.format("%H:%M"),
                    times.reason
                ),
                _ => {}
            }
        }
    }
    Ok(())
}

fn in_berlin(at: DateTime<Utc>) -> String {
    at.with_timezone(&Tz::Europe__Berlin)
        .format("%a %F %T %Z")
        .to_string()
}

// ---------------------------------------------------------------------------------------------
// The tests.
// ---------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;
    use scheduler_core::{RunState, SkipReason};

    #[tokio::test]
    async fn the_task_is_a_function() {
        let ctx = scheduler_core::testing::context("close_books").unwrap();
        let text = close_books(Data::new(Ledger::default()), ctx)
            .await
            .unwrap();
        assert_eq!(text, "closed for 1970-01-01");

        let ctx = scheduler_core::testing::context("close_books").unwrap();
        let error = close_books(Data::new(Ledger::failing(1)), ctx)
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), "the ledger is busy");
    }

    /// `start_paused` makes tokio's clock virtual; the scheduler's clock follows it.
    #[tokio::test(start_paused = true)]
    async fn each_night_is_closed_once_also_when_clocks_change() {
        for (start, expected) in [
            (
                "2026-03-27T12:00:00Z",
                [
                    "Sat 2026-03-28 02:30:00 CET",
                    "Sun 2026-03-29 03:00:00 CEST", // 02:30 does not exist
                    "Mon 2026-03-30 02:30:00 CEST",
                ],
            ),
            (
                "2026-10-23T12:00:00Z",
                [
                    "Sat 2026-10-24 02:30:00 CEST",
                    "Sun 2026-10-25 02:30:00 CEST", // the first of the two
                    "Mon 2026-10-26 02:30:00 CET",
                ],
            ),
        ] {
            let (scheduler, clock) = scheduler_at(start, Ledger::default(), &["close_books"])
                .await
                .unwrap();
            clock.advance(TimeDelta::days(3)).await;
            let runs = runs_of(&scheduler, "close_books").await.unwrap();
            let nights: Vec<String> = runs
                .iter()
                .map(|run| in_berlin(run.scheduled_for))
                .collect();
            assert_eq!(nights, expected);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_busy_ledger_is_tried_again() {
        let ledger = Ledger::failing(2);
        let (scheduler, clock) = scheduler_at("2026-01-01T00:00:00Z", ledger, &["close_books"])
            .await
            .unwrap();
        clock
            .advance_to("2026-01-01T01:30:30Z".parse().unwrap())
            .await;
        let run = &runs_of(&scheduler, "close_books").await.unwrap()[0];
        assert_eq!(
            run.state,
            RunState::Running,
            "it waits for its next attempt"
        );
        assert_eq!(run.earlier_attempts.len(), 1);

        clock.advance(TimeDelta::minutes(3)).await;
        let run = &runs_of(&scheduler, "close_books").await.unwrap()[0];
        assert_eq!((run.state, run.attempt), (RunState::Succeeded, 3));
        assert_eq!(run.value.as_deref(), Some("\"closed for 2026-01-01\""));
        // The attempts start at 01:30, one minute later, and two minutes after that.
        let waited = run.started_at.unwrap() - run.scheduled_for;
        assert_eq!(waited, TimeDelta::minutes(3));
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_import_keeps_the_next_ones_out() {
        let what = simulated_hour(Overlap::Skip).await.unwrap();
        let runs = what
            .iter()
            .filter(|one| matches!(one.kind, SimulatedKind::Run(_)))
            .count();
        let skipped = what
            .iter()
            .filter(|one| matches!(one.kind, SimulatedKind::Skipped(times) if times.reason == SkipReason::Overlap))
            .count();
        assert_eq!((runs, skipped), (3, 4));
    }

    /// Everything that `start` checks is also checked here, before it is deployed.
    #[tokio::test(start_paused = true)]
    async fn what_the_jobs_need_is_provided() {
        let error = Scheduler::builder().start().await.unwrap_err();
        assert!(
            error
                .to_string()
                .contains("asks for `ledger: Data<Ledger>`")
        );
        assert!(
            Scheduler::builder()
                .data(Ledger::default())
                .start()
                .await
                .is_ok()
        );
    }
}
