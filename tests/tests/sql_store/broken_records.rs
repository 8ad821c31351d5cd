//! Records that somebody has edited badly, or that another program wrote: they stop no other, are told
//! once, stay as they are, and work again once they are mended.

use scheduler_core::{Error, EventKind, NextEvent, RunFilter};
use scheduler_sqlx::SqlError;

use crate::support::{Node, Place, later, of_store, plain};

/// Spoils one column of the job `bad`, which is due, and looks on.
async fn spoil_and_watch(column: &str, value: &str) {
    for place in Place::each() {
        let mut node = Node::start(place.store().await).await;
        node.add(later(plain()).id("bad")).await;
        let kept = "CREATE TABLE kept AS SELECT * FROM scheduler_jobs WHERE id = 'bad'";
        place.run(kept).await;
        let spoil = format!(
            "UPDATE scheduler_jobs SET {column} = '{value}', next_nominal = 1, next_at = 1, due_at = 1, mark = 0 WHERE id = 'bad'"
        );
        place.run(&spoil).await;
        node.add(plain().id("good").interval("100ms")).await;
        node.event(
            "the record cannot be read",
            |kind| matches!(kind, EventKind::Unreadable { record, .. } if &**record == "bad"),
        )
        .await;
        // The others run, and it is told once.
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

        // Asked for, it says what is wrong; it is never deleted, and lists leave it out.
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
            assert!(error.to_string().contains("mend"), "{error}");
        }
        let listed = node.scheduler.get_jobs().await.unwrap();
        let ids: Vec<&str> = listed.iter().map(|job| job.id.as_str()).collect();
        assert_eq!(ids, ["good"]);
        let here = "SELECT count(*) FROM scheduler_jobs WHERE id = 'bad'";
        assert_eq!(place.number(here).await, 1);
        node.stop().await;

        let mend = format!(
            "UPDATE scheduler_jobs SET {column} = (SELECT {column} FROM kept) WHERE id = 'bad'"
        );
        place.run(&mend).await;
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
            .run("UPDATE scheduler_jobs SET task = 'of_another', next_nominal = 1, next_at = 1, due_at = 1, mark = 0")
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
                .number("SELECT count(*) FROM scheduler_runs WHERE place > 0")
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
        let after = node.scheduler.runs(&RunFilter::new()).await.unwrap();
        assert_eq!(after, before[1..]);
        let error = node.scheduler.run(before[0].id).await.unwrap_err();
        assert!(
            matches!(of_store(&error), SqlError::Unreadable { .. }),
            "{error}"
        );
        node.stop().await;
    }
}
