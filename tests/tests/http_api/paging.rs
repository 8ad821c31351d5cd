//! Lists in pages: nothing is lost or repeated while other clients add entries.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{Service, http_greet, http_slow, ids, on_each_store};

async fn add(service: &Service, ids: impl Iterator<Item = String>) {
    let jobs = ids.map(|id| http_greet::job("Ada".into(), None).id(id).interval("1h"));
    service.scheduler.add_jobs(jobs).await.unwrap();
}

on_each_store! {
    async fn a_thousand_jobs_while_others_are_added(service) {
        add(&service, (0..1_000).map(|number| format!("job-{number:04}"))).await;
        let (mut seen, mut next, mut pages) = (Vec::new(), Value::Null, 0);
        loop {
            let after = next.as_str().map_or(String::new(), |id| format!("&after={id}"));
            let page = service.get(&format!("/api/jobs?limit=37{after}")).await.expect(200);
            seen.extend(ids(&page));
            next = page["next"].clone();
            // One behind and one ahead of the cursor: the first is not seen, the second is.
            add(&service, [format!("aaa-{pages}"), format!("zzz-{pages:03}")].into_iter()).await;
            pages += 1;
            if next.is_null() {
                break;
            }
        }
        let distinct: BTreeSet<&String> = seen.iter().collect();
        assert_eq!(distinct.len(), seen.len(), "one came twice");
        assert!(seen.is_sorted());
        assert_eq!(seen.iter().filter(|id| id.starts_with("job-")).count(), 1_000);
        assert!(seen.iter().filter(|id| id.starts_with("zzz-")).count() >= pages - 1);
        assert!(pages >= 27);
    }

    async fn a_page_that_is_just_full_is_the_last(service) {
        add(&service, (0..5).map(|number| format!("a{number}"))).await;
        // Including the static job, there are six.
        let page = service.get("/api/jobs?limit=6").await.expect(200);
        assert_eq!((ids(&page).len(), &page["next"]), (6, &Value::Null));
        let page = service.get("/api/jobs?limit=5").await.expect(200);
        assert_eq!(page["next"], "a4");
        let page = service.get("/api/jobs?limit=5&after=a4").await.expect(200);
        assert_eq!((ids(&page), &page["next"]), (vec!["http_static".to_owned()], &Value::Null));
    }

    async fn pages_keep_to_what_is_looked_for(service) {
        add(&service, (0..40).map(|number| format!("{}-{number:02}", if number % 2 == 0 { "even" } else { "odd" }))).await;
        let (mut seen, mut next) = (Vec::new(), String::new());
        loop {
            let page = service.get(&format!("/api/jobs?q=even&limit=3{next}")).await.expect(200);
            seen.extend(ids(&page));
            match page["next"].as_str() {
                Some(id) => next = format!("&after={id}"),
                None => break,
            }
        }
        assert_eq!(seen.len(), 20);
        assert!(seen.iter().all(|id| id.starts_with("even")));
    }

    async fn ids_of_every_kind_are_cursors(service) {
        let odd = ["a&b=c", "a/b", "a%20b", "a b", "ä", "日报", "#", "+"];
        add(&service, odd.map(str::to_owned).into_iter()).await;
        let (mut seen, mut next) = (Vec::new(), String::new());
        loop {
            let page = service.get(&format!("/api/jobs?limit=1{next}")).await.expect(200);
            seen.extend(ids(&page));
            let Some(id) = page["next"].as_str() else { break };
            let encoded: Vec<String> = id.bytes().map(|byte| format!("%{byte:02x}")).collect();
            next = format!("&after={}", encoded.concat());
        }
        assert_eq!(seen.len(), odd.len() + 1);
    }

    async fn bad_cursors_are_refused(service) {
        for cursor in ["", "%00", "a%0Ab", &"x".repeat(256)] {
            service.get(&format!("/api/jobs?after={cursor}")).await.field("after");
        }
        for cursor in ["", "1", "x", "019a0000-0000-8000-8000-00000000000g", "%00"] {
            service.get(&format!("/api/runs?before={cursor}")).await.field("before");
            service.get(&format!("/api/skipped?before={cursor}")).await.field("before");
        }
    }
}

async fn all_runs(service: &Service, path: &str, mut between: impl AsyncFnMut()) -> Vec<String> {
    let (mut seen, mut next) = (Vec::new(), String::new());
    loop {
        let page = service.get(&format!("{path}{next}")).await.expect(200);
        seen.extend(ids(&page));
        between().await;
        match page["next"].as_str() {
            Some(id) => next = format!("&before={id}"),
            None => return seen,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_runs_while_others_are_added() {
    let service = Service::memory().await;
    let job = http_greet::job("Ada".into(), None)
        .id("beat")
        .interval("1m");
    service.scheduler.add_job(job).await.unwrap();
    service
        .clock
        .advance(chrono::TimeDelta::minutes(1_000))
        .await;
    let before = service
        .scheduler
        .list_runs(&scheduler_core::RunFilter::new().limit(2_000))
        .await
        .unwrap()
        .items;
    let before: Vec<String> = before.iter().map(|run| run.id.to_string()).collect();
    assert!(before.len() >= 1_000);
    let seen = all_runs(&service, "/api/runs?limit=70", async || {
        service.clock.advance(chrono::TimeDelta::minutes(3)).await;
    })
    .await;
    // Added runs are newer, so they appear on no later page.
    assert_eq!(seen, before);
    let of_job = all_runs(&service, "/api/jobs/beat/runs?limit=500", async || {}).await;
    assert!(of_job.len() > seen.len());
}

#[tokio::test]
async fn runs_on_sqlite_come_in_pages_as_well() {
    let service = Service::sqlite().await;
    service.greet("beat").await;
    let mut expected = Vec::new();
    for _ in 0..30 {
        expected.insert(0, service.run_to_its_end("beat").await);
    }
    let seen = all_runs(&service, "/api/runs?limit=7", async || {
        service.run_to_its_end("beat").await;
    })
    .await;
    assert_eq!(seen, expected);
}

/// Returns the jobs and first fire times of all pages of skipped fire times.
async fn all_skipped(
    service: &Service,
    path: &str,
    mut between: impl AsyncFnMut(),
) -> Vec<(String, String)> {
    let (mut seen, mut next) = (Vec::new(), String::new());
    loop {
        let page = service.get(&format!("{path}{next}")).await.expect(200);
        let text = |one: &Value, name: &str| one[name].as_str().unwrap().to_owned();
        let items = page["items"].as_array().unwrap();
        seen.extend(
            items
                .iter()
                .map(|one| (text(one, "job_id"), text(one, "first"))),
        );
        between().await;
        match page["next"].as_str() {
            Some(cursor) => next = format!("&before={cursor}"),
            None => return seen,
        }
    }
}

async fn skipped_come_in_pages(service: &Service, more: impl AsyncFn()) {
    let before = all_skipped(service, "/api/skipped?limit=500", async || {}).await;
    assert!(before.len() >= 20, "{before:?}");
    for path in ["/api/skipped?limit=1", "/api/skipped?limit=3"] {
        let expected = all_skipped(service, "/api/skipped?limit=500", async || {}).await;
        let seen = all_skipped(service, path, async || more().await).await;
        // Added records are newer, so they appear on no later page.
        assert_eq!(seen, expected);
    }
    let of_job: Vec<_> = before
        .iter()
        .filter(|(job, _)| job == "b")
        .cloned()
        .collect();
    for path in [
        "/api/skipped?job=b&limit=2",
        "/api/skipped?job=b&reason=overlap&limit=2",
    ] {
        let seen = all_skipped(service, path, async || {}).await;
        assert!(seen.ends_with(&of_job), "{path}");
    }
    let none = service
        .get("/api/skipped?reason=missed&limit=2")
        .await
        .expect(200);
    assert_eq!(
        (&none["items"], &none["next"]),
        (&serde_json::json!([]), &Value::Null)
    );
}

#[tokio::test(start_paused = true)]
async fn skipped_fire_times_of_one_instant_are_neither_lost_nor_repeated() {
    let service = Service::memory().await;
    for id in ["a", "b", "c", "d"] {
        let job = http_slow::job().id(id).cron("*/20 * * * * *");
        service.scheduler.add_job(job).await.unwrap();
    }
    let minutes = async |count| {
        service
            .clock
            .advance(chrono::TimeDelta::minutes(count))
            .await;
    };
    minutes(8).await;
    skipped_come_in_pages(&service, async || minutes(1).await).await;
}
