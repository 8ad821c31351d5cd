//! Two people edit one job: neither reverts the other's change without noticing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Body;
use axum::http::Request;
use scheduler_core::prelude::*;
use scheduler_core::store::{Call, Intercept, Intercepted, Store, StoreFuture};
use scheduler_core::testing::VirtualClock;
use scheduler_core::{JobRecord, MemoryStore, Policies};
use serde_json::{Value, json};

use crate::support::{
    FULL, START, Service, http_greet, on_each_store, request, send, web, with_body,
};

fn seen(mut request: Request<Body>, tag: &str) -> Request<Body> {
    let tag = tag.parse().unwrap();
    request.headers_mut().insert("if-match", tag);
    request
}

fn patch(body: Value, tag: &str) -> Request<Body> {
    seen(
        with_body("PATCH", "/api/jobs/edited", &body.to_string()),
        tag,
    )
}

async fn trigger(service: &Service) -> Value {
    service.get("/api/jobs/edited").await.json()["trigger"].clone()
}

on_each_store! {
    async fn later_edit_is_refused_with_both_changes(service) {
        service.greet("edited").await;
        let read = service.get("/api/jobs/edited").await;
        let (tag, revision) = (read.header("etag").to_owned(), read.json()["revision"].clone());
        assert!(tag.starts_with(&format!("\"{}", revision.as_str().unwrap())), "{tag} {revision}");

        let first = service.send(patch(json!({"trigger": "every 2h"}), &tag)).await;
        let first_job = first.expect(200);
        assert_eq!(first.header("etag"), format!("\"{}\"", first_job["revision"].as_str().unwrap()));
        assert_ne!(first_job["revision"], revision);

        // The second edit is based on the state before the first; by header, by field, and for the trigger alone.
        for (method, path, with_header, with_field) in [
            ("PATCH", "/api/jobs/edited", true, false),
            ("PATCH", "/api/jobs/edited", false, true),
            ("PATCH", "/api/jobs/edited", true, true),
            ("POST", "/api/jobs/edited/reschedule", true, false),
            ("POST", "/api/jobs/edited/reschedule", false, true),
        ] {
            let mut body = json!({"trigger": "every 3h"});
            if with_field {
                body["revision"] = revision.clone();
            }
            let mut request = with_body(method, path, &body.to_string());
            if with_header {
                request = seen(request, &tag);
            }
            let problem = service.send(request).await.problem(412);
            assert_eq!(problem["yours"], json!({"trigger": "every 3h"}), "{problem}");
            assert_eq!(problem["current"]["trigger"], first_job["trigger"], "{problem}");
            assert_eq!(problem["current"]["revision"], first_job["revision"]);
            assert_eq!(trigger(&service).await, first_job["trigger"]);
        }

        // A client that has seen the change may apply its own.
        let body = json!({"trigger": "every 3h", "revision": first_job["revision"]});
        let tag = format!("\"{}\"", first_job["revision"].as_str().unwrap());
        service.send(patch(body, &tag)).await.expect(200);
        assert!(trigger(&service).await.as_str().unwrap().starts_with("every 3h"));
    }

    async fn requests_about_another_revision_change_nothing(service) {
        service.greet("edited").await;
        let tag = service.get("/api/jobs/edited").await.header("etag").to_owned();
        let policies = json!({"policies": {"max_instances": 2}});
        service.patch("/api/jobs/edited", policies).await.expect(200);
        for (method, path) in [
            ("POST", "/api/jobs/edited/pause"),
            ("POST", "/api/jobs/edited/resume"),
            ("POST", "/api/jobs/edited/run"),
            ("DELETE", "/api/jobs/edited"),
        ] {
            for tag in [tag.as_str(), "\"other\"", "\"0123456789abcdef\""] {
                let refused = service.send(seen(request(method, path, FULL), tag)).await;
                let problem = refused.problem(412);
                assert_eq!(problem["current"]["policies"]["max_instances"], 2);
                assert!(problem.get("yours").is_none(), "{problem}");
            }
        }
        let job = service.get("/api/jobs/edited").await;
        assert_eq!(job.json()["state"], "scheduled");
        assert_eq!(job.json()["recent"], json!([]));
        for (method, path, status) in [
            ("POST", "/api/jobs/edited/pause", 200),
            ("POST", "/api/jobs/edited/resume", 200),
            ("POST", "/api/jobs/edited/run", 202),
        ] {
            let now = service.get("/api/jobs/edited").await.header("etag").to_owned();
            let asked = seen(request(method, path, FULL), &now);
            service.send(asked).await.expect(status);
        }
        let asked = seen(request("DELETE", "/api/jobs/edited", FULL), "*");
        assert_eq!(service.send(asked).await.status, 204);
        let gone = seen(request("DELETE", "/api/jobs/edited", FULL), &tag);
        service.send(gone).await.problem(404);
    }

    async fn edit_without_a_change_is_checked_too_and_edits_nothing(service) {
        let revision = service.get("/api/jobs/http_static").await.json()["revision"].clone();
        let path = "/api/jobs/http_static";
        let same = service.patch(path, json!({"revision": revision})).await;
        assert_eq!(same.expect(200)["edited"], false);
        let stale = service.patch(path, json!({"revision": "0123456789abcdef"})).await;
        assert_eq!(stale.problem(412)["current"]["edited"], false);
        let message = service.patch(path, json!({"revision": "7"})).await.field("revision");
        assert!(message.contains("16 hexadecimal digits"), "{message}");
        let bad = json!({"trigger": "every 2h", "revision": 7});
        service.post("/api/jobs/http_static/reschedule", bad).await.field("revision");
    }

    async fn runs_change_no_revision(service) {
        service.greet("edited").await;
        let before = service.get("/api/jobs/edited").await;
        service.run_to_its_end("edited").await;
        let after = service.get("/api/jobs/edited").await;
        assert_eq!(before.json()["revision"], after.json()["revision"]);
        assert_ne!(before.header("etag"), after.header("etag"));
        let edit = patch(json!({"trigger": "every 2h"}), before.header("etag"));
        service.send(edit).await.expect(200);
    }
}

/// A memory store whose job another client changes just before a call.
#[derive(Debug)]
struct ChangedJustBefore {
    store: MemoryStore,
    /// Set by the test.
    is_next: Arc<AtomicBool>,
}

impl Intercept for ChangedJustBefore {
    fn around<'a, T: Send + 'a>(
        &'a self,
        call: Call,
        carry_out: impl FnOnce() -> StoreFuture<'a, T> + Send + 'a,
    ) -> StoreFuture<'a, T> {
        let is_change = matches!(call, Call::Edit | Call::Remove | Call::RunNow);
        if !is_change || !self.is_next.swap(false, Ordering::SeqCst) {
            return carry_out();
        }
        Box::pin(async move {
            let edit = |job: &mut JobRecord| {
                let mut policies = Policies::clone(&job.policies);
                policies.max_instances = 7;
                job.policies = policies.into();
                Vec::new()
            };
            let now = START.parse().unwrap();
            self.store.edit("edited", Box::new(edit), now).await?;
            carry_out().await
        })
    }
}

#[tokio::test(start_paused = true)]
async fn change_between_the_look_at_a_job_and_the_call_is_not_undone() {
    for (method, path, is_paused) in [
        ("POST", "/api/jobs/edited/pause", false),
        ("POST", "/api/jobs/edited/resume", true),
        ("POST", "/api/jobs/edited/run", false),
        ("DELETE", "/api/jobs/edited", false),
    ] {
        for of_several in [false, true] {
            let (store, is_next) = (MemoryStore::new(), Arc::new(AtomicBool::new(false)));
            let by = ChangedJustBefore {
                store: store.clone(),
                is_next: is_next.clone(),
            };
            let builder = Scheduler::builder().without_static_jobs();
            let builder = builder.clock(VirtualClock::at(START).unwrap());
            let store = Intercepted::new(Arc::new(store), by);
            let scheduler = builder.store(store).start().await.unwrap();
            let job = http_greet::job("Ada".into(), None).id("edited");
            let job = job.interval("1h");
            let job = if is_paused { job.paused("") } else { job };
            scheduler.add_job(job).await.unwrap();
            let router = web(&scheduler).router();
            let read = async || send(&router, request("GET", "/api/jobs/edited", FULL)).await;
            let before = read().await;
            let mut tag = before.header("etag").to_owned();
            if of_several {
                tag = format!("\"0123456789abcdef\", {tag}");
            }

            is_next.store(true, Ordering::SeqCst);
            let asked = seen(request(method, path, FULL), &tag);
            let refused = send(&router, asked).await.problem(412);
            assert!(!is_next.load(Ordering::SeqCst), "the change was made");
            let current = &refused["current"];
            assert_eq!(current["policies"]["max_instances"], 7, "{path}");
            let after = read().await.json();
            assert_eq!(after["state"], before.json()["state"], "{path}");
            assert_eq!(after["recent"], json!([]), "{path}");
            scheduler.shutdown(Shutdown::wait()).await;
        }
    }
}
