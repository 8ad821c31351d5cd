use crate::sqlx::postgres::PgListener;
use scheduler_core::NodeId;
use scheduler_core::store::NewNode;

use super::{Fixture, LONG, job, new_run};
use crate::backend::Backend;
use crate::skipped_row::SkippedRow;

fn node(id: u64) -> NewNode {
    NewNode {
        id: NodeId::new(id),
        name: format!("node-{id}").into(),
        version: "1\0".into(),
    }
}

// One function, since it follows nodes from joining to leaving.
#[tokio::test]
async fn nodes_join_beat_leave_and_are_listed() {
    let Some(fixture) = Fixture::new("nodes").await else {
        return;
    };
    let (db, mut c) = (&fixture.postgres, fixture.connection().await);
    for (id, lease) in [(1, LONG), (2, -1), (3, LONG)] {
        db.join_node(&mut c, &node(id), lease).await.unwrap();
    }
    let runs = [
        new_run(1, "a", 1, Some(1)),
        new_run(2, "a", 2, Some(1)),
        new_run(3, "a", 3, Some(3)),
    ];
    db.insert_runs(&mut c, &runs).await.unwrap();
    let beat = db.heartbeat(&mut c, 1, LONG, LONG).await.unwrap().unwrap();
    assert!(beat.has_lost && beat.now > 1_700_000_000_000_000);
    let nodes = db.list_nodes(&mut c, 9).await.unwrap();
    let seen: Vec<_> = nodes
        .iter()
        .map(|node| (node.id, node.is_alive, node.running))
        .collect();
    assert_eq!(seen, [(3, true, 1), (1, true, 2), (2, false, 0)]);
    assert_eq!(
        (&*nodes[1].name, nodes[1].heartbeat_at),
        ("node-1", beat.now)
    );

    // A node that kept sending heartbeats is not lost.
    assert!(
        !db.heartbeat(&mut c, 2, LONG, LONG)
            .await
            .unwrap()
            .unwrap()
            .has_lost
    );
    assert!(
        !db.heartbeat(&mut c, 1, LONG, LONG)
            .await
            .unwrap()
            .unwrap()
            .has_lost
    );
    for id in [1, 2] {
        db.leave_node(&mut c, id).await.unwrap();
    }
    assert!(
        db.heartbeat(&mut c, 1, LONG, LONG).await.unwrap().is_some(),
        "it holds runs"
    );
    assert!(db.heartbeat(&mut c, 2, LONG, LONG).await.unwrap().is_none());
    assert!(db.heartbeat(&mut c, 9, LONG, LONG).await.unwrap().is_none());
    db.bury(&mut c, &[1]).await.unwrap();
    assert_eq!(
        db.prune_nodes(&mut c, beat.now - 60_000_000, 9, 9)
            .await
            .unwrap(),
        0,
        "too young"
    );
    assert_eq!(
        db.prune_nodes(&mut c, i64::MAX, 9, 9).await.unwrap(),
        1,
        "the other is named by runs"
    );
    drop(c);
    fixture.drop_tables().await;
}

// One function, since every statement works on the rows that the one before it left.
#[tokio::test]
async fn history_is_forgotten_from_its_old_end() {
    let Some(fixture) = Fixture::new("prune").await else {
        return;
    };
    let (db, mut c) = (&fixture.postgres, fixture.transaction().await);
    let runs: Vec<_> = (1..=6)
        .map(|n| new_run(n, "a", i64::try_from(n).unwrap(), Some(1)))
        .collect();
    db.insert_runs(&mut c, &runs).await.unwrap();
    fixture.commit(&mut c).await;
    fixture
        .execute("UPDATE {runs} SET slot = 0 WHERE scheduled_for <> 2")
        .await;
    let all = db.tally_runs(&mut c, 0, u128::MAX, 9).await.unwrap();
    assert_eq!((all.rows, all.ended, all.last), (6, 5, Some(6)));
    let part = db.tally_runs(&mut c, 1, 5, 3).await.unwrap();
    assert_eq!((part.rows, part.ended, part.last), (3, 2, Some(4)));
    let none = db.tally_runs(&mut c, 6, u128::MAX, 3).await.unwrap();
    assert_eq!((none.rows, none.ended, none.last), (0, 0, None));
    assert_eq!(db.nth_newest_run(&mut c, 0, 6, 4).await.unwrap(), Some(1));
    assert_eq!(db.nth_newest_run(&mut c, 1, 5, 1).await.unwrap(), Some(4));
    assert_eq!(db.nth_newest_run(&mut c, 0, 6, 5).await.unwrap(), None);
    let still_to_come = db.prune_runs(&mut c, 5, 0, 2).await.unwrap();
    assert_eq!(still_to_come, 0, "a clock was ahead when they ran");
    assert_eq!(db.prune_runs(&mut c, 5, i64::MAX, 2).await.unwrap(), 2);
    assert_eq!(db.prune_runs(&mut c, 5, i64::MAX, 2).await.unwrap(), 1);
    let mut left: Vec<u128> = Vec::new();
    for run in db.runs(&mut c, &[1, 2, 3, 4, 5, 6]).await.unwrap() {
        left.push(run.id);
    }
    left.sort_unstable();
    assert_eq!(left, [2, 5, 6]);

    let drops: Vec<SkippedRow> = (1..=5)
        .map(|n| SkippedRow {
            job_id: if n == 3 { "b" } else { "a" }.to_owned(),
            reason: "missed".to_owned(),
            first_at: n,
            last_at: n,
            count: 2,
            is_exact: n == 1,
            decided_at: n * 10,
        })
        .collect();
    db.insert_skipped(&mut c, &drops).await.unwrap();
    let listed = db.list_skipped(&mut c, None, i64::MAX, 2).await.unwrap();
    assert_eq!(
        listed
            .iter()
            .map(|(_, record)| record.first_at)
            .collect::<Vec<_>>(),
        [5, 4]
    );
    let listed = db
        .list_skipped(&mut c, Some("b"), i64::MAX, 9)
        .await
        .unwrap();
    assert_eq!(
        (listed.len(), &*listed[0].1.reason, listed[0].1.is_exact),
        (1, "missed", false)
    );
    let seq = db
        .nth_newest_skipped(&mut c, 0, i64::MAX, 1)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(db.prune_skipped(&mut c, 20, 0, 10).await.unwrap(), 1);
    assert_eq!(db.prune_skipped(&mut c, 0, seq, 2).await.unwrap(), 2);
    assert_eq!(db.prune_skipped(&mut c, 0, seq, 2).await.unwrap(), 1);

    let mut jobs = ["ended", "busy", "static", "young"].map(|id| job(id, 1));
    for job in &mut jobs {
        job.next = None;
        job.ended_at = Some(if job.id == "young" { 99 } else { 5 });
        job.is_static = job.id == "static";
    }
    db.insert_jobs(&mut c, &jobs).await.unwrap();
    db.insert_runs(&mut c, &[new_run(9, "busy", 1, None)])
        .await
        .unwrap();
    db.execute(&mut c, "BEGIN").await.unwrap();
    assert_eq!(db.prune_ended_jobs(&mut c, 50, 10).await.unwrap(), 1);
    fixture.commit(&mut c).await;
    assert!(db.job(&mut c, "ended").await.unwrap().is_none());
    drop(c);
    fixture.drop_tables().await;
}

#[tokio::test]
async fn a_place_that_is_free_is_told_where_something_waits_for_it() {
    let Some(fixture) = Fixture::new("places").await else {
        return;
    };
    let (db, mut c) = (&fixture.postgres, fixture.connection().await);
    let mut listener = PgListener::connect_with(&fixture.pool).await.unwrap();
    listener.listen(&db.tables.channel()).await.unwrap();
    let runs = [
        new_run(1, "crowded", 1, Some(1)),
        new_run(2, "crowded", 2, None),
        new_run(3, "quiet", 3, Some(1)),
    ];
    db.insert_runs(&mut c, &runs).await.unwrap();
    db.notify_of_slots(&mut c, &[3]).await.unwrap();
    db.notify_of_slots(&mut c, &[1, 3]).await.unwrap();
    db.notify(&mut c, 7).await.unwrap();
    let mut heard = Vec::new();
    while heard.last().is_none_or(|payload| payload != "7") {
        heard.push(listener.recv().await.unwrap().payload().to_owned());
    }
    assert_eq!(heard, ["0", "7"]);
    drop((c, listener));
    fixture.drop_tables().await;
}

#[tokio::test]
async fn nodes_that_are_gone_cost_a_heartbeat_nothing_and_are_forgotten() {
    let Some(fixture) = Fixture::new("gone").await else {
        return;
    };
    let (db, mut c) = (&fixture.postgres, fixture.connection().await);
    fixture
        .execute("INSERT INTO {nodes} SELECT i, 'gone', '', i, i, i, FALSE FROM generate_series(1, 100000) i")
        .await;
    for id in [200_001, 200_002] {
        db.join_node(&mut c, &node(id), LONG).await.unwrap();
    }
    let read = "SELECT (sum(pg_stat_get_xact_tuples_returned(indexrelid))
             + pg_stat_get_xact_tuples_returned('{nodes}'::regclass)
             + pg_stat_get_xact_tuples_fetched('{nodes}'::regclass))::bigint
         FROM pg_index WHERE indrelid = '{nodes}'::regclass";
    for is_analyzed in [false, true] {
        if is_analyzed {
            fixture.execute("ANALYZE {nodes}").await;
        }
        // As heartbeats are sent: without the settings of the store's own transactions.
        db.execute(&mut c, "BEGIN").await.unwrap();
        assert!(
            db.heartbeat(&mut c, 200_001, LONG, LONG)
                .await
                .unwrap()
                .is_some()
        );
        let sql = db.tables.fill(read);
        let rows: i64 = sqlx::query_scalar(sql).fetch_one(&mut *c).await.unwrap();
        fixture.commit(&mut c).await;
        assert!(rows < 20, "{rows} (analyzed: {is_analyzed})");
    }
    let nodes = db.list_nodes(&mut c, 3).await.unwrap();
    let ids: Vec<i64> = nodes.iter().map(|node| node.id).collect();
    assert_eq!(ids, [200_002, 200_001, 100_000, 99_999, 99_998]);

    fixture
        .execute("DELETE FROM {nodes} WHERE id BETWEEN 11 AND 99000")
        .await;
    let mut pruned = Vec::new();
    for _ in 0..4 {
        let mut c = fixture.transaction().await;
        pruned.push(db.prune_nodes(&mut c, 0, 995, 6).await.unwrap());
        fixture.commit(&mut c).await;
    }
    assert_eq!(pruned, [6, 6, 3, 0], "beyond the newest");
    drop(c);
    fixture.drop_tables().await;
}
