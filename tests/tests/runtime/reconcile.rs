//! Reconciling the code with what is stored.

use chrono::TimeDelta;
use scheduler_core::prelude::*;
use scheduler_core::{JobOverride, JobPatch, MemoryStore, Overrides, PolicyPatch, SkipReason};

use crate::support::{World, clock_text, minutes, skip_record, work};

#[scheduled_job(cron = "*/10 * * * *", id = "written")]
async fn written() {}

#[scheduled_job(interval = "1h", id = "anchored")]
async fn anchored() {}

fn override_trigger(id: &str, trigger: &str) -> Overrides {
    Overrides::new().job(id, JobOverride::new().trigger(trigger.parse().unwrap()))
}

/// Restarts over the same store like a new version of the program, with a changed trigger.
async fn deploy(before: &World, store: &MemoryStore, overrides: Overrides) -> World {
    before.scheduler.shutdown(Shutdown::wait()).await;
    World::on(before.clock.clone(), store.clone(), |builder| {
        builder.only(["written", "anchored"]).overrides(overrides)
    })
    .await
}

async fn first(store: &MemoryStore) -> World {
    World::with(|builder| builder.store(store.clone()).only(["written", "anchored"])).await
}

#[tokio::test(start_paused = true)]
async fn what_was_missed_while_down_is_dealt_with_by_policy() {
    let store = MemoryStore::new();
    let world = first(&store).await;
    world.advance(minutes(5)).await;
    world.scheduler.shutdown(Shutdown::wait()).await;
    world.advance(minutes(30)).await;
    let world = deploy(&world, &store, Overrides::new()).await;
    world.clock.settle().await;
    assert_eq!(
        world.skipped().await,
        [skip_record(SkipReason::Coalesced, "00:10", "00:20", 2)]
    );
    assert_eq!(clock_text(world.runs().await[0].scheduled_for), "00:30");
}

#[tokio::test(start_paused = true)]
async fn a_changed_trigger_counts_from_now_and_supersedes_what_was_pending() {
    let store = MemoryStore::new();
    let world = first(&store).await;
    world.advance(minutes(5)).await;
    world.scheduler.shutdown(Shutdown::wait()).await;
    world.advance(minutes(30)).await;
    let world = deploy(
        &world,
        &store,
        override_trigger("written", "cron 0 * * * *"),
    )
    .await;
    assert_eq!(
        world.skipped().await,
        [skip_record(SkipReason::Superseded, "00:10", "00:30", 3)]
    );
    let job = world.scheduler.get_job("written").await.unwrap().unwrap();
    assert_eq!(clock_text(job.next_run_time().unwrap()), "01:00");
}

#[tokio::test(start_paused = true)]
async fn a_changed_interval_keeps_its_anchor() {
    let store = MemoryStore::new();
    let world = first(&store).await;
    world.advance(minutes(95)).await;
    // Anchored at 01:00, an hour after the first start.
    let world = deploy(&world, &store, override_trigger("anchored", "every 2h")).await;
    let job = world.scheduler.get_job("anchored").await.unwrap().unwrap();
    assert_eq!(clock_text(job.next_run_time().unwrap()), "03:00");
}

#[tokio::test(start_paused = true)]
async fn an_edit_at_run_time_stays_until_the_code_changes() {
    let store = MemoryStore::new();
    let world = first(&store).await;
    let edited = world
        .scheduler
        .reschedule_job("written", "cron 30 * * * *".parse().unwrap())
        .await
        .unwrap();
    assert!(edited.edited);
    let world = deploy(&world, &store, Overrides::new()).await;
    let job = world.scheduler.get_job("written").await.unwrap().unwrap();
    assert_eq!(job.trigger.to_string(), "cron 30 * * * * timezone=UTC");
    assert!(job.edited);
    let world = deploy(
        &world,
        &store,
        override_trigger("written", "cron 15 * * * *"),
    )
    .await;
    let job = world.scheduler.get_job("written").await.unwrap().unwrap();
    assert_eq!(job.trigger.to_string(), "cron 15 * * * * timezone=UTC");
    assert!(!job.edited);
}

#[tokio::test(start_paused = true)]
async fn edited_policies_outlive_a_changed_trigger_and_the_starts_after_it() {
    let store = MemoryStore::new();
    let world = first(&store).await;
    let patch = JobPatch::new().policies(PolicyPatch::new().retries(5));
    world.scheduler.modify_job("written", patch).await.unwrap();
    let changed = || override_trigger("written", "cron 15 * * * *");
    let mut world = world;
    for _ in 0..3 {
        world = deploy(&world, &store, changed()).await;
        let job = world.scheduler.get_job("written").await.unwrap().unwrap();
        assert_eq!(job.trigger.to_string(), "cron 15 * * * * timezone=UTC");
        assert_eq!((job.policies.retries, job.edited), (5, true));
    }
    // The policies in the code change, so they apply again.
    let policies = PolicyPatch::new().max_instances(2);
    let change = JobOverride::new().policies(policies);
    let change = change.trigger("cron 15 * * * *".parse().unwrap());
    let world = deploy(&world, &store, Overrides::new().job("written", change)).await;
    let job = world.scheduler.get_job("written").await.unwrap().unwrap();
    assert_eq!((job.policies.retries, job.edited), (0, false));
}

#[tokio::test(start_paused = true)]
async fn changed_policies_keep_the_next_fire_time_and_a_pause_stays() {
    let store = MemoryStore::new();
    let world = first(&store).await;
    world.scheduler.pause_job("written").await.unwrap();
    world.advance(minutes(3)).await;
    let policies = PolicyPatch::new().max_instances(3);
    let overrides = Overrides::new().job("written", JobOverride::new().policies(policies));
    let world = deploy(&world, &store, overrides).await;
    let job = world.scheduler.get_job("written").await.unwrap().unwrap();
    assert_eq!(job.policies.max_instances, 3);
    assert!(job.paused.is_some());
    assert!(world.skipped().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_job_of_code_that_is_gone_stays_unclaimed_until_it_is_removed_or_comes_back() {
    let store = MemoryStore::new();
    let world = first(&store).await;
    world.scheduler.shutdown(Shutdown::wait()).await;
    let without = World::on(world.clock.clone(), store.clone(), |builder| {
        builder.only(["anchored"])
    })
    .await;
    without.advance(minutes(55)).await;
    assert!(without.runs().await.is_empty());
    assert!(
        without
            .scheduler
            .get_job("written")
            .await
            .unwrap()
            .is_some()
    );
    // The job is in the program, only not scheduled: not an orphan.
    assert!(without.scheduler.remove_orphans().await.unwrap().is_empty());
    let back = deploy(&without, &store, Overrides::new()).await;
    back.clock.settle().await;
    assert_eq!(clock_text(back.runs().await[0].scheduled_for), "00:50");
}

#[tokio::test(start_paused = true)]
async fn a_dynamic_job_under_the_id_of_a_static_one_is_an_error_both_ways() {
    let store = MemoryStore::new();
    let world = first(&store).await;
    let job = work::job(0)
        .id("written")
        .interval("1m")
        .replace_existing(true);
    let error = world.scheduler.add_job(job).await.unwrap_err().to_string();
    assert!(
        error.contains("job `written` is written in the code at "),
        "{error}"
    );
    let error = world
        .scheduler
        .remove_job("written")
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("pause it instead"), "{error}");

    let other = MemoryStore::new();
    let world = World::with(|builder| builder.store(other.clone())).await;
    world.add(work::job(0).id("written").interval("1m")).await;
    world.scheduler.shutdown(Shutdown::wait()).await;
    let start = Scheduler::builder()
        .store(other)
        .only(["written"])
        .clock(world.clock.clone())
        .start()
        .await;
    let error = start.unwrap_err().to_string();
    assert!(
        error.contains("the id `written` belongs to a job that was added at run time"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_next_day_is_planned_in_the_default_time_zone() {
    let world = World::with(|builder| builder.timezone(Tz::Asia__Tokyo)).await;
    world.add(work::job(0).id("job").cron("0 6 * * *")).await;
    world.advance(TimeDelta::days(1)).await;
    assert_eq!(world.starts(), ["21:00"]);
}

#[scheduled_job(interval = "1h", id = "waits", paused = "not approved yet")]
async fn waits() {}

#[tokio::test(start_paused = true)]
async fn a_job_is_added_paused_once_and_what_operators_do_stays() {
    let store = MemoryStore::new();
    let start = |clock, overrides| {
        World::on(clock, store.clone(), |builder| {
            builder.only(["waits"]).overrides(overrides)
        })
    };
    let world = World::with(|builder| builder.store(store.clone()).only(["waits"])).await;
    world.advance(minutes(90)).await;
    let job = world.scheduler.get_job("waits").await.unwrap().unwrap();
    assert_eq!(job.paused.as_deref(), Some("not approved yet"));
    assert_eq!(job.next_run_time(), None);
    assert!(world.runs().await.is_empty());
    world.scheduler.resume_job("waits").await.unwrap();
    for overrides in [Overrides::new(), override_trigger("waits", "every 2h")] {
        world.scheduler.shutdown(Shutdown::wait()).await;
        let world = start(world.clock.clone(), overrides).await;
        let job = world.scheduler.get_job("waits").await.unwrap().unwrap();
        assert_eq!(job.paused, None);
        world.scheduler.shutdown(Shutdown::wait()).await;
    }
}
