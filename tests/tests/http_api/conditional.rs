//! What a client already has is not sent again, and long answers are compressed.

use axum::body::Body;
use axum::http::Request;
use serde_json::Value;

use crate::support::{FULL, Reply, Service, on_each_store, request, send};

/// Creates a request of a client that has an answer with this tag.
fn having(path: &str, tag: &str) -> Request<Body> {
    let mut asked = request("GET", path, FULL);
    let tag = tag.parse().unwrap();
    asked.headers_mut().insert("if-none-match", tag);
    asked
}

fn compressed(path: &str) -> Request<Body> {
    let mut asked = request("GET", path, FULL);
    let codings = "gzip, deflate, br".parse().unwrap();
    asked.headers_mut().insert("accept-encoding", codings);
    asked
}

/// Returns the decompressed body of an answer.
fn inflated(reply: &Reply) -> Vec<u8> {
    assert_eq!(reply.header("content-encoding"), "gzip");
    assert_eq!(reply.header("vary"), "accept-encoding");
    let body = &reply.body[10..reply.body.len() - 8];
    miniz_oxide::inflate::decompress_to_vec(body).unwrap()
}

on_each_store! {
    async fn answer_that_is_known_is_not_sent_again(service) {
        for id in ["a", "b"] {
            service.greet(id).await;
        }
        for path in ["/api/jobs?recent=3", "/api/jobs/a", "/api/runs", "/api/tasks", "/api/openapi.json"] {
            let first = service.get(path).await;
            first.expect(200);
            let tag = first.header("etag").to_owned();
            assert!(tag.starts_with('"') && tag.len() > 2, "{path}: {tag}");
            let again = service.send(having(path, &tag)).await;
            assert_eq!((again.status.as_u16(), again.body.len()), (304, 0), "{path}");
            assert_eq!(again.header("etag"), tag);
            assert_eq!(again.header("cache-control"), "no-store");
            let mut head = having(path, &tag);
            *head.method_mut() = axum::http::Method::HEAD;
            assert_eq!(service.send(head).await.status.as_u16(), 304, "{path}");
            let head = service.call("HEAD", path).await;
            assert_eq!((head.header("etag"), head.body.len()), (&*tag, 0), "{path}");
            let other = service.send(having(path, "\"other\"")).await;
            assert_eq!(other.expect(200), first.json());
        }
    }

    async fn answer_that_has_changed_is_sent(service) {
        service.greet("a").await;
        for path in ["/api/jobs", "/api/jobs/a"] {
            let tag = service.get(path).await.header("etag").to_owned();
            service.call("POST", "/api/jobs/a/pause").await.expect(200);
            let paused = service.send(having(path, &tag)).await;
            paused.expect(200);
            assert_ne!(paused.header("etag"), tag);
            service.call("POST", "/api/jobs/a/resume").await.expect(200);
        }
        // A run changes what is shown of a job, but not the job itself.
        let tag = service.get("/api/jobs/a").await.header("etag").to_owned();
        service.run_to_its_end("a").await;
        let ran = service.send(having("/api/jobs/a", &tag)).await;
        assert_eq!(ran.expect(200)["recent"][0]["state"], "succeeded");
    }
}

#[tokio::test(start_paused = true)]
async fn long_answers_are_compressed_for_those_who_take_it() {
    let service = Service::memory().await;
    for number in 0..200 {
        service.greet(&format!("job-{number:03}")).await;
    }
    for path in [
        "/api/jobs?limit=5",
        "/api/jobs?limit=500&recent=20",
        "/api/openapi.json",
    ] {
        let plain = service.get(path).await;
        plain.expect(200);
        assert_eq!(plain.header("content-encoding"), "");
        assert_eq!(plain.header("vary"), "accept-encoding");
        let reply = service.send(compressed(path)).await;
        assert!(reply.body.len() * 4 < plain.body.len(), "{path}");
        assert_eq!(
            serde_json::from_slice::<Value>(&inflated(&reply)).unwrap(),
            plain.json()
        );

        // Each of the two is recognized by its own tag; the tags differ because the bytes differ.
        let tag = reply.header("etag").to_owned();
        assert_ne!(tag, plain.header("etag"));
        for tag in [&tag, plain.header("etag")] {
            let known = service.send(having(path, tag)).await;
            assert_eq!((known.status.as_u16(), known.header("etag")), (304, tag));
        }
    }
    // Short answers, problems and streams are not compressed.
    let short = service.send(compressed("/api/health/live")).await;
    assert_eq!(short.header("content-encoding"), "");
    service
        .send(compressed("/api/jobs/nothing"))
        .await
        .problem(404);
    let mut refused = compressed("/api/jobs");
    refused
        .headers_mut()
        .insert("accept-encoding", "gzip;q=0".parse().unwrap());
    assert_eq!(service.send(refused).await.header("content-encoding"), "");
}

#[tokio::test(start_paused = true)]
async fn tags_are_no_way_around_access() {
    let service = Service::memory().await;
    let tag = service.get("/api/jobs").await.header("etag").to_owned();
    let mut asked = having("/api/jobs", &tag);
    asked.headers_mut().remove("authorization");
    service.send(asked).await.problem(401);
}

#[tokio::test(start_paused = true)]
async fn head_has_the_length_of_the_answer() {
    let service = Service::memory().await;
    let length = service.get("/api/tasks").await.body.len().to_string();
    let head = service.call("HEAD", "/api/tasks").await;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), length);
}

#[tokio::test(start_paused = true)]
async fn files_of_the_page_are_compressed_and_kept() {
    let service = Service::memory().await;
    let page = Request::get("/").body(Body::empty()).unwrap();
    let page = send(&service.router, page).await.text();
    let name = page
        .split('"')
        .find(|part| part.starts_with("assets/app-"))
        .unwrap();
    let plain = Request::get(format!("/{name}"))
        .body(Body::empty())
        .unwrap();
    let plain = send(&service.router, plain).await;
    assert_eq!(
        plain.header("cache-control"),
        "public, max-age=31536000, immutable"
    );
    let reply = service.send(compressed(&format!("/{name}"))).await;
    assert_eq!(inflated(&reply), plain.body);
    assert!(reply.body.len() < 45_000, "{} bytes", reply.body.len());
    // An asset of another version's page: the current one is sent, but must not be cached.
    let other = Request::get("/assets/app-0123456789abcdef.js")
        .body(Body::empty())
        .unwrap();
    let other = send(&service.router, other).await;
    assert_eq!(other.header("cache-control"), "no-store");
    assert_eq!(other.body, plain.body);
}
