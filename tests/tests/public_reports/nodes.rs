//! Several processes over one store.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use chrono::{DateTime, Utc};
use scheduler_core::plan::Verdict;
use scheduler_core::store::{
    AttemptEnd, ClaimRequest, Claimable, Cluster, End, Finished, NewNode, Store,
};
use scheduler_core::{EventKind, NodeId, RunId, RunIds, RunState};
use scheduler_sqlx::SqlStore;

use crate::proxy::Proxy;
use crate::support::{Node, Place, go_on, later, plain, until};

/// apscheduler#256, apscheduler#465, apalis#281, river#742: processes that share a store each ran every job, so that
/// one fire time ran several times.
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

/// instar#107, apalis#453, saq#127, graphile-worker#222: runs of a process that had crashed or been frozen for long
/// were stuck forever.
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
    // The node's traffic no longer gets through, as if its machine were frozen.
    proxy.go_silent();
    successor.ran("job", 1).await;
    // The node stops its own attempt, comes back, and records nothing of that attempt.
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

/// Returns the successful end of a run's attempt, with this value.
fn end(run_id: RunId, attempt: u32, value: &str, at: DateTime<Utc>) -> Finished {
    let succeeded = RunState::Succeeded;
    let mut end = AttemptEnd::new(Verdict::Final(succeeded), succeeded, at, at);
    end.value = Some(value.into());
    Finished::new(run_id, attempt, End::Attempt(end))
}

/// `PrintStash` PR 181: a completion was accepted after the lease had ended, and a late one overwrote the
/// successor's.
#[tokio::test]
async fn completion_after_the_lease_or_under_a_successor_is_refused() {
    for place in Place::each() {
        let store = place.store().await;
        let client = Node::with(place.store().await, |builder| {
            builder.client().without_static_jobs()
        })
        .await;
        client.add(plain().id("job").now()).await;
        let (claimable, capacity) = (
            Claimable::new(HashSet::new(), HashSet::from(["note".into()])),
            HashMap::from([("default".into(), 10)]),
        );
        let ids = RunIds::new(1);
        let claim = async |node: NodeId| {
            let now = store.store_time().await.unwrap().unwrap();
            let request = ClaimRequest::new(node, now, &claimable, &capacity, &ids);
            store.claim(&request).await.unwrap().runs.remove(0)
        };
        let [slow, successor] = [1, 2].map(NodeId::new);
        for id in [slow, successor] {
            let node = NewNode {
                id,
                name: "node".into(),
                version: "".into(),
            };
            store.join(&node).await.unwrap();
        }
        let now = store.store_time().await.unwrap().unwrap();
        let first = claim(slow).await;
        let run_id = first.run_id;
        let state = async || client.runs("job").await.remove(0);

        // The lease has ended, but no node has noticed yet.
        let end_lease = "UPDATE scheduler_nodes SET lease_until = 1 WHERE id = 1";
        place.run(end_lease).await;
        let late = end(run_id, first.attempt, "\"late\"", now);
        let answer = store.finish(slow, vec![late.clone()]).await;
        assert!(answer.is_err_and(|error| error.is_fenced()));
        assert_eq!(state().await.state, RunState::Running);

        // A successor has taken the run over.
        store.take_over(now).await.unwrap();
        let second = claim(successor).await;
        assert_eq!((second.run_id, second.attempt), (run_id, first.attempt + 1));
        let answer = store.finish(slow, vec![late.clone()]).await;
        assert!(answer.is_err_and(|error| error.is_fenced()));
        assert_eq!(state().await.state, RunState::Running);

        // The successor has recorded its outcome, and the slow node comes back: under its old identity or as another
        // node.
        let good = end(run_id, second.attempt, "\"good\"", now);
        assert_eq!(store.finish(successor, vec![good]).await.unwrap(), [true]);
        let answer = store.finish(slow, vec![late.clone()]).await;
        assert!(answer.is_err_and(|error| error.is_fenced()));
        let again = NewNode {
            id: NodeId::new(3),
            name: "node".into(),
            version: "".into(),
        };
        store.join(&again).await.unwrap();
        assert_eq!(store.finish(again.id, vec![late]).await.unwrap(), [false]);
        let run = state().await;
        assert_eq!(
            (run.state, run.attempt),
            (RunState::Succeeded, second.attempt)
        );
        assert_eq!(run.value.as_deref(), Some("\"good\""));
        client.stop().await;
    }
}
