//! What a node starts, keeps and abandons around the end of its lease, to the instant.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use scheduler_core::prelude::*;
use scheduler_core::store::Call;
use scheduler_core::{EventKind, MemoryStore, NextEvent, RunFilter, RunState};
use scheduler_store_tests::{Fault, Faults, faulty};

use crate::leased::{LEASE, Leased};
use crate::support::{World, epoch, minutes, seconds, work};

/// Returns a scheduler whose node joined at the first instant, and the faults that can make its heartbeats fail.
async fn world() -> (World, Faults, Leased) {
    let leased = Leased::new();
    let store = faulty(leased.store());
    let faults = store.by().clone();
    let world = World::with(|builder| builder.store(store)).await;
    (world, faults, leased)
}

/// Returns everything that was published so far, with its instants.
fn published(world: &mut World) -> Vec<(TimeDelta, EventKind)> {
    let mut events = Vec::new();
    while let Some(next) = world.events.try_next() {
        match next {
            NextEvent::Event(event) => events.push((event.at - epoch(), event.kind)),
            other => panic!("{other:?}"),
        }
    }
    events
}

fn starts(events: &[(TimeDelta, EventKind)]) -> Vec<(TimeDelta, String, u32)> {
    let starts = events.iter().filter_map(|(at, kind)| match kind {
        EventKind::Started(run) => Some((*at, run.job_id.to_string(), run.attempt)),
        _ => None,
    });
    starts.collect()
}

fn lease_lost(events: &[(TimeDelta, EventKind)]) -> Vec<TimeDelta> {
    let lost = events.iter().filter_map(|(at, kind)| match kind {
        EventKind::LeaseLost { .. } => Some(*at),
        _ => None,
    });
    lost.collect()
}

fn length() -> TimeDelta {
    TimeDelta::from_std(LEASE.length).unwrap()
}

fn at(second: i64) -> DateTime<Utc> {
    epoch() + seconds(second)
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_is_answered_when_the_lease_ends_starts_nothing() {
    let (mut world, faults, _) = world().await;
    world.add(work::job(60).id("job").date(at(5))).await;
    world.advance(seconds(1)).await;
    faults.always(Call::Heartbeat, Fault::Before);
    faults.next(Call::Claim, Fault::Slow(Duration::from_secs(10)));
    world.advance(seconds(15)).await;
    let events = published(&mut world);
    assert_eq!(lease_lost(&events), [length()]);
    assert_eq!(starts(&events), [], "others may run it by now");
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_is_due_when_the_lease_ends_is_not_started() {
    #[task]
    async fn fails_first() -> Result<(), String> {
        Err("not yet".into())
    }

    let (mut world, faults, _) = world().await;
    let job = fails_first::job().id("job").date(at(1)).retries(1);
    world.add(job.backoff("10s")).await;
    world.add(work::job(6).id("other").date(at(2))).await;
    world.advance(seconds(3)).await;
    faults.always(Call::Heartbeat, Fault::Before);
    // The end of `other` is recorded at 8 s; the answer arrives at 15 s, when the retry is overdue.
    faults.next(Call::Finish, Fault::Slow(Duration::from_secs(7)));
    world.advance(seconds(13)).await;
    let events = published(&mut world);
    assert_eq!(lease_lost(&events), [length()]);
    let second_attempts: Vec<_> = starts(&events)
        .into_iter()
        .filter(|(_, _, attempt)| *attempt > 1)
        .collect();
    assert_eq!(second_attempts, [], "others may run it by now");
}

#[tokio::test(start_paused = true)]
async fn a_lease_counts_from_when_its_heartbeat_was_sent() {
    let (mut world, faults, _) = world().await;
    world.advance(seconds(1)).await;
    // Sent at 5 s, answered at 11 s.
    faults.next(Call::Heartbeat, Fault::Slow(Duration::from_secs(6)));
    world.advance(seconds(5)).await;
    faults.always(Call::Heartbeat, Fault::Before);
    world.advance(minutes(1)).await;
    let events = published(&mut world);
    assert_eq!(lease_lost(&events)[0], seconds(5) + length());
}

#[tokio::test(start_paused = true)]
async fn a_manual_run_that_arrives_while_held_runs_are_listed_is_not_released() {
    let (mut world, faults, _) = world().await;
    world.add(work::job(30).id("manual").interval("1h")).await;
    world.add(work::job(0).id("due").date(at(10))).await;
    world.advance(TimeDelta::milliseconds(9_500)).await;
    // The run is stored at 9.5 s, and the handle gets the answer at 10.5 s.
    faults.next(Call::RunNow, Fault::Slow(Duration::from_secs(1)));
    let scheduler = world.scheduler.clone();
    let run = tokio::spawn(async move { scheduler.run_job_now("manual").await });
    // The driver lists the runs that it holds from 10.1 s to 11.1 s.
    faults.next(Call::Claim, Fault::After);
    faults.next(Call::ListHeld, Fault::Slow(Duration::from_secs(1)));
    world.advance(minutes(2)).await;
    run.await.unwrap().unwrap();
    let of_job: Vec<_> = starts(&published(&mut world))
        .into_iter()
        .filter(|(_, job, _)| job == "manual")
        .collect();
    assert_eq!(of_job.len(), 1, "{of_job:?}");
    let runs = world
        .scheduler
        .list_runs(&RunFilter::new().job("manual"))
        .await;
    let runs = runs.unwrap().items;
    assert_eq!((runs[0].state, runs[0].attempt), (RunState::Succeeded, 1));
    assert_eq!(faults.count(Call::Release), 1, "only what was claimed");
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_run_whose_lease_ran_out_is_published_as_late_and_not_recorded() {
    let (mut world, faults, _) = world().await;
    world.add(work::job(60).id("job").date(at(5))).await;
    world.advance(seconds(6)).await;
    faults.always(Call::Heartbeat, Fault::Before);
    world.advance(seconds(15)).await;
    let events = published(&mut world);
    // The last heartbeat was sent at 5 s.
    assert_eq!(lease_lost(&events), [seconds(5) + length()]);
    let late = events
        .iter()
        .filter(|(_, kind)| matches!(kind, EventKind::LateOutcome { .. }));
    assert_eq!(late.count(), 1);
    assert_eq!(
        faults.count(Call::Finish),
        0,
        "nobody asked the store to record it"
    );
}

#[tokio::test(start_paused = true)]
async fn runs_of_a_dead_node_are_taken_over_soon_after_the_store_failed_to() {
    let leased = Leased::new();
    let (dying, surviving) = (faulty(leased.store()), faulty(leased.store()));
    let (silence, faults) = (dying.by().clone(), surviving.by().clone());
    let first = World::with(|builder| builder.store(dying)).await;
    let clock = first.clock.clone();
    let mut second = World::on(clock, MemoryStore::new(), |builder| {
        builder.store(surviving)
    })
    .await;
    first.add(work::job(600).id("job").date(at(1))).await;
    second.advance(seconds(3)).await;
    let nodes = first.scheduler.list_nodes().await.unwrap();
    let holder = nodes.iter().find(|node| node.running == 1).unwrap().id;
    silence.all(Fault::HangBefore);
    faults.next(Call::TakeOver, Fault::Before);
    leased.run_out(holder);
    second.advance(minutes(3)).await;
    assert!(faults.count(Call::TakeOver) >= 2);
    let events = published(&mut second);
    let taken = events
        .iter()
        .find(|(_, kind)| matches!(kind, EventKind::TakenOver { .. }));
    assert!(taken.is_some(), "{events:?}");
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_forward_stops_no_run() {
    let (mut world, _, _) = world().await;
    let job = work::job(60).id("job").date(at(1)).at_most_once(true);
    world.add(job).await;
    world.advance(seconds(3)).await;
    world.clock.jump(TimeDelta::hours(1));
    world.advance(minutes(2)).await;
    let events = published(&mut world);
    assert_eq!(lease_lost(&events), []);
    let runs = world
        .scheduler
        .list_runs(&RunFilter::new())
        .await
        .unwrap()
        .items;
    assert_eq!((runs.len(), runs[0].state), (1, RunState::Succeeded));
}

#[tokio::test(start_paused = true)]
async fn a_clock_of_the_store_that_is_set_forward_stops_no_run() {
    let (mut world, _, leased) = world().await;
    let job = work::job(60).id("job").date(at(1)).at_most_once(true);
    world.add(job).await;
    world.add(work::job(0).id("next").date(at(6))).await;
    world.advance(TimeDelta::milliseconds(5_500)).await;
    // By the store's clock the lease is over, before the heartbeat at 10 s and the claim at 6 s.
    leased.lapse(world.scheduler.list_nodes().await.unwrap()[0].id);
    world.advance(minutes(2)).await;
    let events = published(&mut world);
    assert_eq!(lease_lost(&events), []);
    let started = starts(&events);
    assert_eq!(started.len(), 2, "{started:?}");
    assert!(started[1].0 < seconds(7), "{started:?}");
    let runs = world
        .scheduler
        .list_runs(&RunFilter::new())
        .await
        .unwrap()
        .items;
    let ends: Vec<_> = runs.iter().map(|run| (run.state, run.attempt)).collect();
    assert_eq!(ends, [(RunState::Succeeded, 1); 2]);
}

#[tokio::test(start_paused = true)]
async fn nothing_starts_between_a_jump_of_the_clock_and_its_confirmation() {
    let (mut world, faults, _) = world().await;
    world.advance(seconds(1)).await;
    faults.always(Call::Heartbeat, Fault::Slow(Duration::from_secs(3)));
    world.clock.jump(TimeDelta::hours(1));
    world.add(work::job(0).id("due").now()).await;
    world.add(work::job(0).id("manual").interval("24h")).await;
    world.scheduler.run_job_now("manual").await.unwrap();
    world.advance(minutes(1)).await;
    let starts = starts(&published(&mut world));
    let confirmed_at = TimeDelta::hours(1) + seconds(1 + 3);
    assert_eq!(starts.len(), 2, "{starts:?}");
    assert!(
        starts.iter().all(|(at, ..)| *at == confirmed_at),
        "{starts:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_is_answered_after_a_jump_of_the_clock_waits_for_the_confirmation() {
    let (mut world, faults, _) = world().await;
    world.add(work::job(0).id("job").date(at(2))).await;
    world.advance(seconds(1)).await;
    faults.next(Call::Claim, Fault::Slow(Duration::from_secs(2)));
    world.advance(seconds(2)).await;
    world.clock.jump(TimeDelta::hours(1));
    faults.always(Call::Heartbeat, Fault::Slow(Duration::from_secs(4)));
    world.advance(minutes(1)).await;
    // Claimed at 2 s, answered at 4 s, confirmed at 8 s.
    let starts = starts(&published(&mut world));
    let confirmed_at = TimeDelta::hours(1) + seconds(8);
    assert_eq!(starts, [(confirmed_at, "job".to_owned(), 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_paused_virtual_machine_stops_what_it_ran_once_its_clock_is_set() {
    let (mut world, _, leased) = world().await;
    world.add(work::job(600).id("job").date(at(1))).await;
    world.advance(seconds(3)).await;
    let node = world.scheduler.list_nodes().await.unwrap()[0].id;
    // While the node's own clocks were stopped, its lease ran out in the store.
    leased.run_out(node);
    world.clock.jump(TimeDelta::hours(1));
    world.scheduler.pause();
    world.scheduler.resume();
    world.advance(TimeDelta::zero()).await;
    let events = published(&mut world);
    let stopped_at = TimeDelta::hours(1) + seconds(3);
    assert_eq!(lease_lost(&events), [stopped_at], "without any delay");
}

#[tokio::test(start_paused = true)]
async fn a_suspended_machine_stops_what_it_ran() {
    let (mut world, _, _) = world().await;
    world.add(work::job(600).id("job").date(at(1))).await;
    world.advance(seconds(3)).await;
    world.clock.suspend(Duration::from_secs(3_600));
    world.scheduler.pause();
    world.scheduler.resume();
    world.advance(TimeDelta::zero()).await;
    assert_eq!(lease_lost(&published(&mut world)).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn runs_go_on_while_a_jump_of_the_clock_cannot_be_confirmed_and_end_with_the_lease() {
    let (mut world, faults, _) = world().await;
    world.add(work::job(600).id("job").date(at(1))).await;
    world.advance(seconds(3)).await;
    faults.always(Call::Heartbeat, Fault::Before);
    world.clock.jump(TimeDelta::hours(1));
    world.advance(minutes(1)).await;
    let events = published(&mut world);
    // The last heartbeat was sent at the first instant.
    let ran_out_at = TimeDelta::hours(1) + length();
    assert_eq!(lease_lost(&events).first(), Some(&ran_out_at));
}
