//! Jobs that are added again under their ids, or given the trigger that they already have.

use scheduler_core::prelude::*;
use scheduler_core::{Error, ImportConflict, JobPatch, MemoryStore, PolicyPatch};

use super::support::*;

fn hourly() -> Job {
    work::job(0).id("job").interval("1h").replace_existing(true)
}

#[tokio::test(start_paused = true)]
async fn interval_that_is_added_again_unchanged_is_not_moved() {
    let world = World::new().await;
    world.add(hourly()).await;
    // Like a configuration that is read every 25 minutes.
    for retries in 1..=12 {
        world.advance(minutes(25)).await;
        let job = world
            .scheduler
            .add_job(hourly().retries(retries))
            .await
            .unwrap();
        assert_eq!(job.policies.retries, retries);
        assert_eq!(world.scheduler.get_job("job").await.unwrap(), Some(job));
    }
    let starts = ["01:00", "02:00", "03:00", "04:00", "05:00"];
    assert_eq!(world.starts(), starts);
    assert!(world.skipped().await.is_empty());
    // A different interval counts from now.
    let job = world
        .scheduler
        .add_job(hourly().interval("2h"))
        .await
        .unwrap();
    assert_eq!(
        job.next_run_time().map(clock_text).as_deref(),
        Some("07:00")
    );
}

#[tokio::test(start_paused = true)]
async fn job_that_is_given_the_trigger_it_has_keeps_its_fire_times() {
    let world = World::new().await;
    world.add(hourly()).await;
    world.advance(minutes(25)).await;
    world.scheduler.pause();
    world.advance(minutes(45)).await;
    let before = world.scheduler.get_job("job").await.unwrap().unwrap();
    assert_eq!(
        before.next_run_time().map(clock_text).as_deref(),
        Some("01:00"),
        "it is due"
    );
    let scheduler = &world.scheduler;
    let hour = || Trigger::every("60m").unwrap();
    let job = scheduler.reschedule_job("job", hour()).await.unwrap();
    assert_eq!((job.watermark, job.next), (before.watermark, before.next));
    let patch = JobPatch::new()
        .trigger(hour())
        .policies(PolicyPatch::new().retries(1));
    let job = scheduler.modify_job("job", patch).await.unwrap();
    assert_eq!((job.watermark, job.next), (before.watermark, before.next));
    assert_eq!(job.policies.retries, 1);
    // Importing an export of the job does not move it either.
    let exported = scheduler.export_jobs("default").await.unwrap();
    scheduler
        .import_jobs("default", exported, ImportConflict::Replace)
        .await
        .unwrap();
    assert_eq!(
        scheduler.get_job("job").await.unwrap().unwrap().next,
        before.next
    );
    assert!(world.skipped().await.is_empty());
    scheduler.resume();
    world.clock.settle().await;
    assert_eq!(world.starts(), ["01:00"]);
}

#[tokio::test(start_paused = true)]
async fn id_of_a_finished_job_can_be_used_again() {
    let world = World::new().await;
    let once = |minute: i64, seconds| {
        let at = epoch() + minutes(minute);
        work::job(seconds).id("once").date(at)
    };
    world.add(once(1, 120)).await;
    let taken = world.scheduler.add_job(once(10, 0)).await;
    assert!(matches!(taken, Err(Error::JobExists { .. })), "{taken:?}");
    world.advance(minutes(2)).await;
    assert!(
        world
            .scheduler
            .find_job("once")
            .await
            .unwrap()
            .is_finished()
    );
    let taken = world.scheduler.add_job(once(10, 0)).await;
    assert!(
        matches!(taken, Err(Error::JobExists { .. })),
        "it runs: {taken:?}"
    );
    world.advance(minutes(2)).await;
    let job = world.scheduler.add_job(once(10, 0)).await.unwrap();
    assert_eq!(world.scheduler.get_job("once").await.unwrap(), Some(job));
    world.advance(minutes(10)).await;
    assert_eq!(world.runs().await.len(), 2, "history stays under the id");
}

#[tokio::test(start_paused = true)]
async fn id_of_a_job_that_finished_in_another_store_can_be_used_again() {
    let world = World::with(|builder| builder.named_store("archive", MemoryStore::new())).await;
    for (minute, store) in [(1, "default"), (10, "archive"), (20, "default")] {
        let once = |seconds| {
            let at = epoch() + minutes(minute);
            work::job(seconds).id("once").date(at).store(store)
        };
        let job = world.scheduler.add_job(once(120)).await.unwrap();
        let found = world.scheduler.get_jobs().await.unwrap();
        assert_eq!(found, [job], "one job has the id");
        world
            .advance(epoch() + minutes(minute + 1) - world.now())
            .await;
        let other = if store == "default" {
            "archive"
        } else {
            "default"
        };
        let at = world.now() + minutes(5);
        let again = work::job(0).id("once").date(at).store(other);
        let taken = world.scheduler.add_job(again).await;
        assert!(
            matches!(taken, Err(Error::JobExists { .. })),
            "it runs: {taken:?}"
        );
        world.advance(minutes(2)).await;
    }
    assert_eq!(world.runs().await.len(), 3, "history stays under the id");
}
