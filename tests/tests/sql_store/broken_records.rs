//! Unreadable records, badly edited or written by another program: they do not stop other records, are reported once,
//! remain unchanged, and work again once they are repaired.

use chrono::TimeDelta;
use scheduler_core::store::{Cluster, StoreError, TakenOver};
use scheduler_core::testing::VirtualClock;
use scheduler_core::{
    Clock, Error, EventKind, NextEvent, NodeId, Overlap, RunFilter, SkipReason, SkippedFilter,
    SystemClock,
};
use scheduler_sqlx::{SqlError, SqlStore};
use sqlx::{Connection, PgConnection};
use tokio::task::JoinHandle;

use crate::support::{Node, Place, later, of_store, plain, until, wait_at_gate};

/// Makes one column of the due job `bad` unreadable, and checks what happens.
async fn spoil_and_watch(column: &str, value: &str) {
    for place in Place::each() {
        let mut node = Node::start(place.store().await).await;
        node.add(later(plain()).id("bad")).await;
        let kept = "CREATE TABLE kept AS SELECT * FROM scheduler_jobs WHERE id = 'bad'";
        place.run(kept).await;
        let spoil = format!(
            "UPDATE scheduler_jobs SET {column} = '{value}', next_nominal = 1, next_at = 1, due_at = 1, watermark = 0 WHERE id = 'bad'"
        );
        place.run(&spoil).await;
        node.add(plain().id("good").interval("100ms")).await;
        node.event(
            "the record cannot be read",
            |kind| matches!(kind, EventKind::Unreadable { record, .. } if &**record == "bad"),
        )
        .await;
        // The other jobs run, and the event is not repeated.
        node.ran("good", node.log.count("good") + 5).await;
        assert_eq!(node.log.count("bad"), 0);
        while let Some(next) = node.events.try_next() {
            if let NextEvent::Event(event) = next {
                assert!(
                    !matches!(event.kind, EventKind::Unreadable { .. }),
                    "{event:?}"
                );
            }
        }
        let warnings = node.scheduler.health().warnings;
        let told: Vec<&str> = warnings
            .iter()
            .map(|warning| &*warning.text)
            .filter(|text| text.contains("`bad`"))
            .collect();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(node.scheduler.health().is_ok(), "{place:?}");

        // Calls for this job report what is wrong; the job is never deleted, and lists leave it out.
        for error in [
            node.scheduler.get_job("bad").await.unwrap_err(),
            node.scheduler.pause_job("bad").await.unwrap_err(),
            node.scheduler.run_job_now("bad").await.unwrap_err(),
            node.scheduler.remove_job("bad").await.unwrap_err(),
            node.scheduler
                .add_job(later(plain()).id("bad").replace_existing(true))
                .await
                .unwrap_err(),
        ] {
            assert!(
                matches!(of_store(&error), SqlError::Unreadable { id, .. } if id == "bad"),
                "{error}"
            );
            assert!(error.to_string().contains("repair"), "{error}");
        }
        let listed = node.scheduler.get_jobs().await.unwrap();
        let ids: Vec<&str> = listed.iter().map(|job| job.id.as_str()).collect();
        assert_eq!(ids, ["good"]);
        let here = "SELECT count(*) FROM scheduler_jobs WHERE id = 'bad'";
        assert_eq!(place.number(here).await, 1);
        node.stop().await;

        let repair = format!(
            "UPDATE scheduler_jobs SET {column} = (SELECT {column} FROM kept) WHERE id = 'bad'"
        );
        place.run(&repair).await;
        let node = Node::start(place.store().await).await;
        node.ran("bad", 1).await;
        node.stop().await;
    }
}

#[tokio::test]
async fn a_trigger_that_is_none_stops_no_other_job() {
    spoil_and_watch("trigger", "every so often").await;
}

#[tokio::test]
async fn a_trigger_of_a_kind_that_only_a_newer_program_knows_stops_no_other_job() {
    spoil_and_watch("trigger", "moon full timezone=UTC").await;
}

#[tokio::test]
async fn policies_that_are_no_json_stop_no_other_job() {
    spoil_and_watch("policies", "{\"max_instances\": ").await;
}

#[tokio::test]
async fn policies_with_a_value_that_cannot_be_stop_no_other_job() {
    spoil_and_watch("policies", "{\"max_instances\": \"many\"}").await;
}

#[tokio::test]
async fn arguments_that_are_no_json_stop_no_other_job() {
    spoil_and_watch("arguments", "{]").await;
}

#[tokio::test]
async fn arguments_that_are_no_object_stop_no_other_job() {
    spoil_and_watch("arguments", "[1, 2]").await;
}

#[tokio::test]
async fn a_job_of_a_task_that_this_program_does_not_have_waits_for_one_that_has_it() {
    for place in Place::each() {
        let node = Node::start(place.store().await).await;
        node.add(later(plain()).id("of-another")).await;
        place
            .run("UPDATE scheduler_jobs SET task = 'of_another', next_nominal = 1, next_at = 1, due_at = 1, watermark = 0")
            .await;
        node.add(plain().id("good").interval("100ms")).await;
        node.ran("good", 5).await;
        assert!(node.runs("of-another").await.is_empty());
        let job = node.scheduler.get_job("of-another").await.unwrap().unwrap();
        assert_eq!(&*job.task, "of_another");
        let error = node.scheduler.run_job_now("of-another").await.unwrap_err();
        assert!(matches!(error, Error::UnknownTask { .. }), "{error}");
        node.stop().await;
        place
            .run("UPDATE scheduler_jobs SET task = 'note' WHERE id = 'of-another'")
            .await;
        let node = Node::start(place.store().await).await;
        node.ran("of-another", 1).await;
        node.stop().await;
    }
}

#[tokio::test]
async fn a_run_that_cannot_be_read_is_left_out_of_lists() {
    for place in Place::each() {
        let node = Node::start(place.store().await).await;
        node.add(plain().id("job").interval("100ms")).await;
        node.ran("job", 3).await;
        node.scheduler.pause_job("job").await.unwrap();
        crate::support::until("no run is open", async || {
            place
                .number("SELECT count(*) FROM scheduler_runs WHERE slot > 0")
                .await
                == 0
        })
        .await;
        let before = node.runs("job").await;
        let newest = match &place {
            Place::Sqlite(_) => "(SELECT max(id) FROM scheduler_runs)",
            Place::Postgres(_) => "(SELECT max(id::text)::uuid FROM scheduler_runs)",
        };
        let spoil = format!("UPDATE scheduler_runs SET state = 77 WHERE id = {newest}");
        place.run(&spoil).await;
        let after = node
            .scheduler
            .list_runs(&RunFilter::new().limit(usize::MAX))
            .await
            .unwrap()
            .items;
        assert_eq!(after, before[1..]);
        // A page is filled up with readable runs, and has a cursor if more follow.
        let pages = RunFilter::new().limit(1);
        let page = node.scheduler.list_runs(&pages).await.unwrap();
        assert_eq!(page.items, before[1..2]);
        assert_eq!(page.next.is_some(), before.len() > 2);
        let error = node.scheduler.get_run(before[0].id).await.unwrap_err();
        assert!(
            matches!(of_store(&error), SqlError::Unreadable { .. }),
            "{error}"
        );
        node.stop().await;
    }
}

/// Leaves behind a dead node that held one run of each of these jobs.
pub(crate) async fn die_with_runs_of(place: &Place, jobs: &[&str]) {
    place
        .run("INSERT INTO scheduler_nodes (id, name, version, started_at, heartbeat_at, lease_until, is_alive) VALUES (7, 'gone', '', 1, 1, 1, TRUE)")
        .await;
    for (n, job) in jobs.iter().enumerate() {
        // Ids begin with the time: one in the far future, so that retention does not delete the run.
        let id = format!("7f{n:030x}");
        let id = match place {
            Place::Sqlite(_) => format!("unhex('{id}')"),
            Place::Postgres(_) => format!("'{id}'"),
        };
        let sql = format!(
            "INSERT INTO scheduler_runs (id, job_id, task, kind, scheduled_for, state, slot, node, attempt, failures, lost, cancel_requested, started_at) VALUES ({id}, '{job}', 'note', 1, 1, 1, 2, 7, 1, 0, 0, FALSE, 1)"
        );
        place.run(&sql).await;
    }
}

/// Returns how many of the job's runs are as the dead node left them.
async fn left_alone(place: &Place, job: &str) -> i64 {
    let sql = format!(
        "SELECT count(*) FROM scheduler_runs WHERE job_id = '{job}' AND slot = 2 AND node = 7 AND lost = 0"
    );
    place.number(&sql).await
}

/// Waits until a health warning with this text says that a record cannot be read.
async fn is_reported(node: &Node, text: &str) {
    crate::support::until("it is reported", async || {
        let warnings = node.scheduler.health().warnings;
        let mut texts = warnings.iter().map(|warning| &*warning.text);
        texts.any(|warning| warning.contains("cannot be read") && warning.contains(text))
    })
    .await;
}

const MARKED_ALIVE: &str = "SELECT count(*) FROM scheduler_nodes WHERE id = 7 AND is_alive";

async fn adds(place: &Place, jobs: &[&str]) {
    let node = Node::start(place.store().await).await;
    for job in jobs {
        node.add(later(plain()).id(*job)).await;
    }
    node.stop().await;
}

#[tokio::test]
async fn a_run_of_a_state_that_only_a_newer_program_knows_stays_with_its_lost_node() {
    for place in Place::each() {
        adds(&place, &["newer", "plain"]).await;
        die_with_runs_of(&place, &["newer", "plain"]).await;
        place
            .run("UPDATE scheduler_runs SET state = 77 WHERE job_id = 'newer'")
            .await;
        let node = Node::start(place.store().await).await;
        is_reported(&node, "77").await;
        node.ran("plain", 1).await;
        assert_eq!(left_alone(&place, "newer").await, 1, "{place:?}");
        assert_eq!(place.number(MARKED_ALIVE).await, 1, "{place:?}");
        node.stop().await;

        // A program that can read the run takes it over.
        place
            .run("UPDATE scheduler_runs SET state = 1 WHERE job_id = 'newer'")
            .await;
        let node = Node::start(place.store().await).await;
        node.ran("newer", 1).await;
        assert_eq!(place.number(MARKED_ALIVE).await, 0, "{place:?}");
        node.stop().await;
    }
}

#[tokio::test]
async fn node_that_was_taken_over_in_part_cannot_come_back() {
    for place in Place::each() {
        adds(&place, &["newer", "plain"]).await;
        die_with_runs_of(&place, &["newer", "plain"]).await;
        place
            .run("UPDATE scheduler_runs SET state = 77 WHERE job_id = 'newer'")
            .await;
        let store = place.store().await;
        let taken = store.take_over(SystemClock.now()).await.unwrap();
        assert_eq!((taken.again.len(), taken.unreadable.len()), (1, 1));
        // Its other run is available to any node.
        assert!(!store.heartbeat(NodeId::new(7)).await.unwrap().is_alive);
        assert_eq!(place.number(MARKED_ALIVE).await, 1, "{place:?}");
        let again = store.take_over(SystemClock.now()).await.unwrap();
        assert!(again.again.is_empty() && again.lost.is_empty(), "{again:?}");
    }
}

/// Adds runs to a dead node, in the order in which they are taken over.
async fn die_with_many_runs(place: &Place, node: i64, first: u32, job: &str, count: u32) {
    place
        .run(&format!("INSERT INTO scheduler_nodes (id, name, version, started_at, heartbeat_at, lease_until, is_alive) VALUES ({node}, 'gone', '', 1, 1, 1, TRUE) ON CONFLICT DO NOTHING"))
        .await;
    place
        .run(&format!("INSERT INTO scheduler_runs (id, job_id, task, kind, scheduled_for, state, slot, node, attempt, failures, lost, cancel_requested, started_at) SELECT ('7f' || lpad(to_hex(i), 30, '0'))::uuid, '{job}', 'note', 1, 1, 1, 2, {node}, 1, 0, 0, FALSE, 1 FROM generate_series({first}, {first} + {count} - 1) i"))
        .await;
}

const HELD: &str = "SELECT count(*) FROM scheduler_runs WHERE slot = 2";

/// Begins to take over 1,050 runs of a node; a lock on a job stops it after a thousand. Returns the connection that
/// holds the lock, and the task that waits for it.
async fn take_over_half(
    place: &Place,
    store: &SqlStore,
) -> (PgConnection, JoinHandle<Result<TakenOver, StoreError>>) {
    adds(place, &["early", "late"]).await;
    die_with_many_runs(place, 7, 10_000, "early", 1_000).await;
    die_with_many_runs(place, 7, 20_000, "late", 50).await;
    let mut other = PgConnection::connect(&place.url()).await.unwrap();
    sqlx::raw_sql("BEGIN; SELECT 1 FROM scheduler_jobs WHERE id = 'late' FOR UPDATE")
        .execute(&mut other)
        .await
        .unwrap();
    let store = store.clone();
    let taking = tokio::spawn(async move { store.take_over(SystemClock.now()).await });
    until("the first ones are taken over", async || {
        place.number(HELD).await == 50
    })
    .await;
    (other, taking)
}

#[tokio::test]
async fn node_whose_take_over_was_interrupted_cannot_come_back() {
    let Some(place) = Place::postgres() else {
        return;
    };
    let store = place.store().await;
    let (other, taking) = take_over_half(&place, &store).await;
    taking.abort();
    assert!(taking.await.unwrap_err().is_cancelled());
    other.close().await.unwrap();
    assert!(!store.heartbeat(NodeId::new(7)).await.unwrap().is_alive);
    let rest = store.take_over(SystemClock.now()).await.unwrap();
    assert_eq!((rest.again.len(), place.number(HELD).await), (50, 0));
    assert_eq!(place.number(MARKED_ALIVE).await, 0);
}

#[tokio::test]
async fn runs_of_a_node_that_is_lost_during_the_take_over_of_another_are_not_forgotten() {
    let Some(place) = Place::postgres() else {
        return;
    };
    let store = place.store().await;
    let (other, taking) = take_over_half(&place, &store).await;
    // Runs that precede those still to be taken over.
    die_with_many_runs(&place, 8, 100, "early", 2).await;
    other.close().await.unwrap();
    let taken = taking.await.unwrap().unwrap();
    let next = store.take_over(SystemClock.now()).await.unwrap();
    assert_eq!(taken.again.len() + next.again.len(), 1_052);
    assert_eq!(place.number(HELD).await, 0);
}

#[tokio::test(start_paused = true)]
async fn repaired_record_is_taken_up_again_within_minutes() {
    for place in Place::each() {
        let clock = VirtualClock::at("2026-03-01T00:00:00Z").unwrap();
        let node = Node::with(place.store().await, |builder| {
            builder.without_static_jobs().clock(clock.clone())
        })
        .await;
        node.add(plain().id("hourly").interval("1h")).await;
        let set = |policies| {
            format!("UPDATE scheduler_jobs SET policies = '{policies}' WHERE id = 'hourly'")
        };
        let spoil = set(r#"{"overlap": "bounce"}"#);
        clock.hold(place.run(&spoil)).await;
        clock.advance(TimeDelta::minutes(61)).await;
        assert_eq!(node.log.count("hourly"), 0);
        clock.hold(place.run(&set("{}"))).await;
        clock.advance(TimeDelta::minutes(2)).await;
        assert_eq!(node.log.count("hourly"), 1, "{place:?}");
        node.stop().await;
    }
}

#[tokio::test]
async fn a_lost_run_whose_job_cannot_be_read_is_tried_again_by_a_program_that_can() {
    for place in Place::each() {
        adds(&place, &["newer", "plain"]).await;
        die_with_runs_of(&place, &["newer", "plain"]).await;
        place
            .run(r#"UPDATE scheduler_jobs SET policies = '{"overlap": "bounce"}' WHERE id = 'newer'"#)
            .await;
        let node = Node::start(place.store().await).await;
        node.ran("plain", 1).await;
        assert_eq!(node.log.count("newer"), 0, "{place:?}");
        node.stop().await;

        place
            .run("UPDATE scheduler_jobs SET policies = '{}' WHERE id = 'newer'")
            .await;
        let node = Node::start(place.store().await).await;
        node.ran("newer", 1).await;
        let run = &node.runs("newer").await[0];
        assert_eq!((run.attempt, run.earlier_attempts.len()), (2, 1));
        node.stop().await;
    }
}

#[tokio::test]
async fn earlier_attempts_that_a_newer_program_wrote_are_kept_by_a_take_over() {
    for place in Place::each() {
        adds(&place, &["newer"]).await;
        die_with_runs_of(&place, &["newer"]).await;
        place
            .run(r#"UPDATE scheduler_runs SET earlier_attempts = '[{"state":"bounced"}]'"#)
            .await;
        let node = Node::start(place.store().await).await;
        node.ran("newer", 1).await;
        let kept = r#"SELECT count(*) FROM scheduler_runs WHERE earlier_attempts LIKE '[{"state":"bounced"},{%"lost"%'"#;
        assert_eq!(place.number(kept).await, 1, "{place:?}");
        node.stop().await;
    }
}

#[tokio::test]
async fn a_queued_run_of_a_kind_that_only_a_newer_program_knows_holds_up_no_other() {
    for place in Place::each() {
        let node = Node::start(place.store().await).await;
        node.add(
            later(wait_at_gate::job())
                .id("job")
                .overlap(Overlap::Queue(5)),
        )
        .await;
        for _ in 0..3 {
            node.scheduler.run_job_now("job").await.unwrap();
        }
        node.ran("job", 1).await;
        let first = match &place {
            Place::Sqlite(_) => "(SELECT min(id) FROM scheduler_runs WHERE slot = 1)",
            Place::Postgres(_) => "(SELECT min(id::text)::uuid FROM scheduler_runs WHERE slot = 1)",
        };
        place
            .run(&format!(
                "UPDATE scheduler_runs SET kind = 77 WHERE id = {first}"
            ))
            .await;
        node.gate.open();
        node.ran("job", 2).await;
        node.gate.open();
        let left = "SELECT count(*) FROM scheduler_runs WHERE kind = 77 AND slot = 1";
        assert_eq!(place.number(left).await, 1, "{place:?}");
        assert_eq!(node.runs("job").await.len(), 2, "{place:?}");
        node.stop().await;
    }
}

#[tokio::test]
async fn a_skipped_fire_time_whose_reason_only_a_newer_program_knows_is_left_out_of_lists() {
    for place in Place::each() {
        let node = Node::start(place.store().await).await;
        for reason in ["bounced", "missed"] {
            place
                .run(&format!("INSERT INTO scheduler_skipped (job_id, reason, first_at, last_at, count, is_exact, decided_at) VALUES ('job', '{reason}', 1, 1, 1, TRUE, 4102444800000000)"))
                .await;
        }
        let skipped = node
            .scheduler
            .list_skipped(&SkippedFilter::new().limit(10))
            .await
            .unwrap()
            .items;
        let reasons: Vec<SkipReason> = skipped.iter().map(|skipped| skipped.reason).collect();
        assert_eq!(reasons, [SkipReason::Missed], "{place:?}");
        node.stop().await;
    }
}
