//! Wrong clocks: those of processes, that of the database, and what they have left behind.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use scheduler_core::{Clock, EventKind, NextEvent, RunState, SkippedFilter, SystemClock};
use scheduler_sqlx::SqlStore;

use crate::support::{Node, Place, later, plain, until, wait_at_gate};

/// The clock of a machine that is off by the given number of seconds.
#[derive(Debug)]
struct Off(i64);

impl Clock for Off {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + TimeDelta::seconds(self.0)
    }

    fn is_real(&self) -> bool {
        true
    }

    fn boot_time(&self) -> Option<Duration> {
        SystemClock.boot_time()
    }
}

async fn off(place: &Place, seconds: i64, is_client: bool) -> Node {
    Node::with(place.store().await, |builder| {
        let builder = builder.clock(Off(seconds)).without_static_jobs();
        if is_client { builder.client() } else { builder }
    })
    .await
}

/// Returns `true` if an instant is within the time of this test, which takes less than five minutes.
fn is_of_now(at: DateTime<Utc>) -> bool {
    (SystemClock.now() - at).abs() < TimeDelta::minutes(5)
}

#[tokio::test]
async fn a_job_that_a_client_with_a_wrong_clock_adds_fires_from_now_on() {
    for place in Place::each() {
        let node = Node::start(place.store().await).await;
        for (id, seconds) in [("ahead", 600), ("behind", -600)] {
            let client = off(&place, seconds, true).await;
            let job = plain().id(id).interval("100ms");
            let job = client.scheduler.add_job(job).await.unwrap();
            assert!(is_of_now(job.created_at), "{id}: {}", job.created_at);
            let job = client.scheduler.pause_job(id).await.unwrap();
            assert!(is_of_now(job.watermark), "{id}: {}", job.watermark);
            let job = client.scheduler.resume_job(id).await.unwrap();
            assert!(is_of_now(job.watermark), "{id}: {}", job.watermark);
            node.ran(id, 3).await;
            let skipped = client
                .scheduler
                .list_skipped(&SkippedFilter::new().job(id))
                .await
                .unwrap()
                .items;
            assert!(
                skipped
                    .iter()
                    .all(|skipped| is_of_now(skipped.first) && is_of_now(skipped.decided_at)),
                "{id}: {skipped:?}"
            );
            client.stop().await;
        }
        node.stop().await;
    }
}

#[tokio::test]
async fn history_is_in_the_time_of_the_database() {
    for place in Place::each() {
        for (id, seconds) in [("ahead", 600), ("behind", -600)] {
            let mut node = off(&place, seconds, false).await;
            node.add(plain().id(id).interval("100ms")).await;
            node.ran(id, 3).await;
            until("they are recorded", async || {
                node.runs(id)
                    .await
                    .iter()
                    .filter(|run| run.state.is_final())
                    .count()
                    >= 3
            })
            .await;
            for run in node.runs(id).await {
                let Some((started, finished)) = run.started_at.zip(run.finished_at) else {
                    continue;
                };
                assert!(
                    run.scheduled_for <= started && started <= finished,
                    "{id}: {run:?}"
                );
                assert!(is_of_now(started), "{id}: {run:?}");
                assert!(
                    run.lateness
                        .is_none_or(|late| late < Duration::from_secs(300)),
                    "{run:?}"
                );
            }
            while let Some(NextEvent::Event(event)) = node.events.try_next() {
                assert!(is_of_now(event.at), "{id}: {event:?}");
            }
            assert!(is_of_now(node.scheduler.store_now()));
            node.stop().await;
        }
    }
}

/// SQL for what a process left behind whose clock was ahead by this many seconds.
fn put_ahead(seconds: i64, which: &str) -> String {
    let by = seconds * 1_000_000;
    format!(
        "UPDATE scheduler_jobs SET watermark = watermark + {by}, next_nominal = next_nominal + {by}, \
         next_at = next_at + {by}, due_at = due_at + {by} WHERE {which}"
    )
}

#[tokio::test]
async fn a_watermark_ahead_of_the_clock_is_repaired_while_nodes_run() {
    for place in Place::each() {
        let mut node = Node::start(place.store().await).await;
        for seconds in [12, 3_000] {
            node.add(plain().id("job").interval("100ms").replace_existing(true))
                .await;
            node.ran("job", 2).await;
            place.run(&put_ahead(seconds, "id = 'job'")).await;
            node.event("it was repaired", |kind| {
                matches!(kind, EventKind::WatermarkReset(_))
            })
            .await;
            node.ran("job", node.log.count("job") + 3).await;
        }
        let warnings = node.scheduler.health().warnings;
        assert!(
            warnings
                .iter()
                .any(|warning| warning.text.contains("`job`")),
            "{warnings:?}"
        );
        // Each fire time has run exactly once.
        node.scheduler.pause_job("job").await.unwrap();
        let twice = "SELECT count(*) - count(DISTINCT scheduled_for) FROM scheduler_runs";
        assert_eq!(place.number(twice).await, 0);
        node.stop().await;
    }
}

#[tokio::test]
async fn a_lease_that_a_clock_far_ahead_has_given_is_cut_to_its_length() {
    for place in Place::each() {
        let node = Node::start(place.store().await).await;
        let ahead = (SystemClock.now() + TimeDelta::hours(1)).timestamp_micros();
        let insert = format!(
            "INSERT INTO scheduler_nodes (id, name, version, started_at, heartbeat_at, lease_until, is_alive) \
             SELECT 7, 'gone', '', {ahead}, {ahead}, {ahead} + 1000000, is_alive FROM scheduler_nodes"
        );
        place.run(&insert).await;
        until("its runs were taken over", async || {
            let nodes = node.scheduler.list_nodes().await.unwrap();
            nodes
                .iter()
                .any(|node| &*node.name == "gone" && !node.is_alive)
        })
        .await;
        node.stop().await;
    }
}

/// Creates a database clock that a test can set, and returns the URL of sessions that see it.
async fn settable(place: &Place) -> String {
    let clock = "CREATE SCHEMA settable; \
        CREATE TABLE settable.clock AS SELECT 0 AS ahead; \
        CREATE FUNCTION settable.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS \
        'SELECT pg_catalog.clock_timestamp() + make_interval(secs => ahead) FROM settable.clock'";
    place.run(clock).await;
    format!(
        "{}?options=-csearch_path%3Dsettable,pg_catalog",
        place.url()
    )
}

#[tokio::test]
async fn a_database_whose_clock_was_ahead_for_a_while_silences_no_job() {
    let Some(place) = Place::postgres() else {
        return;
    };
    let url = settable(&place).await;
    let set = async |seconds: i64| {
        let set = format!("UPDATE settable.clock SET ahead = {seconds}");
        place.run(&set).await;
    };
    let store = SqlStore::builder().lease(Duration::from_secs(6));
    let mut node = Node::start(store.connect(&url).await.unwrap()).await;
    node.add(plain().id("job").interval("100ms")).await;
    let once = SystemClock.now() + TimeDelta::minutes(40);
    node.add(plain().id("once").date(once)).await;
    node.ran("job", 2).await;
    set(3_000).await;
    node.ran("once", 1).await;
    node.ran("job", node.log.count("job") + 3).await;
    set(0).await;
    node.event("it was repaired", |kind| {
        matches!(kind, EventKind::WatermarkReset(_))
    })
    .await;
    node.ran("job", node.log.count("job") + 3).await;
    assert!(
        node.scheduler.health().is_ok(),
        "{:?}",
        node.scheduler.health()
    );
    let job = node.scheduler.get_job("once").await.unwrap().unwrap();
    assert!(job.is_finished(), "{job:?}");
    assert_eq!(node.log.count("once"), 1);
    node.stop().await;
}

#[tokio::test]
async fn a_database_whose_clock_is_set_forward_stops_no_run() {
    let Some(place) = Place::postgres() else {
        return;
    };
    let url = settable(&place).await;
    let store = async || {
        let store = SqlStore::builder().lease(Duration::from_secs(60));
        store.connect(&url).await.unwrap()
    };
    let mut nodes = vec![
        Node::start(store().await).await,
        Node::start(store().await).await,
    ];
    let job = later(wait_at_gate::job()).at_most_once(true);
    for (node, id) in nodes.iter().zip(["first", "second"]) {
        node.add(job.clone().id(id)).await;
        node.scheduler.run_job_now(id).await.unwrap();
        node.ran(id, 1).await;
    }
    nodes[0].add(plain().id("ticks").interval("100ms")).await;
    place.run("UPDATE settable.clock SET ahead = 3600").await;
    // Both nodes claim: the claim is refused, and the next heartbeat finds that the other node's lease has expired.
    for (node, id) in nodes.iter().zip(["for the first", "for the second"]) {
        node.add(later(plain()).id(id)).await;
        node.scheduler.run_job_now(id).await.unwrap();
    }
    let hour = "SELECT count(*) FROM settable.scheduler_nodes WHERE is_alive AND heartbeat_at > \
        (extract(epoch FROM now()) + 3000) * 1000000";
    until("both leases are renewed", async || {
        place.number(hour).await == 2
    })
    .await;
    for (node, id) in nodes.iter().zip(["first", "second"]) {
        node.gate.open();
        until("the run succeeds", async || {
            let runs = node.runs(id).await;
            let run = runs.last().unwrap();
            assert_ne!(run.state, RunState::Lost, "{run:?}");
            run.state == RunState::Succeeded
        })
        .await;
    }
    for mut node in nodes.drain(..) {
        while let Some(NextEvent::Event(event)) = node.events.try_next() {
            let is_lost = matches!(event.kind, EventKind::LeaseLost { .. });
            assert!(!is_lost, "{event:?}");
        }
        node.stop().await;
    }
}

#[tokio::test]
async fn a_client_follows_the_clock_of_its_database() {
    let Some(place) = Place::postgres() else {
        return;
    };
    let url = settable(&place).await;
    place.run("UPDATE settable.clock SET ahead = -86400").await;
    let store = SqlStore::connect(&url).await.unwrap();
    let client = Node::with(store, |builder| builder.client().without_static_jobs()).await;
    let job = client.scheduler.add_job(later(plain())).await.unwrap();
    assert!(
        is_of_now(job.created_at + TimeDelta::days(1)),
        "{}",
        job.created_at
    );
    client.stop().await;
}

/// Inserts thousands of jobs whose fire times come from other time zone data; every other watermark is far ahead of
/// the clock, and one of the first jobs is unreadable.
async fn thousands_to_repair(place: &Place) {
    let columns = "task, arguments, trigger, policies, executor, is_static, edited, created_at";
    let far = 4_000_000_000_000_000_i64;
    let rows = match place {
        Place::Sqlite(_) => {
            "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 7000)"
        }
        Place::Postgres(_) => "WITH numbers AS (SELECT n FROM generate_series(1, 7000) AS n)",
    };
    let name = match place {
        Place::Sqlite(_) => "printf('job-%05d', n)",
        Place::Postgres(_) => "'job-' || lpad(n::text, 5, '0')",
    };
    let insert = format!(
        "{rows} INSERT INTO scheduler_jobs (id, {columns}, watermark, next_nominal, next_at, due_at, zone_data) \
         SELECT {name}, {columns}, CASE WHEN n % 2 = 0 THEN {far} ELSE watermark END, {far}, {far}, {far}, 'none' \
         FROM scheduler_jobs, numbers WHERE id = 'model'"
    );
    place.run(&insert).await;
    place
        .run("UPDATE scheduler_jobs SET trigger = 'every so often' WHERE id = 'job-00010'")
        .await;
}

#[tokio::test]
async fn an_unreadable_record_does_not_stop_repair() {
    for place in Place::each() {
        let node = Node::start(place.store().await).await;
        node.add(later(plain()).id("model")).await;
        node.stop().await;
        thousands_to_repair(&place).await;
        let mut node = Node::start(place.store().await).await;
        node.event(
            "the record cannot be read",
            |kind| matches!(kind, EventKind::Unreadable { record, .. } if &**record == "job-00010"),
        )
        .await;
        let wrong = "SELECT count(*) FROM scheduler_jobs WHERE next_at = 4000000000000000";
        until("all others are repaired", async || {
            place.number(wrong).await == 1
        })
        .await;
        let ahead = "SELECT count(*) FROM scheduler_jobs WHERE watermark = 4000000000000000";
        assert_eq!(place.number(ahead).await, 1);
        let old = "SELECT count(*) FROM scheduler_jobs WHERE zone_data = 'none'";
        assert_eq!(place.number(old).await, 1);
        // The heartbeats keep requesting a repair, but the unreadable job is reported only once.
        tokio::time::sleep(Duration::from_secs(6)).await;
        while let Some(next) = node.events.try_next() {
            if let NextEvent::Event(event) = next {
                let is_again = matches!(event.kind, EventKind::Unreadable { .. });
                assert!(!is_again, "{event:?}");
            }
        }
        node.stop().await;
    }
}
