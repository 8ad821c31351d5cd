//! Clocks that are set forward and back, and machines that sleep.

use chrono::TimeDelta;
use scheduler_core::prelude::*;
use scheduler_core::testing::{SimulatedKind, simulate};
use scheduler_core::{Coalesce, DropReason, EventKind};

use crate::support::{World, clock_text, dropped, epoch, minutes, seconds, work};

#[tokio::test(start_paused = true)]
async fn a_jump_forward_is_noticed_within_half_a_minute_and_coalesced() {
    let mut world = World::new().await;
    world.add(work::job(0).id("job").cron("0 * * * *")).await;
    world.advance(seconds(1)).await;
    world.clock.jump(TimeDelta::hours(5));
    world.advance(seconds(30)).await;
    assert_eq!(world.starts(), ["00:00", "05:00"]);
    assert_eq!(
        world.drops().await,
        [dropped(DropReason::Coalesced, "01:00", "04:00", 4)]
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
    let drops = world.drops().await;
    let cron = drops.iter().find(|drop| drop.3 == 1_000).unwrap();
    assert_eq!(cron.0, DropReason::Coalesced);
    // Intervals are counted exactly.
    assert!(drops.iter().any(|drop| drop.3 > 315_000_000), "{drops:?}");
    assert!(
        world.scheduler.dropped(Some("cron"), 1).await.unwrap()[0]
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
            .any(|kind| matches!(kind, EventKind::MarkReset(_)))
    );
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
        world.drops().await,
        [dropped(DropReason::Missed, "00:10", "00:30", 3)]
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
    // On 8 March 02:30 does not exist in New York: the run is at 03:00 EDT, 07:00 UTC.
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
            SimulatedKind::Dropped(times) => not_run += times.count.value,
            _ => {}
        }
    }
    assert_eq!(world.starts(), runs);
    let drops: u64 = world.drops().await.iter().map(|drop| drop.3).sum();
    assert_eq!(drops, not_run);
    assert!(not_run > 3);
}
