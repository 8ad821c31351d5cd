//! Runs that wait for executor capacity, and the wake-ups that they need.

use std::sync::atomic::Ordering;

use scheduler_core::prelude::*;
use scheduler_core::{LocalExecutor, MemoryStore};

use crate::failing_store::failing;
use crate::support::{World, minutes, seconds, work};

#[tokio::test(start_paused = true)]
async fn room_made_by_the_runs_of_one_store_is_used_at_once_by_another() {
    let world = World::with(|builder| {
        builder
            .named_store("archive", MemoryStore::new())
            .executor("narrow", LocalExecutor::with_limit(1))
    })
    .await;
    let job = |id: &str| work::job(90).id(id).executor("narrow");
    world.add(job("first").date("2026-03-02T00:01:00Z")).await;
    let second = job("second").store("archive").date("2026-03-02T00:01:01Z");
    world.add(second).await;
    world.advance(minutes(10)).await;
    let runs = world.runs().await;
    let started = runs.iter().find(|run| run.job_id == "second").unwrap();
    assert_eq!(
        started.started_at.unwrap() - started.scheduled_for,
        seconds(89)
    );
}

#[tokio::test(start_paused = true)]
async fn a_small_batch_leaves_nothing_behind_that_has_room() {
    let world = World::with(|builder| {
        builder
            .claim_batch(3)
            .executor("a", LocalExecutor::with_limit(3))
            .executor("b", LocalExecutor::with_limit(3))
    })
    .await;
    for executor in ["a", "b"] {
        for index in 0..6 {
            let job = work::job(100).id(format!("{executor}-{index}"));
            let job = job.executor(executor).date("2026-03-02T00:01:00Z");
            world.add(job).await;
        }
    }
    world.advance(minutes(10)).await;
    for run in world.runs().await {
        let late = run.started_at.unwrap() - run.scheduled_for;
        assert!(
            late == seconds(0) || late == seconds(100),
            "{} started {late} late",
            run.job_id
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_that_is_due_and_finds_no_room_costs_no_wake_ups() {
    let store = failing();
    store.by().always_due.store(true, Ordering::SeqCst);
    let world = World::with(|builder| builder.store(store.clone())).await;
    world.advance(minutes(1)).await;
    let count = store.by().claims.load(Ordering::SeqCst);
    assert!((2..=70).contains(&count), "{count} claims in a minute");
}

#[tokio::test(start_paused = true)]
async fn what_one_scheduler_cannot_run_stays_due_for_another() {
    let store = MemoryStore::new();
    let first = World::with(|builder| builder.store(store.clone())).await;
    let second = World::on(first.clock.clone(), store, |builder| {
        builder.only(["for_the_second"])
    })
    .await;
    first.advance(minutes(3)).await;
    let runs = second.runs().await;
    let count = runs.iter().filter(|run| run.job_id == "for_the_second");
    assert!(count.count() >= 2);
}

#[scheduled_job(interval = "1m", id = "for_the_second")]
async fn for_the_second() {}

#[tokio::test(start_paused = true)]
async fn a_job_whose_executor_is_not_there_is_refused_by_name() {
    let store = MemoryStore::new();
    let before = World::with(|builder| {
        let builder = builder.store(store.clone());
        builder.executor("gone", LocalExecutor::with_limit(1))
    })
    .await;
    let job = work::job(0).id("job").interval("1m").executor("gone");
    before.add(job).await;
    before.scheduler.shutdown(Shutdown::wait()).await;
    let after = World::on(before.clock.clone(), store, |builder| builder).await;
    let refused = after.scheduler.run_job_now("job").await;
    let text = refused.unwrap_err().to_string();
    assert!(text.contains("no executor named `gone`"), "{text}");
    assert!(after.runs().await.is_empty());
}
