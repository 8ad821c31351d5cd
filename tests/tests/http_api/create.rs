//! Adding jobs, once and repeatedly.

use scheduler_core::FieldError;
use scheduler_core::prelude::*;
use serde_json::{Value, json};

use crate::support::{Service, http_greet, on_each_store};

fn greeting(id: &str) -> Value {
    json!({"id": id, "task": "http_greet", "arguments": {"name": "Ada"}, "trigger": "every 1h"})
}

on_each_store! {
    async fn a_job_is_added_and_told_where_it_is(service) {
        let reply = service.post("/api/jobs", json!({
            "id": "hello",
            "task": "http_greet",
            "arguments": {"name": "Ada", "times": 3},
            "trigger": "0 9 * * mon-fri",
            "timezone": "Europe/Berlin",
            "policies": {"max_instances": 2, "misfire_grace_time": "1h"},
        })).await;
        let job = reply.expect(201);
        assert_eq!(reply.header("etag"), format!("\"{}\"", job["revision"].as_str().unwrap()));
        assert_eq!(reply.header("location"), "jobs/hello");
        assert_eq!(job["id"], "hello");
        assert_eq!(job["task"], "http_greet");
        assert_eq!(job["task_known"], true);
        assert_eq!(job["arguments"], json!({"name": "Ada", "times": 3}));
        assert_eq!(job["trigger"], "cron 0 9 * * mon-fri timezone=Europe/Berlin");
        assert_eq!(job["timezone"], "Europe/Berlin");
        assert_eq!(job["policies"]["max_instances"], 2);
        assert_eq!(job["policies"]["misfire_grace_time"], "1h");
        assert_eq!(job["policies"]["retries"], 0);
        assert_eq!(job["origin"], "dynamic");
        assert_eq!(job["edited"], false);
        assert_eq!(job["state"], "scheduled");
        assert_eq!(job["paused_note"], Value::Null);
        assert_eq!(job["next_fire"]["scheduled_for"], "2026-01-01T08:00:00Z");
        assert_eq!(job["location"]["package"], "scheduler-tests");
        assert_eq!(job["recent"], json!([]));
        let again = service.get("/api/jobs/hello").await.expect(200);
        assert_eq!(again, job);
    }

    async fn the_same_definition_again_is_the_job_that_is_there(service) {
        let first = service.post("/api/jobs", greeting("again")).await.expect(201);
        service.clock.jump(chrono::TimeDelta::minutes(7));
        let second = service.post("/api/jobs", greeting("again")).await.expect(200);
        assert_eq!(first["created_at"], second["created_at"]);
        assert_eq!(first["trigger"], second["trigger"]);
        // Written differently, but equal.
        let mut other = greeting("again");
        other["trigger"] = json!({"type": "interval", "every": "60m"});
        other["policies"] = json!({"max_instances": 1, "timeout": "none"});
        service.post("/api/jobs", other).await.expect(200);
        // Another client has paused the job meanwhile; the definition is the same.
        service.scheduler.pause_job("again").await.unwrap();
        let third = service.post("/api/jobs", greeting("again")).await.expect(200);
        assert_eq!(third["state"], "paused");
    }

    async fn another_definition_under_the_same_id_is_a_conflict(service) {
        service.post("/api/jobs", greeting("taken")).await.expect(201);
        for (key, value) in [
            ("trigger", json!("every 2h")),
            ("trigger", json!("0 * * * *")),
            ("arguments", json!({"name": "Bob"})),
            ("arguments", json!({"name": "Ada", "times": 1})),
            ("policies", json!({"retries": 1})),
        ] {
            let mut other = greeting("taken");
            other[key] = value.clone();
            let problem = service.post("/api/jobs", other).await.problem(409);
            assert_eq!(problem["errors"][0]["field"], "id", "{value}");
        }
        let mut other = greeting("taken");
        other["task"] = json!("http_fail");
        other["arguments"] = json!({});
        service.post("/api/jobs", other).await.problem(409);
        assert_eq!(service.get("/api/jobs/taken").await.json()["arguments"], json!({"name": "Ada"}));
    }

    async fn of_many_at_once_one_adds_and_the_others_find_it(service) {
        let requests = (0..20).map(|_| service.post("/api/jobs", greeting("race")));
        let mut added = 0;
        for reply in at_once(requests).await {
            match reply.status.as_u16() {
                201 => added += 1,
                other => assert_eq!(other, 200, "{}", reply.text()),
            }
        }
        assert_eq!(added, 1);
        assert_eq!(service.scheduler.get_jobs().await.unwrap().len(), 2);
    }

    async fn of_different_ones_at_once_one_wins(service) {
        let requests = (0..10).map(|count| {
            let mut job = greeting("contest");
            job["arguments"]["times"] = json!(count);
            service.post("/api/jobs", job)
        });
        let replies = at_once(requests).await;
        let added = replies.iter().filter(|reply| reply.status == 201).count();
        let refused = replies.iter().filter(|reply| reply.status == 409).count();
        assert_eq!((added, refused), (1, 9));
    }

    async fn jobs_without_an_id_get_one_each(service) {
        let mut job = greeting("");
        job.as_object_mut().unwrap().remove("id");
        let first = service.post("/api/jobs", job.clone()).await.expect(201);
        let second = service.post("/api/jobs", job).await.expect(201);
        for job in [&first, &second] {
            let id = job["id"].as_str().unwrap();
            let random = id.strip_prefix("http_greet-").unwrap();
            assert!(random.len() == 12 && random.bytes().all(|byte| byte.is_ascii_hexdigit()));
        }
        assert_ne!(first["id"], second["id"]);
    }

    async fn a_job_can_be_added_paused(service) {
        let mut job = greeting("waiting");
        job["paused"] = json!("not approved yet");
        let job = service.post("/api/jobs", job).await.expect(201);
        assert_eq!(job["state"], "paused");
        assert_eq!(job["paused_note"], "not approved yet");
        assert_eq!(job["next_fire"], Value::Null);
    }

    async fn ids_may_hold_whatever_can_be_printed(service) {
        for (id, path) in [
            ("a/b", "a%2Fb"),
            ("a b", "a%20b"),
            ("../../etc/passwd", "..%2F..%2Fetc%2Fpasswd"),
            ("每日报告", "%E6%AF%8F%E6%97%A5%E6%8A%A5%E5%91%8A"),
            ("100%", "100%25"),
            ("%2F", "%252F"),
            ("a?b#c", "a%3Fb%23c"),
            ("a+b", "a%2Bb"),
            ("<script>alert(1)</script>", "%3Cscript%3Ealert%281%29%3C%2Fscript%3E"),
            ("'; drop table jobs; --", "%27%3B%20drop%20table%20jobs%3B%20--"),
        ] {
            let reply = service.post("/api/jobs", greeting(id)).await;
            assert_eq!(reply.expect(201)["id"], id);
            assert_eq!(reply.header("location"), format!("jobs/{path}"));
            let at = format!("/api/jobs/{path}");
            assert_eq!(service.get(&at).await.expect(200)["id"], id);
            service.call("POST", &format!("{at}/pause")).await.expect(200);
            service.get(&format!("{at}/runs")).await.expect(200);
            assert_eq!(service.call("DELETE", &at).await.status, 204);
            service.get(&at).await.problem(404);
        }
    }

    async fn ids_that_browsers_take_for_steps_in_a_path_are_refused(service) {
        for id in [".", ".."] {
            service.post("/api/jobs", greeting(id)).await.field("id");
        }
    }

    async fn a_date_that_is_over_is_still_the_same_job(service) {
        let job = json!({"id": "once", "task": "http_fail", "trigger": "at 2026-01-01T00:00:01Z"});
        service.post("/api/jobs", job.clone()).await.expect(201);
        service.clock.jump(chrono::TimeDelta::hours(1));
        service.post("/api/jobs", job).await.expect(200);
        let late = json!({"id": "late", "task": "http_fail", "trigger": "at 2026-01-01T00:00:01Z"});
        assert!(service.post("/api/jobs", late).await.field("trigger").contains("never fire"));
    }

    async fn id_of_a_finished_job_can_be_used_again(service) {
        let once = |minute: u32| {
            let at = format!("at 2026-01-01T00:{minute:02}:00Z");
            json!({"id": "once", "task": "http_fail", "trigger": at})
        };
        service.post("/api/jobs", once(1)).await.expect(201);
        service.post("/api/jobs", once(30)).await.problem(409);
        service.clock.jump(chrono::TimeDelta::minutes(2));
        service.until("/api/jobs/once", |job| {
            job["state"] == "finished" && !job["recent"][0]["finished_at"].is_null()
        }).await;
        service.post("/api/jobs", once(1)).await.expect(200);
        let job = service.post("/api/jobs", once(30)).await.expect(201);
        assert_eq!(job["state"], "scheduled");
        assert_eq!(job["recent"].as_array().unwrap().len(), 1, "history stays");
    }

    async fn a_job_of_the_code_is_never_the_same(service) {
        let mut job = greeting("http_static");
        job["trigger"] = json!("0 6 * * *");
        service.post("/api/jobs", job).await.problem(409);
    }
}

#[tokio::test(start_paused = true)]
async fn only_tasks_that_are_named_may_be_created() {
    let service = Service::memory().await;
    let job = json!({"task": "http_secret", "trigger": "every 1h"});
    let problem = service.post("/api/jobs", job).await.problem(403);
    assert_eq!(problem["errors"][0]["field"], "task");

    let job = json!({"task": "http_gret", "trigger": "every 1h"});
    let message = service.post("/api/jobs", job).await.field("task");
    assert!(message.contains("did you mean `http_greet`?"), "{message}");
    // Tasks that may not be created are not suggested.
    let job = json!({"task": "http_secrt", "trigger": "every 1h"});
    let message = service.post("/api/jobs", job).await.field("task");
    assert!(!message.contains("http_secret"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn none_may_be_created_unless_one_is_named() {
    let service = Service::memory().await;
    let access = crate::support::access();
    let router = scheduler_axum::router(&service.scheduler, access);
    let request = crate::support::with_body("POST", "/api/jobs", &greeting("a").to_string());
    crate::support::send(&router, request).await.problem(403);
}

#[tokio::test(start_paused = true)]
async fn triggers_come_as_text_or_as_json() {
    let service = Service::memory().await;
    for (index, (trigger, expected)) in [
        (json!("5m"), "every 5m start=2026-01-01T00:05:00Z"),
        (json!("@daily"), "cron 0 0 * * * timezone=UTC"),
        (
            json!({"type": "cron", "expr": "0 6 * * *", "timezone": "Asia/Shanghai"}),
            "cron 0 6 * * * timezone=Asia/Shanghai",
        ),
        (
            json!({"type": "cron", "hour": 6, "day_of_week": "mon-fri"}),
            "cron day_of_week=mon-fri hour=6 timezone=UTC",
        ),
        (
            json!({"type": "or", "triggers": ["0 6 * * *", {"type": "cron", "expr": "0 7 * * *"}]}),
            "or(cron 0 6 * * * timezone=UTC; cron 0 7 * * * timezone=UTC)",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let mut job = greeting(&index.to_string());
        job["trigger"] = trigger.clone();
        let added = service.post("/api/jobs", job).await.expect(201);
        assert_eq!(added["trigger"], expected, "{trigger}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stopped_scheduler_takes_nothing() {
    let service = Service::memory().await;
    service.scheduler.shutdown(Shutdown::wait()).await;
    service
        .post("/api/jobs", greeting("late"))
        .await
        .problem(503);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_was_added_in_the_program_can_be_the_same() {
    let service = Service::memory().await;
    let job = http_greet::job("Ada".into(), None)
        .id("shared")
        .interval("1h");
    service.scheduler.add_job(job).await.unwrap();
    let mut same = greeting("shared");
    same["arguments"] = json!({"name": "Ada", "times": null});
    service.post("/api/jobs", same).await.expect(200);
}

#[tokio::test(start_paused = true)]
async fn job_that_is_read_from_data_is_what_the_same_request_adds() {
    let service = Service::memory().await;
    let written = json!({
        "id": "shared",
        "task": "http_greet",
        "arguments": {"name": "Ada", "times": 3},
        "trigger": "0 9 * * mon-fri",
        "timezone": "Europe/Berlin",
        "policies": {"max_instances": 2, "misfire_grace_time": "1h"},
        "paused": "not approved yet",
    });
    let job: Job = serde_json::from_value(written.clone()).unwrap();
    let again = serde_json::to_value(&job).unwrap();
    service.scheduler.add_job(job).await.unwrap();
    let added = service.post("/api/jobs", written.clone()).await.expect(200);
    assert_eq!(added["paused_note"], "not approved yet");
    service.post("/api/jobs", again).await.expect(200);

    let mut mistakes = written;
    mistakes["policies"] = json!({"retry": 1, "max_instances": 0});
    mistakes["timezone"] = json!("Europe/Berln");
    let read = Job::from_json(mistakes.as_object().unwrap().clone());
    let errors: Vec<Value> = read.unwrap_err().iter().map(as_answered).collect();
    let problem = service.post("/api/jobs", mistakes).await.problem(422);
    assert_eq!(problem["errors"], json!(errors));
}

fn as_answered(error: &FieldError) -> Value {
    json!({"field": error.field, "message": error.problem.to_string()})
}

/// Runs all futures concurrently on this task.
async fn at_once<T>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut running: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(move |context| {
        let mut all = true;
        for (future, result) in &mut running {
            if result.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(value) => *result = Some(value),
                    std::task::Poll::Pending => all = false,
                }
            }
        }
        if all {
            let results = running.iter_mut().filter_map(|(_, result)| result.take());
            std::task::Poll::Ready(results.collect())
        } else {
            std::task::Poll::Pending
        }
    })
    .await
}
