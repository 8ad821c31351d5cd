//! Sleeping nodes are woken by the actions of others, and keep working if nothing can wake them.

use std::time::Duration;

use scheduler_core::prelude::*;
use scheduler_core::store::{Cluster, Store};
use scheduler_core::{Clock, EventKind, NextEvent, RunNow, RunState, SystemClock};
use scheduler_sqlx::SqlStore;

use crate::broken_records::die_with_runs_of;
use crate::proxy::Proxy;
use crate::support::{Node, Place, go_on, later, plain, until};

/// Starts a node that sleeps as long as it may, and receives notifications.
async fn asleep(place: &Place) -> Node {
    let node = Node::start(place.store().await).await;
    node.add(later(plain()).id("tomorrow")).await;
    // It receives notifications: a job that another handle adds is found.
    let client = client(place).await;
    client.add(plain().id("first").now()).await;
    node.ran("first", 1).await;
    client.stop().await;
    node
}

/// Another process, which adds and controls jobs but runs none.
async fn client(place: &Place) -> Node {
    Node::with(place.store().await, |builder| {
        builder.client().without_static_jobs()
    })
    .await
}

#[tokio::test]
async fn a_job_that_a_client_adds_for_now_is_run_by_a_node_that_sleeps() {
    for place in Place::each() {
        let (node, client) = (asleep(&place).await, client(&place).await);
        for number in 0..5 {
            let id = format!("job-{number}");
            client.add(plain().id(&*id).now()).await;
            node.ran(&id, 1).await;
        }
        assert!(client.log.texts("job-0").is_empty());
        client.stop().await;
        node.stop().await;
    }
}

#[tokio::test]
async fn what_a_client_orders_is_carried_out_by_a_node_that_sleeps() {
    for place in Place::each() {
        let (node, client) = (asleep(&place).await, client(&place).await);
        let scheduler = &client.scheduler;
        // Requested manually.
        scheduler.run_job_now("tomorrow").await.unwrap();
        node.ran("tomorrow", 1).await;
        // Rescheduled.
        scheduler
            .reschedule_job("tomorrow", "every 100ms".parse().unwrap())
            .await
            .unwrap();
        node.ran("tomorrow", 4).await;
        // Paused and resumed.
        scheduler.pause_job("tomorrow").await.unwrap();
        until("nothing is open", async || {
            place
                .number("SELECT count(*) FROM scheduler_runs WHERE slot > 0")
                .await
                == 0
        })
        .await;
        let ran = node.log.count("tomorrow");
        scheduler.resume_job("tomorrow").await.unwrap();
        node.ran("tomorrow", ran + 2).await;
        client.stop().await;
        node.stop().await;
    }
}

#[tokio::test]
async fn a_run_is_stopped_by_another_process() {
    for place in Place::each() {
        let (node, client) = (asleep(&place).await, client(&place).await);
        client.add(go_on::job().id("long").now()).await;
        node.ran("long", 1).await;
        let run = client.runs("long").await[0].clone();
        assert_eq!(run.state, RunState::Running);
        client.scheduler.cancel_run(run.id).await.unwrap();
        until("it has stopped", async || {
            client.runs("long").await[0].state.is_final()
        })
        .await;
        let error = client.scheduler.cancel_run(run.id).await.unwrap_err();
        assert!(error.to_string().contains("it has ended"), "{error}");
        client.stop().await;
        node.stop().await;
    }
}

#[tokio::test]
async fn a_place_that_is_free_on_one_node_is_taken_by_what_waits_on_another() {
    for place in Place::each() {
        let (one, other) = (asleep(&place).await, Node::start(place.store().await).await);
        let job = later(go_on::job()).id("long").overlap("queue(1)");
        one.add(job).await;
        let RunNow::Started(first) = one.scheduler.run_job_now("long").await.unwrap() else {
            panic!("it has room");
        };
        one.ran("long", 1).await;
        let queued = other.scheduler.run_job_now("long").await.unwrap();
        assert!(matches!(queued, RunNow::Queued(_)), "{queued:?}");
        other.scheduler.cancel_run(first).await.unwrap();
        until("the other one runs", async || {
            one.log.count("long") + other.log.count("long") == 2
        })
        .await;
        one.stop().await;
        other.stop().await;
    }
}

#[tokio::test]
async fn a_node_whose_listening_connection_was_ended_finds_jobs_all_the_same() {
    let Some(place) = Place::postgres() else {
        return;
    };
    let (node, client) = (asleep(&place).await, client(&place).await);
    for round in 0..3 {
        let ended = place.end_listeners().await;
        let id = format!("round-{round}");
        client.add(plain().id(&*id).now()).await;
        node.ran(&id, 1).await;
        assert!(round > 0 || ended > 0, "there was one to be ended");
    }
    client.stop().await;
    node.stop().await;
}

#[tokio::test]
async fn what_changed_while_nobody_listened_is_found_when_the_listener_is_back() {
    let Some(place) = Place::postgres() else {
        return;
    };
    let proxy = Proxy::before(&place.url()).await;
    let store = SqlStore::builder()
        .listen_url(proxy.url())
        .lease(Duration::from_secs(120))
        .connect(&place.url())
        .await
        .unwrap();
    let node = Node::start(store.clone()).await;
    let is_asleep = async || store.poll_every() > Duration::from_secs(1);
    node.add(later(plain()).id("tomorrow")).await;
    for round in 1..=2 {
        until("it sleeps", is_asleep).await;
        proxy.hold_new_ones();
        place.end_listeners().await;
        until("it looks by itself", async || !is_asleep().await).await;
        // The node has polled all due jobs, and polls again only after ten seconds.
        tokio::time::sleep(Duration::from_secs(3)).await;
        // Due earlier than everything that the node has polled, without a notification.
        place
            .run(&format!(
                "UPDATE scheduler_jobs SET next_nominal = {round}, next_at = {round}, due_at = {round}, watermark = 0"
            ))
            .await;
        proxy.release();
        node.ran("tomorrow", round).await;
    }
    node.stop().await;
}

#[tokio::test]
async fn slot_that_a_take_over_frees_is_used_by_another_node_at_once() {
    let Some(place) = Place::postgres() else {
        return;
    };
    // Its heartbeats are too far apart to find the dead node in time.
    let store = || SqlStore::builder().lease(Duration::from_secs(120));
    let node = Node::start(store().connect(&place.url()).await.unwrap()).await;
    place.listeners(1).await;
    let job = later(plain())
        .id("once")
        .at_most_once(true)
        .overlap("queue(1)");
    node.add(job).await;
    die_with_runs_of(&place, &["once"]).await;
    let queued = node.scheduler.run_job_now("once").await.unwrap();
    assert!(matches!(queued, RunNow::Queued(_)), "{queued:?}");
    let other = store().connect(&place.url()).await.unwrap();
    let taken = other.take_over(SystemClock.now()).await.unwrap();
    assert_eq!(taken.lost.len(), 1, "{taken:?}");
    node.ran("once", 1).await;
    node.stop().await;
}

#[tokio::test]
async fn a_node_all_of_whose_connections_were_ended_goes_on() {
    let Some(place) = Place::postgres() else {
        return;
    };
    let node = asleep(&place).await;
    node.add(plain().id("often").interval("100ms")).await;
    for _ in 0..3 {
        place
            .number(
                "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity \
                 WHERE datname = current_database() AND pid <> pg_backend_pid()",
            )
            .await;
        node.ran("often", node.log.count("often") + 3).await;
    }
    until("all is well", async || node.scheduler.health().is_ok()).await;
    node.stop().await;
}

/// Makes a node's pool open as many connections as it may.
async fn open_connections(node: &Node) {
    let asking: Vec<_> = (0..40)
        .map(|_| {
            let scheduler = node.scheduler.clone();
            tokio::spawn(async move { scheduler.get_jobs().await })
        })
        .collect();
    for asked in asking {
        asked.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn connections_that_were_lost_while_nobody_used_them_do_not_fail_one_by_one() {
    let Some(place) = Place::postgres() else {
        return;
    };
    let mut node = asleep(&place).await;
    open_connections(&node).await;
    let others =
        "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let open = place.number(&format!("SELECT count(*) {others}")).await;
    assert!(open >= 6, "{open} connections");
    while node.events.try_next().is_some() {}
    place
        .number(&format!(
            "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) {others}"
        ))
        .await;
    node.add_at_last(plain().id("after").now()).await;
    node.ran("after", 1).await;
    until("all is well", async || node.scheduler.health().is_ok()).await;
    let mut failures = Vec::new();
    while let Some(next) = node.events.try_next() {
        if let NextEvent::Event(event) = next
            && let EventKind::StoreFailed { error, .. } = event.kind
        {
            failures.push(error);
        }
    }
    assert!(failures.len() <= 2, "{failures:#?}");
    node.stop().await;
}

/// Starts a node whose database is behind a proxy, with a short time limit for answers.
async fn behind(proxy: &Proxy, lease: Duration) -> Node {
    let store = SqlStore::builder()
        .answer_within(Duration::from_secs(4))
        .lease(lease)
        .from_pool(proxy.pool())
        .await
        .unwrap();
    Node::start(store).await
}

#[tokio::test]
async fn a_network_that_goes_silent_stops_no_driver() {
    let Some(place) = Place::postgres() else {
        return;
    };
    let proxy = Proxy::before(&place.url()).await;
    let mut node = behind(&proxy, Duration::from_secs(120)).await;
    node.add(plain().id("often").interval("100ms")).await;
    node.ran("often", 3).await;
    open_connections(&node).await;

    proxy.go_silent();
    node.event("the store failed", |kind| {
        matches!(kind, EventKind::StoreFailed { error, .. } if error.contains("did not answer within 4s"))
    })
    .await;
    // The node keeps retrying, and reports the failure.
    until("health shows it", async || !node.scheduler.health().is_ok()).await;
    let error = node.scheduler.get_jobs().await.unwrap_err();
    assert!(error.to_string().contains("did not answer"), "{error}");

    proxy.let_new_ones_through();
    node.event("the store works again", |kind| {
        matches!(kind, EventKind::StoreRecovered { .. })
    })
    .await;
    node.ran("often", node.log.count("often") + 3).await;
    assert!(node.scheduler.health().is_ok());
    let states: Vec<RunState> = node
        .runs("often")
        .await
        .iter()
        .map(|run| run.state)
        .collect();
    assert!(!states.contains(&RunState::Lost), "{states:?}");
    node.stop().await;
}

#[tokio::test]
async fn a_transaction_that_was_cut_off_in_the_middle_holds_its_jobs_for_a_moment_only() {
    let Some(place) = Place::postgres() else {
        return;
    };
    let proxy = Proxy::before(&place.url()).await;
    let node = behind(&proxy, Duration::from_secs(120)).await;
    let other = Node::start(place.store().await).await;
    other.scheduler.pause();
    node.add(plain().id("often").interval("100ms").max_instances(100))
        .await;
    node.ran("often", 2).await;
    // The server waits for the end of a transaction whose client is gone.
    proxy.go_silent_before("COMMIT\0");
    until("it is silent", async || proxy.is_silent()).await;
    other.scheduler.resume();
    other.ran("often", other.log.count("often") + 3).await;

    other.stop().await;
    node.scheduler.shutdown(Shutdown::abort()).await;
}

#[tokio::test]
async fn a_node_that_was_cut_off_for_longer_than_its_lease_comes_back_as_another_one() {
    let Some(place) = Place::postgres() else {
        return;
    };
    let proxy = Proxy::before(&place.url()).await;
    let mut node = behind(&proxy, Duration::from_secs(10)).await;
    node.add(later(go_on::job()).id("long")).await;
    node.scheduler.run_job_now("long").await.unwrap();
    node.ran("long", 1).await;
    let before = node.scheduler.health().stores[0]
        .lease
        .as_ref()
        .unwrap()
        .node;

    proxy.go_silent();
    node.event("the lease ran out", |kind| {
        matches!(kind, EventKind::LeaseLost { .. })
    })
    .await;
    until("the run was stopped", async || {
        node.scheduler.health().live_runs == 0
    })
    .await;
    proxy.let_new_ones_through();
    // Under its new identity, the node takes over its own old run.
    node.ran("long", 2).await;
    let run = node.runs("long").await[0].clone();
    assert_eq!((run.state, run.attempt), (RunState::Running, 2));
    let after = node.scheduler.health().stores[0]
        .lease
        .as_ref()
        .unwrap()
        .node;
    assert_ne!(before, after);
    node.stop().await;
}
