//! Reading, changing and removing jobs.

use serde_json::{Value, json};

use crate::support::{Service, http_fail, http_slow, ids, on_each_store};

on_each_store! {
    async fn a_job_of_the_code_says_where_it_is_written(service) {
        let job = service.get("/api/jobs/http_static").await.expect(200);
        assert_eq!(job["origin"], "static");
        assert!(job["location"]["file"].as_str().unwrap().ends_with("http_api/support.rs"));
        assert_eq!(job["location"]["module"], "http_api::support");
        assert_eq!(job["timezone"], "Asia/Shanghai");
        assert!(job["description"].as_str().unwrap().contains("06:00"), "{job}");
        assert_eq!(job["next_fire"], json!({
            "scheduled_for": "2026-01-01T22:00:00Z", "starts_at": "2026-01-01T22:00:00Z",
        }));
    }

    async fn jobs_are_found_by_what_they_are(service) {
        for id in ["alpha", "beta", "Gamma"] {
            service.greet(id).await;
        }
        service.scheduler.add_job(http_fail::job().id("delta").interval("1h")).await.unwrap();
        service.scheduler.pause_job("beta").await.unwrap();
        for (query, expected) in [
            ("", vec!["Gamma", "alpha", "beta", "delta", "http_static"]),
            ("?q=ALPH", vec!["alpha"]),
            ("?q=gam", vec!["Gamma"]),
            ("?q=http_FAIL", vec!["delta"]),
            ("?q=", vec!["Gamma", "alpha", "beta", "delta", "http_static"]),
            ("?q=%25", vec![]),
            ("?prefix=al", vec!["alpha"]),
            ("?prefix=AL", vec![]),
            ("?prefix=lph", vec![]),
            ("?prefix=%25", vec![]),
            ("?prefix=_", vec![]),
            ("?prefix=", vec!["Gamma", "alpha", "beta", "delta", "http_static"]),
            ("?prefix=http&origin=dynamic", vec![]),
            ("?task=http_greet", vec!["Gamma", "alpha", "beta"]),
            ("?task=http", vec![]),
            ("?state=paused", vec!["beta"]),
            ("?state=scheduled&task=http_greet", vec!["Gamma", "alpha"]),
            ("?state=finished", vec![]),
            ("?origin=static", vec!["http_static"]),
            ("?origin=dynamic&limit=2", vec!["Gamma", "alpha"]),
            ("?after=alpha&limit=1", vec!["beta"]),
            ("?after=zzz", vec![]),
        ] {
            let page = service.get(&format!("/api/jobs{query}")).await.expect(200);
            assert_eq!(ids(&page), expected, "{query}");
        }
    }

    async fn a_job_shows_its_newest_runs(service) {
        service.greet("busy").await;
        let mut runs = Vec::new();
        for _ in 0..3 {
            runs.insert(0, service.run_to_its_end("busy").await);
        }
        let job = service.get("/api/jobs/busy").await.expect(200);
        assert_eq!(job["recent"].as_array().unwrap().len(), 3);
        let run = &job["recent"][0];
        assert_eq!(run["id"], *runs[0]);
        assert_eq!((&run["state"], &run["kind"]), (&json!("succeeded"), &json!("manual")));
        assert_eq!(run["attempt"], 1);
        assert!(run["duration_ms"].is_u64() && run["lateness_ms"].is_u64(), "{run}");

        let none = service.get("/api/jobs/busy?recent=0").await.expect(200);
        assert_eq!(none["recent"], json!([]));
        let page = service.get("/api/jobs?recent=2").await.expect(200);
        let recent = page["items"][0]["recent"].as_array().unwrap();
        assert_eq!(recent.iter().map(|run| run["id"].clone()).collect::<Vec<_>>(), runs[..2]);
        let page = service.get("/api/jobs").await.expect(200);
        assert_eq!(page["items"][0]["recent"], json!([]));
    }

    async fn the_error_of_a_run_is_cut_in_outlines_only(service) {
        service.scheduler.add_job(http_fail::job().id("bad").interval("1h")).await.unwrap();
        let run = service.run_to_its_end("bad").await;
        let job = service.get("/api/jobs/bad").await;
        let short = job.expect(200)["recent"][0]["error"].as_str().unwrap().to_owned();
        assert_eq!(short.chars().count(), 200);
        // Output of a task is text in JSON, never a page.
        assert!(short.starts_with("<script>"));
        assert_eq!(job.header("content-type"), "application/json");
        let run = service.get(&format!("/api/runs/{run}")).await.expect(200);
        assert_eq!(run["error"].as_str().unwrap().len(), 325);
        assert_eq!(run["state"], "failed");
    }

    async fn parts_of_a_job_are_changed_and_the_rest_stays(service) {
        service.greet("x").await;
        let job = service.patch("/api/jobs/x", json!({"policies": {"retries": 3}})).await.expect(200);
        assert_eq!(job["policies"]["retries"], 3);
        let job = service.patch("/api/jobs/x", json!({"policies": {"timeout": "10m"}})).await.expect(200);
        assert_eq!((&job["policies"]["retries"], &job["policies"]["timeout"]), (&json!(3), &json!("10m")));
        let trigger = job["trigger"].as_str().unwrap();
        assert!(trigger.starts_with("every 1h start=2026-01-01T01:00:00"), "{trigger}");
        let job = service.patch("/api/jobs/x", json!({"arguments": {"name": "Bob"}})).await.expect(200);
        assert_eq!(job["arguments"], json!({"name": "Bob"}));
        let change = json!({"trigger": "30 4 * * *", "timezone": "Europe/Berlin"});
        let job = service.patch("/api/jobs/x", change).await.expect(200);
        assert_eq!(job["trigger"], "cron 30 4 * * * timezone=Europe/Berlin");
        assert_eq!(job["arguments"], json!({"name": "Bob"}));
        assert_eq!(job["edited"], false);
        assert_eq!(service.patch("/api/jobs/x", json!({})).await.expect(200), job);
        let nothing = json!({"trigger": null, "policies": null, "arguments": null});
        assert_eq!(service.patch("/api/jobs/x", nothing).await.expect(200), job);
    }

    async fn a_job_of_the_code_shows_that_it_was_edited(service) {
        let job = service.patch("/api/jobs/http_static", json!({})).await.expect(200);
        assert_eq!(job["edited"], false);
        let job = service.patch("/api/jobs/http_static", json!({"policies": {"retries": 1}})).await;
        assert_eq!(job.expect(200)["edited"], true);
    }

    async fn a_job_gets_another_trigger(service) {
        service.greet("x").await;
        let change = json!({"trigger": "0 12 * * *", "timezone": "America/New_York"});
        let job = service.post("/api/jobs/x/reschedule", change).await.expect(200);
        assert_eq!(job["next_fire"]["scheduled_for"], "2026-01-01T17:00:00Z");
        let message = service.post("/api/jobs/x/reschedule", json!({})).await.field("trigger");
        assert!(message.contains("missing"), "{message}");
    }

    async fn a_job_is_paused_with_a_note_and_resumed(service) {
        service.greet("x").await;
        let job = service.post("/api/jobs/x/pause", json!({"note": "on <b>holiday</b>"})).await;
        let job = job.expect(200);
        assert_eq!((&job["state"], &job["paused_note"]), (&json!("paused"), &json!("on <b>holiday</b>")));
        assert_eq!(job["next_fire"], Value::Null);
        let job = service.post("/api/jobs/x/pause", json!({"note": "longer"})).await.expect(200);
        assert_eq!(job["paused_note"], "longer");
        let job = service.post("/api/jobs/x/resume", json!({"note": "back"})).await.expect(200);
        assert_eq!((&job["state"], &job["paused_note"]), (&json!("scheduled"), &Value::Null));
        // Without a body, and so without a note.
        let job = service.call("POST", "/api/jobs/x/pause").await.expect(200);
        assert_eq!((&job["state"], &job["paused_note"]), (&json!("paused"), &json!("")));
        service.call("POST", "/api/jobs/x/resume").await.expect(200);
        service.call("POST", "/api/jobs/x/resume").await.expect(200);
    }

    async fn a_job_is_removed_once(service) {
        service.greet("x").await;
        let reply = service.call("DELETE", "/api/jobs/x").await;
        assert_eq!((reply.status.as_u16(), reply.body.len()), (204, 0));
        service.call("DELETE", "/api/jobs/x").await.problem(404);
    }

    async fn a_job_of_the_code_is_not_removed(service) {
        let problem = service.call("DELETE", "/api/jobs/http_static").await.problem(409);
        assert!(problem["detail"].as_str().unwrap().contains("pause it instead"), "{problem}");
    }

    async fn a_run_that_has_no_place_is_refused_with_a_reason(service) {
        service.scheduler.add_job(http_slow::job().id("slow").interval("1h")).await.unwrap();
        let run = service.call("POST", "/api/jobs/slow/run").await.expect(202);
        assert_eq!(run["result"], "started");
        let problem = service.call("POST", "/api/jobs/slow/run").await.problem(409);
        assert_eq!(problem["reason"], "overlap");
        service.patch("/api/jobs/slow", json!({"policies": {"overlap": "queue"}})).await.expect(200);
        let queued = service.call("POST", "/api/jobs/slow/run").await.expect(202);
        assert_eq!(queued["result"], "queued");
        let problem = service.call("POST", "/api/jobs/slow/run").await.problem(409);
        assert_eq!(problem["reason"], "queue_full");
    }
}

#[tokio::test(start_paused = true)]
async fn jobs_that_are_not_there_are_told_with_the_nearest() {
    let service = Service::memory().await;
    service.greet("nightly_backup").await;
    let at = |rest: &str| format!("/api/jobs/nightly_bakup{rest}");
    for (method, rest) in [
        ("GET", ""),
        ("DELETE", ""),
        ("GET", "/runs"),
        ("POST", "/pause"),
        ("POST", "/resume"),
        ("POST", "/run"),
    ] {
        let problem = service.call(method, &at(rest)).await.problem(404);
        let detail = problem["detail"].as_str().unwrap();
        assert!(
            detail.contains("did you mean `nightly_backup`?"),
            "{method} {rest}: {detail}"
        );
    }
    service.patch(&at(""), json!({})).await.problem(404);
    service
        .patch(&at(""), json!({"policies": {"retries": 1}}))
        .await
        .problem(404);
    service
        .post(&at("/reschedule"), json!({"trigger": "1h"}))
        .await
        .problem(404);
}

#[tokio::test(start_paused = true)]
async fn a_finished_job_is_told_as_such() {
    let service = Service::memory().await;
    let job = http_fail::job().id("once").date("2026-01-01T00:00:01Z");
    service.scheduler.add_job(job).await.unwrap();
    service.clock.advance(chrono::TimeDelta::minutes(1)).await;
    let job = service.get("/api/jobs/once").await.expect(200);
    assert_eq!(
        (&job["state"], &job["next_fire"]),
        (&json!("finished"), &Value::Null)
    );
    let page = service.get("/api/jobs?state=finished").await.expect(200);
    assert_eq!(ids(&page), ["once"]);
}

#[tokio::test(start_paused = true)]
async fn a_jittered_job_tells_both_instants() {
    let service = Service::memory().await;
    let job = http_fail::job().id("spread").cron("0 * * * *");
    let job = job.jitter(std::time::Duration::from_secs(600));
    service
        .scheduler
        .add_job(job.start("2026-01-01T00:30:00Z"))
        .await
        .unwrap();
    let next = &service.get("/api/jobs/spread").await.expect(200)["next_fire"];
    assert_eq!(next["scheduled_for"], "2026-01-01T01:00:00Z");
    assert_ne!(next["scheduled_for"], next["starts_at"]);
}
