//! What a claim reads of long queues: counted, not timed.

use super::{Fixture, WANTED, all, ids, job, new_run};
use crate::backend::Backend;
use crate::job_row::JobRow;
use crate::run_row::{HeadRow, NewRun};

/// Two jobs with `queued` queued runs and a long history each: one has a free slot, the other has none.
async fn queues(name: &str, queued: u128) -> Option<Fixture> {
    let fixture = Fixture::new(name).await?;
    let mut c = fixture.connection().await;
    let db = &fixture.postgres;
    let with_slots = JobRow {
        policies: r#"{"max_instances":3}"#.to_owned(),
        ..job("free", 1)
    };
    db.insert_jobs(&mut c, &[with_slots, job("full", 1)])
        .await
        .unwrap();
    let mut runs: Vec<NewRun<'_>> = Vec::new();
    for job in ["free", "full"] {
        let first = runs.len() as u128;
        let ended = (first..first + 2_000).map(|id| (id, true));
        let open = (first + 2_000..first + 2_001).map(|id| (id, true));
        let waiting = (first + 2_001..first + 2_001 + queued).map(|id| (id, false));
        for (id, is_live) in ended.chain(open).chain(waiting) {
            let at = i64::try_from(id).unwrap();
            runs.push(new_run(id, job, at, is_live.then_some(1)));
        }
    }
    for part in runs.chunks(1_000) {
        db.insert_runs(&mut c, part).await.unwrap();
    }
    fixture
        .execute(
            "UPDATE {runs} r SET slot = 0, state = 2 WHERE slot = 2 AND id <>
                 (SELECT max(id::text)::uuid FROM {runs} o WHERE o.job_id = r.job_id AND slot = 2)",
        )
        .await;
    // Removes the index entries that the runs left when they ended.
    fixture.execute("VACUUM {runs}").await;
    drop(c);
    Some(fixture)
}

/// Returns the rows and index entries that one look at the queues reads, and the runs that it found.
async fn look(fixture: &Fixture) -> (i64, Vec<u128>) {
    let (db, mut c) = (&fixture.postgres, fixture.transaction().await);
    let jobs = db.lock_queued(&mut c, &WANTED, 100).await.unwrap();
    assert_eq!(ids(&jobs), ["free"], "one that has a free slot");
    let live = db.live_runs(&mut c, &all(&["free"])).await.unwrap();
    assert_eq!((live[0].live, live[0].queued), (1, 0));
    let head = HeadRow {
        job_id: "free",
        limit: 2,
        skips_held: false,
    };
    let runs = db.queue_heads(&mut c, &[head]).await.unwrap();
    let sql = "SELECT (sum(pg_stat_get_xact_tuples_returned(indexrelid))
                 + pg_stat_get_xact_tuples_returned('{runs}'::regclass)
                 + pg_stat_get_xact_tuples_fetched('{runs}'::regclass))::bigint
             FROM pg_index WHERE indrelid = '{runs}'::regclass";
    let sql = db.tables.fill(sql);
    let read: i64 = sqlx::query_scalar(sql).fetch_one(&mut *c).await.unwrap();
    fixture.commit(&mut c).await;
    (read, runs.into_iter().map(|run| run.id).collect())
}

#[tokio::test]
async fn a_claim_reads_no_more_of_a_long_queue_than_of_a_short_one() {
    let Some(short) = queues("short_queues", 5).await else {
        return;
    };
    let Some(long) = queues("long_queues", 500).await else {
        return;
    };
    let (of_short, runs) = look(&short).await;
    assert_eq!(runs, [2_001, 2_002], "the oldest");
    let (of_long, runs) = look(&long).await;
    assert_eq!(runs, [2_001, 2_002], "the oldest");
    assert!(of_short > 0 && of_long <= of_short, "{of_short} {of_long}");
    long.execute("ANALYZE {runs}").await;
    let (analyzed, _) = look(&long).await;
    assert!(analyzed <= of_short, "{of_short} {analyzed}");
    short.drop_tables().await;
    long.drop_tables().await;
}

#[tokio::test]
async fn a_queue_that_a_pause_holds_is_not_read() {
    let Some(fixture) = queues("held_queues", 500).await else {
        return;
    };
    let (db, mut c) = (&fixture.postgres, fixture.connection().await);
    fixture
        .execute("UPDATE {jobs} SET paused = 'so' WHERE id = 'free'")
        .await;
    let none = db.lock_queued(&mut c, &WANTED, 100).await.unwrap();
    assert!(none.is_empty(), "{none:?}");
    let manual = NewRun {
        kind: 1,
        ..new_run(90_000, "free", 1, None)
    };
    db.insert_runs(&mut c, &[manual]).await.unwrap();
    let jobs = db.lock_queued(&mut c, &WANTED, 100).await.unwrap();
    assert_eq!(ids(&jobs), ["free"]);
    let head = HeadRow {
        job_id: "free",
        limit: 2,
        skips_held: true,
    };
    let runs = db.queue_heads(&mut c, &[head]).await.unwrap();
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0].id, 90_000, "a manual run starts all the same");
    drop(c);
    fixture.drop_tables().await;
}
