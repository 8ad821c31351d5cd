//! Clocks that are wrong for a while, and machines that are suspended.

use std::time::Duration;

use chrono::TimeDelta;
use scheduler_core::prelude::*;
use scheduler_core::store::Store;
use scheduler_core::testing::VirtualClock;
use scheduler_core::{
    Error, EventKind, MemoryStore, NextEvent, RunFilter, RunState, SkipReason, SkippedFilter,
};

use crate::support::Place;
use crate::world::{World, minutes, seconds, work};

/// Returns how many fire times of a job were skipped for this reason.
async fn skipped(scheduler: &Scheduler, job: &str, reason: SkipReason) -> u64 {
    let records = scheduler
        .list_skipped(&SkippedFilter::new().job(job).limit(1_000))
        .await
        .unwrap()
        .items;
    let records = records.iter().filter(|record| record.reason == reason);
    records.map(|record| record.count).sum()
}

/// apscheduler#351, dbader/schedule#323, robfig/cron#480, quartz#270: the clock was ahead for a while, and nothing
/// ran until true time had caught up.
#[tokio::test(start_paused = true)]
async fn jobs_go_on_when_a_clock_that_was_ahead_is_set_right() {
    let world = World::new().await;
    world.add(work::job(0).id("job").interval("1m")).await;
    world.advance(minutes(5)).await;
    world.clock.jump(minutes(50));
    world.advance(seconds(40)).await;
    world.clock.jump(minutes(-50));
    let before = world.journal.count();
    world.advance(minutes(5)).await;
    assert!(world.journal.count() >= before + 4, "{:?}", world.starts());
    let mut fire_times: Vec<_> = world
        .runs()
        .await
        .iter()
        .map(|run| run.scheduled_for)
        .collect();
    let all = fire_times.len();
    fire_times.sort_unstable();
    fire_times.dedup();
    assert_eq!(fire_times.len(), all, "none ran twice");
}

/// directus#25592: a storm of runs after the machine was suspended. CronScheduler#42: none at all.
#[tokio::test(start_paused = true)]
async fn one_run_stands_for_all_that_a_sleeping_machine_missed() {
    let mut world = World::new().await;
    world.add(work::job(0).id("job").interval("1m")).await;
    world.advance(minutes(1)).await;
    world.clock.jump(TimeDelta::hours(8));
    world.advance(seconds(30)).await;
    assert_eq!(world.journal.count(), 2, "{:?}", world.starts());
    let missed = skipped(&world.scheduler, "job", SkipReason::Coalesced).await;
    assert!((479..=481).contains(&missed), "{missed} are recorded");
    let jumped = world.event_kinds();
    let jumped = jumped
        .iter()
        .any(|kind| matches!(kind, EventKind::ClockJumped(_)));
    assert!(jumped, "and the jump is reported");
}

/// Reads which fire times were coalesced into its own run.
#[task]
async fn reads_what_it_stands_for(ctx: JobContext) -> Result<(u64, String, String), Error> {
    let scheduler = ctx.scheduler().ok_or(Error::Stopped)?;
    let records = scheduler
        .list_skipped(&SkippedFilter::new().job(ctx.job_id()).limit(1))
        .await?
        .items;
    let record = records.first().ok_or(Error::Stopped)?;
    let minute = |at: chrono::DateTime<chrono::Utc>| at.format("%d %H:%M").to_string();
    Ok((record.count, minute(record.first), minute(record.last)))
}

async fn body_reads_what_its_run_stands_for(store: impl Store) {
    let clock = VirtualClock::at(crate::world::EPOCH).unwrap();
    let scheduler = Scheduler::builder()
        .clock(clock.clone().hold_during_runs())
        .store(store)
        .without_static_jobs()
        .start()
        .await
        .unwrap();
    let job = reads_what_it_stands_for::job().id("job").interval("1h");
    scheduler.add_job(job).await.unwrap();
    clock.advance(minutes(1)).await;
    clock.suspend(Duration::from_secs(10 * 3_600));
    clock.advance(minutes(1)).await;
    let run = scheduler
        .list_runs(&RunFilter::new())
        .await
        .unwrap()
        .items
        .remove(0);
    assert_eq!(run.state, RunState::Succeeded, "{:?}", run.error);
    assert_eq!(run.value.as_deref(), Some("[9,\"02 01:00\",\"02 09:00\"]"));
    let hours = |count| scheduler_core::Clock::now(&clock) - TimeDelta::hours(count);
    assert!(run.scheduled_for > hours(1), "{run:?}");
    scheduler.shutdown(Shutdown::wait()).await;
}

/// openai/codex#24327, hermes-agent#51668: after the machine was suspended, the body could not know how many fire
/// times its run stood for, or since when.
#[tokio::test(start_paused = true)]
async fn body_can_read_how_many_fire_times_its_run_stands_for() {
    body_reads_what_its_run_stands_for(MemoryStore::new()).await;
    for place in Place::each() {
        body_reads_what_its_run_stands_for(place.store().await).await;
    }
}

/// k8s#83642, k8s#45825: a controller that had been down for a long time abandoned a schedule for good.
#[tokio::test(start_paused = true)]
async fn no_outage_is_too_long_for_a_schedule() {
    let (clock, store) = (
        VirtualClock::at(crate::world::EPOCH).unwrap(),
        MemoryStore::new(),
    );
    let before = World::on(clock.clone(), store.clone(), |builder| builder).await;
    before.add(work::job(0).id("job").interval("1s")).await;
    before.advance(seconds(2)).await;
    before.scheduler.shutdown(Shutdown::wait()).await;
    clock.jump(TimeDelta::days(3_650));
    let after = World::on(clock, store, |builder| builder).await;
    after.advance(seconds(3)).await;
    assert!(after.journal.count() >= 3, "{:?}", after.starts());
    let missed = skipped(&after.scheduler, "job", SkipReason::Coalesced).await;
    assert!(missed >= 315_359_990, "{missed} are recorded");
}

/// apscheduler#157, apscheduler#268: `shutdown` waited forever.
#[tokio::test(start_paused = true)]
async fn shutdown_ends_within_its_deadline_whatever_runs() {
    let mut world = World::new().await;
    world
        .add(work::job(100_000).id("endless").trigger(Trigger::now()))
        .await;
    world
        .add(work::job(2).id("short").trigger(Trigger::now()))
        .await;
    world.advance(seconds(1)).await;
    let begun = world.now();
    let deadline = Shutdown::wait_up_to(Duration::from_secs(10));
    let report = world.scheduler.shutdown(deadline).await;
    assert!(world.now() - begun <= seconds(12), "{report}");
    assert_eq!(report.cancelled.len(), 1, "{report}");
    assert_eq!(&*report.cancelled[0].job_id.to_string(), "endless");
    assert_eq!(report.completed, 1, "{report}");
    while let Some(next) = world.events.next().await {
        assert!(matches!(next, NextEvent::Event(_)), "{next:?}");
    }
}
