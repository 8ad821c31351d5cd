//! Failed, panicked and timed-out attempts.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use scheduler_core::prelude::*;
use scheduler_core::{Backoff, EventKind, RunState};

use crate::support::{World, clock_text, minutes, seconds, work};

/// Fails the given number of times, in the given way, and then succeeds.
#[task]
async fn flaky(times: u32, how: String, tries: Data<AtomicU32>) -> Result<u32, std::io::Error> {
    let count = tries.fetch_add(1, Ordering::SeqCst) + 1;
    if count > times {
        return Ok(count);
    }
    match how.as_str() {
        "panic" => panic!("attempt {count} went wrong"),
        "hang" => std::future::pending().await,
        _ => Err(std::io::Error::other(format!("attempt {count} failed"))),
    }
}

async fn world() -> World {
    World::with(|builder| builder.data(AtomicU32::new(0))).await
}

#[tokio::test(start_paused = true)]
async fn failed_attempts_are_tried_again_with_exponential_back_off() {
    let mut world = world().await;
    let job = flaky::job(3, "error".into())
        .id("job")
        .date("2026-03-02T00:00:00Z")
        .retries(5);
    world
        .add(job.backoff(Backoff::exponential(
            Duration::from_secs(10),
            Duration::from_secs(30),
        )))
        .await;
    world.advance(minutes(5)).await;
    let run = &world.runs().await[0];
    assert_eq!((run.state, run.attempt), (RunState::Succeeded, 4));
    assert_eq!(run.value.as_deref(), Some("4"));
    let starts: Vec<String> = run
        .earlier_attempts
        .iter()
        .map(|attempt| clock_text(attempt.started_at))
        .collect();
    assert_eq!(starts, ["00:00", "00:00:10", "00:00:30"]);
    assert_eq!(clock_text(run.started_at.unwrap()), "00:01");
    assert_eq!(
        run.earlier_attempts[0].error.as_deref(),
        Some("attempt 1 failed")
    );
    // The lateness is that of the first start.
    assert_eq!(run.lateness, Some(Duration::ZERO));
    let told: Vec<&str> = world
        .event_kinds()
        .iter()
        .filter_map(|kind| match kind {
            EventKind::Started(_) => Some("started"),
            EventKind::Retrying { .. } => Some("retrying"),
            EventKind::Succeeded { .. } => Some("succeeded"),
            _ => None,
        })
        .collect();
    let expected = "started retrying started retrying started retrying started succeeded";
    assert_eq!(told.join(" "), expected);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_keeps_failing_ends_failed_with_its_last_error() {
    let mut world = world().await;
    world
        .add(
            flaky::job(9, "error".into())
                .id("job")
                .date("2026-03-02T00:00:00Z")
                .retries(1),
        )
        .await;
    world.advance(minutes(5)).await;
    let run = &world.runs().await[0];
    assert_eq!((run.state, run.attempt), (RunState::Failed, 2));
    assert_eq!(run.error.as_deref(), Some("attempt 2 failed"));
    assert!(world.event_kinds().iter().any(|kind| matches!(
        kind,
        EventKind::Failed { error, .. } if &**error == "attempt 2 failed"
    )));
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_caught_recorded_and_tried_again() {
    let world = world().await;
    world
        .add(
            flaky::job(1, "panic".into())
                .id("job")
                .date("2026-03-02T00:00:00Z")
                .retries(1),
        )
        .await;
    world.add(work::job(0).id("other").interval("1s")).await;
    world.advance(seconds(5)).await;
    let runs = world.runs().await;
    let run = runs.iter().find(|run| run.job_id == "job").unwrap();
    assert_eq!(run.state, RunState::Succeeded);
    let error = run.earlier_attempts[0].error.as_deref().unwrap();
    assert_eq!(error, "panicked: attempt 1 went wrong");
    assert_eq!(
        runs.iter().filter(|run| run.job_id == "other").count(),
        5,
        "the others go on"
    );
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_hangs_is_dropped_at_its_timeout() {
    let world = world().await;
    let job = flaky::job(1, "hang".into())
        .id("job")
        .date("2026-03-02T00:00:00Z");
    world
        .add(job.timeout(Duration::from_secs(30)).retries(1))
        .await;
    world.advance(minutes(2)).await;
    let run = &world.runs().await[0];
    assert_eq!((run.state, run.attempt), (RunState::Succeeded, 2));
    let first = &run.earlier_attempts[0];
    assert_eq!(first.state, RunState::TimedOut);
    assert_eq!(first.finished_at - first.started_at, seconds(30));
    assert_eq!(
        first.error.as_deref(),
        Some("took longer than its timeout of 30s")
    );
}

#[tokio::test(start_paused = true)]
async fn a_run_holds_its_place_while_it_waits_for_its_next_attempt() {
    let world = world().await;
    let job = flaky::job(1, "error".into())
        .id("job")
        .cron("* * * * *")
        .retries(1);
    world
        .add(job.backoff(Backoff::constant(Duration::from_secs(90))))
        .await;
    world.advance(seconds(100)).await;
    let reasons: Vec<_> = world
        .skipped()
        .await
        .into_iter()
        .map(|skipped| (skipped.0.as_str(), skipped.1))
        .collect();
    assert_eq!(reasons, [("overlap", "00:01".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn a_queued_run_can_be_cancelled() {
    let world = world().await;
    let job = flaky::job(1, "error".into())
        .id("job")
        .date("2026-03-02T00:00:00Z")
        .retries(1);
    world
        .add(job.backoff(Backoff::constant(Duration::from_secs(3600))))
        .await;
    world.advance(seconds(1)).await;
    world
        .scheduler
        .cancel_run(world.runs().await[0].id)
        .await
        .unwrap();
    world.clock.settle().await;
    assert_eq!(world.runs().await[0].state, RunState::Cancelled);
}

struct Broken;

impl FromContext for Broken {
    fn from_context(_: &JobContext) -> Result<Self, TaskFailure> {
        panic!("while injecting")
    }
}

#[task]
async fn broken_injection(#[inject] _broken: Broken) {}

#[task]
fn broken_sync_injection(#[inject] _broken: Broken) {}

#[tokio::test(start_paused = true)]
async fn a_panic_while_parameters_are_made_is_the_runs_and_not_the_drivers() {
    let world = world().await;
    world
        .add(broken_injection::job().id("a").interval("1m"))
        .await;
    world
        .add(broken_sync_injection::job().id("b").interval("1m"))
        .await;
    world.advance(minutes(2)).await;
    let runs = world.runs().await;
    assert_eq!(runs.len(), 4);
    for run in runs {
        assert_eq!(run.error.as_deref(), Some("panicked: while injecting"));
    }
}
