//! Runs, upcoming fire times, and skipped fire times.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::support::{Service, http_fail, http_greet, http_slow, ids, on_each_store};

on_each_store! {
    async fn a_run_tells_all_about_itself(service) {
        service.greet("hello").await;
        let id = service.run_to_its_end("hello").await;
        let run = service.get(&format!("/api/runs/{id}")).await.expect(200);
        assert_eq!(run["id"], *id);
        assert_eq!((&run["job_id"], &run["task"]), (&json!("hello"), &json!("http_greet")));
        assert_eq!((&run["kind"], &run["state"]), (&json!("manual"), &json!("succeeded")));
        assert_eq!(run["value"], "Ada None");
        assert_eq!(run["error"], Value::Null);
        assert_eq!(run["attempt"], 1);
        assert_eq!(run["earlier_attempts"], json!([]));
        for instant in ["scheduled_for", "started_at", "finished_at"] {
            let text = run[instant].as_str().unwrap();
            assert!(text.starts_with("2026-01-01T00:00:0") && text.ends_with('Z'), "{text}");
        }
        assert!(run["duration_ms"].is_u64() && run["lateness_ms"].is_u64());
        let page = service.get("/api/runs").await.expect(200);
        assert_eq!(page["items"][0], run);
        let upper = service.get(&format!("/api/runs/{}", id.to_uppercase())).await;
        assert_eq!(upper.expect(200)["id"], *id);
    }

    async fn runs_are_found_by_what_they_are(service) {
        service.greet("good").await;
        service.scheduler.add_job(http_fail::job().id("bad").interval("1h")).await.unwrap();
        service.scheduler.add_job(http_slow::job().id("slow").interval("1h")).await.unwrap();
        let good = service.run_to_its_end("good").await;
        let bad = service.run_to_its_end("bad").await;
        let slow = service.call("POST", "/api/jobs/slow/run").await.expect(202);
        let slow = slow["run_id"].as_str().unwrap().to_owned();
        for (query, expected) in [
            ("", vec![&slow, &bad, &good]),
            ("?job=good", vec![&good]),
            ("?job=none", vec![]),
            ("?state=failed", vec![&bad]),
            ("?state=failed,succeeded", vec![&bad, &good]),
            ("?state=failed&state=succeeded", vec![&bad, &good]),
            ("?state=running", vec![&slow]),
            ("?state=lost,timed_out,cancelled,queued", vec![]),
            ("?since=2026-01-01T00:00:00Z", vec![&slow, &bad, &good]),
            ("?since=2026-01-02T00:00:00%2B01:00", vec![]),
            ("?until=2026-01-01T00:00:00Z", vec![]),
            ("?until=2026-01-02T00:00:00Z&limit=1", vec![&slow]),
        ] {
            let page = service.get(&format!("/api/runs{query}")).await.expect(200);
            assert_eq!(ids(&page).iter().collect::<Vec<_>>(), expected, "{query}");
        }
        let page = service.get("/api/jobs/bad/runs?state=failed").await.expect(200);
        assert_eq!(ids(&page), [bad]);
    }

    async fn a_run_is_asked_to_stop_once(service) {
        service.scheduler.add_job(http_slow::job().id("slow").interval("1h")).await.unwrap();
        let run = service.call("POST", "/api/jobs/slow/run").await.expect(202);
        let at = format!("/api/runs/{}", run["run_id"].as_str().unwrap());
        let asked = service.call("POST", &format!("{at}/cancel")).await.expect(202);
        assert_eq!(asked["id"], run["run_id"]);
        let run = service.until(&at, |run| run["state"] == "cancelled").await;
        assert!(run["error"].is_string());
        service.call("POST", &format!("{at}/cancel")).await.problem(409);
    }

    async fn runs_that_are_not_there(service) {
        let none = "/api/runs/019a0000-0000-8000-8000-000000000000";
        service.get(none).await.problem(404);
        service.call("POST", &format!("{none}/cancel")).await.problem(404);
        for bad in ["1", "x", "%00", "019a000000008000800000000000000", "+19a0000-0000-8000-8000-000000000000", "019a0000-0000-8000-8000-000000000000-"] {
            service.get(&format!("/api/runs/{bad}")).await.field("id");
            service.call("POST", &format!("/api/runs/{bad}/cancel")).await.field("id");
        }
    }

    async fn what_comes_next_is_listed_in_order(service) {
        service.greet("hourly").await;
        let job = http_fail::job().id("often").cron("*/30 * * * *");
        service.scheduler.add_job(job).await.unwrap();
        service.clock.jump(TimeDelta::minutes(10));
        let list = service.get("/api/upcoming?until=2026-01-01T02:30:00Z").await.expect(200);
        let fires: Vec<(&str, &str)> = list["items"].as_array().unwrap().iter().map(|fire| {
            assert_eq!(fire["scheduled_for"], fire["starts_at"]);
            (fire["job_id"].as_str().unwrap(), fire["scheduled_for"].as_str().unwrap())
        }).filter(|(_, at)| *at > "2026-01-01T00:10").collect();
        assert_eq!(fires.iter().filter(|(job, _)| *job == "often").count(), 5);
        assert_eq!(fires.iter().filter(|(job, _)| *job == "hourly").count(), 2);
        assert!(fires.iter().is_sorted_by_key(|(_, at)| at.parse::<DateTime<Utc>>().unwrap()));
        assert_eq!(list["complete"], true);

        let list = service.get("/api/upcoming?job=often&from=2026-02-01T00:00:00Z&limit=3").await.expect(200);
        assert_eq!(list["items"].as_array().unwrap().len(), 3);
        assert_eq!(list["items"][0]["scheduled_for"], "2026-02-01T00:00:00Z");
        assert_eq!(list["complete"], false);
        let next = list["next"].as_str().unwrap();
        let next = format!("/api/upcoming?job=often&from=2026-02-01T00:00:00Z&limit=46&after={next}");
        let list = service.get(&next).await.expect(200);
        assert_eq!(list["items"][0]["scheduled_for"], "2026-02-01T01:30:00Z");
        assert_eq!((list["items"].as_array().unwrap().len(), &list["next"]), (46, &Value::Null));
        assert_eq!(list["complete"], true);
        service.get("/api/upcoming?after=yesterday").await.field("after");
        // A day of half hours, including both ends.
        let list = service.get("/api/upcoming?job=often&from=2026-02-01T00:00:00Z").await.expect(200);
        assert_eq!(list["items"].as_array().unwrap().len(), 49);
        assert_eq!(list["complete"], true);
        service.get("/api/upcoming?job=none").await.problem(404);
        service.get("/api/upcoming?from=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z").await.field("until");
    }

    async fn odd_windows_are_no_fault(service) {
        service.greet("hourly").await;
        for window in [
            "from=0001-01-01T00:00:00Z&until=0001-01-02T00:00:00Z",
            "from=9999-12-31T23:59:59Z",
            "from=0000-01-01T00:00:00Z&until=9999-12-31T23:59:59Z&limit=5",
            "from=2026-01-01T00:00:00-23:59",
        ] {
            service.get(&format!("/api/upcoming?{window}")).await.expect(200);
        }
    }

    async fn a_jitter_that_is_longer_than_there_are_years_is_no_fault(service) {
        let jitter = Duration::from_secs(106_000_000 * 86_400);
        let job = http_fail::job().id("odd").interval("1h").jitter(jitter);
        service.scheduler.add_job(job).await.unwrap();
        let list = service.get("/api/upcoming?job=odd&from=2026-02-01T00:00:00Z&limit=3").await.expect(200);
        let first = list["items"][0]["starts_at"].as_str().unwrap();
        assert!(first.starts_with("2026-02-01T0"), "{first}");
        service.get("/api/upcoming?from=9999-12-31T00:00:00Z").await.expect(200);
    }
}

#[tokio::test(start_paused = true)]
async fn attempts_before_the_last_are_reported() {
    let service = Service::memory().await;
    let job = http_fail::job()
        .id("bad")
        .date("2026-01-01T00:01:00Z")
        .retries(2);
    service.scheduler.add_job(job).await.unwrap();
    service.clock.advance(TimeDelta::minutes(10)).await;
    let page = service.get("/api/runs?job=bad").await.expect(200);
    let run = &page["items"][0];
    assert_eq!(
        (&run["attempt"], &run["kind"]),
        (&json!(3), &json!("scheduled"))
    );
    let earlier = run["earlier_attempts"].as_array().unwrap();
    assert_eq!(earlier.len(), 2);
    assert_eq!(
        (&earlier[0]["attempt"], &earlier[0]["state"]),
        (&json!(1), &json!("failed"))
    );
    assert!(
        earlier[0]["error"]
            .as_str()
            .unwrap()
            .starts_with("<script>")
    );
}

#[tokio::test(start_paused = true)]
async fn paused_jobs_do_not_come_next() {
    let service = Service::memory().await;
    service.scheduler.pause_job("http_static").await.unwrap();
    let list = service.get("/api/upcoming").await.expect(200);
    assert_eq!(list, json!({"items": [], "complete": true, "next": null}));
    let list = service
        .get("/api/upcoming?job=http_static")
        .await
        .expect(200);
    assert_eq!(list["items"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn what_was_not_run_is_told_with_its_reason() {
    let service = Service::memory().await;
    let job = http_slow::job()
        .id("slow")
        .interval("20s")
        .start("2026-01-01T00:00:20Z");
    service.scheduler.add_job(job).await.unwrap();
    service.clock.advance(TimeDelta::minutes(3)).await;
    let list = service.get("/api/skipped").await.expect(200);
    let first = &list["items"][0];
    assert_eq!(
        (&first["job_id"], &first["reason"]),
        (&json!("slow"), &json!("overlap"))
    );
    assert_eq!(
        (&first["count"], &first["exact"]),
        (&json!(1), &json!(true))
    );
    assert_eq!(first["first"], first["last"]);
    assert!(first["decided_at"].is_string());
    let count = list["since_start"]["overlap"].as_u64().unwrap();
    assert_eq!(count, list["items"].as_array().unwrap().len() as u64);

    for (query, is_empty, goes_on) in [
        ("?job=slow&reason=overlap&limit=1", false, true),
        ("?limit=1", false, true),
        ("?limit=500", false, false),
        ("?reason=missed", true, false),
        ("?job=other", true, false),
    ] {
        let list = service
            .get(&format!("/api/skipped{query}"))
            .await
            .expect(200);
        assert_eq!(
            list["items"].as_array().unwrap().is_empty(),
            is_empty,
            "{query}"
        );
        assert_eq!(list["next"].is_string(), goes_on, "{query}");
        assert_eq!(list["next"].is_null(), !goes_on, "{query}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_runs_of_a_job_that_is_gone_are_still_listed() {
    let service = Service::memory().await;
    let job = http_greet::job("Ada".into(), Some(2))
        .id("gone")
        .interval("1h");
    service.scheduler.add_job(job).await.unwrap();
    let run = service.run_to_its_end("gone").await;
    service.scheduler.remove_job("gone").await.unwrap();
    service.get("/api/jobs/gone/runs").await.problem(404);
    assert_eq!(
        ids(&service.get("/api/runs?job=gone").await.expect(200)),
        [run]
    );
}
