use chrono::{DateTime, Utc};
use scheduler_core::{Attempt, RunFilter, RunId, RunState};

use super::{Fixture, LONG, all, job, new_run};
use crate::backend::Backend;
use crate::instant::from_micros;
use crate::run_row::{BodyRow, EndRow, NewRun, OpenRuns, RequeueRow, RetryRow, StartRow};

fn end(id: u128, attempt: i32) -> EndRow<'static> {
    EndRow {
        id,
        attempt,
        held: 3,
        state: 3,
        holds_slot: false,
        started_at: 5,
        finished_at: 6,
        lateness: 7,
        error: Some("a\0b"),
        value: None,
    }
}

fn body(id: u128, attempt: i32, held: i16, next_attempt: i32) -> BodyRow {
    BodyRow {
        id,
        attempt,
        held,
        next_attempt,
        holds_slot: held == 2,
    }
}

async fn with_node(name: &str) -> Option<Fixture> {
    let fixture = Fixture::new(name).await?;
    let sql = format!(
        "INSERT INTO {{nodes}} VALUES (1, 'one', '', 0, 0, {}, TRUE)",
        i64::MAX - LONG
    );
    fixture.execute(&sql).await;
    Some(fixture)
}

#[tokio::test]
async fn a_fire_time_is_inserted_once() {
    let Some(fixture) = Fixture::new("fire").await else {
        return;
    };
    let (db, mut c) = (&fixture.postgres, fixture.connection().await);
    let runs = [
        new_run(3, "a", 1, Some(1)),
        new_run(2, "a", 1, Some(1)),
        new_run(4, "a", 2, None),
    ];
    assert_eq!(db.insert_runs(&mut c, &runs).await.unwrap(), [2, 4]);
    let manual = NewRun {
        kind: 1,
        ..new_run(5, "a", 1, Some(1))
    };
    let again = [new_run(6, "a", 2, None), manual];
    assert_eq!(db.insert_runs(&mut c, &again).await.unwrap(), [5]);

    let open = db.open_runs(&mut c, &all(&["a", "b"])).await.unwrap();
    assert_eq!(
        open,
        [OpenRuns {
            job_id: "a".to_owned(),
            live: 2,
            queued: 1,
            oldest: Some(2),
        }]
    );
    let waiting = db.queued_runs(&mut c, &["a", "b"]).await.unwrap();
    assert_eq!(waiting.len(), 1);
    let live = fixture.run(2).await;
    assert_eq!(
        (live.state, live.slot, live.attempt, live.node),
        (1, 2, 1, Some(1))
    );
    let waits = &waiting[0];
    assert_eq!(
        (waits.id, waits.state, waits.slot, waits.attempt),
        (4, 0, 1, 0)
    );

    let start = [4, 2].map(|id| StartRow { id, attempt: 1 });
    db.start_runs(&mut c, &start, 9, 77).await.unwrap();
    let started = fixture.run(4).await;
    assert_eq!((started.state, started.slot, started.attempt), (1, 2, 1));
    assert_eq!((started.node, started.started_at), (Some(9), Some(77)));
    assert_eq!(fixture.run(2).await, live, "it did not wait");
    assert_eq!(db.held(&mut c, 9).await.unwrap(), [4]);
    db.delete_runs(&mut c, &[4, 5]).await.unwrap();
    assert!(db.runs(&mut c, &[4, 5]).await.unwrap().is_empty());
    drop(c);
    fixture.drop_tables().await;
}

// One function, since it follows runs through their attempts.
#[tokio::test]
async fn a_run_ends_under_the_attempt_that_its_node_holds() {
    let Some(fixture) = with_node("ends").await else {
        return;
    };
    let (db, mut c) = (&fixture.postgres, fixture.connection().await);
    let runs = [1, 2, 3, 4].map(|id| new_run(id, "a", id.try_into().unwrap(), Some(1)));
    db.insert_runs(&mut c, &runs).await.unwrap();

    let ends = [
        end(3, 2),
        EndRow {
            holds_slot: true,
            ..end(2, 1)
        },
        end(1, 1),
        end(9, 1),
    ];
    assert!(
        db.end_runs(&mut c, 2, &ends).await.unwrap().is_empty(),
        "no such node"
    );
    let mut ended = db.end_runs(&mut c, 1, &ends).await.unwrap();
    ended.sort_unstable();
    assert_eq!(ended, [1, 2]);
    assert!(
        db.end_runs(&mut c, 1, &ends).await.unwrap().is_empty(),
        "they have ended"
    );
    let run = fixture.run(1).await;
    assert_eq!((run.state, run.slot, run.lateness), (3, 0, Some(7)));
    assert_eq!((run.started_at, run.finished_at), (Some(5), Some(6)));
    assert_eq!(run.error.as_deref(), Some("a\u{1}b"));
    assert_eq!(run.node_name.as_deref(), Some("one"));
    assert_eq!(fixture.run(2).await.slot, 2);

    let retry = RetryRow {
        id: 4,
        attempt: 1,
        held: 1,
        next_attempt: 1,
        failures: 1,
        started_at: 8,
        lateness: 1,
        earlier: r#"{"attempt":1,"error":"\"attempt\":2,"}"#.to_owned(),
    };
    let retries = [retry];
    assert_eq!(db.retry_runs(&mut c, 1, &retries).await.unwrap(), [4]);
    assert!(
        db.retry_runs(&mut c, 1, &retries).await.unwrap().is_empty(),
        "its attempt has ended"
    );
    assert_eq!(fixture.run(4).await.attempt, 1);
    let bodies = [
        body(4, 1, 2, 2),
        body(4, 1, 4, 1),
        body(2, 1, 2, 2),
        body(2, 1, 4, 1),
        body(3, 2, 6, 2),
        body(3, 1, 6, 1),
    ];
    let mut bodies = db.end_bodies(&mut c, 1, &bodies).await.unwrap();
    bodies.sort_unstable();
    assert_eq!(bodies, [2, 4]);
    assert!(
        db.end_bodies(&mut c, 1, &[body(4, 2, 6, 3)])
            .await
            .unwrap()
            .is_empty(),
        "the number of its attempt stands in the text of an error only"
    );
    assert_eq!(fixture.run(2).await.slot, 0);
    let again = fixture.run(4).await;
    assert_eq!((again.slot, again.attempt, again.failures), (2, 2, 1));
    drop(c);
    fixture.drop_tables().await;
}

#[tokio::test]
async fn the_last_ten_earlier_attempts_are_kept() {
    let Some(fixture) = with_node("retries").await else {
        return;
    };
    let (db, mut c) = (&fixture.postgres, fixture.connection().await);
    db.insert_runs(&mut c, &[new_run(1, "a", 1, Some(1))])
        .await
        .unwrap();
    let at = from_micros(1).unwrap();
    for attempt in 1..=12 {
        let error = Some(format!("no {attempt}: \0, \"quoted\", [1,2]").into());
        let number = u32::try_from(attempt).unwrap();
        let earlier = Attempt::new(number, (at, at), RunState::Failed, error);
        let earlier = serde_json::to_string(&earlier).unwrap();
        let retry = RetryRow {
            id: 1,
            attempt,
            held: 1,
            next_attempt: attempt + 1,
            failures: 1,
            started_at: i64::from(attempt),
            lateness: i64::from(attempt),
            earlier,
        };
        assert_eq!(db.retry_runs(&mut c, 1, &[retry]).await.unwrap(), [1]);
    }
    let run = fixture.run(1).await;
    assert_eq!((run.attempt, run.failures, run.lateness), (13, 12, Some(1)));
    assert_eq!((run.state, run.slot, run.started_at), (1, 2, Some(12)));
    let json = run.earlier_attempts.unwrap();
    let attempts: Vec<Attempt> = serde_json::from_str(&json).unwrap();
    let numbers: Vec<u32> = attempts.iter().map(|attempt| attempt.attempt).collect();
    assert_eq!(numbers, (3..=12).collect::<Vec<_>>());
    assert_eq!(
        attempts[9].error.as_deref(),
        Some("no 12: \0, \"quoted\", [1,2]")
    );
    drop(c);
    fixture.drop_tables().await;
}

#[tokio::test]
async fn runs_are_asked_to_stop_and_cancelled() {
    let Some(fixture) = with_node("stop").await else {
        return;
    };
    let (db, mut c) = (&fixture.postgres, fixture.connection().await);
    db.insert_jobs(&mut c, &[job("a", 1)]).await.unwrap();
    let runs = [
        new_run(1, "a", 1, Some(1)),
        new_run(2, "a", 2, Some(1)),
        new_run(3, "a", 3, None),
    ];
    db.insert_runs(&mut c, &runs).await.unwrap();
    db.cancel_oldest(&mut c, &["a", "c"]).await.unwrap();
    assert_eq!(db.cancellations(&mut c, 1).await.unwrap(), [1]);
    assert!(db.ask_run(&mut c, 2).await.unwrap());
    assert!(db.ask_run(&mut c, 2).await.unwrap());
    assert!(!db.ask_run(&mut c, 3).await.unwrap() && !db.ask_run(&mut c, 9).await.unwrap());
    let mut asked = db.cancellations(&mut c, 1).await.unwrap();
    asked.sort_unstable();
    assert_eq!(asked, [1, 2]);
    assert_eq!(
        db.cancel_queued(&mut c, &[2, 3], "removed", 50)
            .await
            .unwrap(),
        1
    );
    let cancelled = fixture.run(3).await;
    assert_eq!(
        (cancelled.state, cancelled.slot, cancelled.finished_at),
        (5, 0, Some(50))
    );
    drop(c);
    fixture.drop_tables().await;
}

// One function, since it follows runs through their attempts.
#[tokio::test]
async fn runs_are_settled_under_the_attempt_at_which_they_were_seen() {
    let Some(fixture) = with_node("settle").await else {
        return;
    };
    let (db, mut c) = (&fixture.postgres, fixture.connection().await);
    let runs = [
        new_run(1, "a", 1, Some(1)),
        new_run(2, "a", 2, Some(1)),
        new_run(3, "a", 3, None),
        new_run(5, "b", 5, Some(1)),
    ];
    db.insert_runs(&mut c, &runs).await.unwrap();
    let queued = fixture.run(3).await;
    let before = fixture.run(1).await;
    let released = || RequeueRow {
        attempt: 0,
        state: 0,
        slot: 1,
        ..RequeueRow::ended(&before)
    };
    let others = [
        RequeueRow {
            held_by: Some(2),
            ..released()
        },
        RequeueRow {
            held_attempt: 2,
            ..released()
        },
        RequeueRow {
            held_state: 4,
            ..released()
        },
        RequeueRow {
            id: 3,
            ..released()
        },
    ];
    for other in others {
        db.requeue(&mut c, &[other]).await.unwrap();
        assert_eq!(fixture.run(1).await, before);
        assert_eq!(fixture.run(3).await, queued);
    }
    db.requeue(&mut c, &[released()]).await.unwrap();
    let released = fixture.run(1).await;
    assert_eq!((released.state, released.slot, released.attempt), (0, 1, 0));
    assert_eq!(released.node, None);

    let mut lost = db.runs_of(&mut c, &[1, 7], 0, 10).await.unwrap();
    lost.sort_by_key(|run| run.id);
    assert_eq!(lost.iter().map(|run| run.id).collect::<Vec<_>>(), [2, 5]);
    let again = RequeueRow {
        id: 2,
        held_by: Some(1),
        held_attempt: 1,
        held_state: 1,
        attempt: 1,
        state: 0,
        slot: 1,
        lost: 1,
        finished_at: None,
        error: None,
        earlier_attempts: Some("[]".to_owned()),
    };
    let lost = RequeueRow {
        id: 5,
        held_by: Some(1),
        held_attempt: 1,
        held_state: 1,
        attempt: 1,
        state: 6,
        slot: 0,
        lost: 4,
        finished_at: Some(60),
        error: Some("lost".to_owned()),
        earlier_attempts: None,
    };
    db.requeue(&mut c, &[lost, again]).await.unwrap();
    let again = fixture.run(2).await;
    assert_eq!(
        (again.state, again.slot, again.lost, again.node),
        (0, 1, 1, None)
    );
    assert_eq!(
        (again.attempt, again.earlier_attempts.as_deref()),
        (1, Some("[]"))
    );
    let lost = fixture.run(5).await;
    assert_eq!(
        (lost.state, lost.slot, lost.lost, lost.node),
        (6, 0, 4, Some(1))
    );
    assert_eq!(
        (lost.finished_at, lost.error.as_deref()),
        (Some(60), Some("lost"))
    );
    drop(c);
    fixture.drop_tables().await;
}

// One function, since all filters are tried on the same rows.
#[tokio::test]
async fn runs_are_listed_as_the_filter_says() {
    let Some(fixture) = with_node("list").await else {
        return;
    };
    let (db, mut c) = (&fixture.postgres, fixture.connection().await);
    let jobs = ["a", "b"];
    let runs: Vec<NewRun<'_>> = (1_u8..=8)
        .map(|n| {
            let node = (n % 4 != 0).then_some(1);
            new_run(
                u128::from(n),
                jobs[usize::from(n % 2)],
                i64::from(n) * 10,
                node,
            )
        })
        .collect();
    db.insert_runs(&mut c, &runs).await.unwrap();
    let ends = [
        end(1, 1),
        EndRow {
            state: 2,
            ..end(2, 1)
        },
        EndRow {
            state: 4,
            ..end(3, 1)
        },
    ];
    db.end_runs(&mut c, 1, &ends).await.unwrap();

    let at = |micros: i64| -> DateTime<Utc> { from_micros(micros).unwrap() };
    let all = RunFilter::new;
    for (filter, expected) in [
        (all(), vec![8, 7, 6, 5, 4, 3, 2, 1]),
        (all().limit(2), vec![8, 7]),
        (all().job("a"), vec![8, 6, 4, 2]),
        (all().job("a\0"), vec![]),
        (all().since(at(30)).until(at(60)), vec![5, 4, 3]),
        (all().before(RunId::from_u128(3)), vec![2, 1]),
        (
            all().state(RunState::Failed).state(RunState::TimedOut),
            vec![3, 1],
        ),
        (
            all().state(RunState::Failed).state(RunState::Succeeded),
            vec![2, 1],
        ),
        (all().state(RunState::Queued), vec![8, 4]),
        (
            all()
                .state(RunState::Queued)
                .state(RunState::Running)
                .job("b"),
            vec![7, 5],
        ),
        (
            all()
                .state(RunState::Running)
                .state(RunState::Lost)
                .limit(1),
            vec![7],
        ),
    ] {
        let found = db.list_runs(&mut c, &filter).await.unwrap();
        let found: Vec<u128> = found.iter().map(|run| run.id).collect();
        assert_eq!(found, expected, "{filter:?}");
    }
    let newest = db.list_runs(&mut c, &all().limit(2)).await.unwrap();
    let names: Vec<Option<&str>> = newest.iter().map(|run| run.node_name.as_deref()).collect();
    assert_eq!(names, [None, Some("one")]);
    drop(c);
    fixture.drop_tables().await;
}
