//! Triggers whose search is costly, in a database: no transaction waits for the search.

use scheduler_core::prelude::*;
use scheduler_core::{Error, EventKind, RunState};

use crate::support::{Node, Place, note, until};

const RARE: &str = "cron 0 0 0 29 2 ? 2096 timezone=Asia/Tehran";

/// Returns a trigger of two intervals that never meet, with more parts to evaluate at each of a hundred thousand
/// steps.
fn costly() -> Trigger {
    let rare = [RARE; 10].join("; ");
    let text = format!(
        "and(every 10ms start=2026-01-01T00:00:00.001Z; or(every 10ms start=2026-01-01; {rare}))"
    );
    text.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_edit_holds_up_no_other_job() {
    for place in Place::each() {
        let mut node = Node::start(place.store().await).await;
        node.add(note::job(String::new()).id("tick").interval("10ms"))
            .await;
        node.ran("tick", 3).await;
        let error = node.scheduler.reschedule_job("tick", costly()).await;
        assert!(
            matches!(&error, Err(Error::CostlyTrigger { job, .. }) if job == "tick"),
            "{error:?}"
        );
        let before = node.log.count("tick");
        until("it heartbeats on", async || {
            node.log.count("tick") > before + 3
        })
        .await;
        while let Some(next) = node.events.try_next() {
            if let scheduler_core::NextEvent::Event(event) = next {
                let is_fenced = matches!(event.kind, EventKind::LeaseLost { .. });
                assert!(!is_fenced, "the lease ran out: {event:?}");
            }
        }
        let runs = node.runs("tick").await;
        assert!(runs.iter().all(|run| run.state != RunState::Lost));
        // An acceptable trigger is accepted, however often the job fires meanwhile.
        let slower = Trigger::every("1h").unwrap();
        node.scheduler.reschedule_job("tick", slower).await.unwrap();
        node.stop().await;
    }
}

#[tokio::test]
async fn job_whose_trigger_becomes_costly_is_paused_and_the_others_go_on() {
    for place in Place::each() {
        let mut node = Node::start(place.store().await).await;
        let soon = chrono::DateTime::to_rfc3339(
            &(node.scheduler.store_now() + chrono::TimeDelta::seconds(2)),
        );
        let soon = soon.replace("+00:00", "Z");
        let rare = [RARE; 10].join("; ");
        let later = "start=2090-01-01T00:00:00";
        let trigger: Trigger = format!(
            "and(or(at {soon}; every 10ms {later}.001Z); or(at {soon}; every 10ms {later}Z; {rare}))"
        )
        .parse()
        .unwrap();
        node.add(note::job(String::new()).id("costly").trigger(trigger))
            .await;
        node.add(note::job(String::new()).id("tick").interval("50ms"))
            .await;
        node.event(
            "the pause",
            |kind| matches!(kind, EventKind::JobPaused(id) if *id == "costly"),
        )
        .await;
        let job = node.scheduler.find_job("costly").await.unwrap();
        let text = job.paused.as_deref().unwrap();
        assert!(text.contains("steps of search"), "{text}");
        assert!(node.runs("costly").await.is_empty());
        let before = node.log.count("tick");
        until("the other goes on", async || {
            node.log.count("tick") > before + 3
        })
        .await;
        node.stop().await;
    }
}
