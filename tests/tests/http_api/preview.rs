//! Previews of triggers.

use std::sync::{Arc, Condvar, Mutex};

use chrono::{DateTime, Utc};
use scheduler_core::prelude::*;
use scheduler_core::triggers::CustomTrigger;
use serde_json::{Value, json};

use crate::support::{READ, Service, http_secret, send, with_body};

async fn preview(service: &Service, body: Value) -> Value {
    service.post("/api/preview", body).await.expect(200)
}

#[tokio::test(start_paused = true)]
async fn every_weekday_at_nine_in_berlin() {
    let service = Service::memory().await;
    let body = json!({"trigger": "0 9 * * mon-fri", "timezone": "Europe/Berlin", "count": 3});
    let preview = preview(&service, body).await;
    assert_eq!(
        preview["trigger"],
        "cron 0 9 * * mon-fri timezone=Europe/Berlin"
    );
    assert_eq!(preview["timezone"], "Europe/Berlin");
    let description = preview["description"].as_str().unwrap();
    assert!(description.contains("09:00"), "{description}");
    assert_eq!(
        preview["fires"],
        json!([
            {"utc": "2026-01-01T08:00:00Z", "local": "2026-01-01T09:00:00+01:00"},
            {"utc": "2026-01-02T08:00:00Z", "local": "2026-01-02T09:00:00+01:00"},
            {"utc": "2026-01-05T08:00:00Z", "local": "2026-01-05T09:00:00+01:00"},
        ])
    );
    assert!(preview["warnings"].is_array());
}

#[tokio::test(start_paused = true)]
async fn ten_fire_times_unless_asked_and_the_zone_of_the_scheduler() {
    let service = Service::memory().await;
    let preview = preview(&service, json!({"trigger": "90m"})).await;
    assert_eq!(preview["fires"].as_array().unwrap().len(), 10);
    assert_eq!(preview["timezone"], "UTC");
    assert_eq!(preview["fires"][0]["local"], "2026-01-01T01:30:00+00:00");
}

#[tokio::test(start_paused = true)]
async fn a_date_fires_once_and_now_means_now() {
    let service = Service::memory().await;
    let preview = preview(&service, json!({"trigger": "at now"})).await;
    assert_eq!(
        preview["fires"],
        json!([
            {"utc": "2026-01-01T00:00:00Z", "local": "2026-01-01T00:00:00+00:00"},
        ])
    );
}

#[tokio::test(start_paused = true)]
async fn a_trigger_that_never_fires_has_no_fire_times() {
    let service = Service::memory().await;
    let preview = preview(&service, json!({"trigger": "at 2020-01-01T00:00:00Z"})).await;
    assert_eq!(preview["fires"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn the_json_form_is_a_trigger_as_well() {
    let service = Service::memory().await;
    let trigger = json!({"type": "cron", "expr": "0 6 * * *", "timezone": "Asia/Shanghai"});
    let preview = preview(&service, json!({"trigger": trigger, "count": 1})).await;
    assert_eq!(preview["fires"][0]["local"], "2026-01-02T06:00:00+08:00");
}

#[tokio::test(start_paused = true)]
async fn mistakes_are_told_where_they_are() {
    let service = Service::memory().await;
    for (body, field, part) in [
        (json!({}), "trigger", "missing"),
        (json!({"trigger": null}), "trigger", "missing"),
        (json!({"trigger": ""}), "trigger", ""),
        (json!({"trigger": 5}), "trigger", "not a number"),
        (json!({"trigger": ["every 5m"]}), "trigger", "not a list"),
        (json!({"trigger": "0 25 * * *"}), "trigger", "hour"),
        (json!({"trigger": "every 5 parsecs"}), "trigger", ""),
        (
            json!({"trigger": "0 9 * * *", "timezone": "Europe/Berln"}),
            "timezone",
            "Europe/Berlin",
        ),
        (
            json!({"trigger": "0 9 * * *", "timezone": 1}),
            "timezone",
            "text",
        ),
        (
            json!({"trigger": "0 9 * * * timezone=UTC", "timezone": "UTC"}),
            "timezone",
            "leave one",
        ),
        (
            json!({"trigger": {"type": "cron", "expr": "0 9 * * *"}, "timezone": "UTC"}),
            "timezone",
            "write it there",
        ),
        (
            json!({"trigger": "at 2026-05-01T00:00:00Z", "timezone": "UTC"}),
            "timezone",
            "",
        ),
        (
            json!({"trigger": "and(cron 0 6 * * *; cron hour=6)", "timezone": "UTC"}),
            "timezone",
            "",
        ),
        (json!({"timezone": "UTC"}), "timezone", "give both"),
        (json!({"trigger": {"type": "crom"}}), "trigger", "cron"),
        (json!({"trigger": {}}), "trigger", "type"),
        (
            json!({"trigger": {"type": "or", "triggers": [1]}}),
            "trigger",
            "",
        ),
        (json!({"trigger": "1h", "count": 0}), "count", "1 to 100"),
        (json!({"trigger": "1h", "count": 101}), "count", "1 to 100"),
        (json!({"trigger": "1h", "count": "3"}), "count", "not text"),
        (json!({"trigger": "1h", "count": 1.5}), "count", "whole"),
        (
            json!({"trigger": "1h", "cuont": 1}),
            "cuont",
            "did you mean `count`?",
        ),
    ] {
        let message = service
            .post("/api/preview", body.clone())
            .await
            .field(field);
        assert!(message.contains(part), "{body}: {message}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_hundred_fire_times_of_an_odd_trigger_come_to_an_end() {
    let service = Service::memory().await;
    let odd = "and(cron 0 0 29 2 *; cron 0 0 * * mon)";
    let preview = preview(&service, json!({"trigger": odd, "count": 100})).await;
    assert!(preview["fires"].as_array().unwrap().len() < 100);
}

const RARE: &str = "cron 0 0 0 29 2 ? 2096 timezone=Asia/Tehran";

#[tokio::test(start_paused = true)]
async fn costly_preview_has_what_was_found_and_says_that_it_stopped() {
    let service = Service::memory().await;
    let simple = preview(&service, json!({"trigger": "1h"})).await;
    assert_eq!(simple["complete"], true);

    let rare = [RARE; 30].join("; ");
    let costly =
        format!("and(every 1001ms start=2026-01-01; or(every 1003ms start=2026-01-01; {rare}))");
    let some = preview(&service, json!({"trigger": costly, "count": 100})).await;
    let found = some["fires"].as_array().unwrap().len();
    assert!((1..100).contains(&found), "{found}");
    assert_eq!(some["fires"][0]["utc"], "2026-01-01T00:00:00Z");
    assert_eq!(some["fires"][1]["utc"], "2026-01-01T00:16:44.003Z");
    assert_eq!(some["complete"], false);

    let never = format!(
        "and(every 10ms start=2026-01-01T00:00:00.001Z; or(every 10ms start=2026-01-01; {rare}))"
    );
    let none = preview(&service, json!({"trigger": never})).await;
    assert_eq!(
        (&none["fires"], &none["complete"]),
        (&json!([]), &json!(false))
    );
    assert_eq!(
        none["warnings"],
        json!([]),
        "it is not known that it never runs"
    );
}

#[tokio::test(start_paused = true)]
async fn costly_trigger_is_refused_wherever_a_job_gets_one() {
    let service = Service::memory().await;
    service.greet("tick").await;
    let rare = [RARE; 10].join("; ");
    let costly = format!(
        "and(every 10ms start=2026-01-01T00:00:00.001Z; or(every 10ms start=2026-01-01; {rare}))"
    );
    let body = json!({"trigger": costly});
    let created = json!({"task": "http_greet", "arguments": {"name": "Ada"}, "trigger": costly});
    for reply in [
        service.patch("/api/jobs/tick", body.clone()).await,
        service.post("/api/jobs/tick/reschedule", body).await,
        service.post("/api/jobs", created).await,
    ] {
        let message = reply.field("trigger");
        assert!(message.contains("steps of search"), "{message}");
    }
    let job = service.get("/api/jobs/tick").await.expect(200);
    assert_eq!(job["edited"], false);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_kept_and_a_reader_may_ask() {
    let service = Service::memory().await;
    let mut request = with_body("POST", "/api/preview", r#"{"trigger": "1h"}"#);
    let token = format!("Bearer {READ}").parse().unwrap();
    request.headers_mut().insert("authorization", token);
    send(&service.router, request).await.expect(200);
    assert_eq!(service.scheduler.get_jobs().await.unwrap().len(), 1);
}

/// Fires every 10 ms, and waits at the gate when it is evaluated by a search off the runtime.
#[derive(Debug, Clone)]
struct Gated {
    runtime: std::thread::ThreadId,
    begun: Arc<tokio::sync::Notify>,
    is_open: Arc<(Mutex<bool>, Condvar)>,
}

impl CustomTrigger for Gated {
    fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if std::thread::current().id() != self.runtime {
            self.begun.notify_one();
            let closed = self.is_open.0.lock().unwrap();
            let opened = self.is_open.1.wait_while(closed, |is_open| !*is_open);
            drop(opened.unwrap());
        }
        DateTime::from_timestamp_millis((after.timestamp_millis() / 10 + 1) * 10)
    }
}

#[tokio::test]
async fn third_long_search_gets_429_and_short_ones_are_answered() {
    let service = Service::memory().await;
    let rare = "and(every 10007ms start=2026-01-01; every 10009ms start=2026-01-01T00:00:00.001Z)";
    let job = http_secret::job().id("rare").trigger(rare.parse().unwrap());
    service.scheduler.add_job(job).await.unwrap();
    let upcoming = "/api/upcoming?job=rare&until=2026-03-01T00:00:00Z";
    service.get(upcoming).await.expect(200);

    let gate = Gated {
        runtime: std::thread::current().id(),
        begun: Arc::default(),
        is_open: Arc::default(),
    };
    let never = "every 10ms start=2026-01-01T00:00:00.001Z".parse().unwrap();
    let gated = Trigger::and(vec![never, Trigger::custom(gate.clone())]).unwrap();
    let mut searches = Vec::new();
    for _ in 0..2 {
        let (scheduler, gated) = (service.scheduler.clone(), gated.clone());
        let preview = async move { scheduler.preview_trigger(&gated, 1).await };
        searches.push(tokio::spawn(preview));
        gate.begun.notified().await;
    }
    let body = json!({"trigger": rare, "count": 2});
    for refused in [
        service.get(upcoming).await,
        service.post("/api/preview", body.clone()).await,
        service.patch("/api/jobs/rare", body_of(rare)).await,
    ] {
        refused.problem(429);
        assert_eq!(refused.header("retry-after"), "1");
    }
    service
        .get("/api/upcoming?job=http_static")
        .await
        .expect(200);
    preview(&service, json!({"trigger": "1h"})).await;

    *gate.is_open.0.lock().unwrap() = true;
    gate.is_open.1.notify_all();
    for search in searches {
        search.await.unwrap().unwrap();
    }
    service.get(upcoming).await.expect(200);
    preview(&service, body).await;
}

/// Returns a body that changes the trigger slightly.
fn body_of(trigger: &str) -> Value {
    json!({"trigger": trigger.replace("10009", "10013")})
}
