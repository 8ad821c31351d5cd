//! Several processes over one store: which nodes exist, which node ran what, and what one leaves to the next.

use std::time::Duration;

use scheduler_core::prelude::*;
use scheduler_core::{LocalExecutor, RunNow, RunState};
use scheduler_sqlx::SqlStore;
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, PgConnection};

use crate::support::{Node, Place, go_on, later, note, plain, until, wait_at_gate};

async fn named(place: &Place, name: &'static str) -> Node {
    Node::with(place.store().await, |builder| {
        builder
            .node_name(name)
            .node_version("1.2.3")
            .without_static_jobs()
    })
    .await
}

#[tokio::test]
async fn nodes_are_listed_with_their_names_versions_and_runs() {
    for place in Place::each() {
        let (one, other) = (
            named(&place, "one").await,
            named(&place, "the \"other\" 毎").await,
        );
        one.add(later(go_on::job()).id("long").max_instances(2))
            .await;
        for _ in 0..2 {
            one.scheduler.run_job_now("long").await.unwrap();
        }
        one.ran("long", 2).await;
        let nodes = other.scheduler.list_nodes().await.unwrap();
        let mut told: Vec<_> = nodes
            .iter()
            .map(|node| (&*node.name, &*node.version, node.is_alive, node.running))
            .collect();
        told.sort_unstable();
        assert_eq!(
            told,
            [
                ("one", "1.2.3", true, 2),
                ("the \"other\" 毎", "1.2.3", true, 0)
            ]
        );
        let lease = one.scheduler.health().stores[0].lease.clone().unwrap();
        assert!(
            nodes
                .iter()
                .any(|node| node.id == lease.node && &*node.name == "one")
        );

        one.stop().await;
        let nodes = other.scheduler.list_nodes().await.unwrap();
        let alive: Vec<&str> = nodes
            .iter()
            .filter(|node| node.is_alive)
            .map(|node| &*node.name)
            .collect();
        assert_eq!(alive, ["the \"other\" 毎"]);
        assert!(nodes.iter().all(|node| node.running == 0), "{nodes:?}");
        // A client only observes and is not a node.
        let client = Node::with(place.store().await, |builder| {
            builder.client().without_static_jobs()
        })
        .await;
        let nodes = client.scheduler.list_nodes().await.unwrap();
        assert_eq!(nodes.iter().filter(|node| node.is_alive).count(), 1);
        client.stop().await;
        other.stop().await;
    }
}

#[tokio::test]
async fn a_run_names_the_node_that_carried_it_out() {
    for place in Place::each() {
        let (one, other) = (named(&place, "one").await, named(&place, "other").await);
        one.add(later(plain()).id("job")).await;
        one.scheduler.run_job_now("job").await.unwrap();
        one.ran("job", 1).await;
        until("it is recorded", async || {
            one.runs("job").await[0].state.is_final()
        })
        .await;
        other.scheduler.run_job_now("job").await.unwrap();
        other.ran("job", 1).await;
        one.stop().await;
        let runs = other.runs("job").await;
        let by: Vec<Option<&str>> = runs.iter().map(|run| run.node.as_deref()).collect();
        assert_eq!(
            by,
            [Some("other"), Some("one")],
            "newest first, also of a node that is gone"
        );
        other.stop().await;
    }
}

#[tokio::test]
async fn each_fire_time_is_run_by_one_node() {
    for place in Place::each() {
        let nodes = [
            named(&place, "a").await,
            named(&place, "b").await,
            named(&place, "c").await,
        ];
        for number in 0..10 {
            nodes[0]
                .add(plain().id(format!("job-{number}")).interval("100ms"))
                .await;
        }
        let count = || {
            nodes
                .iter()
                .map(|node| node.log.count("job-9"))
                .sum::<usize>()
        };
        until("they run", async || count() >= 10).await;
        for number in 0..10 {
            nodes[1]
                .scheduler
                .pause_job(&format!("job-{number}"))
                .await
                .unwrap();
        }
        until("nothing is open", async || {
            place
                .number("SELECT count(*) FROM scheduler_runs WHERE slot > 0")
                .await
                == 0
        })
        .await;
        for number in 0..10 {
            let id = format!("job-{number}");
            let recorded = place
                .number(&format!(
                    "SELECT count(DISTINCT scheduled_for) FROM scheduler_runs WHERE job_id = '{id}'"
                ))
                .await;
            let began: usize = nodes.iter().map(|node| node.log.count(&id)).sum();
            assert_eq!(i64::try_from(began).unwrap(), recorded, "{id}");
        }
        for node in nodes {
            node.stop().await;
        }
    }
}

#[tokio::test]
async fn what_was_claimed_and_not_started_is_run_by_the_next_node() {
    for place in Place::each() {
        let narrow = |builder: scheduler_core::Builder| {
            builder
                .without_static_jobs()
                .executor("narrow", LocalExecutor::with_limit(1))
        };
        let node = Node::with(place.store().await, narrow).await;
        let job = later(wait_at_gate::job())
            .id("job")
            .executor("narrow")
            .max_instances(3);
        node.add(job).await;
        for _ in 0..3 {
            let answer = node.scheduler.run_job_now("job").await.unwrap();
            assert!(matches!(answer, RunNow::Started(_)), "{answer:?}");
        }
        node.ran("job", 1).await;
        let stopping = tokio::spawn({
            let scheduler = node.scheduler.clone();
            async move { scheduler.shutdown(Shutdown::wait()).await }
        });
        until("two are released", async || {
            place
                .number("SELECT count(*) FROM scheduler_runs WHERE slot = 1")
                .await
                == 2
        })
        .await;
        // While the first node still waits for its last run, another node takes the released ones.
        let next = Node::with(place.store().await, narrow).await;
        for _ in 0..2 {
            let ran = next.log.count("job");
            next.ran("job", ran.max(1)).await;
            next.gate.open();
        }
        next.ran("job", 2).await;
        next.gate.open();
        node.gate.open();
        let report = stopping.await.unwrap();
        assert_eq!((report.released, report.completed), (2, 1), "{report}");
        until("all have ended", async || {
            next.runs("job")
                .await
                .iter()
                .all(|run| run.state == RunState::Succeeded)
        })
        .await;
        let attempts: Vec<u32> = next
            .runs("job")
            .await
            .iter()
            .map(|run| run.attempt)
            .collect();
        assert_eq!(attempts, [1, 1, 1], "what was not started is not counted");
        assert_eq!((node.log.count("job"), next.log.count("job")), (1, 2));
        next.stop().await;
    }
}

#[tokio::test]
async fn two_stores_in_one_database_under_two_prefixes_do_not_see_each_other() {
    for place in Place::each() {
        let open = async |prefix: &str| {
            let store = SqlStore::builder()
                .prefix(prefix)
                .connect(&place.url())
                .await
                .unwrap();
            Node::start(store).await
        };
        let (blue, green, bare) = (open("blue_").await, open("green_").await, open("").await);
        for (node, text) in [(&blue, "blue"), (&green, "green"), (&bare, "bare")] {
            node.add(note::job(text.into()).id("same").interval("100ms"))
                .await;
        }
        for (node, text) in [(&blue, "blue"), (&green, "green"), (&bare, "bare")] {
            node.ran("same", 3).await;
            assert!(node.log.texts("same").iter().all(|found| found == text));
            assert_eq!(node.scheduler.list_nodes().await.unwrap().len(), 1);
        }
        blue.scheduler.remove_job("same").await.unwrap();
        let ran = green.log.count("same");
        green.ran("same", ran + 2).await;
        for node in [blue, green, bare] {
            node.stop().await;
        }
    }
}

#[tokio::test]
async fn tables_can_be_in_a_schema_whose_name_is_a_word_of_sql() {
    let Some(place) = Place::postgres() else {
        return;
    };
    for schema in ["order", "user", "select", "_"] {
        let open = async || {
            let store = SqlStore::builder()
                .schema(schema)
                .connect(&place.url())
                .await
                .unwrap();
            Node::start(store).await
        };
        let (one, other) = (open().await, open().await);
        one.add(later(note::job(schema.into())).id("later")).await;
        one.scheduler.pause();
        other.add(note::job(schema.into()).id("job").now()).await;
        other.ran("job", 1).await;
        one.scheduler.resume();
        assert_eq!(one.scheduler.get_jobs().await.unwrap().len(), 2);
        let tables = format!("SELECT count(*) FROM \"{schema}\".scheduler_jobs");
        assert_eq!(place.number(&tables).await, 2);
        one.stop().await;
        other.stop().await;
    }
    let outside = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(place.number(outside).await, 0);
}

#[tokio::test]
async fn tables_follow_the_search_path_when_no_schema_is_given() {
    let Some(place) = Place::postgres() else {
        return;
    };
    place.run("CREATE SCHEMA mine").await;
    let url = format!("{}?options=-csearch_path%3Dmine", place.url());
    let node = Node::start(SqlStore::connect(&url).await.unwrap()).await;
    node.add(plain().id("job").now()).await;
    node.ran("job", 1).await;
    node.stop().await;
    assert_eq!(
        place
            .number("SELECT count(*) FROM mine.scheduler_jobs")
            .await,
        1
    );
    // A new store on the same URL finds the tables.
    let node = Node::start(SqlStore::connect(&url).await.unwrap()).await;
    assert_eq!(node.scheduler.get_jobs().await.unwrap().len(), 1);
    node.stop().await;
}

#[tokio::test]
async fn the_pools_of_an_application_serve_a_scheduler() {
    for place in Place::each() {
        let store = match &place {
            Place::Sqlite(folder) => {
                let options = SqliteConnectOptions::new()
                    .filename(folder.file())
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Normal);
                let pool = SqlitePoolOptions::new()
                    .max_connections(2)
                    .connect_with(options)
                    .await
                    .unwrap();
                SqlStore::from_pool(pool).await.unwrap()
            }
            Place::Postgres(database) => {
                let options = PgPoolOptions::new().max_connections(2);
                SqlStore::from_pool(options.connect(&database.url()).await.unwrap())
                    .await
                    .unwrap()
            }
        };
        let node = Node::start(store).await;
        for number in 0..20 {
            node.add(plain().id(format!("job-{number}")).interval("100ms"))
                .await;
        }
        for number in 0..20 {
            node.ran(&format!("job-{number}"), 3).await;
        }
        assert!(node.scheduler.health().is_ok());
        node.stop().await;
    }
}

#[tokio::test]
async fn a_pool_with_settings_of_its_own_changes_nothing() {
    let Some(place) = Place::postgres() else {
        return;
    };
    let mut connection = PgConnection::connect(&place.url()).await.unwrap();
    // Settings that an application may have made for all of its connections.
    let settings = "DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || quote_ident(current_database()) || \
        ' SET default_transaction_isolation = serializable'; \
        EXECUTE 'ALTER DATABASE ' || quote_ident(current_database()) || ' SET timezone = ''Asia/Kathmandu'''; \
        EXECUTE 'ALTER DATABASE ' || quote_ident(current_database()) || ' SET datestyle = ''German'''; \
        EXECUTE 'ALTER DATABASE ' || quote_ident(current_database()) || ' SET standard_conforming_strings = on'; END $$";
    sqlx::raw_sql(settings)
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    let (one, other) = (named(&place, "one").await, named(&place, "other").await);
    for number in 0..10 {
        one.add(plain().id(format!("job-{number}")).interval("50ms"))
            .await;
    }
    until("they run", async || {
        one.log.count("job-9") + other.log.count("job-9") >= 10
    })
    .await;
    for node in [&one, &other] {
        assert!(
            node.scheduler.health().is_ok(),
            "{:?}",
            node.scheduler.health()
        );
        assert!(
            node.scheduler.health().warnings.is_empty(),
            "{:?}",
            node.scheduler.health().warnings
        );
    }
    one.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn a_stopped_node_leaves_nothing_behind_that_another_has_to_wait_for() {
    for place in Place::each() {
        let node = named(&place, "first").await;
        node.add(later(go_on::job()).id("long")).await;
        node.scheduler.run_job_now("long").await.unwrap();
        node.ran("long", 1).await;
        let report = node
            .scheduler
            .shutdown(Shutdown::wait_up_to(Duration::from_millis(100)))
            .await;
        assert_eq!(report.cancelled.len(), 1, "{report}");
        let open = "SELECT count(*) FROM scheduler_runs WHERE slot > 0";
        assert_eq!(place.number(open).await, 0);
        let alive = match place {
            Place::Sqlite(_) => "SELECT count(*) FROM scheduler_nodes WHERE is_alive = 1",
            Place::Postgres(_) => "SELECT count(*) FROM scheduler_nodes WHERE is_alive",
        };
        assert_eq!(place.number(alive).await, 0);
        let next = named(&place, "next").await;
        assert!(next.runs("long").await[0].state.is_final());
        assert!(matches!(
            next.scheduler.run_job_now("long").await.unwrap(),
            RunNow::Started(_)
        ));
        next.ran("long", 1).await;
        next.stop().await;
    }
}

#[tokio::test]
async fn a_lost_run_of_a_job_that_only_newer_nodes_can_read_waits_for_one_of_them() {
    for place in Place::each() {
        let (one, other) = (named(&place, "one").await, named(&place, "other").await);
        for (id, at_most_once) in [("repeatable", false), ("once", true)] {
            let job = later(go_on::job()).id(id).at_most_once(at_most_once);
            one.add(job).await;
            one.scheduler.run_job_now(id).await.unwrap();
            one.ran(id, 1).await;
        }
        // A newer version writes a value that this one does not know, and the node that holds the runs dies.
        place
            .run(
                "UPDATE scheduler_jobs SET policies = '{\"overlap\":\"of_a_newer_version\"}' WHERE id = 'repeatable';
                 UPDATE scheduler_jobs SET policies = '{\"at_most_once\":true,\"overlap\":\"of_a_newer_version\"}'
                    WHERE id = 'once'",
            )
            .await;
        // Under another id, no heartbeat renews its lease.
        place
            .run(
                "UPDATE scheduler_runs SET node = -1;
                 UPDATE scheduler_nodes SET id = -1, lease_until = 1 WHERE name = 'one'",
            )
            .await;
        until("the runs are taken over", async || {
            let lost = &other.runs("once").await[0];
            lost.state == RunState::Lost
        })
        .await;
        assert_eq!(other.runs("repeatable").await[0].state, RunState::Queued);
        place
            .run("UPDATE scheduler_jobs SET policies = '{}' WHERE id = 'repeatable'")
            .await;
        let newer = named(&place, "newer").await;
        until("it is tried again", async || {
            newer.runs("repeatable").await[0].attempt == 2
        })
        .await;
        for node in [one, other, newer] {
            node.scheduler.shutdown(Shutdown::abort()).await;
        }
    }
}
