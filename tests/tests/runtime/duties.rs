//! Secondary duties that fail, hang or never end: every run still starts in time.

use std::sync::atomic::Ordering;
use std::time::Duration;

use scheduler_core::store::Call;
use scheduler_core::{Duty, EventKind, MemoryStore};
use scheduler_store_tests::{Fault, Faults, faulty};

use crate::failing_store::failing;
use crate::support::{World, minutes, seconds, work};

async fn world() -> (World, Faults) {
    let store = faulty(MemoryStore::new());
    let faults = store.by().clone();
    // From the first call on, as with a missing privilege.
    faults.always(Call::Prune, Fault::Before);
    faults.always(Call::Repair, Fault::Before);
    faults.always(Call::TakeOver, Fault::Before);
    (World::with(|builder| builder.store(store)).await, faults)
}

#[tokio::test(start_paused = true)]
async fn failing_duties_delay_no_run_and_are_tried_again_within_a_minute() {
    let (mut world, faults) = world().await;
    world.add(work::job(0).id("job").interval("10s")).await;
    world.advance(seconds(101)).await;
    let expected = (1..=10).map(|number| seconds(10 * number));
    let expected: Vec<String> = expected
        .map(|after| crate::support::clock_text(crate::support::epoch() + after))
        .collect();
    assert_eq!(world.starts(), expected);
    // Retention once a minute; repair after 1, 2, 4, 8, 16 and 32 s.
    assert_eq!(
        (faults.count(Call::Prune), faults.count(Call::Repair)),
        (2, 7)
    );

    let health = world.scheduler.health();
    assert!(health.is_ok(), "jobs run: {health:?}");
    let failing = &health.stores[0].failing_duties;
    let duties: Vec<Duty> = failing.iter().map(|failure| failure.duty).collect();
    assert_eq!(duties, [Duty::Repair, Duty::Retention]);
    assert_eq!(&*failing[1].error, "Prune: not connected");
    assert_eq!(failing[1].since, crate::support::epoch());
    let kinds = world.event_kinds();
    let failed = |duty: Duty| {
        let is_it = move |kind: &&EventKind| matches!(kind, EventKind::DutyFailed { duty: of, .. } if *of == duty);
        kinds.iter().filter(is_it).count()
    };
    assert_eq!((failed(Duty::Retention), failed(Duty::Repair)), (2, 7));
    let is_store = |kind: &EventKind| matches!(kind, EventKind::StoreFailed { .. });
    assert!(!kinds.iter().any(is_store), "{kinds:?}");

    faults.lift();
    world.advance(minutes(1)).await;
    assert!(world.scheduler.health().stores[0].failing_duties.is_empty());
    let kinds = world.event_kinds();
    let is_recovered = |kind: &&EventKind| matches!(kind, EventKind::DutyRecovered { .. });
    assert_eq!(kinds.iter().filter(is_recovered).count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_duty_that_is_not_answered_delays_no_run() {
    let store = faulty(MemoryStore::new());
    let faults = store.by().clone();
    faults.always(Call::Prune, Fault::HangBefore);
    let world = World::with(|builder| builder.store(store)).await;
    world.add(work::job(0).id("job").interval("10s")).await;
    world.advance(seconds(595)).await;
    assert_eq!(world.journal.count(), 59);
    // Abandoned after half a minute, and retried after a minute.
    assert_eq!(faults.count(Call::Prune), 7);
    assert_eq!(world.scheduler.health().stores[0].failing_duties.len(), 1);
    let report = world.scheduler.shutdown(scheduler_core::Shutdown::wait());
    let report = tokio::time::timeout(Duration::from_secs(1), report).await;
    assert!(report.is_ok(), "the end does not wait for it");
}

#[tokio::test(start_paused = true)]
async fn retention_that_always_has_more_to_prune_and_claims_go_on_side_by_side() {
    let store = failing();
    store.by().always_prunes.store(true, Ordering::SeqCst);
    let world = World::with(|builder| builder.store(store.clone())).await;
    world.add(work::job(0).id("job").interval("1s")).await;
    world.advance(minutes(1)).await;
    let late = world.starts().iter().filter(|at| at.len() > 8).count();
    assert_eq!((world.journal.count(), late), (60, 0));
    let prunes = store.by().prunes.load(Ordering::SeqCst);
    assert!(prunes > 500, "one after the other: {prunes}");
    store.by().always_prunes.store(false, Ordering::SeqCst);
    world.advance(minutes(10)).await;
    let more = store.by().prunes.load(Ordering::SeqCst) - prunes;
    assert!((9..=11).contains(&more), "once a minute: {more}");
}

#[tokio::test(start_paused = true)]
async fn marks_are_repaired_again_after_the_clock_was_set_back() {
    let store = faulty(MemoryStore::new());
    let faults = store.by().clone();
    let world = World::with(|builder| builder.store(store)).await;
    world.advance(minutes(5)).await;
    assert_eq!(faults.count(Call::Repair), 1, "at the start");
    world.clock.jump(-minutes(5));
    world.advance(seconds(31)).await;
    assert_eq!(faults.count(Call::Repair), 2);
}
