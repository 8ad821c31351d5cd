//! What a shutdown reports, and which events are published while it drains.

use std::time::Duration;

use scheduler_core::prelude::*;
use scheduler_core::store::Call;
use scheduler_core::{EventKind, MemoryStore, NextEvent, RunNow, RunState, ShutdownReport};
use scheduler_store_tests::{Fault, faulty};

use crate::leased::Leased;
use crate::support::{World, epoch, minutes, seconds, work};

#[task]
async fn fails_after(seconds: u64) -> Result<(), String> {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    Err("no such host".into())
}

/// Returns the remaining events of a stream.
async fn to_its_end(world: &mut World) -> Vec<EventKind> {
    let mut kinds = Vec::new();
    while let Some(next) = world.events.next().await {
        match next {
            NextEvent::Event(event) => kinds.push(event.kind),
            other => panic!("{other:?}"),
        }
    }
    kinds
}

fn failures(kinds: &[EventKind]) -> usize {
    let failures = kinds.iter();
    failures
        .filter(|kind| matches!(kind, EventKind::Failed { .. }))
        .count()
}

#[tokio::test(start_paused = true)]
async fn a_run_that_fails_while_the_scheduler_drains_is_published_and_reported() {
    let mut world = World::new().await;
    world
        .add(fails_after::job(10).id("job").date(epoch() + seconds(1)))
        .await;
    world
        .add(work::job(10).id("good").date(epoch() + seconds(1)))
        .await;
    world.advance(seconds(2)).await;
    let shutdown = world.scheduler.shutdown(Shutdown::wait());
    let report = shutdown.await;
    assert_eq!(report.to_string(), "1 run completed, 1 failed (job)");
    assert!(!report.is_clean());
    let failed = &report.failed[0];
    assert_eq!(
        (failed.state, failed.error.as_deref()),
        (RunState::Failed, Some("no such host"))
    );
    let kinds = to_its_end(&mut world).await;
    assert_eq!(failures(&kinds), 1, "{kinds:?}");
}

#[tokio::test(start_paused = true)]
async fn what_ends_between_the_beginning_of_a_shutdown_and_its_order_is_reported() {
    let mut world = World::new().await;
    world
        .add(fails_after::job(5).id("job").date(epoch() + seconds(1)))
        .await;
    world
        .add(work::job(5).id("good").date(epoch() + seconds(1)))
        .await;
    world.advance(seconds(2)).await;
    let mut for_a_browser = world.scheduler.events().until_shutdown();
    // The web server drains first, for a minute.
    world.scheduler.begin_shutdown();
    assert!(for_a_browser.next().await.is_none());
    world.advance(minutes(1)).await;
    let report = world.scheduler.shutdown(Shutdown::wait()).await;
    assert_eq!(report.to_string(), "1 run completed, 1 failed (job)");
    assert_eq!(failures(&to_its_end(&mut world).await), 1);
    assert!(
        world.scheduler.events().next().await.is_none(),
        "later streams too"
    );
}

#[tokio::test(start_paused = true)]
async fn what_ended_before_the_shutdown_is_not_in_its_report() {
    let world = World::new().await;
    world
        .add(fails_after::job(5).id("job").date(epoch() + seconds(1)))
        .await;
    world.advance(minutes(1)).await;
    let report = world.scheduler.shutdown(Shutdown::wait()).await;
    assert_eq!(report, ShutdownReport::default());
    assert_eq!(report.to_string(), "nothing was running");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_cancelled_or_times_out_while_the_scheduler_drains_is_reported() {
    let world = World::new().await;
    let slow = work::job(3_600).id("slow").interval("1h");
    world.add(slow.timeout(Duration::from_secs(30))).await;
    world
        .add(work::job(3_600).id("cancelled").interval("1h"))
        .await;
    world.scheduler.run_job_now("slow").await.unwrap();
    let RunNow::Started(run) = world.scheduler.run_job_now("cancelled").await.unwrap() else {
        panic!("it starts");
    };
    world.advance(seconds(1)).await;
    let shutdown = tokio::spawn({
        let scheduler = world.scheduler.clone();
        async move { scheduler.shutdown(Shutdown::wait()).await }
    });
    world.advance(seconds(1)).await;
    world.scheduler.cancel_run(run).await.unwrap();
    let report = shutdown.await.unwrap();
    assert_eq!(
        report.to_string(),
        "1 failed (slow), 1 cancelled (cancelled)"
    );
    assert_eq!(report.failed[0].state, RunState::TimedOut);
}

#[tokio::test(start_paused = true)]
async fn an_outcome_that_was_not_written_before_the_lease_ran_out_is_reported_as_such() {
    let store = faulty(Leased::new().store());
    let faults = store.by().clone();
    let mut world = World::with(|builder| builder.store(store)).await;
    world
        .add(work::job(5).id("ends").date(epoch() + seconds(1)))
        .await;
    world
        .add(work::job(600).id("long").date(epoch() + seconds(1)))
        .await;
    world.advance(seconds(2)).await;
    faults.all(Fault::Unreachable);
    let shutdown = world
        .scheduler
        .shutdown(Shutdown::wait_up_to(Duration::from_secs(60)));
    let report = shutdown.await;
    assert_eq!(report.completed, 0, "{report}");
    let mut unwritten: Vec<_> = report
        .unwritten
        .iter()
        .map(|run| (run.job_id.as_str(), run.state))
        .collect();
    unwritten.sort_unstable_by_key(|(job, _)| job.to_owned());
    assert_eq!(
        unwritten,
        [("ends", RunState::Succeeded), ("long", RunState::Cancelled)]
    );
    assert!(!report.is_clean());
    let kinds = to_its_end(&mut world).await;
    let succeeded = |kind: &EventKind| matches!(kind, EventKind::Succeeded { .. });
    assert!(
        !kinds.iter().any(succeeded),
        "nothing is said to have succeeded"
    );
}

#[tokio::test(start_paused = true)]
async fn runs_that_could_not_be_released_are_reported_as_such() {
    let store = faulty(MemoryStore::new());
    let faults = store.by().clone();
    let world = World::with(|builder| {
        let builder = builder.store(store);
        builder.executor("narrow", scheduler_core::LocalExecutor::with_limit(1))
    })
    .await;
    let job = work::job(5).id("job").interval("1h").executor("narrow");
    world.add(job.max_instances(2)).await;
    for _ in 0..2 {
        world.scheduler.run_job_now("job").await.unwrap();
    }
    world.advance(seconds(1)).await;
    faults.always(Call::Release, Fault::Before);
    let shutdown = world
        .scheduler
        .shutdown(Shutdown::wait_up_to(Duration::from_secs(60)));
    let report = shutdown.await;
    assert_eq!((report.completed, report.released), (1, 0), "{report}");
    assert_eq!(report.unwritten[0].state, RunState::Queued);
    assert!(!report.is_clean());
}

#[tokio::test(start_paused = true)]
async fn the_streams_of_a_client_end_when_it_begins_to_stop() {
    let mut client = World::with(scheduler_core::Builder::client).await;
    client.scheduler.begin_shutdown();
    assert!(to_its_end(&mut client).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn runs_between_attempts_that_could_not_be_released_are_unwritten() {
    let store = faulty(MemoryStore::new());
    let faults = store.by().clone();
    let world = World::with(|builder| builder.store(store)).await;
    let job = fails_after::job(1).id("job").trigger(Trigger::now());
    let job = job
        .retries(3)
        .backoff(scheduler_core::Backoff::constant(Duration::from_secs(600)));
    world.add(job).await;
    world.advance(seconds(5)).await;
    faults.always(Call::Release, Fault::Before);
    let shutdown = world
        .scheduler
        .shutdown(Shutdown::wait_up_to(Duration::from_secs(60)));
    let report = shutdown.await;
    assert!(report.waiting.is_empty(), "{report}");
    let unwritten = &report.unwritten[0];
    assert_eq!((unwritten.state, unwritten.attempt), (RunState::Queued, 2));
    assert_eq!(report.to_string(), "1 whose end is not recorded (job)");
}

#[tokio::test(start_paused = true)]
async fn runs_between_attempts_that_are_lost_with_the_lease_are_unwritten() {
    let store = faulty(Leased::new().store());
    let faults = store.by().clone();
    let world = World::with(|builder| builder.store(store)).await;
    let job = fails_after::job(1).id("job").trigger(Trigger::now());
    let job = job
        .retries(3)
        .backoff(scheduler_core::Backoff::constant(Duration::from_secs(600)));
    world.add(job).await;
    world.advance(seconds(5)).await;
    faults.all(Fault::Unreachable);
    let shutdown = world
        .scheduler
        .shutdown(Shutdown::wait_up_to(Duration::from_secs(60)));
    let report = shutdown.await;
    assert_eq!(report.to_string(), "1 whose end is not recorded (job)");
}

/// Blocks its thread until the test opens the gate.
#[task]
fn blocks(gate: Data<std::sync::Mutex<std::sync::mpsc::Receiver<()>>>) {
    let _ = gate.lock().unwrap().recv();
}

#[tokio::test(start_paused = true)]
async fn run_that_timed_out_is_reported_once_although_its_thread_goes_on() {
    let (release, gate) = std::sync::mpsc::channel::<()>();
    let world = World::with(|builder| builder.data(std::sync::Mutex::new(gate))).await;
    let job = blocks::job().id("stuck").trigger(Trigger::now());
    world.add(job.timeout(Duration::from_secs(30))).await;
    world.advance(seconds(1)).await;
    let shutdown = world
        .scheduler
        .shutdown(Shutdown::wait_up_to(Duration::from_secs(60)));
    let report = shutdown.await;
    assert_eq!(report.to_string(), "1 failed (stuck)");
    assert_eq!(report.failed[0].state, RunState::TimedOut);
    drop(release);
}
