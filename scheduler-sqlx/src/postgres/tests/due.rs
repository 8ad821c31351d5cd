//! Where due jobs are searched for, while index entries of earlier fires cannot be removed.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use scheduler_core::store::{ClaimRequest, Claimable, ManualRequest, NewNode};
use scheduler_core::{NodeId, RunIds, RunKind, Trigger};

use super::{Fixture, WANTED, advance, job};
use crate::backend::Backend;
use crate::engine::{Engine, Failure};
use crate::instant::micros;
use crate::job_row::JobRow;
use crate::options::Options;
use crate::postgres::Postgres;
use crate::sqlx::PgPool;

fn hourly(id: &str, due: DateTime<Utc>) -> JobRow {
    JobRow {
        trigger: Trigger::every("1h").unwrap().to_string(),
        ..job(id, micros(due))
    }
}

struct Claims {
    engine: Engine<Postgres>,
    claimable: Claimable,
    run_ids: RunIds,
}

impl Claims {
    /// The claims of a node that has joined.
    async fn new(fixture: &Fixture, pool: PgPool) -> Self {
        let postgres = Postgres::new(fixture.postgres.tables.clone(), None);
        let options = Options {
            owns_pool: true,
            ..Options::default()
        };
        let claims = Self {
            engine: Engine::new(postgres, pool, options),
            claimable: Claimable::new(HashSet::new(), HashSet::from(["task".into()])),
            run_ids: RunIds::new(1),
        };
        let node = NewNode {
            id: NodeId::new(1),
            name: "one".into(),
            version: "".into(),
        };
        assert!(claims.engine.join(&node).await.is_ok());
        claims
    }

    /// Returns the jobs claimed at this instant of the store's time.
    async fn at(&self, now: DateTime<Utc>) -> Vec<String> {
        let (node, claimable) = (NodeId::new(1), &self.claimable);
        let capacity = HashMap::from([("default".into(), 10)]);
        let request = ClaimRequest::new(node, now, claimable, &capacity, &self.run_ids).limit(10);
        let claim = self.engine.claim(&request).await;
        let claim = claim.map_err(|_: Failure| "the claim failed").unwrap();
        let next = self.engine.next_due(&request).await;
        next.map_err(|_: Failure| "no answer").unwrap();
        claim
            .runs
            .iter()
            .map(|run| run.job_id.to_string())
            .collect()
    }
}

#[tokio::test]
async fn a_job_that_becomes_due_before_the_bound_without_a_wake_up_runs_within_ten_seconds() {
    let Some(fixture) = Fixture::new("due_floor").await else {
        return;
    };
    let claims = Claims::new(&fixture, fixture.pool.clone()).await;
    let start: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
    let at = |millis| start + TimeDelta::milliseconds(millis);
    let insert = async |row: JobRow| {
        let mut c = fixture.connection().await;
        fixture.postgres.insert_jobs(&mut c, &[row]).await.unwrap();
    };
    insert(hourly("early", start)).await;
    assert_eq!(claims.at(start).await, ["early"]);

    // Another process resumes a job without a notification.
    insert(hourly("late", at(-1_000))).await;
    for millis in [1_000, 5_000, 9_999] {
        assert!(claims.at(at(millis)).await.is_empty(), "the bound is used");
    }
    insert(hourly("later", at(10_000))).await;
    assert_eq!(claims.at(at(10_000)).await, ["late", "later"]);

    insert(hourly("woken", at(-2_000))).await;
    claims.engine.wakes.due_floor.lower(micros(at(-2_000)));
    assert_eq!(claims.at(at(10_001)).await, ["woken"]);
    fixture.drop_tables().await;
}

/// Claims count open runs from the oldest one on; ids created by other clocks may be lower.
#[tokio::test]
async fn a_run_with_a_lower_id_than_those_before_it_holds_its_slot() {
    let Some(fixture) = Fixture::new("lower_id").await else {
        return;
    };
    let claims = Claims::new(&fixture, fixture.pool.clone()).await;
    let start: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
    let hours = |count| start + TimeDelta::hours(count);
    let mut c = fixture.connection().await;
    let db = &fixture.postgres;
    db.insert_jobs(&mut c, &[hourly("job", start)])
        .await
        .unwrap();
    let end = "UPDATE {runs} SET slot = 0, state = 2";
    assert_eq!(claims.at(start).await, ["job"]);
    assert!(claims.at(hours(1)).await.is_empty(), "its slot is taken");
    fixture.execute(end).await;
    assert_eq!(claims.at(hours(2)).await, ["job"]);
    fixture.execute(end).await;

    let run_id = claims.run_ids.next(start);
    let request =
        ManualRequest::new("job", RunKind::Manual, run_id, hours(2)).holder(NodeId::new(1));
    let run = claims.engine.run_now(&request).await;
    let run = run.map_err(|_: Failure| "no run").unwrap().done().unwrap();
    assert!(run.start.is_some());
    assert!(claims.at(hours(3)).await.is_empty(), "its slot is taken");
    fixture.execute(end).await;
    assert_eq!(claims.at(hours(4)).await, ["job"]);
    drop(c);
    fixture.drop_tables().await;
}

/// With those for heartbeats and notifications, an idle node has three connections.
#[tokio::test]
async fn a_node_at_rest_needs_one_connection_of_the_pool() {
    let Some(fixture) = Fixture::new("at_rest").await else {
        return;
    };
    let pool = PgPool::connect_lazy_with((*fixture.pool.connect_options()).clone());
    let claims = Claims::new(&fixture, pool.clone()).await;
    // Connections used while joining are still being returned to the pool.
    while pool.num_idle() == 0 {
        tokio::task::yield_now().await;
    }
    let now = "2026-01-01T00:00:00Z".parse().unwrap();
    for _ in 0..5 {
        assert!(claims.at(now).await.is_empty());
        let repaired = claims.engine.repair(now).await;
        repaired
            .map_err(|_: Failure| "nothing is repaired")
            .unwrap();
        let pruned = claims.engine.prune(now).await;
        pruned.map_err(|_: Failure| "nothing is pruned").unwrap();
        while pool.num_idle() == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(pool.size(), 1);
    }
    pool.close().await;
    fixture.drop_tables().await;
}

#[tokio::test]
async fn entries_that_an_open_transaction_keeps_are_not_walked_through() {
    let Some(fixture) = Fixture::new("kept_entries").await else {
        return;
    };
    let (db, mut c) = (&fixture.postgres, fixture.connection().await);
    db.insert_jobs(&mut c, &[job("often", 0)]).await.unwrap();
    let mut open = fixture.connection().await;
    db.execute(
        &mut open,
        "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class",
    )
    .await
    .unwrap();
    for due in 1..=500 {
        let job = db.job(&mut c, "often").await.unwrap().unwrap();
        let advance = advance(&job, due - 1, Some((due, due)));
        db.advance_jobs(&mut c, &[advance]).await.unwrap();
    }
    let look = async |from: i64| {
        let mut c = fixture.transaction().await;
        let jobs = db.lock_due(&mut c, &WANTED, from, 500, 10).await.unwrap();
        assert_eq!(jobs.len(), 1);
        let sql = "SELECT sum(pg_stat_get_xact_tuples_returned(indexrelid))::bigint
             FROM pg_index WHERE indrelid = '{jobs}'::regclass";
        let sql = db.tables.fill(sql);
        let read: i64 = sqlx::query_scalar(sql).fetch_one(&mut *c).await.unwrap();
        fixture.commit(&mut c).await;
        read
    };
    assert!(look(i64::MIN).await >= 500);
    assert_eq!(look(500).await, 1);
    db.execute(&mut open, "ROLLBACK").await.unwrap();
    drop((c, open));
    fixture.drop_tables().await;
}
