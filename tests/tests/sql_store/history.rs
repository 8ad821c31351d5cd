//! How long a running scheduler keeps its history.

use std::time::Duration;

use scheduler_core::RunState;
use scheduler_core::store::History;
use scheduler_sqlx::{SqlStore, SqlStoreBuilder};

use crate::support::{Node, Place, go_on, later, plain, until};

/// Leaves behind this many ended runs, and a job that has ended.
async fn leave_history(place: &Place, runs: usize) {
    let node = Node::start(place.store().await).await;
    node.add(plain().id("often").interval("20ms")).await;
    node.add(plain().id("once").now()).await;
    node.ran("often", runs).await;
    node.ran("once", 1).await;
    node.scheduler.remove_job("often").await.unwrap();
    until("nothing is open", async || open(place).await == 0).await;
    node.stop().await;
    assert!(kept(place).await > i64::try_from(runs).unwrap());
}

async fn open(place: &Place) -> i64 {
    place
        .number("SELECT count(*) FROM scheduler_runs WHERE slot > 0")
        .await
}

async fn kept(place: &Place) -> i64 {
    place.number("SELECT count(*) FROM scheduler_runs").await
}

async fn node(place: &Place, builder: SqlStoreBuilder) -> Node {
    Node::start(builder.connect(&place.url()).await.unwrap()).await
}

#[tokio::test]
async fn more_runs_than_are_kept_are_forgotten_the_oldest_first() {
    for place in Place::each() {
        leave_history(&place, 20).await;
        let newest = place
            .number("SELECT max(scheduled_for) FROM scheduler_runs")
            .await;
        let node = node(&place, SqlStore::builder().keep_runs(5)).await;
        until("the others are forgotten", async || kept(&place).await == 5).await;
        let still = place
            .number("SELECT max(scheduled_for) FROM scheduler_runs")
            .await;
        assert_eq!(newest, still);
        // Skipped records are counted separately; the job that has ended is less than thirty days old.
        assert!(place.number("SELECT count(*) FROM scheduler_skipped").await <= 5);
        assert_eq!(place.number("SELECT count(*) FROM scheduler_jobs").await, 1);
        node.stop().await;
    }
}

#[tokio::test]
async fn what_is_older_than_is_kept_is_forgotten_with_jobs_that_have_ended() {
    for place in Place::each() {
        leave_history(&place, 20).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        let node = node(
            &place,
            SqlStore::builder().keep_runs_for(Duration::from_millis(10)),
        )
        .await;
        until("all is forgotten", async || {
            kept(&place).await == 0
                && place.number("SELECT count(*) FROM scheduler_jobs").await == 0
        })
        .await;
        assert!(node.scheduler.health().is_ok());
        node.stop().await;
    }
}

#[tokio::test]
async fn what_still_runs_is_never_forgotten() {
    for place in Place::each() {
        let node = Node::start(place.store().await).await;
        node.add(later(go_on::job()).id("long")).await;
        node.scheduler.run_job_now("long").await.unwrap();
        node.ran("long", 1).await;
        leave_beside(&node).await;
        let other = self::node(
            &place,
            SqlStore::builder()
                .keep_runs(0)
                .keep_runs_for(Duration::ZERO),
        )
        .await;
        until("the others are forgotten", async || kept(&place).await == 1).await;
        let run = node.runs("long").await[0].clone();
        assert_eq!(run.state, RunState::Running);
        assert!(node.scheduler.get_job("long").await.unwrap().is_some());
        node.scheduler.cancel_run(run.id).await.unwrap();
        until("it is recorded", async || open(&place).await == 0).await;
        other.stop().await;
        node.stop().await;
    }
}

/// Adds ended runs of a job that still fires.
async fn leave_beside(node: &Node) {
    node.add(later(plain()).id("beside")).await;
    for round in 1..=5 {
        until("it has room", async || {
            node.runs("beside")
                .await
                .iter()
                .all(|run| run.state.is_final())
        })
        .await;
        node.scheduler.run_job_now("beside").await.unwrap();
        node.ran("beside", round).await;
    }
    until("all are recorded", async || {
        node.runs("beside")
            .await
            .iter()
            .all(|run| run.state.is_final())
    })
    .await;
}

#[tokio::test]
async fn all_is_kept_where_the_application_says_so() {
    for place in Place::each() {
        leave_history(&place, 20).await;
        let before = kept(&place).await;
        place.run("UPDATE scheduler_runs SET finished_at = 1").await;
        let node = node(&place, SqlStore::builder().keep_runs(1).keep_all_runs()).await;
        node.add(plain().id("more").now()).await;
        node.ran("more", 1).await;
        until("it is recorded", async || {
            node.runs("more").await[0].state.is_final()
        })
        .await;
        assert_eq!(kept(&place).await, before + 1);
        node.stop().await;
    }
}

/// More runs than are counted at a time, and more than one batch deletes.
#[tokio::test]
async fn a_long_history_is_cut_where_exactly_so_many_newer_runs_are_left() {
    for place in Place::each() {
        place.store().await;
        let columns = "INSERT INTO scheduler_runs (id, job_id, task, kind, scheduled_for, state, slot, attempt, failures, lost, cancel_requested)";
        // Ids begin with the time: one in the far future, so that no run is too old. Every hundredth is still queued.
        let rows = match &place {
            Place::Sqlite(_) => format!(
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 27000)
                 {columns} SELECT unhex(printf('7f%030x', i)), 'job', 'note', 1, i,
                     CASE WHEN i % 100 = 0 THEN 0 ELSE 2 END, i % 100 = 0, 1, 0, 0, 0 FROM n"
            ),
            Place::Postgres(_) => format!(
                "{columns} SELECT ('7f' || lpad(to_hex(i), 30, '0'))::uuid, 'job', 'note', 1, i,
                     CASE WHEN i % 100 = 0 THEN 0 ELSE 2 END, CASE WHEN i % 100 = 0 THEN 1 ELSE 0 END,
                     1, 0, 0, FALSE FROM generate_series(1, 27000) i"
            ),
        };
        place.run(&rows).await;
        let store = SqlStore::builder().keep_runs(20_000);
        let store = store.connect(&place.url()).await.unwrap();
        let mut calls = 0;
        while store.prune(chrono::Utc::now()).await.unwrap() {
            calls += 1;
        }
        assert!(calls >= 3, "{calls} calls read it all");
        let ended = "SELECT count(*) FROM scheduler_runs WHERE slot = 0";
        assert_eq!(place.number(ended).await, 20_000, "{place:?}");
        // Of 27,000 runs, 270 are queued; the oldest 6,730 ended ones are deleted.
        let oldest = "SELECT min(scheduled_for) FROM scheduler_runs WHERE slot = 0";
        assert_eq!(place.number(oldest).await, 6_798, "{place:?}");
        assert_eq!(kept(&place).await, 20_270, "{place:?}");
        assert!(!store.prune(chrono::Utc::now()).await.unwrap());
        assert_eq!(kept(&place).await, 20_270, "{place:?}");
    }
}
