//! Rows of the first schema version, as the last version before the second one left them.

use std::time::Duration;

use scheduler_core::prelude::*;
use scheduler_core::{
    Backoff, Builder, JobOverride, JobPatch, JobRecord, LocalExecutor, Overrides, PolicyPatch,
};

use crate::support::{Log, Node, Place, note};

#[scheduled_job(interval = "20000d", id = "stored-plain")]
async fn stored_plain(ctx: JobContext, log: Data<Log>) {
    note(String::new(), ctx, log).await;
}

#[scheduled_job(
    cron = "30 2 * * mon-fri",
    timezone = "Europe/Berlin",
    start = "2090-01-01T00:00:00",
    end = "2090-12-31T23:59:59",
    gap = "skip",
    fold = "both",
    id = "stored-policies",
    misfire_grace_time = "90s",
    coalesce = "all(20)",
    max_instances = 2,
    overlap = "queue(3)",
    timeout = "1h 30m",
    retries = 3,
    backoff = "1s..10s",
    jitter = "1500ms",
    executor = "reports"
)]
async fn stored_policies() {}

#[scheduled_job(
    calendar_interval(months = 1, time = "02:30", start = "2090-01-31"),
    id = "stored-arguments",
    args(user_id = 42, text = "grüße, \"du\""),
    misfire_grace_time = "none",
    timeout = "none",
    at_most_once = true,
    backoff = "5s",
    coalesce = "earliest",
    overlap = "cancel_running"
)]
fn stored_arguments(user_id: i64, text: String, note: Option<String>) {
    let _ = (user_id, text, note);
}

#[scheduled_job(
    or(cron(hour = 6, year = "2090-2095"), date = "2091-02-03T04:05:06+02:00"),
    id = "stored-edited",
    retries = 1
)]
async fn stored_edited() {}

#[scheduled_job(cron = "0 0 12 L * fri#2 2090-2095", id = "stored-paused")]
async fn stored_paused() {}

#[scheduled_job(
    and(cron = "0 12 * * *", interval("36h", start = "2090-01-01T11:00:00Z")),
    id = "stored-replaced",
    max_instances = 4
)]
async fn stored_replaced() {}

#[scheduled_job(interval = "1h", id = "stored-overridden", retries = 2, jitter = "1m")]
async fn stored_overridden() {}

#[scheduled_job(
    cron = "@yearly",
    start = "2090-06-01",
    id = "stored-resumed",
    paused = "not yet"
)]
async fn stored_resumed() {}

/// The ids of the jobs in the fixture.
const IDS: [&str; 8] = [
    "stored-plain",
    "stored-policies",
    "stored-arguments",
    "stored-edited",
    "stored-paused",
    "stored-replaced",
    "stored-overridden",
    "stored-resumed",
];

/// The configuration of the program that stored the rows.
fn configured() -> Overrides {
    let policies = PolicyPatch::new().retries(7).backoff(Backoff::exponential(
        Duration::from_millis(250),
        Duration::from_secs(90),
    ));
    let change = JobOverride::new()
        .trigger("every 20000d end=2099-01-01T00:00:00".parse().unwrap())
        .policies(policies);
    Overrides::new().job("stored-overridden", change)
}

fn defaults() -> PolicyPatch {
    PolicyPatch::new().misfire_grace_time(Duration::from_secs(600))
}

/// The program that stored the rows, built with this version of the library.
async fn program(place: &Place, overrides: Overrides, defaults: PolicyPatch) -> Node {
    Node::with(place.store().await, |builder: Builder| {
        builder
            .only(IDS)
            .overrides(overrides)
            .defaults(defaults)
            .timezone(Tz::Europe__Berlin)
            .executor("reports", LocalExecutor::with_limit(4))
    })
    .await
}

/// Creates databases that contain the rows.
async fn stored() -> Vec<Place> {
    let places = Place::each();
    for place in &places {
        place
            .run(match place {
                Place::Sqlite(_) => include_str!("../../fixtures/stored_v1/sqlite.sql"),
                Place::Postgres(_) => include_str!("../../fixtures/stored_v1/postgres.sql"),
            })
            .await;
    }
    places
}

/// Returns everything that version 1 stores of jobs, except for the version of the time zone data.
async fn rows(place: &Place) -> Vec<String> {
    let versions = "SELECT max(version) FROM scheduler_migrations";
    let watermark = match place.number(versions).await {
        1 => "mark",
        _ => "watermark",
    };
    let columns = format!(
        "id task arguments trigger policies executor is_static hash_trigger hash_rest \
         replaced_trigger replaced_rest edited paused {watermark} next_nominal next_at due_at created_at \
         ended_at"
    );
    let columns = columns
        .split_whitespace()
        .map(|name| format!("coalesce(CAST({name} AS text), '-')"));
    let row = columns.collect::<Vec<_>>().join(" || ' ' || ");
    place
        .texts(&format!("SELECT {row} FROM scheduler_jobs ORDER BY id"))
        .await
}

const WRITTEN: &str = "SELECT count(hash_written) FROM scheduler_jobs";

#[tokio::test]
async fn stored_rows_of_version_1_do_not_look_changed() {
    for place in stored().await {
        let before = rows(&place).await;
        assert_eq!(before.len(), 10);
        for _ in 0..2 {
            program(&place, configured(), defaults()).await.stop().await;
            assert_eq!(rows(&place).await, before);
            assert_eq!(place.number(WRITTEN).await, 8, "those of the code have it");
        }
        let node = program(&place, configured(), defaults()).await;
        let edited = job(&node, "stored-edited").await;
        assert!(edited.edited, "{edited:?}");
        assert_eq!(edited.policies.timeout, Some(Duration::from_secs(60)));
        assert_eq!(node.runs("stored-plain").await.len(), 1);
        node.stop().await;
    }
}

/// Version 1 clears the edited flag when the code's trigger changes, but keeps the edited policies.
#[tokio::test]
async fn edited_policies_of_a_row_of_version_1_stay_where_it_does_not_say_so() {
    for place in stored().await {
        place
            .run(
                "UPDATE scheduler_jobs SET policies = '{\"retries\":8}'
                 WHERE id = 'stored-plain'",
            )
            .await;
        for _ in 0..3 {
            let node = program(&place, configured(), defaults()).await;
            let found = job(&node, "stored-plain").await;
            assert_eq!((found.policies.retries, found.edited), (8, true));
            node.stop().await;
        }
    }
}

/// The same after this version has stored the row, which version 1 cannot know.
#[tokio::test]
async fn edited_policies_stay_when_a_node_of_version_1_forgets_that_they_are() {
    for place in stored().await {
        let node = program(&place, configured(), defaults()).await;
        let edit = JobPatch::new().policies(PolicyPatch::new().retries(8));
        node.scheduler
            .modify_job("stored-plain", edit)
            .await
            .unwrap();
        node.stop().await;
        assert_eq!(place.number(WRITTEN).await, 8);
        // A node of version 1 starts with another trigger in its code.
        place
            .run(
                "UPDATE scheduler_jobs SET replaced_trigger = hash_trigger, replaced_rest = hash_rest,
                    hash_trigger = 1, trigger = 'every 21000d start=2090-01-01T00:00:00Z', edited = FALSE
                 WHERE id = 'stored-plain'",
            )
            .await;
        for _ in 0..3 {
            let node = program(&place, configured(), defaults()).await;
            assert_eq!(job(&node, "stored-plain").await.policies.retries, 8);
            node.stop().await;
        }
        let node = program(&place, configured(), defaults()).await;
        assert!(job(&node, "stored-plain").await.edited);
        node.stop().await;
    }
}

#[tokio::test]
async fn changed_definition_is_noticed_in_stored_rows_of_version_1() {
    for has_started in [false, true] {
        for place in stored().await {
            if has_started {
                program(&place, configured(), defaults()).await.stop().await;
            }
            let before = rows(&place).await;
            let change = JobOverride::new().policies(PolicyPatch::new().retries(9));
            let overrides = configured().job("stored-edited", change);
            let node = program(&place, overrides, defaults()).await;
            let found = job(&node, "stored-edited").await;
            assert!(!found.edited, "{found:?}");
            assert_eq!((found.policies.retries, found.policies.timeout), (9, None));
            node.stop().await;
            let after = rows(&place).await;
            let changed = before.iter().zip(&after).filter(|(a, b)| a != b);
            assert_eq!(changed.count(), 1, "the others stay");
        }
    }
}

#[tokio::test]
async fn defaults_of_the_builder_are_followed_by_stored_rows_of_version_1() {
    for place in stored().await {
        let longer = PolicyPatch::new().misfire_grace_time(Duration::from_secs(1_200));
        let node = program(&place, configured(), longer).await;
        for (id, grace) in [
            ("stored-plain", Some(1_200)),
            ("stored-policies", Some(90)),
            ("stored-arguments", None),
        ] {
            let found = job(&node, id).await.policies.misfire_grace_time;
            assert_eq!(found, grace.map(Duration::from_secs), "{id}");
        }
        assert!(!job(&node, "stored-edited").await.edited);
        node.stop().await;
    }
}

/// Nodes of version 1 compare the hashes that they computed themselves.
#[tokio::test]
async fn hashes_for_nodes_of_version_1_are_those_that_they_compute() {
    for place in stored().await {
        let hashes = |a, b| {
            format!(
                "SELECT CAST({a} AS text) || ' ' || CAST({b} AS text) FROM scheduler_jobs
                 WHERE id = 'stored-replaced'"
            )
        };
        let replaced = hashes("replaced_trigger", "replaced_rest");
        let present = hashes("hash_trigger", "hash_rest");
        let (former, latter) = (place.texts(&replaced).await, place.texts(&present).await);
        // The definition that a node of version 1 had stored before the current one.
        let change = JobOverride::new()
            .trigger("every 21000d".parse().unwrap())
            .policies(PolicyPatch::new().retries(1));
        let overrides = configured().job("stored-replaced", change);
        program(&place, overrides, defaults()).await.stop().await;
        assert_eq!(place.texts(&present).await, former);
        assert_eq!(place.texts(&replaced).await, latter);
    }
}

#[tokio::test]
async fn definition_that_a_node_of_version_1_stores_meanwhile_is_noticed() {
    for place in stored().await {
        program(&place, configured(), defaults()).await.stop().await;
        let before = rows(&place).await;
        // A node of version 1 does not know `hash_written`, and leaves it unchanged.
        place
            .run(
                "UPDATE scheduler_jobs SET hash_rest = 1, policies = '{\"retries\":8}'
                 WHERE id = 'stored-plain'",
            )
            .await;
        let node = program(&place, configured(), defaults()).await;
        assert_eq!(job(&node, "stored-plain").await.policies.retries, 0);
        node.stop().await;
        let after = rows(&place).await;
        let others = |rows: &[String]| -> Vec<String> {
            let others = rows.iter().filter(|row| !row.starts_with("stored-plain "));
            others.cloned().collect()
        };
        assert_eq!(others(&after), others(&before));
    }
}

async fn job(node: &Node, id: &str) -> JobRecord {
    node.scheduler.get_job(id).await.unwrap().unwrap()
}
