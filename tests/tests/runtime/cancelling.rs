//! How a cancelled run is recorded, depending on what its function returns.

use std::time::Duration;

use scheduler_core::prelude::*;
use scheduler_core::testing::VirtualClock;
use scheduler_core::{
    EventKind, MemoryStore, NextEvent, Run, RunFilter, RunNow, RunState, Shutdown,
};

use crate::support::{World, seconds};

/// Stops early when cancelled.
#[task]
async fn stops_early(ctx: JobContext) {
    ctx.cancelled().await;
}

/// The same, by polling.
#[task]
async fn looks(ctx: JobContext) {
    while !ctx.is_cancelled() {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Finishes its work, and never notices the cancellation.
#[task]
async fn carries_on() {
    tokio::time::sleep(Duration::from_secs(4)).await;
}

/// Waits for either, and finishes its work first.
#[task]
async fn waits_for_both(ctx: JobContext) {
    tokio::select! {
        biased;
        () = tokio::time::sleep(Duration::from_secs(2)) => {}
        () = ctx.cancelled() => {}
    }
}

#[task]
async fn counts(ctx: JobContext) -> u32 {
    let mut pages = 0;
    while !ctx.is_cancelled() {
        tokio::time::sleep(Duration::from_secs(1)).await;
        pages += 1;
    }
    pages
}

/// Finishes despite the cancellation, and returns a value.
#[task]
async fn finishes(ctx: JobContext) -> Result<u32, String> {
    ctx.cancelled().await;
    Ok(3)
}

#[task]
async fn gives_up(ctx: JobContext) -> Result<(), String> {
    ctx.cancelled().await;
    Err("stopped half-way".into())
}

/// Fails for its own reason, and never notices the cancellation.
#[task]
async fn fails_by_itself() -> Result<(), String> {
    tokio::time::sleep(Duration::from_secs(4)).await;
    Err("disk full".into())
}

#[task]
fn looks_on_a_thread(ctx: JobContext) {
    while !ctx.is_cancelled() {
        std::thread::yield_now();
    }
}

/// Returns the record of a run that is cancelled a second after its start.
async fn cancelled(job: Job) -> Run {
    let world = World::new().await;
    world.add(job.id("job").interval("1h").retries(3)).await;
    let RunNow::Started(run) = world.scheduler.run_job_now("job").await.unwrap() else {
        panic!("it starts");
    };
    world.advance(seconds(1)).await;
    world.scheduler.cancel_run(run).await.unwrap();
    world.advance(seconds(10)).await;
    world.runs().await.remove(0)
}

#[tokio::test(start_paused = true)]
async fn a_function_without_a_result_that_notices_its_cancellation_is_cancelled() {
    for job in [stops_early::job(), looks::job()] {
        let run = cancelled(job).await;
        assert_eq!(run.state, RunState::Cancelled, "{run:?}");
        assert_eq!((run.attempt, &run.value), (1, &None));
    }
}

#[tokio::test(start_paused = true)]
async fn a_sync_function_that_notices_its_cancellation_is_cancelled() {
    let mut world = World::new().await;
    world
        .add(looks_on_a_thread::job().id("job").interval("1h"))
        .await;
    let RunNow::Started(run) = world.scheduler.run_job_now("job").await.unwrap() else {
        panic!("it starts");
    };
    world.scheduler.cancel_run(run).await.unwrap();
    loop {
        match world.events.next().await {
            Some(NextEvent::Event(event)) => match event.kind {
                EventKind::Cancelled(_) => break,
                EventKind::Succeeded { .. } => panic!("it stopped early"),
                _ => {}
            },
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(world.runs().await[0].state, RunState::Cancelled);
}

#[tokio::test(start_paused = true)]
async fn a_value_that_is_returned_after_the_cancellation_is_kept() {
    let run = cancelled(counts::job()).await;
    assert_eq!(run.state, RunState::Cancelled);
    assert_eq!(run.value.as_deref(), Some("2"));
    assert_eq!(run.error.as_deref(), Some("asked to stop"));
}

#[tokio::test(start_paused = true)]
async fn a_function_that_never_learns_of_its_cancellation_has_done_its_work() {
    let run = cancelled(carries_on::job()).await;
    assert_eq!(run.state, RunState::Succeeded, "{run:?}");
}

#[tokio::test(start_paused = true)]
async fn work_that_ends_before_the_cancellation_succeeds() {
    let world = World::new().await;
    world
        .add(waits_for_both::job().trigger(Trigger::now()))
        .await;
    world.advance(seconds(3)).await;
    assert_eq!(world.runs().await[0].state, RunState::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn a_result_says_itself_whether_the_work_was_done() {
    let run = cancelled(finishes::job()).await;
    assert_eq!(run.state, RunState::Succeeded);
    assert_eq!(run.value.as_deref(), Some("3"));
    let run = cancelled(gives_up::job()).await;
    assert_eq!(run.state, RunState::Cancelled, "{run:?}");
}

#[tokio::test(start_paused = true)]
async fn error_of_a_function_that_never_learned_of_its_cancellation_is_a_failure() {
    let run = cancelled(fails_by_itself::job()).await;
    assert_eq!(run.state, RunState::Failed, "{run:?}");
    assert_eq!(run.error.as_deref(), Some("disk full"));
    assert_eq!(run.attempt, 1, "a run that was cancelled is not retried");
}

#[tokio::test(start_paused = true)]
async fn error_that_is_returned_after_the_cancellation_is_kept() {
    let run = cancelled(gives_up::job()).await;
    assert_eq!(run.state, RunState::Cancelled);
    assert_eq!(
        run.error.as_deref(),
        Some("asked to stop: stopped half-way")
    );
}

#[task]
async fn finds_no_connection() -> Result<(), String> {
    Err("no connection".into())
}

#[tokio::test(start_paused = true)]
async fn a_run_between_attempts_that_ends_with_its_job_is_published() {
    let store = MemoryStore::new();
    let clock = VirtualClock::at("2026-01-01T00:00:00Z").unwrap();
    let builder = || {
        let builder = Scheduler::builder().clock(clock.clone());
        builder.store(store.clone()).without_static_jobs()
    };
    let scheduler = builder().start().await.unwrap();
    let job = finds_no_connection::job()
        .id("job")
        .interval("1h")
        .retries(3);
    scheduler.add_job(job).await.unwrap();
    let RunNow::Started(run) = scheduler.run_job_now("job").await.unwrap() else {
        panic!("it starts");
    };
    clock.settle().await;
    scheduler.shutdown(Shutdown::abort()).await;
    let client = builder().client().start().await.unwrap();
    let runs = client.list_runs(&RunFilter::new()).await.unwrap();
    assert_eq!(
        (runs.items[0].state, runs.items[0].attempt),
        (RunState::Queued, 1)
    );
    let mut events = client.events();
    client.remove_job("job").await.unwrap();
    let Some(NextEvent::Event(event)) = events.next().await else {
        panic!("no event");
    };
    let EventKind::Cancelled(ended) = event.kind else {
        panic!("{:?}", event.kind);
    };
    assert_eq!((ended.run_id, ended.attempt), (run, 1));
}
