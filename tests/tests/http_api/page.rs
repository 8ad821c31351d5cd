//! The page and its files.

use axum::Router;
use axum::body::Body;
use axum::http::Request;

use crate::support::{Reply, Service, send, web};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

async fn get(router: &Router, path: &str) -> Reply {
    send(router, Request::get(path).body(Body::empty()).unwrap()).await
}

#[tokio::test(start_paused = true)]
async fn the_page_comes_under_a_strict_policy_and_without_access() {
    let service = Service::memory().await;
    for (path, content_type) in [
        ("/", "text/html; charset=utf-8"),
        ("/index.html", "text/html; charset=utf-8"),
        ("/assets/app.js", "text/javascript; charset=utf-8"),
        ("/assets/style.css", "text/css; charset=utf-8"),
        ("/assets/icon.svg", "image/svg+xml"),
    ] {
        let reply = get(&service.router, path).await;
        assert_eq!(reply.status, 200, "{path}");
        assert_eq!(reply.header("content-type"), content_type);
        assert_eq!(reply.header("content-security-policy"), POLICY);
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        assert_eq!(reply.header("referrer-policy"), "no-referrer");
        assert_eq!(reply.header("cache-control"), "no-cache");
        assert!(reply.header("etag").starts_with('"'));
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_known_is_not_sent_again() {
    let service = Service::memory().await;
    let tag = get(&service.router, "/assets/app.js")
        .await
        .header("etag")
        .to_owned();
    for (known, status) in [
        (tag.clone(), 304),
        (format!("W/{tag}"), 304),
        (format!("\"other\", {tag}"), 304),
        ("*".to_owned(), 304),
        ("\"other\"".to_owned(), 200),
    ] {
        let request = Request::get("/assets/app.js").header("if-none-match", &known);
        let reply = send(&service.router, request.body(Body::empty()).unwrap()).await;
        assert_eq!(reply.status, status, "{known}");
        assert_eq!(reply.header("etag"), tag);
        assert_eq!(reply.header("cache-control"), "no-cache");
        assert_eq!(reply.body.is_empty(), status == 304);
    }
}

#[tokio::test(start_paused = true)]
async fn files_that_are_not_there_are_not_found() {
    let service = Service::memory().await;
    for path in [
        "/assets/other.js",
        "/assets/jobs.js",
        "/assets/app-0123456789abcdef.css",
        "/assets/index.html",
        "/assets/..%2fCargo.toml",
        "/assets/%2e%2e",
        "/assets/app.js%00",
        "/assets/APP.JS",
    ] {
        get(&service.router, path).await.problem(404);
    }
    get(&service.router, "/assets/%ff").await.problem(422);
}

#[tokio::test(start_paused = true)]
async fn the_way_to_the_page_is_relative() {
    let service = Service::memory().await;
    let inner = || web(&service.scheduler).router();
    for (app, path, to) in [
        (
            Router::new().nest_service("/scheduler", inner()),
            "/scheduler",
            "./scheduler/index.html",
        ),
        (
            Router::new().nest("/scheduler", inner()),
            "/scheduler",
            "./scheduler/index.html",
        ),
        (
            Router::new().nest_service("/a/b:c", inner()),
            "/a/b:c",
            "./b:c/index.html",
        ),
        (
            Router::new().nest_service("/{shop}/x", inner()),
            "/%C3%A4/x?q=1",
            "./x/index.html",
        ),
    ] {
        let reply = get(&app, path).await;
        assert_eq!((reply.status.as_u16(), reply.header("location")), (307, to));
    }
    for (app, path) in [
        (
            Router::new().nest_service("/scheduler", inner()),
            "/scheduler/",
        ),
        (Router::new().nest("/scheduler/", inner()), "/scheduler/"),
        (
            Router::new().nest_service("/a", Router::new().nest_service("/b", inner())),
            "/a/b/",
        ),
        (inner(), "/"),
    ] {
        assert_eq!(get(&app, path).await.status, 200, "{path}");
    }
}

/// Everything that the page loads comes from its own origin.
#[tokio::test(start_paused = true)]
async fn the_page_names_its_files_by_relative_paths() {
    let service = Service::memory().await;
    let page = get(&service.router, "/").await.text();
    let mut files = 0;
    for part in page.split(['"', '\'']) {
        assert!(
            !part.starts_with('/') && !part.starts_with("http"),
            "{part}"
        );
        if let Some(file) = part.strip_prefix("assets/") {
            let reply = get(&service.router, &format!("/assets/{file}")).await;
            assert_eq!(reply.status, 200, "{file}");
            files += 1;
        }
    }
    assert!(files >= 2, "{page}");
}
