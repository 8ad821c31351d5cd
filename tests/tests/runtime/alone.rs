//! A node that cannot renew its lease while there is no other node: its bodies keep running, and nothing new starts.

use chrono::TimeDelta;
use scheduler_core::store::{Call, NewNode, Store};
use scheduler_core::{EventKind, NextEvent, NodeId, RunState};
use scheduler_store_tests::{Fault, Faults, faulty};

use crate::leased::{LEASE, Leased};
use crate::support::{World, epoch, minutes, seconds, work};

async fn world() -> (World, Faults, Leased) {
    let leased = Leased::with_one_writer();
    let store = faulty(leased.store());
    let faults = store.by().clone();
    let world = World::with(|builder| builder.store(store)).await;
    (world, faults, leased)
}

/// Acts like another program with a long write transaction: writes fail, reads succeed.
fn lock(faults: &Faults) {
    for call in [
        Call::Heartbeat,
        Call::Claim,
        Call::Finish,
        Call::Release,
        Call::RunNow,
        Call::Insert,
        Call::TakeOver,
        Call::Prune,
        Call::Repair,
        Call::Join,
    ] {
        faults.always(call, Fault::Before);
    }
}

async fn own_node(leased: &Leased) -> NodeId {
    leased
        .store()
        .cluster()
        .unwrap()
        .list_nodes()
        .await
        .unwrap()[0]
        .id
}

async fn join(leased: &Leased) {
    let node = NewNode {
        id: NodeId::new(77),
        name: "another".into(),
        version: "".into(),
    };
    leased.store().cluster().unwrap().join(&node).await.unwrap();
}

/// Returns when the lease was lost, and when runs were started or taken over.
fn times(world: &mut World) -> (Vec<TimeDelta>, Vec<TimeDelta>, Vec<TimeDelta>) {
    let (mut lost, mut started, mut taken) = (Vec::new(), Vec::new(), Vec::new());
    while let Some(NextEvent::Event(event)) = world.events.try_next() {
        let at = event.at - epoch();
        match event.kind {
            EventKind::LeaseLost { .. } => lost.push(at),
            EventKind::Started(_) => started.push(at),
            EventKind::TakenOver { .. } => taken.push(at),
            _ => {}
        }
    }
    (lost, started, taken)
}

#[tokio::test(start_paused = true)]
async fn what_runs_goes_on_while_heartbeats_are_refused_and_no_other_node_is_there() {
    let (mut world, faults, leased) = world().await;
    world
        .add(work::job(90).id("long").date(epoch() + seconds(5)))
        .await;
    world
        .add(work::job(30).id("ends").date(epoch() + seconds(5)))
        .await;
    world
        .add(work::job(0).id("due").date(epoch() + seconds(20)))
        .await;
    world.advance(seconds(6)).await;
    lock(&faults);
    world.advance(seconds(20)).await;
    leased.lapse(own_node(&leased).await);
    world.advance(seconds(34)).await;
    let (lost, started, _) = times(&mut world);
    assert_eq!(lost, [], "four leases have passed");
    assert_eq!(started.len(), 2, "nothing is started meanwhile");
    assert!(!world.scheduler.health().is_ok());

    faults.lift();
    world.advance(minutes(2)).await;
    let (lost, started, _) = times(&mut world);
    assert_eq!(lost, []);
    assert_eq!(started.len(), 1, "what had come due");
    let runs = world.runs().await;
    assert_eq!(runs.len(), 3);
    for run in runs {
        assert_eq!(
            (run.state, run.attempt),
            (RunState::Succeeded, 1),
            "{run:?}"
        );
    }
    assert!(world.scheduler.health().is_ok());
    assert_eq!(world.journal.count(), 3, "each body once");
}

#[tokio::test(start_paused = true)]
async fn look_that_fails_does_not_end_what_the_look_before_it_allows() {
    let (mut world, faults, _) = world().await;
    world
        .add(work::job(600).id("long").date(epoch() + seconds(2)))
        .await;
    world.advance(seconds(6)).await;
    lock(&faults);
    // Every other check fails; each one that succeeds counts as a heartbeat.
    for _ in 0..30 {
        faults.next(Call::IsOnlyNode, Fault::Before);
        world.advance(seconds(2)).await;
    }
    assert_eq!(times(&mut world).0, [], "four leases have passed");
    assert_eq!(world.journal.running(), 1);
    faults.always(Call::IsOnlyNode, Fault::Before);
    world.advance(seconds(5)).await;
    assert_eq!(times(&mut world).0.len(), 1, "no look has succeeded since");
}

#[tokio::test(start_paused = true)]
async fn another_node_that_joins_meanwhile_ends_that_before_it_may_take_over() {
    let (mut world, faults, leased) = world().await;
    world
        .add(work::job(600).id("long").date(epoch() + seconds(2)))
        .await;
    world.advance(seconds(6)).await;
    lock(&faults);
    world.advance(seconds(34)).await;
    assert_eq!(times(&mut world).0, []);
    join(&leased).await;
    let heartbeat = TimeDelta::from_std(LEASE.heartbeat_every).unwrap();
    world.advance(heartbeat).await;
    let (lost, ..) = times(&mut world);
    assert_eq!(lost.len(), 1);
    assert!(lost[0] <= seconds(40) + heartbeat, "{lost:?}");
    assert_eq!(world.journal.running(), 0, "its body was stopped");
}

#[tokio::test(start_paused = true)]
async fn with_another_node_the_lease_ends_when_it_ends() {
    let (mut world, faults, leased) = world().await;
    join(&leased).await;
    world
        .add(work::job(600).id("long").date(epoch() + seconds(2)))
        .await;
    // The last answered heartbeat is sent after five seconds.
    world.advance(seconds(6)).await;
    lock(&faults);
    world.advance(seconds(30)).await;
    assert_eq!(times(&mut world).0, [seconds(20)]);
}

#[tokio::test(start_paused = true)]
async fn a_process_that_stood_still_stops_what_it_ran() {
    let (mut world, faults, leased) = world().await;
    world
        .add(work::job(600).id("long").date(epoch() + seconds(2)))
        .await;
    world.advance(seconds(6)).await;
    lock(&faults);
    world.advance(seconds(34)).await;
    assert_eq!(times(&mut world).0, []);
    // No check was made while the process was stopped.
    world.clock.jump(seconds(10));
    faults.always(Call::IsOnlyNode, Fault::Before);
    leased.run_out(own_node(&leased).await);
    world.advance(seconds(5)).await;
    assert_eq!(times(&mut world).0.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_node_takes_nothing_over_within_a_heartbeat_of_joining() {
    let (first, faults, leased) = world().await;
    first
        .add(work::job(3_600).id("long").date(epoch() + seconds(2)))
        .await;
    first.advance(seconds(20)).await;
    faults.all(Fault::HangBefore);
    leased.run_out(own_node(&leased).await);
    let mut second = World::on(
        first.clock.clone(),
        scheduler_core::MemoryStore::new(),
        |builder| builder.store(leased.store()),
    )
    .await;
    second.advance(seconds(30)).await;
    let (_, _, taken) = times(&mut second);
    let heartbeat = TimeDelta::from_std(LEASE.heartbeat_every).unwrap();
    assert_eq!(taken, [seconds(20) + heartbeat]);
}
