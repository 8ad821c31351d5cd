//! A store whose answers are lost in transit: every fire time is run once, or the reason why not is recorded.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use scheduler_core::prelude::*;
use scheduler_core::store::Call;
use scheduler_core::testing::VirtualClock;
use scheduler_core::{EventKind, MemoryStore, RunFilter, RunKind, RunState, SkippedFilter};
use scheduler_store_tests::{Fault, Faults, faulty};

use crate::leased::Leased;
use crate::support::{EPOCH, World, epoch, minutes, seconds, work};

/// Returns a scheduler over a memory store that fails as the handle specifies.
async fn world() -> (World, Faults) {
    let store = faulty(MemoryStore::new());
    let faults = store.by().clone();
    (World::with(|builder| builder.store(store)).await, faults)
}

/// Asserts that each fire time until now was either run once or skipped once with a reason. Returns how many were
/// run.
async fn each_once(world: &World, id: &str, every: TimeDelta) -> usize {
    let mut seen: BTreeMap<DateTime<Utc>, u32> = BTreeMap::new();
    let filter = RunFilter::new().job(id).limit(100_000);
    let runs = world.scheduler.list_runs(&filter).await.unwrap().items;
    let scheduled = runs.iter().filter(|run| run.kind == RunKind::Scheduled);
    let times: Vec<_> = scheduled.map(|run| run.scheduled_for).collect();
    for at in &times {
        *seen.entry(*at).or_default() += 1;
    }
    for skipped in world
        .scheduler
        .list_skipped(&SkippedFilter::new().job(id).limit(100_000))
        .await
        .unwrap()
        .items
    {
        let mut at = skipped.first;
        let mut count = 0;
        while at <= skipped.last {
            *seen.entry(at).or_default() += 1;
            count += 1;
            at += every;
        }
        assert_eq!(count, skipped.count, "{skipped:?}");
    }
    let mut expected = epoch() + every;
    for (at, count) in seen {
        assert_eq!((at, count), (expected, 1), "of {id}");
        expected += every;
    }
    assert!(expected + every > world.now(), "{id} ends at {expected}");
    times.len()
}

/// Asserts that no run started twice, whatever was lost.
fn no_start_twice(world: &World) {
    let mut starts = world.starts();
    let count = starts.len();
    starts.sort();
    starts.dedup();
    assert_eq!(starts.len(), count, "a fire time was started twice");
}

#[tokio::test(start_paused = true)]
async fn a_claim_whose_answer_is_lost_is_released_and_started_once() {
    let (world, faults) = world().await;
    world.add(work::job(5).id("job").interval("1m")).await;
    for minute in 0..60 {
        if minute % 3 == 0 {
            faults.next(Call::Claim, Fault::After);
        }
        if minute % 4 == 0 {
            faults.next(Call::ListHeld, Fault::Before);
            faults.next(Call::Release, Fault::After);
        }
        world.advance(minutes(1)).await;
    }
    world.advance(seconds(30)).await;
    assert_eq!(each_once(&world, "job", minutes(1)).await, 60);
    assert_eq!(world.journal.count(), 60);
    no_start_twice(&world);
    for run in world.runs().await {
        assert_eq!(
            (run.state, run.attempt),
            (RunState::Succeeded, 1),
            "{run:?}"
        );
        // The driver retried after a tenth of a second.
        assert!(run.lateness.unwrap() < Duration::from_secs(2), "{run:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_end_whose_answer_is_lost_is_recorded_and_told_once() {
    let (mut world, faults) = world().await;
    world.add(work::job(5).id("job").interval("1m")).await;
    for minute in 0..30 {
        let fault = [Fault::After, Fault::Before][minute % 2];
        faults.next(Call::Finish, fault);
        faults.next(Call::Finish, Fault::After);
        world.advance(minutes(1)).await;
    }
    world.advance(seconds(30)).await;
    assert_eq!(each_once(&world, "job", minutes(1)).await, 30);
    assert_eq!(world.journal.count(), 30);
    let kinds = world.event_kinds();
    let count = |is: fn(&EventKind) -> bool| kinds.iter().filter(|kind| is(kind)).count();
    assert_eq!(
        count(|kind| matches!(kind, EventKind::Succeeded { .. })),
        30
    );
    assert_eq!(
        count(|kind| matches!(kind, EventKind::LateOutcome { .. })),
        0
    );
}

#[tokio::test(start_paused = true)]
async fn a_failed_attempt_whose_answer_is_lost_is_tried_again_once() {
    #[task]
    async fn fails_twice(ctx: JobContext) -> Result<(), String> {
        if ctx.attempt() > 2 {
            Ok(())
        } else {
            Err("not yet".into())
        }
    }

    let (world, faults) = world().await;
    world
        .add(fails_twice::job().id("job").interval("1h").retries(5))
        .await;
    for _ in 0..3 {
        faults.next(Call::Finish, Fault::After);
        faults.next(Call::Finish, Fault::Before);
    }
    world.advance(minutes(61)).await;
    let runs = world.runs().await;
    assert_eq!(runs.len(), 1);
    assert_eq!((runs[0].state, runs[0].attempt), (RunState::Succeeded, 3));
    assert_eq!(runs[0].earlier_attempts.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_manual_run_whose_answer_is_lost_runs_once() {
    let (world, faults) = world().await;
    world.add(work::job(5).id("job").interval("1d")).await;
    faults.next(Call::RunNow, Fault::After);
    assert!(world.scheduler.run_job_now("job").await.is_err());
    world.advance(seconds(30)).await;
    assert_eq!(world.journal.count(), 1, "the store has it, so it runs");
    let runs = world.runs().await;
    assert_eq!(
        (runs[0].kind, runs[0].state),
        (RunKind::Manual, RunState::Succeeded)
    );

    faults.next(Call::RunNow, Fault::Before);
    assert!(world.scheduler.run_job_now("job").await.is_err());
    world.advance(seconds(30)).await;
    assert_eq!(world.journal.count(), 1, "the store has not");
    assert!(world.scheduler.run_job_now("job").await.is_ok());
    world.advance(seconds(30)).await;
    assert_eq!(world.journal.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn manual_runs_are_not_taken_for_strays_while_their_answer_is_on_its_way() {
    let (world, faults) = world().await;
    world.add(work::job(50).id("job").interval("1h")).await;
    world.add(work::job(0).id("often").interval("1s")).await;
    // The answer takes long, and meanwhile the driver searches for strays after lost claims.
    faults.next(Call::RunNow, Fault::Slow(Duration::from_secs(20)));
    for _ in 0..10 {
        faults.next(Call::Claim, Fault::After);
    }
    let scheduler = world.scheduler.clone();
    let asked = tokio::spawn(async move { scheduler.run_job_now("job").await });
    world.advance(minutes(2)).await;
    asked.await.unwrap().unwrap();
    let filter = RunFilter::new().job("job");
    let runs = world.scheduler.list_runs(&filter).await.unwrap().items;
    assert_eq!(runs.len(), 1);
    assert_eq!((runs[0].state, runs[0].attempt), (RunState::Succeeded, 1));
    let starts = world.journal.starts();
    let of_job = starts.len() - usize::try_from(often_runs(&world).await).unwrap();
    assert_eq!(of_job, 1, "it was started once");
}

async fn often_runs(world: &World) -> u64 {
    let filter = RunFilter::new().job("often").limit(100_000);
    let runs = world.scheduler.list_runs(&filter).await.unwrap().items;
    runs.iter().filter(|run| run.attempt > 0).count() as u64
}

#[tokio::test(start_paused = true)]
async fn what_is_released_at_the_end_waits_for_the_next_start() {
    let store = MemoryStore::new();
    let faulty = faulty(store.clone());
    let faults = faulty.by().clone();
    let clock = VirtualClock::at(EPOCH).unwrap();
    let first = World::on(clock.clone(), store.clone(), |builder| {
        builder.store(faulty)
    })
    .await;
    first.add(work::job(5).id("job").interval("1m")).await;
    // The claim is carried out, but the held runs cannot be listed until the scheduler stops.
    first.advance(seconds(59)).await;
    faults.next(Call::Claim, Fault::After);
    faults.always(Call::ListHeld, Fault::Before);
    first.advance(seconds(2)).await;
    faults.lift();
    faults.next(Call::Release, Fault::After);
    first
        .scheduler
        .shutdown(Shutdown::wait_up_to(Duration::from_secs(10)))
        .await;
    assert_eq!(first.journal.count(), 0);

    let second = World::on(clock, store, |builder| builder).await;
    second.advance(seconds(90)).await;
    assert_eq!(each_once(&second, "job", minutes(1)).await, 2);
    assert_eq!(second.journal.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_loses_every_other_answer_loses_no_fire_time() {
    let (world, faults) = world().await;
    let every = [("often", 1), ("seldom", 7), ("long", 2)];
    for (id, length) in every {
        let job = work::job(if id == "long" { 150 } else { 1 }).id(id);
        let job = job.interval(&*format!("{length}m"));
        world.add(job.overlap("queue(2)")).await;
    }
    faults.each_call_twice();
    world.advance(TimeDelta::hours(6)).await;
    faults.lift();
    world.advance(minutes(10)).await;
    for (id, length) in every {
        let count = each_once(&world, id, minutes(length)).await;
        assert!(count > 20, "only {count} runs of {id}");
    }
    assert!(world.scheduler.health().is_ok());
    for call in [
        Call::Claim,
        Call::Finish,
        Call::ListHeld,
        Call::Release,
        Call::NextDue,
    ] {
        assert!(faults.count(call) > 20, "{call:?} was hardly tried");
    }
    let mut starts = world
        .scheduler
        .list_runs(&RunFilter::new().limit(100_000))
        .await
        .unwrap()
        .items;
    starts.retain(|run| run.attempt > 0);
    assert_eq!(
        world.journal.count(),
        starts.len(),
        "each run was started once"
    );
    assert!(starts.iter().all(|run| run.attempt == 1));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_holds_nothing_up_once_it_fails() {
    let (world, faults) = world().await;
    world.add(work::job(5).id("job").interval("1m")).await;
    for fault in [Fault::HangBefore, Fault::HangAfter] {
        world.advance(seconds(50)).await;
        faults.next(Call::Claim, fault);
        world.advance(minutes(3)).await;
        faults.lift();
        world.advance(seconds(130)).await;
    }
    assert!(each_once(&world, "job", minutes(1)).await > 5);
    no_start_twice(&world);
}

#[tokio::test(start_paused = true)]
async fn a_scheduler_stops_in_time_while_an_end_is_not_answered() {
    let (world, faults) = world().await;
    world.add(work::job(5).id("job").interval("1m")).await;
    world.advance(seconds(62)).await;
    faults.always(Call::Finish, Fault::HangAfter);
    let shutdown = world
        .scheduler
        .shutdown(Shutdown::wait_up_to(Duration::from_secs(30)));
    let report = tokio::time::timeout(Duration::from_secs(120), shutdown).await;
    assert!(
        report.is_ok(),
        "the shutdown is still waiting for the store"
    );
}

#[tokio::test(start_paused = true)]
async fn a_store_that_cannot_be_joined_is_an_error_at_the_start() {
    let store = faulty(Leased::new().store());
    store.by().clone().always(Call::Join, Fault::Before);
    let builder = Scheduler::builder().without_static_jobs().store(store);
    let error = builder.start().await.unwrap_err().to_string();
    assert!(error.starts_with("store `default`: Join"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_scheduler_stops_in_time_while_its_store_does_not_answer() {
    let (world, faults) = world().await;
    world.add(work::job(5).id("job").interval("1m")).await;
    world.advance(seconds(50)).await;
    faults.all(Fault::HangBefore);
    world.advance(minutes(1)).await;
    let shutdown = world
        .scheduler
        .shutdown(Shutdown::wait_up_to(Duration::from_secs(30)));
    let report = tokio::time::timeout(Duration::from_secs(120), shutdown).await;
    assert!(
        report.is_ok(),
        "the shutdown is still waiting for the store"
    );
}

#[tokio::test(start_paused = true)]
async fn a_start_does_not_hang_while_the_store_does_not_say_its_time() {
    let store = faulty(MemoryStore::new());
    store
        .by()
        .clone()
        .always(Call::StoreTime, Fault::HangBefore);
    // The machine's clock: a virtual clock is also the store's, so the store is not asked for its time.
    let builder = Scheduler::builder().without_static_jobs().store(store);
    let started = tokio::time::timeout(Duration::from_secs(60), builder.start()).await;
    let error = started.unwrap().unwrap_err().to_string();
    assert!(error.contains("no answer"), "{error}");
}
