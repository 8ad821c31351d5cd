//! Schedules that change, and schedules that must not.

use scheduler_core::prelude::*;
use scheduler_core::{MemoryStore, SkipReason, SkippedFilter};

use crate::support::{Folder, Node, plain};
use crate::world::{World, minutes, work};

/// apscheduler#696, celery#2531: a restart set schedules back, or ran them at once.
#[tokio::test]
async fn restart_keeps_the_next_fire_time() {
    let folder = Folder::new();
    let store = || async {
        scheduler_sqlx::SqlStore::connect(&folder.url())
            .await
            .unwrap()
    };
    let node = Node::start(store().await).await;
    node.add(plain().id("job").interval("24h")).await;
    let before = node.scheduler.get_job("job").await.unwrap().unwrap();
    node.stop().await;
    for _ in 0..2 {
        let node = Node::start(store().await).await;
        let after = node.scheduler.get_job("job").await.unwrap().unwrap();
        assert_eq!(after.next_run_time(), before.next_run_time());
        assert!(node.runs("job").await.is_empty(), "nothing ran");
        node.stop().await;
    }
}

#[scheduled_job(interval = "24h", id = "written_in_the_code")]
async fn written_in_the_code() {}

/// The same for a static job.
#[tokio::test(start_paused = true)]
async fn restart_keeps_the_next_fire_time_of_a_job_of_the_code() {
    let clock = scheduler_core::testing::VirtualClock::at(crate::world::EPOCH).unwrap();
    let store = MemoryStore::new();
    let mut next = None;
    for _ in 0..3 {
        let scheduler = Scheduler::builder()
            .clock(clock.clone())
            .store(store.clone())
            .only(["written_in_the_code"])
            .start()
            .await
            .unwrap();
        let job = scheduler
            .get_job("written_in_the_code")
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            *next.get_or_insert(job.next_run_time()),
            job.next_run_time()
        );
        clock.advance(minutes(90)).await;
        scheduler.shutdown(Shutdown::wait()).await;
    }
}

/// bullmq#453, bullmq#2876: the old schedule stayed active next to the new one.
#[tokio::test(start_paused = true)]
async fn id_has_exactly_one_schedule() {
    let world = World::new().await;
    world.add(work::job(0).id("job").interval("1m")).await;
    world.advance(minutes(1)).await;
    let other = work::job(0)
        .id("job")
        .interval("10m")
        .replace_existing(true);
    world.add(other).await;
    world.advance(minutes(20)).await;
    let trigger = "every 30m start=2026-03-02T00:00:00Z".parse().unwrap();
    world
        .scheduler
        .reschedule_job("job", trigger)
        .await
        .unwrap();
    world.advance(minutes(60)).await;
    assert_eq!(
        world.starts(),
        ["00:01", "00:11", "00:21", "00:30", "01:00"]
    );
    assert_eq!(world.scheduler.get_jobs().await.unwrap().len(), 1);
}

/// windmill PR 10917: a job that took longer than its interval was skipped for weeks without being noticed.
#[tokio::test(start_paused = true)]
async fn job_that_outlasts_its_interval_is_reported() {
    let world = World::new().await;
    world.add(work::job(150).id("slow").interval("1m")).await;
    world.advance(minutes(10)).await;
    let records = world
        .scheduler
        .list_skipped(&SkippedFilter::new().job("slow"))
        .await
        .unwrap()
        .items;
    let overlaps = records
        .iter()
        .filter(|record| record.reason == SkipReason::Overlap);
    let overlaps: u64 = overlaps.map(|record| record.count).sum();
    assert_eq!(overlaps, 6, "{records:?}");
    let counted = world.scheduler.health().skipped;
    let counted = counted
        .iter()
        .find(|(reason, _)| **reason == SkipReason::Overlap);
    assert_eq!(counted.map(|(_, count)| *count), Some(6), "health shows it");
}
