//! A store that is down for a while: what health reports, when the store is retried, and how calls of handles fail.

use std::time::Duration;

use scheduler_core::prelude::*;
use scheduler_core::store::Call;
use scheduler_core::{Error, EventKind, MemoryStore, RunFilter, RunId, SkippedFilter};
use scheduler_store_tests::{Fault, Faults, faulty};

use crate::leased::Leased;
use crate::support::{EPOCH, World, epoch, minutes, seconds, work};

async fn world() -> (World, Faults) {
    let store = faulty(MemoryStore::new());
    let faults = store.by().clone();
    (World::with(|builder| builder.store(store)).await, faults)
}

fn count(kinds: &[EventKind], is_it: fn(&EventKind) -> bool) -> usize {
    kinds.iter().filter(|kind| is_it(kind)).count()
}

#[tokio::test(start_paused = true)]
async fn health_is_red_from_the_first_failure_until_the_store_has_answered() {
    let store = faulty(Leased::new().store());
    let faults = store.by().clone();
    let mut world = World::with(|builder| builder.store(store)).await;
    world.add(work::job(0).id("job").interval("10s")).await;
    world.advance(seconds(11)).await;
    assert!(world.scheduler.health().is_ok());
    faults.all(Fault::Unreachable);
    // The next heartbeat is the first call to fail.
    world.advance(seconds(5)).await;
    // Five leases expire, one after the other.
    for second in 0..76 {
        let health = world.scheduler.health();
        assert!(!health.is_ok(), "after {second} s");
        let (since, _) = health.stores[0].error.clone().unwrap();
        assert_eq!(since, epoch() + seconds(15), "since when does not change");
        world.advance(seconds(1)).await;
    }
    let kinds = world.event_kinds();
    let recovered = |kind: &EventKind| matches!(kind, EventKind::StoreRecovered { .. });
    let failed = |kind: &EventKind| matches!(kind, EventKind::StoreFailed { .. });
    assert_eq!(count(&kinds, recovered), 0);
    let tries = count(&kinds, failed);
    assert!(
        (5..=14).contains(&tries),
        "the wait goes on doubling: {tries}"
    );

    faults.lift();
    world.advance(seconds(31)).await;
    assert!(world.scheduler.health().is_ok());
    assert_eq!(count(&world.event_kinds(), recovered), 1);
    let before = world.journal.count();
    world.advance(minutes(1)).await;
    assert_eq!(world.journal.count(), before + 6, "it goes on");
}

#[tokio::test(start_paused = true)]
async fn a_paused_scheduler_does_not_take_a_step_that_asks_nothing_for_a_success() {
    let (mut world, faults) = world().await;
    world.add(work::job(0).id("job").interval("10s")).await;
    faults.all(Fault::Before);
    world.advance(seconds(11)).await;
    assert!(world.scheduler.health().stores[0].error.is_some());
    world.scheduler.pause();
    world.advance(minutes(5)).await;
    assert!(world.scheduler.health().stores[0].error.is_some());
    let recovered = |kind: &EventKind| matches!(kind, EventKind::StoreRecovered { .. });
    assert_eq!(count(&world.event_kinds(), recovered), 0);
    faults.lift();
    world.advance(seconds(31)).await;
    assert!(world.scheduler.health().stores[0].error.is_none());
    assert_eq!(count(&world.event_kinds(), recovered), 1);
}

#[tokio::test(start_paused = true)]
async fn waking_the_driver_does_not_cut_its_wait_short_while_the_store_fails() {
    let (world, faults) = world().await;
    world.advance(seconds(1)).await;
    faults.always(Call::Claim, Fault::Before);
    let before = faults.count(Call::Claim);
    // Within 300 ms it tries at once, after 100 ms and after 300 ms.
    for _ in 0..30 {
        world.scheduler.pause();
        world.scheduler.resume();
        world.advance(chrono::TimeDelta::milliseconds(10)).await;
    }
    let tries = faults.count(Call::Claim) - before;
    assert!(tries <= 3, "{tries} tries");
    assert!(tries >= 2, "{tries} tries");
}

#[tokio::test(start_paused = true)]
async fn an_order_to_stop_cuts_the_wait_short_while_the_store_fails() {
    let (world, faults) = world().await;
    faults.always(Call::Claim, Fault::Before);
    world.advance(minutes(10)).await;
    let stopped = world.scheduler.shutdown(Shutdown::wait());
    let stopped = tokio::time::timeout(Duration::from_secs(1), stopped).await;
    assert!(stopped.is_ok(), "the driver waits half a minute at present");
}

/// Returns the result of each handle call that needs the store.
async fn calls(scheduler: &Scheduler) -> Vec<Option<Error>> {
    let other = work::job(0).id("other").interval("1h");
    vec![
        scheduler.get_job("job").await.err(),
        scheduler.get_jobs().await.err(),
        scheduler.list_runs(&RunFilter::new()).await.err(),
        scheduler.get_run(RunId::from_u128(1)).await.err(),
        scheduler
            .list_skipped(&SkippedFilter::new().limit(10))
            .await
            .err(),
        scheduler.list_nodes().await.err(),
        scheduler.add_job(other).await.err(),
        scheduler.pause_job("job").await.err(),
        scheduler.remove_job("job").await.err(),
        scheduler.run_job_now("job").await.err(),
        scheduler.cancel_run(RunId::from_u128(1)).await.err(),
        scheduler.upcoming(3).await.err(),
    ]
}

#[tokio::test(start_paused = true)]
async fn handles_are_refused_at_once_while_the_driver_cannot_reach_the_store() {
    let store = MemoryStore::new();
    let faulty = faulty(store.clone());
    let faults = faulty.by().clone();
    let world = World::with(|builder| builder.store(faulty)).await;
    world.add(work::job(0).id("job").interval("10s")).await;
    world.advance(seconds(1)).await;
    faults.all(Fault::Unreachable);
    world.advance(minutes(5)).await;
    let asked = [
        Call::GetJob,
        Call::ListJobs,
        Call::ListRuns,
        Call::Insert,
        Call::RunNow,
    ];
    let before = asked.map(|call| faults.count(call));
    for error in calls(&world.scheduler).await {
        match error {
            Some(Error::StoreUnreachable {
                store,
                since,
                problem,
            }) => {
                assert_eq!((&*store, since), ("default", epoch() + seconds(10)));
                assert!(problem.contains("not connected"), "{problem}");
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(
        asked.map(|call| faults.count(call)),
        before,
        "nothing was asked"
    );

    // A refused call makes the driver retry within two seconds, although it would have waited for half a minute.
    faults.lift();
    world.advance(seconds(2)).await;
    assert!(world.scheduler.health().is_ok());
    assert!(world.scheduler.get_job("job").await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_otherwise_is_asked_by_handles_all_the_same() {
    let (world, faults) = world().await;
    world.add(work::job(0).id("job").interval("10s")).await;
    faults.always(Call::Claim, Fault::Before);
    world.advance(minutes(5)).await;
    assert!(!world.scheduler.health().is_ok());
    assert!(world.scheduler.get_job("job").await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_client_has_no_driver_and_goes_on_asking() {
    let store = faulty(MemoryStore::new());
    let faults = store.by().clone();
    let clock = scheduler_core::testing::VirtualClock::at(EPOCH).unwrap();
    let client = World::on(clock, MemoryStore::new(), |builder| {
        builder.store(store).client()
    })
    .await;
    faults.all(Fault::Unreachable);
    for asked in 1..=3 {
        let error = client.scheduler.get_job("job").await.unwrap_err();
        assert!(matches!(error, Error::Store { .. }), "{error:?}");
        assert_eq!(faults.count(Call::GetJob), asked);
    }
    faults.lift();
    assert!(client.scheduler.get_job("job").await.unwrap().is_none());
}
