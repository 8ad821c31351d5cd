//! Several processes over one store.

use std::collections::HashSet;

use scheduler_core::{EventKind, RunState};

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
    for place in Place::each() {
        let mut dead = Node::with(place.store().await, |builder| {
            builder.node_name("dead").without_static_jobs()
        })
        .await;
        let successor = Node::start(place.store().await).await;
        dead.add(later(go_on::job()).id("job")).await;
        let run = dead.scheduler.run_job_now("job").await.unwrap();
        dead.ran("job", 1).await;
        until("its run is taken over", async || {
            // Each heartbeat renews the lease until then.
            place
                .run("UPDATE scheduler_nodes SET lease_until = 1 WHERE name = 'dead'")
                .await;
            successor.log.count("job") == 1
        })
        .await;
        // The node that was taken for dead stops its own attempt, and records nothing of it.
        dead.event("it notices", |kind| {
            matches!(kind, EventKind::LeaseLost { .. })
        })
        .await;
        let runs = successor.runs("job").await;
        assert_eq!(runs.len(), 1, "{run:?}");
        assert_eq!((runs[0].state, runs[0].attempt), (RunState::Running, 2));
        dead.stop().await;
        assert_eq!(successor.runs("job").await[0].state, RunState::Running);
        successor.scheduler.cancel_run(runs[0].id).await.unwrap();
        until("the successor's outcome counts", async || {
            successor.runs("job").await[0].state == RunState::Cancelled
        })
        .await;
        successor.stop().await;
    }
}
