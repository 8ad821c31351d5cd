//! What a shutdown leaves behind for the next scheduler over the same store.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use scheduler_core::prelude::*;
use scheduler_core::{Backoff, EventKind, MemoryStore, RunState, SkipReason};

use crate::support::{World, minutes, seconds, skip_record, work};

#[task]
async fn fails_once(tries: Data<AtomicU32>) -> Result<(), &'static str> {
    match tries.fetch_add(1, Ordering::SeqCst) {
        0 => Err("not yet"),
        _ => Ok(()),
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_between_attempts_is_continued_by_the_next_scheduler() {
    let store = MemoryStore::new();
    let tries = std::sync::Arc::new(AtomicU32::new(0));
    let before =
        World::with(|builder| builder.store(store.clone()).shared_data(tries.clone())).await;
    let job = fails_once::job().id("job").interval("1m").retries(3);
    before
        .add(
            job.misfire_grace_time(Duration::from_secs(10))
                .backoff(Backoff::constant(Duration::from_secs(600))),
        )
        .await;
    before.advance(seconds(61)).await;
    let report = before.scheduler.shutdown(Shutdown::wait()).await;
    assert_eq!(report.waiting.len(), 1);
    assert_eq!(before.runs().await[0].state, RunState::Queued);

    before.advance(seconds(30)).await;
    let after = World::on(before.clock.clone(), store, |builder| {
        builder.shared_data(tries.clone())
    })
    .await;
    after.advance(minutes(3)).await;
    let runs = after.runs().await;
    let run = runs.last().unwrap();
    assert_eq!((run.state, run.attempt), (RunState::Succeeded, 2));
    let first = &run.earlier_attempts[0];
    assert_eq!(first.error.as_deref(), Some("not yet"));
    assert!(runs.len() >= 3, "the job goes on");
}

#[tokio::test(start_paused = true)]
async fn a_paused_job_does_not_run_at_a_start() {
    let store = MemoryStore::new();
    let mut world = World::with(|builder| builder.store(store.clone())).await;
    let job = work::job(0).id("job").interval("1h").run_on_start(true);
    world.add(job.paused("not now")).await;
    world.advance(seconds(1)).await;
    assert_eq!(world.journal.count(), 0);
    assert_eq!(
        world.skipped().await,
        [skip_record(SkipReason::Paused, "00:00", "00:00", 1)]
    );
    assert!(
        world
            .event_kinds()
            .iter()
            .any(|kind| matches!(kind, EventKind::Skipped(_)))
    );
}

#[tokio::test(start_paused = true)]
async fn a_job_that_ends_while_it_is_paused_is_finished_when_it_is_resumed() {
    let mut world = World::with(|builder| builder.store(MemoryStore::new().keep_runs(0))).await;
    for id in ["a", "b"] {
        let job = work::job(0).id(id).date("2026-03-02T00:01:00Z");
        world.add(job).await;
        world.scheduler.pause_job(id).await.unwrap();
    }
    world.advance(minutes(2)).await;
    for id in ["a", "b"] {
        let job = world.scheduler.resume_job(id).await.unwrap();
        assert!(job.is_finished());
    }
    world.advance(minutes(1)).await;
    let finished = world.event_kinds().into_iter();
    assert_eq!(
        finished
            .filter(|kind| matches!(kind, EventKind::JobFinished(_)))
            .count(),
        2
    );
    assert!(world.scheduler.get_jobs().await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_second_order_to_stop_may_be_more_impatient() {
    let world = World::new().await;
    let job = work::job(3600).id("long").trigger(Trigger::now());
    world.add(job).await;
    world.advance(seconds(1)).await;
    let patient = tokio::spawn({
        let scheduler = world.scheduler.clone();
        async move { scheduler.shutdown(Shutdown::wait()).await }
    });
    world.advance(seconds(5)).await;
    let report = world.scheduler.shutdown(Shutdown::abort()).await;
    assert_eq!(report.cancelled.len(), 1);
    assert_eq!(patient.await.unwrap(), report);
    assert!(world.now() - crate::support::epoch() < seconds(10));
    // A third call finds the scheduler already stopped.
    assert_eq!(world.scheduler.shutdown(Shutdown::wait()).await, report);
}

#[tokio::test(start_paused = true)]
async fn a_run_between_attempts_gives_way_at_once_to_a_newer_one() {
    let world = World::with(|builder| builder.data(AtomicU32::new(0))).await;
    let job = fails_once::job().id("job").interval("1m").retries(3);
    world
        .add(
            job.overlap(scheduler_core::Overlap::CancelRunning)
                .backoff(Backoff::constant(Duration::from_secs(3600))),
        )
        .await;
    world.advance(seconds(122)).await;
    let runs = world.runs().await;
    assert_eq!(runs.len(), 2);
    assert_eq!(runs[1].state, RunState::Cancelled);
    assert_eq!(runs[0].lateness, Some(Duration::ZERO));
}
