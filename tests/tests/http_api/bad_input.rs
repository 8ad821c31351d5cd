//! Wrong input is answered with what is wrong, never with a server error.

use axum::body::Body;
use serde_json::{Value, json};

use crate::access::{ROUTES, filled};
use crate::support::{FULL, Service, on_each_store, request, with_body};

fn job(change: impl FnOnce(&mut Value)) -> Value {
    let mut job = json!({"task": "http_greet", "arguments": {"name": "Ada"}, "trigger": "1h"});
    change(&mut job);
    job
}

fn nested(levels: u32) -> Value {
    (0..levels).fold(Value::Null, |inner, _| json!([inner]))
}

on_each_store! {
    async fn every_field_of_a_new_job_is_checked(service) {
        for (key, value, field, part) in [
            ("id", json!(""), "id", "empty"),
            ("id", json!(5), "id", "not a number"),
            ("id", json!("x".repeat(256)), "id", "at most 255"),
            ("id", json!("x".repeat(100_000)), "id", "at most 255"),
            ("id", json!("é".repeat(128)), "id", "256 bytes"),
            ("id", json!("a\u{0}b"), "id", "NUL"),
            ("id", json!("a\nb"), "id", "printed"),
            ("task", json!(null), "task", "missing"),
            ("task", json!(["http_greet"]), "task", "a list"),
            ("task", json!(""), "task", "no task"),
            ("task", json!("a\u{0}"), "task", "NUL"),
            ("arguments", json!([]), "arguments", "object"),
            ("arguments", json!("{}"), "arguments", "not text"),
            ("arguments", json!({}), "arguments.name", "missing"),
            ("arguments", json!({"name": 1}), "arguments.name", "String"),
            ("arguments", json!({"name": "Ada", "times": "3"}), "arguments.times", "u8"),
            ("arguments", json!({"name": "Ada", "times": 256}), "arguments.times", "u8"),
            ("arguments", json!({"name": "Ada", "times": -1}), "arguments.times", "u8"),
            ("arguments", json!({"name": "Ada", "tmes": 1}), "arguments.tmes", "did you mean `times`?"),
            ("arguments", json!({"name": "Ada", "a`b": 1}), "arguments.a`b", "no argument `a`b`"),
            ("arguments", json!({"name": nested(65)}), "arguments.name", "more than 64 levels"),
            ("trigger", json!(null), "trigger", "missing"),
            ("trigger", json!("every"), "trigger", ""),
            ("trigger", json!("0 6 * *"), "trigger", ""),
            ("trigger", json!("every 0s"), "trigger", ""),
            ("trigger", json!("a\u{0}"), "trigger", ""),
            ("trigger", json!("x".repeat(70_000)), "trigger", "65536"),
            ("trigger", json!("at 2020-01-01T00:00:00Z"), "trigger", "never fire"),
            ("trigger", json!("0 0 30 2 *"), "trigger", "never fire"),
            ("timezone", json!("Mars/Olympus"), "timezone", "IANA"),
            ("policies", json!([]), "policies", "object"),
            ("policies", json!({"max_instances": 0}), "policies.max_instances", "1 or more"),
            ("policies", json!({"max_instances": "2"}), "policies.max_instances", "u32"),
            ("policies", json!({"max_instances": -1}), "policies.max_instances", "u32"),
            ("policies", json!({"max_instances": 1e20}), "policies.max_instances", "u32"),
            ("policies", json!({"max_instance": 1}), "policies.max_instance", "did you mean `max_instances`?"),
            ("policies", json!({"timeout": 5}), "policies.timeout", "string"),
            ("policies", json!({"timeout": "0s"}), "policies.timeout", "longer"),
            ("policies", json!({"timeout": "soon"}), "policies.timeout", ""),
            ("policies", json!({"timeout": "99999999999w"}), "policies.timeout", "longer than `213503982d"),
            ("policies", json!({"coalesce": "al"}), "policies.coalesce", "latest"),
            ("policies", json!({"overlap": "queue(0)"}), "policies.overlap", ""),
            ("policies", json!({"backoff": "1m..1s"}), "policies.backoff", ""),
            ("policies", json!({"at_most_once": true, "retries": 1}), "policies.at_most_once", "tried again"),
            ("policies", json!({"executor": "gpu"}), "policies.executor", "`sync`"),
            ("policies", json!({"executor": "a\u{0}"}), "policies.executor", ""),
            ("policies", json!({"store": "other"}), "policies.store", "`default`"),
            ("policies", json!({"run_on_start": 1}), "policies.run_on_start", "boolean"),
            ("paused", json!(true), "paused", "text"),
            ("paused", json!("x".repeat(1_001)), "paused", "at most 1000"),
            ("paused", json!("a\u{0}"), "paused", "NUL"),
            ("pause", json!("x"), "pause", "did you mean `paused`?"),
            ("retries", json!(1), "retries", "did you mean `policies.retries`?"),
            ("cron", json!("@daily"), "cron", "did you mean `trigger`?"),
            ("replace_existing", json!(true), "replace_existing", "no such field"),
        ] {
            let body = job(|job| job[key] = value.clone());
            let message = service.post("/api/jobs", body).await.field(field);
            let value: String = value.to_string().chars().take(80).collect();
            assert!(message.contains(part), "{key}: {value}: {message}");
        }
        assert_eq!(service.scheduler.get_jobs().await.unwrap().len(), 1);
    }

    async fn ids_that_cannot_be_are_told_in_paths(service) {
        for id in ["%00", "a%0Ab", "%ff", "%C3", &"x".repeat(256), &"x".repeat(60_000)] {
            for (method, rest) in [("GET", ""), ("DELETE", ""), ("GET", "/runs"), ("POST", "/pause"), ("POST", "/run")] {
                let reply = service.call(method, &format!("/api/jobs/{id}{rest}")).await;
                reply.field("id");
            }
        }
    }

    async fn changes_are_checked_as_new_jobs_are(service) {
        service.greet("x").await;
        let before = service.get("/api/jobs/x").await.expect(200);
        for (body, field) in [
            (json!({"task": "http_fail"}), "task"),
            (json!({"id": "y"}), "id"),
            (json!({"trigger": "every"}), "trigger"),
            (json!({"trigger": "at 2020-01-01T00:00:00Z"}), "trigger"),
            (json!({"timezone": "UTC"}), "timezone"),
            (json!({"arguments": {"nam": "x"}}), "arguments.nam"),
            (json!({"arguments": {}}), "arguments.name"),
            (json!({"policies": {"retries": 1, "at_most_once": true}}), "policies.at_most_once"),
            (json!({"policies": {"store": "elsewhere"}}), "policies.store"),
            (json!({"policies": {"nope": 1}}), "policies.nope"),
        ] {
            service.patch("/api/jobs/x", body.clone()).await.field(field);
        }
        assert_eq!(service.get("/api/jobs/x").await.expect(200), before);
    }

    async fn what_is_put_into_filters_is_checked(service) {
        for (path, field) in [
            ("/api/jobs?limit=0", "limit"),
            ("/api/jobs?limit=501", "limit"),
            ("/api/jobs?limit=99999999999999999999999", "limit"),
            ("/api/jobs?limit=", "limit"),
            ("/api/jobs?limit=5&limit=6", "limit"),
            ("/api/jobs?recent=21", "recent"),
            ("/api/jobs?recent=-1", "recent"),
            ("/api/jobs?state=running", "state"),
            ("/api/jobs?origin=Static", "origin"),
            ("/api/jobs?q=%ff", "q"),
            ("/api/jobs?q=%00", "q"),
            ("/api/jobs?task=", "task"),
            ("/api/jobs?stat=paused", "stat"),
            ("/api/jobs/x?recnt=1", "recnt"),
            ("/api/runs?state=done", "state"),
            ("/api/runs?state=queued,queued,queued,queued,queued,queued,queued,queued", "state"),
            ("/api/runs?state=", "state"),
            ("/api/runs?since=yesterday", "since"),
            ("/api/runs?since=2026-01-01", "since"),
            ("/api/runs?until=2026-13-01T00:00:00Z", "until"),
            ("/api/runs?job=%00", "job"),
            ("/api/runs?limit=501", "limit"),
            ("/api/jobs/http_static/runs?job=x", "job"),
            ("/api/upcoming?limit=5001", "limit"),
            ("/api/upcoming?from=now", "from"),
            ("/api/upcoming?job=a%0Ab", "job"),
            ("/api/skipped?reason=none", "reason"),
            ("/api/skipped?limit=501", "limit"),
            ("/api/skipped?before=yesterday", "before"),
            ("/api/skipped?before=", "before"),
            ("/api/skipped?job=", "job"),
            ("/api/session?x=1", "x"),
            ("/api/tasks?x=1", "x"),
            ("/api/nodes?x=1", "x"),
            ("/api/health?x=1", "x"),
            ("/api/events?x=1", "x"),
        ] {
            service.get(path).await.field(field);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn all_mistakes_of_a_body_are_told_at_once() {
    let service = Service::memory().await;
    let body = json!({
        "id": "", "task": 1, "arguments": 1, "trigger": "x y z", "timezone": "Nowhere",
        "policies": {"retries": "many", "max_instances": 0, "nope": 1}, "paused": 1, "extra": 1,
    });
    let problem = service.post("/api/jobs", body).await.problem(422);
    let mut fields: Vec<&str> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["field"].as_str().unwrap())
        .collect();
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            "arguments",
            "extra",
            "id",
            "paused",
            "policies.max_instances",
            "policies.nope",
            "policies.retries",
            "task",
            "timezone",
            "trigger",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_no_json_is_400_and_what_is_no_object_422() {
    let service = Service::memory().await;
    let deep = format!(
        "{{\"arguments\": {}{}}}",
        "[".repeat(50_000),
        "]".repeat(50_000)
    );
    for (method, path, _) in ROUTES {
        if !matches!(
            path,
            "/api/jobs" | "/api/jobs/{id}" | "/api/preview" | "/api/jobs/{id}/reschedule"
        ) || !matches!(method, "POST" | "PATCH")
        {
            continue;
        }
        let path = filled(path);
        for text in [
            "{",
            "nul",
            "{'a': 1}",
            "{\"a\": 1,}",
            "{} {}",
            "\u{feff}{}",
            &deep,
            "{\"a\": 1e999}",
        ] {
            service
                .send(with_body(method, &path, text))
                .await
                .problem(400);
        }
        for text in ["[]", "1", "null", "\"x\"", "true"] {
            service
                .send(with_body(method, &path, text))
                .await
                .problem(422);
        }
        let mut request = with_body(method, &path, "");
        *request.body_mut() = Body::from(b"{\"trigger\": \"\xff\"}".to_vec());
        service.send(request).await.problem(400);
    }
}

#[tokio::test(start_paused = true)]
async fn keys_that_are_there_twice_are_refused() {
    let service = Service::memory().await;
    for (text, field) in [
        (
            r#"{"task": "http_greet", "task": "http_fail", "trigger": "1h"}"#,
            "task",
        ),
        (
            r#"{"task": "http_greet", "trigger": "1h", "arguments": {"name": "a", "name": "b"}}"#,
            "arguments.name",
        ),
        (
            r#"{"task": "http_greet", "trigger": {"type": "cron", "expr": "0 6 * * *", "expr": "0 7 * * *"}}"#,
            "trigger.expr",
        ),
        (
            r#"{"task": "http_greet", "trigger": "1h", "policies": {"retries": 1, "retries": 2}}"#,
            "policies.retries",
        ),
    ] {
        service
            .send(with_body("POST", "/api/jobs", text))
            .await
            .field(field);
    }
}

#[tokio::test(start_paused = true)]
async fn bodies_have_a_type_and_a_length() {
    let service = Service::memory().await;
    for content_type in [
        "",
        "text/plain",
        "application/xml",
        "application/jsonx",
        "multipart/form-data",
    ] {
        let mut request = with_body("POST", "/api/preview", r#"{"trigger": "1h"}"#);
        request.headers_mut().remove("content-type");
        if !content_type.is_empty() {
            request
                .headers_mut()
                .insert("content-type", content_type.parse().unwrap());
        }
        service.send(request).await.problem(415);
    }
    for content_type in [
        "application/json",
        "Application/JSON; charset=utf-8",
        "application/json;x=y",
    ] {
        let mut request = with_body("POST", "/api/preview", r#"{"trigger": "1h"}"#);
        request
            .headers_mut()
            .insert("content-type", content_type.parse().unwrap());
        service.send(request).await.expect(200);
    }
    let long = json!({"trigger": "1h", "x": "x".repeat(300_000)}).to_string();
    service
        .send(with_body("POST", "/api/preview", &long))
        .await
        .problem(413);
    service
        .send(with_body("POST", "/api/jobs/http_static/pause", &long))
        .await
        .problem(413);
    // An optional body still needs its content type.
    let mut request = request("POST", "/api/jobs/http_static/pause", FULL);
    *request.body_mut() = Body::from("note=x");
    service.send(request).await.problem(415);
}

#[tokio::test(start_paused = true)]
async fn the_limit_of_bodies_can_be_set() {
    let service = Service::memory().await;
    let router = crate::support::web(&service.scheduler)
        .body_limit(20)
        .router();
    let short = with_body("POST", "/api/preview", r#"{"trigger": "1h"}"#);
    crate::support::send(&router, short).await.expect(200);
    let long = with_body("POST", "/api/preview", r#"{"trigger": "1h"      }"#);
    crate::support::send(&router, long).await.problem(413);
}

#[tokio::test(start_paused = true)]
async fn arguments_of_the_greatest_length_fit_into_a_body_that_may_be_longer() {
    let service = Service::memory().await;
    let router = crate::support::web(&service.scheduler)
        .body_limit(1 << 20)
        .router();
    let body = job(|job| job["arguments"]["name"] = json!("x".repeat(256 * 1024 - 20))).to_string();
    crate::support::send(&router, with_body("POST", "/api/jobs", &body))
        .await
        .expect(201);
    let body = job(|job| job["arguments"]["name"] = json!("x".repeat(256 * 1024))).to_string();
    let reply = crate::support::send(&router, with_body("POST", "/api/jobs", &body)).await;
    assert!(reply.field("arguments").contains("limit"));
}
