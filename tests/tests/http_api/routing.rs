//! Paths and methods that do not exist, and where the router can be mounted.

use axum::Router;
use axum::body::Body;
use axum::http::Request;

use crate::access::{ROUTES, filled};
use crate::support::{FULL, Service, request, send, web};

#[tokio::test(start_paused = true)]
async fn what_is_not_there_is_a_problem() {
    let service = Service::memory().await;
    for path in [
        "/nothing",
        "/api",
        "/api/",
        "/api/nothing",
        "/api/jobs/",
        "/api/jobs/a/b",
        "/api/jobs//runs/x",
        "/api/runs/x/y",
        "/assets/",
        "/assets/a/b",
        "/api/%00",
        "/api/%ff",
        "/%2e%2e/%2e%2e/etc/passwd",
    ] {
        service.get(path).await.problem(404);
    }
}

#[tokio::test(start_paused = true)]
async fn methods_that_are_not_there_are_told_with_those_that_are() {
    let service = Service::memory().await;
    for (_, path, _) in ROUTES {
        let reply = service.call("PUT", &filled(path)).await;
        reply.problem(405);
        let mut allowed: Vec<&str> = reply.header("allow").split(',').collect();
        allowed.retain(|method| *method != "HEAD");
        let mut expected: Vec<&str> = ROUTES
            .iter()
            .filter(|(_, other, _)| *other == path)
            .map(|(method, _, _)| *method)
            .collect();
        allowed.sort_unstable();
        expected.sort_unstable();
        assert_eq!(allowed, expected, "{path}");
        service.call("OPTIONS", &filled(path)).await.problem(405);
    }
    service.call("POST", "/").await.problem(405);
    service
        .call("DELETE", "/api/openapi.json")
        .await
        .problem(405);
}

#[tokio::test(start_paused = true)]
async fn no_other_origin_is_let_read_anything() {
    let service = Service::memory().await;
    let mut request = request("GET", "/api/jobs", FULL);
    let origin = "https://evil.example".parse().unwrap();
    request.headers_mut().insert("origin", origin);
    let reply = service.send(request).await;
    assert!(
        reply
            .headers
            .keys()
            .all(|name| !name.as_str().starts_with("access-control"))
    );
}

#[tokio::test(start_paused = true)]
async fn head_answers_as_get_without_a_body() {
    let service = Service::memory().await;
    for path in ["/api/jobs", "/api/health", "/api/openapi.json", "/"] {
        let reply = service.call("HEAD", path).await;
        assert_eq!(reply.status, 200, "{path}");
        assert!(reply.body.is_empty(), "{path}");
    }
    assert_eq!(service.call("HEAD", "/api/jobs/none").await.status, 404);
}

fn page(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn it_can_be_nested_under_any_path() {
    let service = Service::memory().await;
    let inner = || web(&service.scheduler).router();
    let apps = [
        Router::new().nest_service("/scheduler", inner()),
        Router::new().nest("/scheduler", inner()),
        Router::new().nest("/scheduler/", inner()),
    ];
    for app in apps {
        let reply = send(&app, request("GET", "/scheduler/api/jobs", FULL)).await;
        reply.expect(200);
        send(&app, request("GET", "/scheduler/api/none", FULL))
            .await
            .problem(404);
        let asset = send(&app, page("/scheduler/assets/app.js")).await;
        assert_eq!(asset.status, 200);
        let index = send(&app, page("/scheduler/index.html")).await;
        assert!(index.text().starts_with("<!"));
    }
}

#[tokio::test(start_paused = true)]
async fn parameters_of_the_path_it_is_nested_at_are_not_mixed_up_with_its_own() {
    let service = Service::memory().await;
    service.greet("a").await;
    let app = Router::new().nest_service(
        "/shops/{id}/{x}/scheduler",
        web(&service.scheduler).router(),
    );
    let reply = send(
        &app,
        request("GET", "/shops/1/2/scheduler/api/jobs/a", FULL),
    )
    .await;
    assert_eq!(reply.expect(200)["id"], "a");
    let app = Router::new().nest("/shops/{shop}/scheduler", web(&service.scheduler).router());
    let reply = send(&app, request("GET", "/shops/1/scheduler/api/jobs/a", FULL)).await;
    assert_eq!(reply.expect(200)["id"], "a");
}

#[tokio::test(start_paused = true)]
async fn it_can_be_merged_at_the_root_of_an_application_with_a_fallback() {
    let service = Service::memory().await;
    let app = Router::new()
        .route("/hello", axum::routing::get(|| async { "hello" }))
        .fallback(|| async { "the application's own" })
        .merge(web(&service.scheduler).router().reset_fallback());
    send(&app, request("GET", "/api/jobs", FULL))
        .await
        .expect(200);
    assert_eq!(send(&app, page("/hello")).await.text(), "hello");
    assert_eq!(
        send(&app, page("/other")).await.text(),
        "the application's own"
    );
    assert_eq!(send(&app, page("/")).await.status, 200);
}
