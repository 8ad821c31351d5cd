//! The writes of one store call are applied together or not at all, even if the call is refused, abandoned or fails
//! half-way.

use std::time::Duration;

use scheduler_core::prelude::*;
use scheduler_core::store::Cluster;
use scheduler_core::{Error, EventKind, SkipReason, SkippedFilter};
use scheduler_sqlx::SqlStore;
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection, PgConnection, PgPool};

use crate::proxy::Proxy;
use crate::support::{Node, Place, later, plain, until};

/// A database in which another client is about to commit a job with the id `taken`.
struct Contested {
    place: Place,
    other: PgConnection,
}

impl Contested {
    /// Adds and removes the job, then inserts it again in an open transaction of another client.
    async fn new(node: &Node, place: Place) -> Self {
        node.add(later(plain()).id("taken")).await;
        place
            .run("CREATE TABLE kept AS SELECT * FROM scheduler_jobs WHERE id = 'taken'")
            .await;
        node.scheduler.remove_job("taken").await.unwrap();
        let mut other = PgConnection::connect(&place.url()).await.unwrap();
        let insert = "BEGIN; INSERT INTO scheduler_ids VALUES ('taken'); INSERT INTO scheduler_jobs SELECT * FROM kept";
        sqlx::raw_sql(insert).execute(&mut other).await.unwrap();
        Self { place, other }
    }

    /// Waits until this many sessions wait for a lock.
    async fn waiting(&self, count: i64) {
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
                       AND datname = current_database()";
        until("somebody waits for a lock", async || {
            self.place.number(waiting).await == count
        })
        .await;
    }

    async fn commit(&mut self) {
        let commit = sqlx::raw_sql("COMMIT");
        commit.execute(&mut self.other).await.unwrap();
    }
}

/// Returns two jobs, of which the second is contested; the first is inserted before the conflict is known.
fn batch() -> [Job; 2] {
    [later(plain()).id("free"), later(plain()).id("taken")]
}

#[tokio::test]
async fn a_batch_is_refused_as_a_whole_when_another_client_commits_one_of_its_ids() {
    let Some(place) = Place::postgres() else {
        return;
    };
    let node = Node::start(place.store().await).await;
    let mut contested = Contested::new(&node, place).await;
    let scheduler = node.scheduler.clone();
    let adding = tokio::spawn(async move { scheduler.add_jobs(batch()).await });
    contested.waiting(1).await;
    contested.commit().await;
    let refused = adding.await.unwrap().unwrap_err();
    assert!(
        matches!(&refused, Error::JobExists { job } if job == "taken"),
        "{refused}"
    );
    let job = node.scheduler.get_job("free").await.unwrap();
    assert!(job.is_none(), "half of a refused batch was committed");
    node.stop().await;
}

#[tokio::test]
async fn a_batch_that_is_given_up_half_way_is_not_committed_by_the_next_call() {
    let Some(place) = Place::postgres() else {
        return;
    };
    // A single connection, so that the next call uses the same one.
    let pool: PgPool = PgPoolOptions::new()
        .max_connections(1)
        .connect(&place.url())
        .await
        .unwrap();
    let store = SqlStore::from_pool(pool).await.unwrap();
    let client = Node::with(store, |builder| builder.client().without_static_jobs()).await;
    let mut contested = Contested::new(&client, place).await;
    let scheduler = client.scheduler.clone();
    let adding = tokio::spawn(async move { scheduler.add_jobs(batch()).await });
    contested.waiting(1).await;
    adding.abort();
    assert!(adding.await.unwrap_err().is_cancelled());
    contested.commit().await;
    client.add(later(plain()).id("next")).await;
    let jobs = client.scheduler.get_jobs().await.unwrap();
    let ids: Vec<&str> = jobs.iter().map(|job| job.id.as_str()).collect();
    assert_eq!(ids, ["next", "taken"]);
    client.stop().await;
}

#[tokio::test]
async fn a_claim_whose_skipped_fire_times_cannot_be_written_claims_nothing() {
    for place in Place::each() {
        let mut node = Node::start(place.store().await).await;
        node.scheduler.pause();
        node.add(plain().id("job").interval("1h")).await;
        // Three fire times were missed: the latest is to be run, and two are skipped.
        let hours = 3_i64 * 3_600_000_000 + 60_000_000;
        place
            .run(&format!(
                "UPDATE scheduler_jobs SET watermark = watermark - {hours}, next_nominal = next_nominal - {hours}, \
                    next_at = next_at - {hours}, due_at = due_at - {hours}, \
                    trigger = 'every 1h start=2026-01-01T00:00:00Z'"
            ))
            .await;
        let watermark = place.number("SELECT watermark FROM scheduler_jobs").await;
        place.run(refuse_skipped(&place)).await;
        node.scheduler.resume();
        node.event("the store failed", |kind| {
            matches!(kind, EventKind::StoreFailed { .. })
        })
        .await;
        let runs = "SELECT count(*) FROM scheduler_runs";
        assert_eq!(place.number(runs).await, 0, "{place:?}");
        let now = place.number("SELECT watermark FROM scheduler_jobs").await;
        assert_eq!(now, watermark, "{place:?}");
        assert_eq!(node.log.count("job"), 0);

        place.run(accept_skipped(&place)).await;
        node.ran("job", 1).await;
        let skipped = node
            .scheduler
            .list_skipped(&SkippedFilter::new().job("job").limit(10))
            .await
            .unwrap()
            .items;
        let reasons: Vec<_> = skipped.iter().map(|one| one.reason).collect();
        assert_eq!(reasons, [SkipReason::Coalesced], "{place:?}");
        node.stop().await;
    }
}

/// Makes every insert of skipped fire times fail.
fn refuse_skipped(place: &Place) -> &'static str {
    match place {
        Place::Sqlite(_) => {
            "CREATE TRIGGER refuse BEFORE INSERT ON scheduler_skipped \
             BEGIN SELECT RAISE(ABORT, 'refused'); END"
        }
        Place::Postgres(_) => {
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \
                $$ BEGIN RAISE EXCEPTION 'refused'; END $$; \
             CREATE TRIGGER refuse BEFORE INSERT ON scheduler_skipped \
                FOR EACH ROW EXECUTE FUNCTION refuse()"
        }
    }
}

fn accept_skipped(place: &Place) -> &'static str {
    match place {
        Place::Sqlite(_) => "DROP TRIGGER refuse",
        Place::Postgres(_) => "DROP TRIGGER refuse ON scheduler_skipped",
    }
}

#[tokio::test]
async fn a_transaction_whose_client_went_silent_is_ended_by_the_server() {
    let Some(place) = Place::postgres() else {
        return;
    };
    let proxy = Proxy::before(&place.url()).await;
    let store = SqlStore::builder()
        .answer_within(Duration::from_secs(4))
        .lease(Duration::from_secs(120))
        .from_pool(proxy.pool())
        .await
        .unwrap();
    let node = Node::start(store).await;
    proxy.go_silent_before("COMMIT\0");
    let scheduler = node.scheduler.clone();
    let adding = tokio::spawn(async move { scheduler.add_job(later(plain()).id("job")).await });
    until("it is silent", async || proxy.is_silent()).await;
    let open = "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' \
                AND datname = current_database()";
    assert!(place.number(open).await > 0, "nothing was cut off half-way");
    // The connection stays open, so that only a timeout of the server ends it.
    until("the server ends the transaction", async || {
        place.number(open).await == 0
    })
    .await;
    assert!(adding.await.unwrap().is_err());
    node.scheduler.shutdown(Shutdown::abort()).await;
}

#[tokio::test]
async fn a_take_over_waits_for_whoever_decides_about_the_same_job() {
    let Some(place) = Place::postgres() else {
        return;
    };
    let client = Node::with(place.store().await, |builder| {
        builder.client().without_static_jobs()
    })
    .await;
    client.add(later(plain()).id("job")).await;
    // A node has died with a run, and another transaction has locked the job of that run.
    let mut deciding = PgConnection::connect(&place.url()).await.unwrap();
    let begin = "BEGIN; SELECT 1 FROM scheduler_jobs WHERE id = 'job' FOR UPDATE";
    sqlx::raw_sql(begin).execute(&mut deciding).await.unwrap();
    place
        .run(
            "INSERT INTO scheduler_nodes (id, name, version, started_at, heartbeat_at, lease_until, is_alive)
                VALUES (99, 'dead', '', 0, 0, 1, TRUE);
             INSERT INTO scheduler_runs (id, job_id, task, kind, scheduled_for, state, slot, node, attempt,
                    failures, lost, cancel_requested, started_at)
                VALUES ('00000000-0000-0000-0000-000000000001', 'job', 'note', 1, 0, 1, 2, 99, 1, 0, 0, FALSE, 0)",
        )
        .await;
    let (store, now) = (place.store().await, chrono::Utc::now());
    let taking_over = tokio::spawn(async move { Cluster::take_over(&store, now).await });
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
                   AND datname = current_database()";
    until("the take-over waits, or is over", async || {
        place.number(waiting).await > 0 || taking_over.is_finished()
    })
    .await;
    assert!(!taking_over.is_finished(), "it did not wait for the job");
    let commit = sqlx::raw_sql("COMMIT");
    commit.execute(&mut deciding).await.unwrap();
    let taken = taking_over.await.unwrap().unwrap();
    assert_eq!(taken.again.len(), 1);
    client.stop().await;
}
