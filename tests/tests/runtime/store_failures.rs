//! A failing store: the scheduler reports the failure, backs off, and continues; nothing is lost.

use std::sync::atomic::Ordering;

use chrono::{DateTime, Utc};
use scheduler_core::prelude::*;
use scheduler_core::{EventKind, RunState};

use crate::failing_store::failing;
use crate::support::{World, minutes, seconds, work};

#[tokio::test(start_paused = true)]
async fn the_driver_outlives_a_store_that_fails_and_keeps_outcomes_until_they_are_written() {
    let store = failing();
    let mut world = World::with(|builder| builder.store(store.clone())).await;
    world.add(work::job(30).id("job").interval("1m")).await;
    world.advance(seconds(70)).await;
    store.by().fails.store(true, Ordering::SeqCst);
    // The run ends at 01:30, but its outcome cannot be written for ten minutes.
    world.advance(minutes(10)).await;
    assert_eq!(world.journal.count(), 1);
    let health = world.scheduler.health();
    assert!(!health.is_ok());
    assert_eq!(
        &*health.stores[0].error.as_ref().unwrap().1,
        "the disk is full"
    );
    let error = world.scheduler.get_jobs().await.unwrap_err().to_string();
    assert_eq!(error, "store `default`: the disk is full");

    store.by().fails.store(false, Ordering::SeqCst);
    world.advance(seconds(31)).await;
    assert!(world.scheduler.health().is_ok());
    let runs = world.runs().await;
    assert_eq!(runs.last().unwrap().state, RunState::Succeeded);
    assert_eq!(
        runs.last().unwrap().finished_at.unwrap() - runs.last().unwrap().scheduled_for,
        seconds(30)
    );
    assert_eq!(world.journal.count(), 2, "the latest that was missed");
    let kinds = world.event_kinds();
    let failed = kinds
        .iter()
        .filter(|kind| matches!(kind, EventKind::StoreFailed { .. }))
        .count();
    assert!((10..50).contains(&failed), "{failed} tries in ten minutes");
    assert_eq!(
        kinds
            .iter()
            .filter(|kind| matches!(kind, EventKind::StoreRecovered { .. }))
            .count(),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn a_scheduler_can_stop_while_its_store_fails() {
    let store = failing();
    let world = World::with(|builder| builder.store(store.clone())).await;
    world.add(work::job(30).id("job").interval("1m")).await;
    world.advance(seconds(70)).await;
    store.by().fails.store(true, Ordering::SeqCst);
    let report = world
        .scheduler
        .shutdown(Shutdown::wait_up_to(std::time::Duration::from_secs(60)))
        .await;
    assert_eq!((report.completed, report.running.len()), (0, 0), "{report}");
    assert_eq!(report.to_string(), "1 whose end is not recorded (job)");
    let run = &report.unwritten[0];
    assert_eq!((run.state, run.attempt), (RunState::Succeeded, 1));
    assert!(!report.is_clean());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_at_the_start_is_an_error_that_names_it() {
    let store = failing();
    store.by().fails.store(true, Ordering::SeqCst);
    let start = Scheduler::builder()
        .store(store)
        .without_static_jobs()
        .start()
        .await;
    assert_eq!(
        start.unwrap_err().to_string(),
        "store `default`: the disk is full"
    );
}

#[tokio::test(start_paused = true)]
async fn a_persistent_store_refuses_a_custom_trigger() {
    #[derive(Debug)]
    struct Never;

    impl scheduler_core::triggers::CustomTrigger for Never {
        fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
            Some(after + minutes(1))
        }

        fn describe(&self) -> String {
            "a minute later".to_owned()
        }
    }

    let custom = || work::job(0).id("custom").trigger(Trigger::custom(Never));
    let world = World::with(|builder| builder.store(failing())).await;
    let error = world
        .scheduler
        .add_job(custom())
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("store `default` cannot keep a custom trigger"),
        "{error}"
    );
    let world = World::new().await;
    world.add(custom()).await;
    world.advance(minutes(5)).await;
    assert_eq!(world.journal.count(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_patient_stop_goes_on_when_the_store_is_back() {
    let store = failing();
    let world = World::with(|builder| builder.store(store.clone())).await;
    world.add(work::job(30).id("job").interval("1m")).await;
    world.advance(seconds(70)).await;
    store.by().fails.store(true, Ordering::SeqCst);
    // The run has ended at 01:30, and its outcome is still unwritten when the shutdown is requested.
    world.advance(seconds(50)).await;
    let stop = tokio::spawn({
        let scheduler = world.scheduler.clone();
        async move { scheduler.shutdown(Shutdown::wait()).await }
    });
    world.advance(minutes(2)).await;
    assert!(!stop.is_finished());
    store.by().fails.store(false, Ordering::SeqCst);
    world.advance(minutes(1)).await;
    assert!(stop.is_finished());
    assert!(stop.await.unwrap().is_clean());
    assert_eq!(world.runs().await[0].state, RunState::Succeeded);
    assert!(world.scheduler.health().stores[0].error.is_none());
}

#[tokio::test(start_paused = true)]
async fn what_was_not_started_is_released_when_the_store_is_back() {
    let store = failing();
    let world = World::with(|builder| {
        let builder = builder.store(store.clone());
        builder.executor("narrow", scheduler_core::LocalExecutor::with_limit(1))
    })
    .await;
    let job = work::job(3600).id("job").interval("1h").executor("narrow");
    world.add(job.max_instances(2)).await;
    for _ in 0..2 {
        world.scheduler.run_job_now("job").await.unwrap();
    }
    world.advance(seconds(1)).await;
    store.by().fails.store(true, Ordering::SeqCst);
    let stop = tokio::spawn({
        let scheduler = world.scheduler.clone();
        async move { scheduler.shutdown(Shutdown::wait()).await }
    });
    world.advance(minutes(10)).await;
    store.by().fails.store(false, Ordering::SeqCst);
    world.advance(minutes(60)).await;
    let report = stop.await.unwrap();
    assert_eq!(report.released, 1);
    let states: Vec<_> = world.runs().await.iter().map(|run| run.state).collect();
    assert_eq!(states, [RunState::Queued, RunState::Succeeded]);
}
