//! Clocks that are set forward and back, and machines that are suspended.

use chrono::TimeDelta;
use scheduler_core::prelude::*;
use scheduler_core::testing::{SimulatedKind, simulate};
use scheduler_core::{Coalesce, EventKind, SkipReason, SkippedFilter};

use crate::support::{World, clock_text, epoch, minutes, seconds, skip_record, work};

#[tokio::test(start_paused = true)]
async fn a_jump_forward_is_noticed_within_half_a_minute_and_coalesced() {
    let mut world = World::new().await;
    world.add(work::job(0).id("job").cron("0 * * * *")).await;
    world.advance(seconds(1)).await;
    world.clock.jump(TimeDelta::hours(5));
    world.advance(seconds(30)).await;
    assert_eq!(world.starts(), ["00:00", "05:00"]);
    assert_eq!(
        world.skipped().await,
        [skip_record(SkipReason::Coalesced, "01:00", "04:00", 4)]
    );
    assert!(world.event_kinds().iter().any(|kind| matches!(
        kind,
        EventKind::ClockJumped(by) if *by == TimeDelta::hours(5)
    )));
    let warnings = world.scheduler.health().warnings;
    assert!(
        warnings[0].text.contains("jumped by 18000 s"),
        "{warnings:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_jump_of_ten_years_finds_the_latest_instant_without_listing_the_others() {
    let world = World::new().await;
    world.add(work::job(0).id("cron").cron("* * * * *")).await;
    world
        .add(
            work::job(0)
                .id("interval")
                .interval("1s")
                .start("2026-03-02T00:00:00Z"),
        )
        .await;
    world.advance(seconds(1)).await;
    world.clock.jump(TimeDelta::days(3650));
    world.advance(seconds(30)).await;
    let skipped = world.skipped().await;
    let cron = skipped.iter().find(|skipped| skipped.3 == 1_000).unwrap();
    assert_eq!(cron.0, SkipReason::Coalesced);
    // The fire times of intervals are counted exactly.
    assert!(
        skipped.iter().any(|skipped| skipped.3 > 315_000_000),
        "{skipped:?}"
    );
    assert!(
        world
            .scheduler
            .list_skipped(&SkippedFilter::new().job("cron").limit(1))
            .await
            .unwrap()
            .items[0]
            .to_string()
            .contains("more than")
    );
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_goes_back_runs_nothing_twice() {
    let world = World::new().await;
    world.add(work::job(0).id("job").cron("*/10 * * * *")).await;
    world.advance(minutes(31)).await;
    world.clock.jump(-minutes(25));
    world.advance(minutes(24)).await;
    assert_eq!(world.starts(), ["00:00", "00:10", "00:20", "00:30"]);
    world.advance(minutes(11)).await;
    assert_eq!(world.starts().len(), 5);
    assert_eq!(world.starts()[4], "00:40");
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_was_far_ahead_and_came_back_does_not_stop_a_job_for_good() {
    let mut world = World::new().await;
    world.add(work::job(0).id("job").cron("0 * * * *")).await;
    world.advance(seconds(1)).await;
    world.clock.jump(TimeDelta::days(365));
    world.advance(minutes(1)).await;
    assert_eq!(world.journal.count(), 2);
    world.clock.jump(-TimeDelta::days(365));
    world.advance(TimeDelta::hours(3)).await;
    assert_eq!(world.journal.count(), 5, "{:?}", world.starts());
    assert!(
        world
            .event_kinds()
            .iter()
            .any(|kind| matches!(kind, EventKind::WatermarkReset(_)))
    );
    let warnings = world.scheduler.health().warnings;
    assert!(
        warnings
            .iter()
            .any(|one| one.text.contains("job `job` had been decided")),
        "{warnings:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_was_ahead_for_less_than_an_hour_silences_no_job() {
    for ahead in [seconds(12), minutes(2), minutes(50), minutes(59)] {
        let mut world = World::new().await;
        world.add(work::job(0).id("job").interval("10s")).await;
        world.advance(minutes(1)).await;
        world.clock.jump(ahead);
        world.advance(seconds(30)).await;
        world.clock.jump(-ahead);
        let before = world.journal.count();
        world.advance(minutes(2)).await;
        let ran = world.journal.count() - before;
        // The change is noticed within half a minute; fire times that ran too early do not run again.
        assert!(ran >= 12 - 3 - 4, "{ahead}: {ran} runs");
        let mut starts = world.starts();
        let count = starts.len();
        starts.sort();
        starts.dedup();
        assert_eq!(starts.len(), count, "{ahead}: a fire time ran twice");
        let resets = world.event_kinds();
        let resets = resets
            .iter()
            .filter(|kind| matches!(kind, EventKind::WatermarkReset(_)));
        // An error of twelve seconds has passed before it is noticed.
        let expected = usize::from(ahead > minutes(1));
        assert_eq!(resets.count(), expected, "{ahead}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_one_off_that_ran_too_early_does_not_run_again() {
    let world = World::new().await;
    let once = epoch() + minutes(30);
    world.add(work::job(0).id("once").date(once)).await;
    world.advance(seconds(1)).await;
    world.clock.jump(minutes(50));
    world.advance(minutes(1)).await;
    assert_eq!(world.journal.count(), 1);
    world.clock.jump(-minutes(50));
    world.advance(minutes(1)).await;
    let job = world.scheduler.get_job("once").await.unwrap().unwrap();
    assert!(job.is_finished(), "{job:?}");
    world.advance(minutes(60)).await;
    assert_eq!(world.journal.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn run_that_ends_before_its_fire_time_is_remembered_where_none_are_kept() {
    let store = scheduler_core::MemoryStore::new().keep_runs(0);
    let world = World::with(|builder| builder.store(store)).await;
    world
        .add(work::job(60).id("job").cron("*/10 * * * *"))
        .await;
    world.advance(seconds(70)).await;
    world.clock.jump(minutes(50));
    world.advance(seconds(35)).await;
    assert_eq!(world.starts(), ["00:00", "00:50"]);
    // The run is still live.
    world.clock.jump(-minutes(50));
    world.advance(minutes(57)).await;
    let mut starts = world.starts();
    starts.sort();
    assert_eq!(
        starts,
        ["00:00", "00:10", "00:20", "00:30", "00:40", "00:50"]
    );
}

/// Whatever a clock does, no fire time runs twice, and jobs continue once the clock is right.
#[tokio::test(start_paused = true)]
async fn jumps_to_and_fro_run_nothing_twice_and_silence_nothing() {
    for seed in 1..=20_u64 {
        let mut dice = seed;
        let mut roll = |sides: i64| {
            dice = dice
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            i64::try_from(dice >> 33).unwrap() % sides
        };
        // Few runs are kept: runs that are ahead of the clock must be kept nevertheless.
        let world = World::on(
            scheduler_core::testing::VirtualClock::at(crate::support::EPOCH).unwrap(),
            scheduler_core::MemoryStore::new().keep_runs(100),
            |builder| builder,
        )
        .await;
        world.add(work::job(0).id("job").cron("* * * * *")).await;
        let mut ahead = TimeDelta::zero();
        for _ in 0..20 {
            let to = seconds(roll(7_200));
            world.clock.jump(to - ahead);
            ahead = to;
            world.advance(seconds(1 + roll(120))).await;
        }
        world.clock.jump(-ahead);
        world.advance(seconds(30)).await;
        let mut starts = world.starts();
        let count = starts.len();
        starts.sort();
        starts.dedup();
        assert_eq!(starts.len(), count, "seed {seed}: a fire time ran twice");
        let now = world.now();
        world.advance(TimeDelta::hours(3)).await;
        for minute in 1..=180 {
            let at = now + minutes(minute) - seconds(now.timestamp() % 60);
            let text = crate::support::clock_text(at);
            let runs = world
                .starts()
                .iter()
                .filter(|start| **start == text)
                .count();
            assert_eq!(runs, 1, "seed {seed}: {text}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_came_due_while_the_machine_slept_is_dealt_with_by_policy() {
    let world = World::new().await;
    let job = work::job(0)
        .id("job")
        .cron("*/10 * * * *")
        .coalesce(Coalesce::All(3))
        .max_instances(3);
    world
        .add(job.misfire_grace_time(std::time::Duration::from_secs(1800)))
        .await;
    world.advance(minutes(1)).await;
    world.clock.jump(minutes(60));
    world.advance(seconds(30)).await;
    assert_eq!(world.starts(), ["00:00", "00:40", "00:50", "01:00"]);
    assert_eq!(
        world.skipped().await,
        [skip_record(SkipReason::Missed, "00:10", "00:30", 3)]
    );
}

#[tokio::test(start_paused = true)]
async fn wall_clock_jobs_follow_the_zone_over_a_change_of_clocks() {
    let world = World::new().await;
    let job = work::job(0)
        .id("job")
        .cron("30 2 * * *")
        .timezone(Tz::America__New_York);
    world.add(job).await;
    world.advance(TimeDelta::days(8)).await;
    // On 8 March 02:30 does not exist in New York: the job runs at 03:00 EDT, 07:00 UTC.
    assert_eq!(world.starts()[5..], ["5d 07:30", "6d 07:00", "7d 06:30"]);
}

#[tokio::test(start_paused = true)]
async fn a_simulation_says_what_then_happens() {
    let world = World::new().await;
    let job = work::job(25 * 60).id("a").cron("*/10 * * * *");
    world
        .add(job.overlap(scheduler_core::Overlap::Queue(1)))
        .await;
    world
        .add(
            work::job(0)
                .id("b")
                .cron("0,7 * * * *")
                .jitter(std::time::Duration::from_secs(60)),
        )
        .await;
    let jobs = world.scheduler.get_jobs().await.unwrap();
    let run_time = |job: &scheduler_core::JobRecord| {
        std::time::Duration::from_secs(if job.id == "a" { 25 * 60 } else { 0 })
    };
    let to = epoch() + minutes(118);
    let simulated = simulate(&jobs, epoch(), to, run_time);
    world.clock.advance_to(to).await;
    let mut runs: Vec<String> = Vec::new();
    let mut not_run = 0;
    for one in &simulated {
        match one.kind {
            SimulatedKind::Run(fire) => runs.push(clock_text(fire)),
            SimulatedKind::Skipped(times) => not_run += times.count.value,
            _ => {}
        }
    }
    assert_eq!(world.starts(), runs);
    let skipped: u64 = world.skipped().await.iter().map(|skipped| skipped.3).sum();
    assert_eq!(skipped, not_run);
    assert!(not_run > 3);
}
