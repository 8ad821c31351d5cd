//! Several processes over one store.

use std::collections::HashSet;
use std::time::Duration;

use scheduler_core::{EventKind, RunState};
use scheduler_sqlx::SqlStore;

use crate::proxy::Proxy;
use crate::support::{Node, Place, go_on, later, plain, until};

/// apscheduler#256, apscheduler#465, apalis#281, river#742: processes that share a store each ran every
/// job, so that one fire time ran several times.
#[tokio::test]
async fn each_fire_time_runs_once_over_all_nodes() {
    for place in Place::each() {
        let mut nodes = Vec::new();
        for _ in 0..3 {
            nodes.push(Node::start(place.store().await).await);
        }
        let job = plain().id("job").interval("50ms").max_instances(10);
        nodes[0].add(job).await;
        let started = || {
            nodes
                .iter()
                .map(|node| node.log.count("job"))
                .sum::<usize>()
        };
        until("it has run often", async || started() >= 30).await;
        nodes[0].scheduler.remove_job("job").await.unwrap();
        until("all runs have ended", async || {
            let runs = nodes[0].runs("job").await;
            runs.iter().all(|run| run.state.is_final())
        })
        .await;
        let runs = nodes[0].runs("job").await;
        let fire_times: HashSet<_> = runs.iter().map(|run| run.scheduled_for).collect();
        assert_eq!(fire_times.len(), runs.len(), "one run for each fire time");
        assert_eq!(runs.len().min(100), started().min(100), "and one start");
        assert!(runs.iter().all(|run| run.attempt == 1));
        for node in nodes {
            node.stop().await;
        }
    }
}

/// instar#107, apalis#453, saq#127, graphile-worker#222: runs of a process that crashed or stood still for
/// long were stuck for ever. `PrintStash` PR 181: a completion was accepted after the lease had ended, and
/// overwrote that of the successor.
#[tokio::test]
async fn runs_of_a_dead_node_are_taken_over_and_its_late_outcome_is_refused() {
    let Some(place) = Place::postgres() else {
        return;
    };
    let builder = || SqlStore::builder().lease(Duration::from_secs(10));
    let proxy = Proxy::before(&place.url()).await;
    let store = builder().from_pool(proxy.pool()).await.unwrap();
    let mut dead = Node::start(store).await;
    let successor = Node::start(builder().connect(&place.url()).await.unwrap()).await;
    dead.add(later(go_on::job()).id("job")).await;
    dead.scheduler.run_job_now("job").await.unwrap();
    dead.ran("job", 1).await;
    // Nothing of the node gets through any more, as if its machine stood still.
    proxy.go_silent();
    successor.ran("job", 1).await;
    // It stops its own attempt, comes back, and records nothing of it.
    dead.event("it notices", |kind| {
        matches!(kind, EventKind::LeaseLost { .. })
    })
    .await;
    proxy.let_new_ones_through();
    until("it has joined again", async || {
        dead.scheduler.health().is_ok()
    })
    .await;
    let run = successor.runs("job").await.remove(0);
    assert_eq!(run.state, RunState::Running, "{run:?}");
    let first = &run.earlier_attempts[0];
    assert_eq!((first.attempt, first.state), (1, RunState::Lost), "{run:?}");
    successor.scheduler.cancel_run(run.id).await.unwrap();
    until("the successor's outcome counts", async || {
        successor.runs("job").await[0].state == RunState::Cancelled
    })
    .await;
    let run = successor.runs("job").await.remove(0);
    assert_eq!(run.earlier_attempts[0].state, RunState::Lost, "{run:?}");
    dead.stop().await;
    successor.stop().await;
}
