//! Misbehaving tasks and triggers: they affect nothing but their own job.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use scheduler_core::prelude::*;
use scheduler_core::triggers::CustomTrigger;
use scheduler_core::{EventKind, RunFilter, RunState};

use crate::support::{World, epoch, minutes, seconds, work};

/// Fires every minute, and panics when it is asked for the fire time after the third.
#[derive(Debug)]
struct PanicsLater;

impl CustomTrigger for PanicsLater {
    fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        assert!(after < epoch() + minutes(3), "no idea what comes next");
        let passed = (after - epoch()).num_minutes() + 1;
        Some(epoch() + minutes(passed))
    }
}

#[tokio::test(start_paused = true)]
async fn a_trigger_that_panics_pauses_its_job_and_the_others_go_on() {
    let mut world = World::new().await;
    let broken = || work::job(0).trigger(Trigger::custom(PanicsLater));
    world.add(broken().id("broken")).await;
    let jittered = broken().id("jittered").jitter(Duration::from_secs(10));
    world.add(jittered).await;
    for index in 0..3 {
        let id = format!("other-{index}");
        world.add(work::job(0).id(id).interval("1m")).await;
    }
    world.advance(minutes(10)).await;
    let runs = world.runs().await;
    let count = |id: &str| runs.iter().filter(|run| run.job_id == id).count();
    assert_eq!(count("broken"), 2);
    for index in 0..3 {
        assert_eq!(count(&format!("other-{index}")), 10);
    }
    for id in ["broken", "jittered"] {
        let job = world.scheduler.get_job(id).await.unwrap().unwrap();
        let note = job.paused.unwrap();
        assert_eq!(&*note, "its trigger panicked: no idea what comes next");
    }
    let paused = world.event_kinds().into_iter();
    assert_eq!(
        paused
            .filter(|kind| matches!(kind, EventKind::JobPaused(_)))
            .count(),
        2
    );
    assert_eq!(world.scheduler.health().live_runs, 0);
    assert_eq!(world.scheduler.health().warnings.len(), 2);
    world.scheduler.remove_job("other-0").await.unwrap();
}

struct PanicsAgain;

impl Drop for PanicsAgain {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "and once more");
    }
}

#[task]
async fn panics_twice() {
    std::panic::panic_any(PanicsAgain);
}

#[task]
fn panics_twice_sync() {
    std::panic::panic_any(PanicsAgain);
}

#[tokio::test(start_paused = true)]
async fn a_panic_whose_payload_panics_is_an_end_like_any_other() {
    let world = World::new().await;
    world.add(panics_twice::job().id("a").interval("1m")).await;
    let sync = panics_twice_sync::job().id("b").interval("1m");
    world.add(sync).await;
    world.advance(minutes(2)).await;
    let runs = world.runs().await;
    assert_eq!(runs.len(), 4);
    assert!(runs.iter().all(|run| run.state == RunState::Failed));
    for executor in world.scheduler.health().executors {
        assert_eq!(executor.in_use, 0, "{}", executor.name);
    }
}

#[task]
async fn long_panic() {
    panic!("{}", "x".repeat(100_000));
}

struct Unwritable;

impl serde::Serialize for Unwritable {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("while it was written")
    }
}

#[task]
async fn returns_unwritable() -> Unwritable {
    Unwritable
}

#[tokio::test(start_paused = true)]
async fn panic_texts_are_bounded_and_values_may_panic() {
    let world = World::new().await;
    let now = || Trigger::now();
    world.add(long_panic::job().id("long").trigger(now())).await;
    let value = returns_unwritable::job().id("value").trigger(now());
    world.add(value).await;
    world.advance(seconds(1)).await;
    let error = |id: &'static str| {
        let scheduler = world.scheduler.clone();
        async move {
            let runs = scheduler
                .list_runs(&RunFilter::new().job(id))
                .await
                .unwrap()
                .items;
            runs[0].error.clone().unwrap()
        }
    };
    assert!(error("long").await.len() <= 8 * 1024);
    assert_eq!(&*error("value").await, "panicked: while it was written");
}

/// Uses up tokio's cooperative budget at every poll.
#[task]
async fn hogs() {
    loop {
        tokio::task::consume_budget().await;
    }
}

#[tokio::test]
async fn a_task_that_is_always_busy_still_times_out_and_can_be_stopped() {
    let scheduler = Scheduler::builder()
        .without_static_jobs()
        .start()
        .await
        .unwrap();
    let job = hogs::job().id("busy").trigger(Trigger::now());
    scheduler
        .add_job(job.timeout(Duration::from_millis(50)))
        .await
        .unwrap();
    scheduler
        .add_job(hogs::job().id("asked").trigger(Trigger::now()))
        .await
        .unwrap();
    for _ in 0..500 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        let ended = RunFilter::new().job("busy").state(RunState::TimedOut);
        if !scheduler.list_runs(&ended).await.unwrap().items.is_empty() {
            break;
        }
    }
    let report = scheduler.shutdown(Shutdown::abort()).await;
    assert_eq!(report.cancelled.len(), 1, "{report}");
    assert!(report.running.is_empty(), "{report}");
}

/// Panics when cancelled.
#[task]
async fn panics_when_asked(ctx: JobContext, tries: Data<AtomicU32>) {
    tries.fetch_add(1, Ordering::SeqCst);
    ctx.cancelled().await;
    panic!("asked to stop");
}

#[tokio::test(start_paused = true)]
async fn a_run_whose_cancellation_was_requested_is_not_tried_again_however_it_ends() {
    let tries = std::sync::Arc::new(AtomicU32::new(0));
    let world = World::with(|builder| builder.shared_data(tries.clone())).await;
    let job = panics_when_asked::job().id("job").retries(5);
    world.add(job.trigger(Trigger::now())).await;
    world.advance(seconds(1)).await;
    let run = world.runs().await[0].id;
    world.scheduler.cancel_run(run).await.unwrap();
    world.advance(minutes(10)).await;
    assert_eq!(tries.load(Ordering::SeqCst), 1);
    assert_eq!(world.runs().await[0].state, RunState::Failed);
}
