//! Two people who edit one job: neither undoes the other's change unnoticed.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use crate::support::{Service, on_each_store, request, with_body};

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

        // The second one was made from what the first one saw; by header, by field, and of the trigger alone.
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

        // Whoever has looked at the change may make the own one.
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
                let refused = service.send(seen(request(method, path, crate::support::FULL), tag)).await;
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
            let asked = seen(request(method, path, crate::support::FULL), &now);
            service.send(asked).await.expect(status);
        }
        let asked = seen(request("DELETE", "/api/jobs/edited", crate::support::FULL), "*");
        assert_eq!(service.send(asked).await.status, 204);
        let gone = seen(request("DELETE", "/api/jobs/edited", crate::support::FULL), &tag);
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
