//! Several versions of a program over one persistent store. Overrides, the selection of jobs and changes in the
//! tables stand in for the differences between two binaries.

use std::io::Write;
use std::sync::{Arc, Mutex};

use scheduler_core::prelude::*;
use scheduler_core::{
    Builder, Error, JobOverride, JobRecord, Overrides, PolicyPatch, RunState, SkipReason,
    SkippedFilter,
};
use scheduler_sqlx::SqlError;

use crate::support::{Log, Node, Place, note, of_store, plain, until};

#[scheduled_job(interval = "24h", id = "report")]
async fn report(ctx: JobContext, log: Data<Log>) {
    note(String::new(), ctx, log).await;
}

#[scheduled_job(interval = "100ms", id = "of-the-new-version")]
async fn of_the_new_version(ctx: JobContext, log: Data<Log>) {
    note(String::new(), ctx, log).await;
}

#[scheduled_job(interval = "24h", id = "paused-in-the-code", paused = "not yet")]
async fn paused_in_the_code() {}

/// The function once had another name; stored records use the name of the task.
#[task(name = "send_mail")]
async fn deliver(ctx: JobContext, log: Data<Log>) {
    note(String::new(), ctx, log).await;
}

fn with_trigger(trigger: &str) -> Overrides {
    let change = JobOverride::new().trigger(trigger.parse().unwrap());
    Overrides::new().job("report", change)
}

/// A program whose only job is `report`.
async fn version(place: &Place, overrides: Overrides) -> Node {
    Node::with(place.store().await, |builder| {
        builder.only(["report"]).overrides(overrides)
    })
    .await
}

async fn job(node: &Node, id: &str) -> JobRecord {
    node.scheduler.get_job(id).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_job_of_the_new_version_is_run_by_no_node_of_the_old_one() {
    for place in Place::each() {
        let old = version(&place, Overrides::new()).await;
        let new = Node::with(place.store().await, |builder| {
            builder.only(["report", "of-the-new-version"])
        })
        .await;
        new.ran("of-the-new-version", 5).await;
        assert_eq!(old.log.count("of-the-new-version"), 0);
        // The old version lists jobs that it cannot run.
        assert!(
            old.scheduler
                .get_job("of-the-new-version")
                .await
                .unwrap()
                .is_some()
        );
        new.stop().await;
        let before = old.runs("of-the-new-version").await.len();
        old.add(plain().id("still-at-work").interval("100ms")).await;
        old.ran("still-at-work", 10).await;
        assert_eq!(old.runs("of-the-new-version").await.len(), before);
        assert_eq!(old.log.count("of-the-new-version"), 0);
        old.stop().await;
    }
}

#[tokio::test]
async fn the_last_start_with_another_trigger_wins_on_both_nodes() {
    for place in Place::each() {
        let old = version(&place, Overrides::new()).await;
        let new = version(&place, with_trigger("every 100ms")).await;
        // Whichever node claims evaluates the stored trigger.
        until("it runs by the new trigger", async || {
            old.log.count("report") + new.log.count("report") >= 3
        })
        .await;
        new.stop().await;
        let before = old.log.count("report");
        old.ran("report", before + 3).await;
        assert!(
            job(&old, "report")
                .await
                .trigger
                .to_string()
                .starts_with("every 100ms")
        );
        old.stop().await;
    }
}

/// Log output of this thread.
#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    fn count(&self, words: &str) -> usize {
        let text = self.0.lock().unwrap();
        String::from_utf8_lossy(&text).matches(words).count()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn versions_that_take_turns_are_warned_of() {
    let captured = Captured::default();
    let writer = captured.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    for (number, place) in Place::each().into_iter().enumerate() {
        for overrides in [
            Overrides::new(),
            with_trigger("every 48h"),
            with_trigger("every 72h"),
        ] {
            version(&place, overrides).await.stop().await;
        }
        assert_eq!(captured.count("take turns"), number, "each is news");
        version(&place, with_trigger("every 48h"))
            .await
            .stop()
            .await;
        assert_eq!(captured.count("take turns"), number + 1);
    }
    assert!(captured.count("job_id=report") > 0);
}

#[tokio::test]
async fn a_changed_trigger_supersedes_what_was_due_while_the_program_was_down() {
    for place in Place::each() {
        version(&place, with_trigger("every 100ms"))
            .await
            .stop()
            .await;
        // The job comes due while no node is running.
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        let node = version(&place, with_trigger("cron 0 0 1 1 *")).await;
        let skipped = node
            .scheduler
            .list_skipped(&SkippedFilter::new().job("report").limit(10))
            .await
            .unwrap()
            .items;
        assert_eq!(skipped[0].reason, SkipReason::Superseded);
        assert!(skipped[0].count >= 2, "{skipped:?}");
        assert_eq!(node.log.count("report"), 0);
        node.stop().await;
    }
}

#[tokio::test]
async fn changed_policies_keep_the_fire_times() {
    for place in Place::each() {
        let node = version(&place, Overrides::new()).await;
        let before = job(&node, "report").await;
        node.stop().await;
        let policies = PolicyPatch::new().max_instances(7).retries(3);
        let change = JobOverride::new().policies(policies);
        let node = version(&place, Overrides::new().job("report", change)).await;
        let after = job(&node, "report").await;
        assert_eq!(
            (after.policies.max_instances, after.policies.retries),
            (7, 3)
        );
        assert_eq!(
            (after.watermark, after.next),
            (before.watermark, before.next)
        );
        assert!(
            node.scheduler
                .list_skipped(&SkippedFilter::new().limit(10))
                .await
                .unwrap()
                .items
                .is_empty()
        );
        node.stop().await;
    }
}

#[tokio::test]
async fn an_edit_at_run_time_survives_a_restart_until_the_code_changes() {
    for place in Place::each() {
        let node = version(&place, Overrides::new()).await;
        node.scheduler
            .reschedule_job("report", "every 36h".parse().unwrap())
            .await
            .unwrap();
        node.stop().await;
        for _ in 0..2 {
            let node = version(&place, Overrides::new()).await;
            let found = job(&node, "report").await;
            assert!(
                found.edited && found.trigger.to_string().starts_with("every 1d 12h"),
                "{found:?}"
            );
            node.stop().await;
        }
        let node = version(&place, with_trigger("every 48h")).await;
        let found = job(&node, "report").await;
        assert!(
            !found.edited && found.trigger.to_string().starts_with("every 2d"),
            "{found:?}"
        );
        node.stop().await;
    }
}

#[tokio::test]
async fn a_paused_job_stays_paused_whatever_changes() {
    for place in Place::each() {
        let node = version(&place, Overrides::new()).await;
        node.scheduler
            .pause_job_with_note("report", "the provider is down")
            .await
            .unwrap();
        node.stop().await;
        for overrides in [Overrides::new(), with_trigger("every 100ms")] {
            let node = version(&place, overrides).await;
            let found = job(&node, "report").await;
            assert_eq!(found.paused.as_deref(), Some("the provider is down"));
            assert_eq!(found.next_run_time(), None);
            node.stop().await;
        }
        let node = version(&place, with_trigger("every 100ms")).await;
        assert_eq!(node.log.count("report"), 0);
        node.scheduler.resume_job("report").await.unwrap();
        node.ran("report", 1).await;
        node.stop().await;
    }
}

#[tokio::test]
async fn a_job_that_the_code_adds_paused_stays_resumed_once_it_was() {
    let only = |builder: Builder| builder.only(["paused-in-the-code"]);
    for place in Place::each() {
        let node = Node::with(place.store().await, only).await;
        assert_eq!(
            job(&node, "paused-in-the-code").await.paused.as_deref(),
            Some("not yet")
        );
        node.scheduler
            .resume_job("paused-in-the-code")
            .await
            .unwrap();
        node.stop().await;
        let node = Node::with(place.store().await, only).await;
        assert_eq!(job(&node, "paused-in-the-code").await.paused, None);
        node.stop().await;
    }
}

/// Turns the job `report` into a job whose code no longer exists.
async fn forget_the_code(place: &Place) {
    place
        .run("UPDATE scheduler_jobs SET id = 'gone' WHERE id = 'report'")
        .await;
    place
        .run("UPDATE scheduler_runs SET job_id = 'gone' WHERE job_id = 'report'")
        .await;
}

#[tokio::test]
async fn a_job_whose_code_is_gone_stays_until_it_is_removed_as_an_orphan() {
    for place in Place::each() {
        version(&place, Overrides::new()).await.stop().await;
        forget_the_code(&place).await;
        place
            .run("UPDATE scheduler_jobs SET due_at = 1, next_at = 1, next_nominal = 1, watermark = 0")
            .await;
        let node = version(&place, Overrides::new()).await;
        node.add(plain().id("still-at-work").interval("100ms"))
            .await;
        node.ran("still-at-work", 10).await;
        assert!(node.runs("gone").await.is_empty(), "nobody runs it");
        assert!(job(&node, "gone").await.is_static(), "it is there");

        let removed = node.scheduler.remove_orphans().await.unwrap();
        let ids: Vec<&str> = removed.iter().map(|job| job.id.as_str()).collect();
        assert_eq!(ids, ["gone"]);
        assert!(node.scheduler.get_job("gone").await.unwrap().is_none());
        assert!(node.scheduler.get_job("report").await.unwrap().is_some());
        assert!(
            node.scheduler
                .get_job("still-at-work")
                .await
                .unwrap()
                .is_some()
        );
        assert!(node.scheduler.remove_orphans().await.unwrap().is_empty());
        node.stop().await;
    }
}

#[tokio::test]
async fn an_orphan_can_be_removed_by_its_id_and_a_job_of_the_code_cannot() {
    for place in Place::each() {
        version(&place, Overrides::new()).await.stop().await;
        forget_the_code(&place).await;
        let node = version(&place, Overrides::new()).await;
        node.scheduler.remove_job("gone").await.unwrap();
        let error = node.scheduler.remove_job("report").await.unwrap_err();
        assert!(matches!(error, Error::StaticJob { .. }), "{error}");
        assert!(error.to_string().contains("pause it instead"), "{error}");
        node.stop().await;
    }
}

#[tokio::test]
async fn a_job_added_at_run_time_and_one_of_the_code_cannot_share_an_id() {
    for place in Place::each() {
        let node = Node::start(place.store().await).await;
        node.add(plain().id("report").interval("24h")).await;
        node.stop().await;
        let start = Node::try_with(place.store().await, |builder| builder.only(["report"])).await;
        let error = start.unwrap_err().to_string();
        assert!(
            error.contains("`report`") && error.contains("give the job in the code another id"),
            "{error}"
        );
        let node = Node::start(place.store().await).await;
        node.scheduler.remove_job("report").await.unwrap();
        node.stop().await;
        let node = version(&place, Overrides::new()).await;
        let taken = plain().id("report").interval("24h").replace_existing(true);
        let error = node.scheduler.add_job(taken).await.unwrap_err();
        assert!(matches!(error, Error::StaticJob { .. }), "{error}");
        node.stop().await;
    }
}

#[tokio::test]
async fn a_function_can_be_renamed_when_its_task_keeps_its_name() {
    for place in Place::each() {
        let node = Node::start(place.store().await).await;
        node.add(Job::new("send_mail").id("mail").interval("24h"))
            .await;
        node.scheduler.run_job_now("mail").await.unwrap();
        node.ran("mail", 1).await;
        until("it is recorded", async || {
            node.runs("mail").await[0].state == RunState::Succeeded
        })
        .await;
        assert_eq!(&*node.runs("mail").await[0].task, "send_mail");
        node.stop().await;
    }
}

#[tokio::test]
async fn a_record_of_the_code_that_cannot_be_read_stops_no_start() {
    for place in Place::each() {
        version(&place, Overrides::new()).await.stop().await;
        place
            .run("UPDATE scheduler_jobs SET trigger = 'moon full'")
            .await;
        let node = version(&place, with_trigger("every 48h")).await;
        let error = node.scheduler.get_job("report").await.unwrap_err();
        assert!(
            matches!(of_store(&error), SqlError::Unreadable { .. }),
            "{error}"
        );
        node.add(plain().id("other").now()).await;
        node.ran("other", 1).await;
        node.stop().await;
    }
}

#[tokio::test]
async fn two_versions_that_start_at_once_leave_one_definition() {
    for place in Place::each() {
        let (one, other) = tokio::join!(
            version(&place, with_trigger("every 48h")),
            version(&place, with_trigger("every 72h"))
        );
        assert_eq!(place.number("SELECT count(*) FROM scheduler_jobs").await, 1);
        assert_eq!(job(&one, "report").await, job(&other, "report").await);
        one.stop().await;
        other.stop().await;
    }
}
