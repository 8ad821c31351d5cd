//! What happens at `max_instances`.

use std::sync::atomic::Ordering;

use scheduler_core::{EventKind, Overlap, RunFilter, RunNow, RunState, SkipReason};

use crate::support::{World, minutes, seconds, skip_record, work};

#[tokio::test(start_paused = true)]
async fn a_second_run_is_skipped_while_the_first_goes_on() {
    let world = World::new().await;
    world
        .add(work::job(25 * 60).id("job").cron("*/10 * * * *"))
        .await;
    world.advance(minutes(59)).await;
    assert_eq!(world.starts(), ["00:00", "00:30"]);
    assert_eq!(
        world.skipped().await,
        [
            skip_record(SkipReason::Overlap, "00:10", "00:10", 1),
            skip_record(SkipReason::Overlap, "00:20", "00:20", 1),
            skip_record(SkipReason::Overlap, "00:40", "00:40", 1),
            skip_record(SkipReason::Overlap, "00:50", "00:50", 1),
        ]
    );
    assert_eq!(world.journal.most_running.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn so_many_runs_at_once_as_max_instances_says() {
    let world = World::new().await;
    world
        .add(
            work::job(25 * 60)
                .id("job")
                .cron("*/10 * * * *")
                .max_instances(2),
        )
        .await;
    world.advance(minutes(59)).await;
    assert_eq!(world.starts(), ["00:00", "00:10", "00:30", "00:40"]);
    assert_eq!(world.journal.most_running.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn a_queued_run_starts_when_a_place_is_free_and_the_queue_is_bounded() {
    let mut world = World::new().await;
    let job = work::job(25 * 60)
        .id("job")
        .cron("*/10 * * * *")
        .overlap(Overlap::Queue(1));
    world.add(job.end("2026-03-02T00:20:00Z")).await;
    world.advance(minutes(24)).await;
    assert_eq!(world.starts(), ["00:00"]);
    let states: Vec<RunState> = world.runs().await.iter().map(|run| run.state).collect();
    assert_eq!(states, [RunState::Queued, RunState::Running]);
    assert_eq!(
        world.skipped().await,
        [skip_record(SkipReason::QueueFull, "00:20", "00:20", 1)]
    );
    world.advance(minutes(30)).await;
    assert_eq!(world.starts(), ["00:00", "00:10"]);
    let runs = world.runs().await;
    assert!(
        runs.iter().all(|run| run.state == RunState::Succeeded),
        "{runs:?}"
    );
    assert_eq!(runs[0].lateness.unwrap().as_secs(), 15 * 60);
    let kinds = world.event_kinds();
    assert_eq!(
        kinds
            .iter()
            .filter(|kind| matches!(kind, EventKind::Queued { .. }))
            .count(),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn a_queued_run_that_waited_longer_than_the_grace_time_is_missed() {
    let world = World::new().await;
    let job = work::job(25 * 60)
        .id("job")
        .cron("*/10 * * * *")
        .end("2026-03-02T00:10:00Z")
        .overlap(Overlap::Queue(1))
        .misfire_grace_time(std::time::Duration::from_secs(600));
    world.add(job).await;
    world.advance(minutes(60)).await;
    assert_eq!(world.starts(), ["00:00"]);
    assert_eq!(
        world.skipped().await,
        [skip_record(SkipReason::Missed, "00:10", "00:10", 1)]
    );
}

#[tokio::test(start_paused = true)]
async fn the_running_one_is_cancelled_for_the_newest() {
    let world = World::new().await;
    let job = work::job(25 * 60)
        .id("job")
        .cron("*/10 * * * *")
        .overlap(Overlap::CancelRunning);
    world.add(job).await;
    world.advance(minutes(21)).await;
    assert_eq!(world.starts(), ["00:00", "00:10", "00:20"]);
    let runs = world.runs().await;
    let states: Vec<RunState> = runs.iter().map(|run| run.state).collect();
    assert_eq!(
        states,
        [RunState::Running, RunState::Cancelled, RunState::Cancelled]
    );
    // It had five seconds to stop on its own.
    assert_eq!(
        runs[2].finished_at.unwrap() - runs[1].scheduled_for,
        seconds(5)
    );
    assert_eq!(world.journal.most_running.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn a_manual_run_obeys_the_same_limit_and_moves_nothing() {
    let world = World::new().await;
    world
        .add(
            work::job(60)
                .id("job")
                .cron("*/10 * * * *")
                .start("2026-03-02T00:01:00Z"),
        )
        .await;
    let before = world.scheduler.get_job("job").await.unwrap().unwrap();
    let first = world.scheduler.run_job_now("job").await.unwrap();
    assert!(matches!(first, RunNow::Started(_)));
    let second = world.scheduler.run_job_now("job").await.unwrap();
    assert!(matches!(second, RunNow::Refused(_)), "{second:?}");
    let after = world.scheduler.get_job("job").await.unwrap().unwrap();
    assert_eq!(
        (before.watermark, before.next),
        (after.watermark, after.next)
    );
    world.advance(minutes(12)).await;
    assert_eq!(world.starts(), ["00:00", "00:10"]);
}

#[tokio::test(start_paused = true)]
async fn a_manual_run_works_on_a_paused_job_and_can_wait_in_the_queue() {
    let world = World::new().await;
    world
        .add(
            work::job(60)
                .id("job")
                .cron("0 0 1 1 *")
                .overlap(Overlap::Queue(1))
                .paused(""),
        )
        .await;
    assert!(matches!(
        world.scheduler.run_job_now("job").await.unwrap(),
        RunNow::Started(_)
    ));
    assert!(matches!(
        world.scheduler.run_job_now("job").await.unwrap(),
        RunNow::Queued(_)
    ));
    assert!(matches!(
        world.scheduler.run_job_now("job").await.unwrap(),
        RunNow::Refused(_)
    ));
    world.advance(minutes(5)).await;
    assert_eq!(world.journal.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn removing_a_job_drops_what_waits_and_lets_the_running_one_end() {
    let world = World::new().await;
    world
        .add(
            work::job(1500)
                .id("job")
                .cron("*/10 * * * *")
                .overlap(Overlap::Queue(2)),
        )
        .await;
    world.advance(minutes(12)).await;
    world.scheduler.remove_job("job").await.unwrap();
    assert_eq!(
        world.skipped().await,
        [skip_record(SkipReason::Removed, "00:10", "00:10", 1)]
    );
    world.advance(minutes(60)).await;
    let runs = world
        .scheduler
        .list_runs(&RunFilter::new().job("job"))
        .await
        .unwrap()
        .items;
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0].state, RunState::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn a_run_can_be_cancelled_and_is_not_tried_again() {
    let world = World::new().await;
    world
        .add(
            work::job(600)
                .id("job")
                .date("2026-03-02T00:00:00Z")
                .retries(3),
        )
        .await;
    world.advance(seconds(1)).await;
    let run = world.runs().await[0].id;
    world.scheduler.cancel_run(run).await.unwrap();
    world.advance(seconds(6)).await;
    assert_eq!(world.runs().await[0].state, RunState::Cancelled);
    assert!(world.scheduler.cancel_run(run).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn what_waits_does_not_start_while_the_job_is_paused_unless_it_was_asked_for() {
    let world = World::new().await;
    let job = work::job(15 * 60)
        .id("job")
        .cron("*/10 * * * *")
        .end("2026-03-02T00:10:00Z");
    world.add(job.overlap(Overlap::Queue(2))).await;
    world.advance(minutes(11)).await;
    world.scheduler.pause_job("job").await.unwrap();
    assert!(matches!(
        world.scheduler.run_job_now("job").await.unwrap(),
        RunNow::Queued(_)
    ));
    world.advance(minutes(60)).await;
    // 00:10 is still queued; the manual run of 00:11 started first.
    assert_eq!(world.starts(), ["00:00", "00:11"]);
    world.scheduler.resume_job("job").await.unwrap();
    world.advance(minutes(1)).await;
    assert_eq!(world.starts(), ["00:00", "00:11", "00:10"]);
}

#[tokio::test(start_paused = true)]
async fn ended_jobs_are_kept_as_long_as_the_history() {
    let store = scheduler_core::MemoryStore::new().keep_runs(3);
    let world = World::with(|builder| builder.store(store)).await;
    for minute in 1..10 {
        let at = format!("2026-03-02T00:0{minute}:00Z");
        world
            .add(work::job(0).id(format!("once-{minute}")).date(&*at))
            .await;
    }
    world.advance(minutes(20)).await;
    let jobs = world.scheduler.get_jobs().await.unwrap();
    let ids: Vec<&str> = jobs.iter().map(|job| job.id.as_str()).collect();
    assert_eq!(ids, ["once-7", "once-8", "once-9"]);
    assert_eq!(world.runs().await.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_waits_can_be_cancelled() {
    let world = World::new().await;
    let job = work::job(15 * 60)
        .id("job")
        .cron("*/10 * * * *")
        .overlap(Overlap::Queue(2));
    world.add(job.end("2026-03-02T00:10:00Z")).await;
    world.advance(minutes(11)).await;
    let waiting = world.runs().await[0].clone();
    assert_eq!(waiting.state, RunState::Queued);
    world.scheduler.cancel_run(waiting.id).await.unwrap();
    assert!(world.scheduler.cancel_run(waiting.id).await.is_err());
    world.advance(minutes(60)).await;
    assert_eq!(world.starts(), ["00:00"]);
    let states: Vec<RunState> = world.runs().await.iter().map(|run| run.state).collect();
    assert_eq!(states, [RunState::Cancelled, RunState::Succeeded]);
}
