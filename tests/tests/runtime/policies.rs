//! Misfire, coalesce, jitter and pause, alone and combined.

use std::time::Duration;

use chrono::TimeDelta;
use scheduler_core::prelude::*;
use scheduler_core::{Coalesce, EventKind, MemoryStore, Overlap, Phase, SkipReason};

use crate::support::{World, clock_text, minutes, seconds, skip_record, work};

/// Returns a scheduler with one job every ten minutes, after a pause of the given length.
async fn after_pause(job: Job, pause: TimeDelta) -> World {
    let world = World::new().await;
    world
        .add(
            job.id("job")
                .cron("*/10 * * * *")
                .start("2026-03-02T00:01:00Z"),
        )
        .await;
    world.scheduler.pause();
    assert_eq!(world.scheduler.health().phase, Phase::Paused);
    world.advance(pause).await;
    assert_eq!(world.journal.count(), 0);
    world.scheduler.resume();
    world.clock.settle().await;
    world
}

#[tokio::test(start_paused = true)]
async fn every_fire_time_is_run_at_its_instant() {
    let world = World::new().await;
    world.add(work::job(0).id("job").cron("*/20 * * * *")).await;
    world.advance(minutes(65)).await;
    assert_eq!(world.starts(), ["00:00", "00:20", "00:40", "01:00"]);
    for run in world.runs().await {
        assert_eq!(run.started_at, Some(run.scheduled_for));
        assert_eq!(run.lateness, Some(Duration::ZERO));
    }
    assert!(world.skipped().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_latest_of_several_is_run_and_the_others_are_coalesced() {
    let world = after_pause(work::job(0), minutes(35)).await;
    assert_eq!(world.starts(), ["00:30"]);
    assert_eq!(
        world.skipped().await,
        [skip_record(SkipReason::Coalesced, "00:10", "00:20", 2)]
    );
    world.advance(minutes(5)).await;
    assert_eq!(world.starts(), ["00:30", "00:40"]);
}

#[tokio::test(start_paused = true)]
async fn the_earliest_of_several_is_run() {
    let world = after_pause(work::job(0).coalesce(Coalesce::Earliest), minutes(35)).await;
    assert_eq!(world.starts(), ["00:10"]);
    assert_eq!(
        world.skipped().await,
        [skip_record(SkipReason::Coalesced, "00:20", "00:30", 2)]
    );
}

#[tokio::test(start_paused = true)]
async fn all_of_several_are_run_oldest_first_one_after_the_other() {
    let job = work::job(60)
        .coalesce(Coalesce::All(100))
        .overlap(Overlap::Queue(100));
    let world = after_pause(job, minutes(35)).await;
    assert_eq!(world.starts(), ["00:10"]);
    world.advance(minutes(3)).await;
    assert_eq!(world.starts(), ["00:10", "00:20", "00:30"]);
    assert!(world.skipped().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_catch_up_limit_keeps_the_newest() {
    let job = work::job(0).coalesce(Coalesce::All(2)).max_instances(5);
    let world = after_pause(job, minutes(55)).await;
    assert_eq!(world.starts(), ["00:40", "00:50"]);
    assert_eq!(
        world.skipped().await,
        [skip_record(SkipReason::CatchUpLimit, "00:10", "00:30", 3)]
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_later_than_the_grace_time_is_missed() {
    let job = work::job(0).misfire_grace_time(Duration::from_secs(12 * 60));
    let world = after_pause(job, minutes(35)).await;
    assert_eq!(world.starts(), ["00:30"]);
    assert_eq!(
        world.skipped().await,
        [skip_record(SkipReason::Missed, "00:10", "00:20", 2)]
    );
}

#[tokio::test(start_paused = true)]
async fn exactly_the_grace_time_late_is_not_too_late() {
    let job = work::job(0)
        .misfire_grace_time(Duration::from_secs(15 * 60))
        .coalesce(Coalesce::All(100))
        .max_instances(9);
    let world = after_pause(job, minutes(35)).await;
    assert_eq!(world.starts(), ["00:20", "00:30"]);
    assert_eq!(
        world.skipped().await,
        [skip_record(SkipReason::Missed, "00:10", "00:10", 1)]
    );
}

#[tokio::test(start_paused = true)]
async fn all_too_late_runs_nothing_and_goes_on() {
    let job = work::job(0).misfire_grace_time(Duration::from_secs(60));
    let world = after_pause(job, minutes(35)).await;
    assert!(world.starts().is_empty());
    assert_eq!(
        world.skipped().await,
        [skip_record(SkipReason::Missed, "00:10", "00:30", 3)]
    );
    world.advance(minutes(6)).await;
    assert_eq!(world.starts(), ["00:40"]);
}

#[tokio::test(start_paused = true)]
async fn misfire_coalesce_and_overlap_together_leave_no_fire_time_without_a_word() {
    // 00:10 … 01:50 came due; five are within the grace time, three are caught up, one finds a slot.
    let job = work::job(600)
        .misfire_grace_time(Duration::from_secs(45 * 60))
        .coalesce(Coalesce::All(3))
        .overlap(Overlap::Queue(1));
    let world = after_pause(job, minutes(115)).await;
    assert_eq!(world.starts(), ["01:30"]);
    let skipped = world.skipped().await;
    assert_eq!(
        skipped,
        [
            skip_record(SkipReason::Missed, "00:10", "01:00", 6),
            skip_record(SkipReason::CatchUpLimit, "01:10", "01:20", 2),
            skip_record(SkipReason::QueueFull, "01:50", "01:50", 1),
        ]
    );
    let told: u64 = skipped.iter().map(|skipped| skipped.3).sum();
    assert_eq!(told + 1 + 1, 11, "skipped, started and queued");
    assert_eq!(world.scheduler.health().skipped[&SkipReason::Missed], 6);
}

#[tokio::test(start_paused = true)]
async fn a_paused_job_fires_nothing_and_replays_nothing() {
    let mut world = World::new().await;
    world
        .add(
            work::job(0)
                .id("job")
                .cron("*/10 * * * *")
                .start("2026-03-02T00:01:00Z"),
        )
        .await;
    let paused = world
        .scheduler
        .pause_job_with_note("job", "database upgrade")
        .await
        .unwrap();
    assert_eq!(paused.paused.as_deref(), Some("database upgrade"));
    assert_eq!(paused.next_run_time(), None);
    world.advance(minutes(35)).await;
    let resumed = world.scheduler.resume_job("job").await.unwrap();
    assert_eq!(clock_text(resumed.next_run_time().unwrap()), "00:40");
    world.advance(minutes(10)).await;
    assert_eq!(world.starts(), ["00:40"]);
    assert_eq!(
        world.skipped().await,
        [skip_record(SkipReason::Paused, "00:10", "00:30", 3)]
    );
    let kinds = world.event_kinds();
    assert!(
        kinds
            .iter()
            .any(|kind| matches!(kind, EventKind::JobPaused(_)))
    );
    assert!(
        kinds
            .iter()
            .any(|kind| matches!(kind, EventKind::JobResumed(_)))
    );
    // Resuming a job that is not paused changes nothing.
    world.scheduler.resume_job("job").await.unwrap();
    assert_eq!(world.skipped().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_pause_stays_over_a_restart() {
    let store = MemoryStore::new();
    let first = World::with(|builder| builder.store(store.clone())).await;
    first
        .add(work::job(0).id("job").interval("10m").paused("not yet"))
        .await;
    first.scheduler.shutdown(Shutdown::wait()).await;
    let second = World::on(first.clock.clone(), store, |builder| builder).await;
    second.advance(minutes(30)).await;
    assert!(second.starts().is_empty());
    let job = second.scheduler.get_job("job").await.unwrap().unwrap();
    assert_eq!(job.paused.as_deref(), Some("not yet"));
}

#[tokio::test(start_paused = true)]
async fn jitter_delays_each_fire_time_by_a_fixed_amount_and_keeps_its_nominal_instant() {
    let world = World::new().await;
    let job = work::job(0)
        .id("job")
        .cron("0 * * * *")
        .jitter(Duration::from_secs(600));
    world.add(job).await;
    world.advance(TimeDelta::hours(5)).await;
    let runs = world.runs().await;
    assert_eq!(runs.len(), 5);
    let delays: Vec<_> = runs
        .iter()
        .map(|run| run.started_at.unwrap() - run.scheduled_for)
        .collect();
    assert!(
        delays
            .iter()
            .all(|delay| *delay >= TimeDelta::zero() && *delay < seconds(601)),
        "{delays:?}"
    );
    assert!(
        delays.iter().any(|delay| *delay > seconds(10)),
        "{delays:?}"
    );
    assert!(
        runs.iter()
            .all(|run| run.scheduled_for.timestamp() % 3600 == 0)
    );
}

#[tokio::test(start_paused = true)]
async fn jitter_and_grace_time_count_from_the_delayed_instant() {
    let world = World::new().await;
    let job = work::job(0)
        .id("job")
        .cron("0 * * * *")
        .jitter(Duration::from_secs(1800))
        .misfire_grace_time(Duration::from_secs(1));
    world.add(job).await;
    world.advance(TimeDelta::hours(8)).await;
    assert_eq!(world.journal.count(), 8);
    assert!(world.skipped().await.is_empty());
}
