//! Databases of the second schema version, as left by a node that was killed while runs were live and queued.

use std::time::Duration;

use scheduler_core::prelude::*;
use scheduler_sqlx::{SqlError, SqlStore};

use crate::support::{Log, Node, Place, note, until};

/// The task of the stored job `queue`.
#[task]
async fn slow(#[arg(default)] seconds: u64, ctx: JobContext, log: Data<Log>) {
    note(seconds.to_string(), ctx, log).await;
}

async fn stored() -> Vec<Place> {
    let places = Place::each();
    for place in &places {
        place
            .run(match place {
                Place::Sqlite(_) => include_str!("../../fixtures/stored_v2/sqlite.sql"),
                Place::Postgres(_) => include_str!("../../fixtures/stored_v2/postgres.sql"),
            })
            .await;
    }
    places
}

/// Sets the end of the node's lease, in microseconds since 1970.
async fn lease_until(place: &Place, end: i64) {
    place
        .run(&format!("UPDATE scheduler_nodes SET lease_until = {end}"))
        .await;
}

#[tokio::test]
async fn tables_of_version_2_are_left_alone_while_one_of_its_nodes_holds_a_lease() {
    for place in stored().await {
        lease_until(&place, 4_102_444_800_000_000).await;
        let names = place.texts("SELECT name FROM scheduler_nodes").await;
        for _ in 0..2 {
            let error = SqlStore::connect(&place.url()).await.unwrap_err();
            assert!(
                matches!(
                    &error,
                    SqlError::OlderNodes { version: 3, nodes, ends_within }
                        if *nodes == names && *ends_within > Duration::from_secs(60)
                ),
                "{place:?}: {error}"
            );
            let error = error.to_string();
            assert!(
                error.contains(&names[0]) && error.contains("stop them first"),
                "{error}"
            );
        }
        assert_eq!(
            place.number("SELECT count(*) FROM scheduler_dropped").await,
            2
        );
        assert_eq!(
            place
                .number("SELECT max(version) FROM scheduler_migrations")
                .await,
            2
        );

        // A node that has left, or whose runs were taken over, holds no lease, whatever its end.
        let none = match place {
            Place::Sqlite(_) => "0",
            Place::Postgres(_) => "FALSE",
        };
        place
            .run(&format!("UPDATE scheduler_nodes SET is_alive = {none}"))
            .await;
        place.store().await;
        assert_eq!(
            place.number("SELECT count(*) FROM scheduler_skipped").await,
            2
        );
    }
}

#[tokio::test]
async fn database_of_version_2_opens_migrates_and_goes_on() {
    for place in stored().await {
        lease_until(&place, 1).await;
        let columns = "coalesce(CAST(started_at AS text), '-') || ' ' || coalesce(value, '-') || ' ' \
             || state || ' ' || attempt || ' ' || kind || ' ' || job_id || ' '";
        let runs = |slot: &str, cancelled: &str| {
            format!(
                "SELECT {columns} || {slot} || ' ' || CAST({cancelled} AS text) FROM scheduler_runs ORDER BY id"
            )
        };
        let jobs = |watermark: &str| {
            format!("SELECT id || ' ' || {watermark} FROM scheduler_jobs ORDER BY id")
        };
        let skipped = |table: &str| {
            format!("SELECT job_id || reason || first_at || decided_at FROM {table} ORDER BY seq")
        };
        let before = [
            place.texts(&runs("place", "cancel_asked")).await,
            place.texts(&jobs("mark")).await,
            place.texts(&skipped("scheduler_dropped")).await,
        ];
        let store = place.store().await;
        let after = [
            place.texts(&runs("slot", "cancel_requested")).await,
            place.texts(&jobs("watermark")).await,
            place.texts(&skipped("scheduler_skipped")).await,
        ];
        assert_eq!(before, after, "{place:?}");
        assert_eq!((before[0].len(), before[1].len()), (11, 8), "{place:?}");

        let of_queue = "SELECT count(*) FROM scheduler_runs WHERE job_id = 'queue'";
        let open = format!("{of_queue} AND slot > 0 AND scheduled_for < 1796042200000000");
        assert_eq!(place.number(&open).await, 3, "one live, two queued");
        let newest = place
            .number("SELECT max(scheduled_for) FROM scheduler_runs")
            .await;
        let node = Node::with(store, scheduler_core::Builder::without_static_jobs).await;
        until("runs of the former node have ended", async || {
            place.number(&open).await == 0
        })
        .await;
        let newer = format!("{of_queue} AND scheduled_for > {newest} AND state = 2");
        until("the job goes on", async || place.number(&newer).await > 0).await;
        assert!(node.log.texts("queue").contains(&"60".to_owned()));
        assert!(node.scheduler.get_job("yearly").await.unwrap().is_some());
        node.add(crate::support::plain().id("new").now()).await;
        node.ran("new", 1).await;
        node.stop().await;
    }
}
