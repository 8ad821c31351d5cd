use super::{Fixture, WANTED, a_while, advance, ids, job, new_run};
use crate::backend::{Backend, Wanted};
use crate::job_row::{Advance, JobRow};
use crate::listed_jobs::ListedJobs;
use crate::sqlx::PgConnection;
use scheduler_core::store::JobQuery;

#[tokio::test]
async fn a_job_is_written_and_read_as_it_is() {
    let Some(fixture) = Fixture::new("job").await else {
        return;
    };
    let (db, mut c) = (&fixture.postgres, fixture.connection().await);
    let mut full = job("b", 10);
    full.is_static = true;
    full.hash = Some((-1, i64::MAX));
    full.replaced = Some((i64::MIN, 0));
    full.edited = true;
    full.paused = Some("not\0now".to_owned());
    let rows = [full.clone(), job("a", 20)];
    assert_eq!(db.insert_jobs(&mut c, &rows).await.unwrap(), ["a", "b"]);
    let again = [job("a", 30), job("ä", 40)];
    assert_eq!(db.insert_jobs(&mut c, &again).await.unwrap(), ["ä"]);

    // PostgreSQL cannot store NUL in a text.
    full.paused = Some("not\u{1}now".to_owned());
    let read = async |c: &mut PgConnection, id| {
        let row = db.job(c, id).await.unwrap();
        row.map(|row| JobRow { ctid: None, ..row })
    };
    assert_eq!(read(&mut c, "b").await, Some(full.clone()));
    assert_eq!(db.job(&mut c, "b\0").await.unwrap(), None);

    let mut changed = full;
    changed.paused = None;
    changed.next = None;
    changed.hash = None;
    changed.ended_at = Some(5);
    changed.trigger = "cron".to_owned();
    // A job that replaces another one is a new job.
    changed.created_at = 99;
    db.update_jobs(&mut c, &[changed.clone(), job("c", 1)])
        .await
        .unwrap();
    assert_eq!(read(&mut c, "b").await, Some(changed));

    let query = JobQuery::by_id(None, 10);
    let all = ListedJobs::new(&query, None);
    let all = db.list_by_id(&mut c, &all, 10).await.unwrap();
    assert_eq!(ids(&all), ["a", "b", "ä"]);
    let rest = ListedJobs {
        below: Some("zz".to_owned()),
        ..ListedJobs::new(&query, Some("a"))
    };
    let rest = db.list_by_id(&mut c, &rest, 1).await.unwrap();
    assert_eq!(ids(&rest), ["b"]);
    let by_next = db.list_by_next(&mut c, 10).await.unwrap();
    assert_eq!(ids(&by_next), ["a", "ä"]);
    db.delete_job(&mut c, "a").await.unwrap();
    assert_eq!(db.job(&mut c, "a").await.unwrap(), None);
    let again = [job("a", 50), job("b", 60)];
    assert_eq!(db.insert_jobs(&mut c, &again).await.unwrap(), ["a"]);
    // Rows are deleted manually.
    fixture.execute("DELETE FROM {jobs} WHERE id = 'a'").await;
    assert_eq!(db.insert_jobs(&mut c, &again).await.unwrap(), ["a"]);
    drop(c);
    fixture.drop_tables().await;
}

// One function, since two transactions alternate: every step needs the locks of the one before it.
#[tokio::test]
async fn a_due_job_is_claimed_by_one_of_two() {
    let Some(fixture) = Fixture::new("due").await else {
        return;
    };
    let db = &fixture.postgres;
    let mut other = job("other", 1);
    other.task = "other".to_owned();
    let mut paused = job("paused", 1);
    paused.paused = Some("so".to_owned());
    let rows = [
        job("c", 30),
        job("b", 20),
        job("a", 10),
        job("later", 99),
        other,
        paused,
    ];
    db.insert_jobs(&mut *fixture.connection().await, &rows)
        .await
        .unwrap();

    let mut first = fixture.transaction().await;
    let locked = db
        .lock_due(&mut first, &WANTED, i64::MIN, 30, 2)
        .await
        .unwrap();
    assert_eq!(ids(&locked), ["a", "b"]);
    let mut second = fixture.transaction().await;
    assert_eq!(
        ids(&db
            .lock_due(&mut second, &WANTED, i64::MIN, 30, 9)
            .await
            .unwrap()),
        ["c"]
    );
    let next = advance(&locked[0], 10, Some((40, 41)));
    let ended = advance(&locked[1], 20, None);
    db.advance_jobs(&mut first, &[ended, next]).await.unwrap();
    fixture.commit(&mut first).await;
    assert!(
        db.lock_due(&mut second, &WANTED, i64::MIN, 30, 9)
            .await
            .unwrap()
            .iter()
            .all(|job| job.id == "c")
    );
    fixture.commit(&mut second).await;

    let advanced = db.job(&mut first, "a").await.unwrap().unwrap();
    assert_eq!(
        (advanced.watermark, advanced.next, advanced.ended_at),
        (10, Some((40, 41)), None)
    );
    let ended = db.job(&mut first, "b").await.unwrap().unwrap();
    assert_eq!(
        (ended.watermark, ended.next, ended.ended_at),
        (20, None, Some(30))
    );
    let skipped = ["c".to_owned()];
    let but_c = Wanted {
        skipped: &skipped,
        ..WANTED
    };
    assert_eq!(
        db.next_due(&mut first, &WANTED, i64::MIN).await.unwrap(),
        Some(30)
    );
    assert_eq!(
        db.next_due(&mut first, &but_c, i64::MIN).await.unwrap(),
        Some(41)
    );
    assert!(
        ids(&db
            .lock_due(&mut first, &but_c, i64::MIN, 50, 9)
            .await
            .unwrap())
            == ["a"]
    );
    drop((first, second));
    fixture.drop_tables().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_was_claimed_meanwhile_is_not_due_any_more() {
    let Some(fixture) = Fixture::new("stale").await else {
        return;
    };
    let db = &fixture.postgres;
    let rows: Vec<_> = (0..50).map(|n| job(&format!("{n:02}"), n)).collect();
    db.insert_jobs(&mut *fixture.connection().await, &rows)
        .await
        .unwrap();
    let claim = async || {
        let mut taken = Vec::new();
        loop {
            let mut c = fixture.transaction().await;
            let jobs = db
                .lock_due(&mut c, &WANTED, i64::MIN, 100, 3)
                .await
                .unwrap();
            let advances: Vec<Advance<'_>> = jobs
                .iter()
                .map(|job| advance(job, 100, Some((200, 200))))
                .collect();
            db.advance_jobs(&mut c, &advances).await.unwrap();
            fixture.commit(&mut c).await;
            if jobs.is_empty() && db.next_due(&mut c, &WANTED, i64::MIN).await.unwrap() == Some(200)
            {
                return taken;
            }
            taken.extend(jobs.into_iter().map(|job| job.id));
        }
    };
    let (a, b, c, d) = tokio::join!(claim(), claim(), claim(), claim());
    let mut all: Vec<String> = [a, b, c, d].concat();
    all.sort_unstable();
    assert_eq!(
        all,
        rows.iter().map(|job| job.id.clone()).collect::<Vec<_>>()
    );
    fixture.drop_tables().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_locks_a_job_by_its_id_waits_and_sees_what_was_done() {
    let Some(fixture) = Fixture::new("wait").await else {
        return;
    };
    let db = &fixture.postgres;
    let rows = [job("a", 1), job("b", 1)];
    db.insert_jobs(&mut *fixture.connection().await, &rows)
        .await
        .unwrap();
    let mut first = fixture.transaction().await;
    let locked = db.lock_jobs(&mut first, &["b", "gone", "a"]).await.unwrap();
    assert_eq!(ids(&locked), ["a", "b"]);
    let waits = async {
        let mut second = fixture.transaction().await;
        let jobs = db.lock_jobs(&mut second, &["a", "b"]).await.unwrap();
        fixture.commit(&mut second).await;
        jobs
    };
    let goes_on = async {
        a_while().await;
        db.delete_job(&mut first, "a").await.unwrap();
        let next = advance(&locked[1], 7, None);
        db.advance_jobs(&mut first, &[next]).await.unwrap();
        fixture.commit(&mut first).await;
    };
    let (jobs, ()) = tokio::join!(waits, goes_on);
    assert_eq!(ids(&jobs), ["b"]);
    assert_eq!(jobs[0].watermark, 7);
    drop(first);
    fixture.drop_tables().await;
}

#[tokio::test]
async fn jobs_to_mend_and_jobs_with_a_queue_are_found() {
    let Some(fixture) = Fixture::new("repair").await else {
        return;
    };
    let db = &fixture.postgres;
    let mut c = fixture.transaction().await;
    let mut old = job("old", 5);
    old.zone_data = "1970a".to_owned();
    let mut old_and_over = old.clone();
    old_and_over.id = "over".to_owned();
    old_and_over.next = None;
    let mut good = job("good", 5);
    good.policies = r#"{"max_instances":2}"#.to_owned();
    let rows = [old, old_and_over, job("far", 1_000), good];
    db.insert_jobs(&mut c, &rows).await.unwrap();
    let found = db.list_to_repair(&mut c, "", 500, "2025b", 10);
    assert_eq!(found.await.unwrap(), ["far", "old"]);
    let found = db.list_to_repair(&mut c, "", 500, "2025b", 1);
    assert_eq!(found.await.unwrap(), ["far"]);
    let found = db.list_to_repair(&mut c, "far", 500, "2025b", 10);
    assert_eq!(found.await.unwrap(), ["old"]);

    let runs = [
        new_run(1, "good", 1, None),
        new_run(2, "good", 2, Some(1)),
        new_run(3, "far", 3, Some(1)),
    ];
    db.insert_runs(&mut c, &runs).await.unwrap();
    assert_eq!(
        ids(&db.lock_queued(&mut c, &WANTED, 10).await.unwrap()),
        ["good"]
    );
    let mut other = fixture.transaction().await;
    assert!(
        db.lock_queued(&mut other, &WANTED, 10)
            .await
            .unwrap()
            .is_empty()
    );
    fixture.commit(&mut c).await;
    assert_eq!(
        ids(&db.lock_queued(&mut other, &WANTED, 10).await.unwrap()),
        ["good"]
    );
    fixture.commit(&mut other).await;
    drop((c, other));
    fixture.drop_tables().await;
}

#[tokio::test]
async fn a_job_that_is_not_where_it_was_found_is_not_moved_on() {
    let Some(fixture) = Fixture::new("moved").await else {
        return;
    };
    let db = &fixture.postgres;
    let mut c = fixture.connection().await;
    db.insert_jobs(&mut c, &[job("a", 1)]).await.unwrap();
    let found = db.job(&mut c, "a").await.unwrap().unwrap();
    let on = |watermark| advance(&found, watermark, Some((9, 9)));
    db.advance_jobs(&mut c, &[on(5)]).await.unwrap();
    assert!(
        db.advance_jobs(&mut c, &[on(6)]).await.is_err(),
        "its row has moved"
    );
    drop(c);
    fixture.drop_tables().await;
}
