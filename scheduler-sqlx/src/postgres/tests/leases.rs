//! A node finishes a run while another node takes its runs over.

use crate::sqlx::PgConnection;

use super::{Fixture, LONG, a_while, new_run};
use crate::backend::Backend;
use crate::run_row::{EndRow, RequeueRow};
use crate::sqlx;

const END: EndRow<'static> = EndRow {
    id: 1,
    attempt: 1,
    held: 3,
    state: 2,
    holds_slot: false,
    started_at: 5,
    finished_at: 6,
    lateness: 7,
    error: None,
    value: None,
};

fn again() -> RequeueRow {
    RequeueRow {
        id: 1,
        held_by: Some(1),
        held_attempt: 1,
        held_state: 1,
        attempt: 1,
        state: 0,
        slot: 1,
        lost: 1,
        finished_at: None,
        error: None,
        earlier_attempts: None,
    }
}

/// Node 1 holds run 1; its lease is valid or has expired.
async fn held(name: &str, lease: i64) -> Option<Fixture> {
    let fixture = Fixture::new(name).await?;
    let clock = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
    let sql = format!("INSERT INTO {{nodes}} VALUES (1, 'one', '', 0, 0, {clock} + {lease}, TRUE)");
    fixture.execute(&sql).await;
    let mut c = fixture.connection().await;
    fixture
        .postgres
        .insert_runs(&mut c, &[new_run(1, "a", 1, Some(1))])
        .await
        .unwrap();
    Some(fixture)
}

/// Locks the row of node 1, as a node does that takes its runs over.
async fn lock(fixture: &Fixture, connection: &mut PgConnection) {
    let sql = fixture
        .postgres
        .tables
        .fill("SELECT 1 FROM {nodes} WHERE id = 1 FOR UPDATE");
    sqlx::query(sql).execute(connection).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_waits_for_a_take_over_and_then_changes_nothing() {
    // With a lease that is still valid, so that only the flag decides.
    let Some(fixture) = held("taken", LONG).await else {
        return;
    };
    let db = &fixture.postgres;
    let mut reaper = fixture.transaction().await;
    lock(&fixture, &mut reaper).await;
    let finish = async {
        let mut c = fixture.transaction().await;
        let ended = db.end_runs(&mut c, 1, &[END]).await.unwrap();
        let lease = db.hold_lease(&mut c, 1).await.unwrap();
        fixture.commit(&mut c).await;
        (ended, lease)
    };
    let take_over = async {
        a_while().await;
        assert_eq!(fixture.run(1).await.slot, 2, "the end waits");
        db.requeue(&mut reaper, &[again()]).await.unwrap();
        db.bury(&mut reaper, &[1]).await.unwrap();
        fixture.commit(&mut reaper).await;
    };
    let ((ended, lease), ()) = tokio::join!(finish, take_over);
    assert!(ended.is_empty() && !lease);
    let run = fixture.run(1).await;
    assert_eq!((run.state, run.slot, run.lost), (0, 1, 1));
    drop(reaper);
    fixture.drop_tables().await;
}

/// The run's row alone would not show it: it is the same before and after.
#[tokio::test(flavor = "multi_thread")]
async fn an_end_waits_for_a_take_over_that_has_not_come_to_the_run_yet() {
    let Some(fixture) = held("taking", LONG).await else {
        return;
    };
    let db = &fixture.postgres;
    let mut reaper = fixture.transaction().await;
    lock(&fixture, &mut reaper).await;
    let finish = async {
        let mut c = fixture.connection().await;
        db.end_runs(&mut c, 1, &[END]).await.unwrap()
    };
    let take_over = async {
        a_while().await;
        db.bury(&mut reaper, &[1]).await.unwrap();
        fixture.commit(&mut reaper).await;
    };
    let (ended, ()) = tokio::join!(finish, take_over);
    assert!(ended.is_empty());
    assert_eq!(fixture.run(1).await.slot, 2);
    drop(reaper);
    fixture.drop_tables().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_goes_on_when_a_take_over_is_given_up() {
    let Some(fixture) = held("given_up", LONG).await else {
        return;
    };
    let db = &fixture.postgres;
    let mut reaper = fixture.transaction().await;
    lock(&fixture, &mut reaper).await;
    let finish = async {
        let mut c = fixture.connection().await;
        db.end_runs(&mut c, 1, &[END]).await.unwrap()
    };
    let take_over = async {
        a_while().await;
        db.requeue(&mut reaper, &[again()]).await.unwrap();
        db.execute(&mut reaper, "ROLLBACK").await.unwrap();
    };
    let (ended, ()) = tokio::join!(finish, take_over);
    assert_eq!(ended, [1]);
    assert_eq!(fixture.run(1).await.slot, 0);
    drop(reaper);
    fixture.drop_tables().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_at_work_is_not_taken_over_and_beats_meanwhile() {
    let Some(fixture) = held("at_work", 200_000).await else {
        return;
    };
    let db = &fixture.postgres;
    let mut claim = fixture.transaction().await;
    assert!(db.hold_lease(&mut claim, 1).await.unwrap());
    a_while().await;
    let mut reaper = fixture.transaction().await;
    assert!(
        db.lock_lost_nodes(&mut reaper).await.unwrap().is_empty(),
        "it is skipped"
    );
    fixture.commit(&mut reaper).await;
    // Its lease has expired by now, but no other node has taken over.
    let beat = db
        .heartbeat(&mut *fixture.connection().await, 1, LONG, LONG)
        .await
        .unwrap();
    assert!(beat.is_some_and(|beat| !beat.has_lost));
    assert!(db.hold_lease(&mut claim, 1).await.unwrap());
    fixture.commit(&mut claim).await;
    drop((claim, reaper));
    fixture.drop_tables().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_beat_waits_for_a_take_over_and_comes_too_late() {
    let Some(fixture) = held("late", -1).await else {
        return;
    };
    let db = &fixture.postgres;
    let mut reaper = fixture.transaction().await;
    assert_eq!(db.lock_lost_nodes(&mut reaper).await.unwrap(), [1]);
    let mut other = fixture.transaction().await;
    assert!(
        db.lock_lost_nodes(&mut other).await.unwrap().is_empty(),
        "one of two takes over"
    );
    fixture.commit(&mut other).await;
    let beat = async {
        db.heartbeat(&mut *fixture.connection().await, 1, LONG, LONG)
            .await
            .unwrap()
    };
    let take_over = async {
        a_while().await;
        db.bury(&mut reaper, &[1]).await.unwrap();
        fixture.commit(&mut reaper).await;
    };
    let (beat, ()) = tokio::join!(beat, take_over);
    assert!(beat.is_none());
    drop((reaper, other));
    fixture.drop_tables().await;
}

#[tokio::test]
async fn nothing_ends_after_the_lease_ran_out() {
    let Some(fixture) = held("expired", -1).await else {
        return;
    };
    let mut c = fixture.connection().await;
    assert!(
        fixture
            .postgres
            .end_runs(&mut c, 1, &[END])
            .await
            .unwrap()
            .is_empty()
    );
    assert!(!fixture.postgres.hold_lease(&mut c, 1).await.unwrap());
    drop(c);
    fixture.drop_tables().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_is_recorded_although_the_run_is_asked_to_stop_meanwhile() {
    let Some(fixture) = held("asked", LONG).await else {
        return;
    };
    let db = &fixture.postgres;
    let mut asks = fixture.transaction().await;
    assert!(db.ask_run(&mut asks, 1).await.unwrap());
    let finish = async {
        let mut c = fixture.transaction().await;
        let ended = db.end_runs(&mut c, 1, &[END]).await.unwrap();
        a_while().await;
        fixture.commit(&mut c).await;
        ended
    };
    let commit = async {
        a_while().await;
        assert_eq!(fixture.run(1).await.slot, 2, "the end waits");
        fixture.commit(&mut asks).await;
        // A cancellation request for a run that is about to end waits and returns the result.
        db.ask_run(&mut asks, 1).await.unwrap()
    };
    let (ended, is_live) = tokio::join!(finish, commit);
    assert_eq!(ended, [1]);
    let run = fixture.run(1).await;
    assert!(run.cancel_requested && run.state == 2 && run.slot == 0);
    // The request may have been made before the end locked the run's row.
    assert!(!db.ask_run(&mut asks, 1).await.unwrap(), "{is_live}");
    drop(asks);
    fixture.drop_tables().await;
}
