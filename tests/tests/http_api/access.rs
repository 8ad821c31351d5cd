//! Which tokens and which origins may do what.

use axum::body::Body;
use axum::http::Request;
use scheduler_axum::{Access, Role, WebApi};
use serde_json::json;

use crate::support::{FULL, READ, Service, request, send, with_body};

/// Every route that requires access: method, path, and `true` if it changes something.
pub(crate) const ROUTES: [(&str, &str, bool); 21] = [
    ("GET", "/api/session", false),
    ("GET", "/api/jobs", false),
    ("POST", "/api/jobs", true),
    ("GET", "/api/jobs/{id}", false),
    ("PATCH", "/api/jobs/{id}", true),
    ("DELETE", "/api/jobs/{id}", true),
    ("POST", "/api/jobs/{id}/reschedule", true),
    ("POST", "/api/jobs/{id}/pause", true),
    ("POST", "/api/jobs/{id}/resume", true),
    ("POST", "/api/jobs/{id}/run", true),
    ("GET", "/api/jobs/{id}/runs", false),
    ("GET", "/api/runs", false),
    ("GET", "/api/runs/{id}", false),
    ("POST", "/api/runs/{id}/cancel", true),
    ("GET", "/api/upcoming", false),
    ("POST", "/api/preview", false),
    ("GET", "/api/tasks", false),
    ("GET", "/api/nodes", false),
    ("GET", "/api/skipped", false),
    ("GET", "/api/health", false),
    ("GET", "/api/events", false),
];

const OPEN: [&str; 3] = ["/api/health/live", "/api/health/ready", "/api/openapi.json"];

/// Replaces the placeholders of a path with ids that do not exist.
pub(crate) fn filled(path: &str) -> String {
    let run = "019a0000-0000-8000-8000-000000000000";
    let id = if path.starts_with("/api/runs/") {
        run
    } else {
        "nothing"
    };
    path.replace("{id}", id)
}

fn asked(method: &str, path: &str, token: &str) -> Request<Body> {
    let body = if path.ends_with("preview") {
        json!({"trigger": "every 5m"}).to_string()
    } else {
        "{}".to_owned()
    };
    let mut request = with_body(method, &filled(path), &body);
    match token {
        "" => drop(request.headers_mut().remove("authorization")),
        token => {
            let token = format!("Bearer {token}").parse().unwrap();
            request.headers_mut().insert("authorization", token);
        }
    }
    request
}

/// Returns only the status, since the event stream does not end.
async fn status(service: &Service, request: Request<Body>) -> u16 {
    use tower::ServiceExt;
    let response = service.router.clone().oneshot(request).await.unwrap();
    response.status().as_u16()
}

#[tokio::test(start_paused = true)]
async fn without_a_token_nothing_is_told_or_changed() {
    let service = Service::memory().await;
    for (method, path, _) in ROUTES {
        for token in [
            "",
            "the-wrong-token-0123",
            "the-full-token-01234",
            "the-full-token-012",
        ] {
            let reply = service.send(asked(method, path, token)).await;
            let problem = reply.problem(401);
            assert_eq!(
                reply.header("www-authenticate"),
                "Bearer",
                "{method} {path}"
            );
            assert!(!problem.to_string().contains("the-full"), "{problem}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_looks_and_changes_nothing() {
    let service = Service::memory().await;
    for (method, path, changes) in ROUTES {
        let status = status(&service, asked(method, path, READ)).await;
        if changes {
            assert_eq!(status, 403, "{method} {path}");
        } else {
            assert!(matches!(status, 200 | 404), "{method} {path}: {status}");
        }
    }
    assert_eq!(service.scheduler.get_jobs().await.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_may_do_everything_is_let_through_everywhere() {
    let service = Service::memory().await;
    for (method, path, _) in ROUTES {
        let status = status(&service, asked(method, path, FULL)).await;
        assert!(
            matches!(status, 200 | 404 | 422),
            "{method} {path}: {status}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn some_routes_are_for_everybody() {
    let service = Service::memory().await;
    for path in OPEN {
        for token in ["", "the-wrong-token-0123"] {
            assert_eq!(
                status(&service, asked("GET", path, token)).await,
                200,
                "{path}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_role_of_a_token_is_reported() {
    let service = Service::memory().await;
    for (token, role) in [(FULL, "full"), (READ, "read")] {
        let session = service.send(request("GET", "/api/session", token)).await;
        assert_eq!(session.expect(200)["role"], role);
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_is_told_that_the_role_is_what_lacks() {
    let service = Service::memory().await;
    let reply = service
        .send(asked("POST", "/api/jobs/{id}/run", READ))
        .await;
    let problem = reply.problem(403);
    assert!(problem["detail"].as_str().unwrap().contains("`full`"));
}

#[tokio::test(start_paused = true)]
async fn the_application_can_ask_its_own_sessions() {
    let service = Service::memory().await;
    let access = Access::check(|request| async move {
        match request.headers.get("cookie")?.to_str().ok()? {
            "session=admin" => Some(Role::Full),
            "session=guest" => Some(Role::Read),
            _ => None,
        }
    });
    let router = WebApi::new(&service.scheduler, access).router();
    for (cookie, looks, changes) in [
        ("session=admin", 200, 200),
        ("session=guest", 200, 403),
        ("session=other", 401, 401),
    ] {
        let ask = |method: &str, path: &str| {
            let request = Request::builder().method(method).uri(path);
            request
                .header("cookie", cookie)
                .body(Body::empty())
                .unwrap()
        };
        let looked = send(&router, ask("GET", "/api/jobs")).await;
        assert_eq!(looked.status, looks, "{cookie}");
        let changed = send(&router, ask("POST", "/api/jobs/http_static/pause")).await;
        assert_eq!(changed.status, changes, "{cookie}");
    }
}

#[tokio::test(start_paused = true)]
async fn open_access_lets_everybody_in() {
    let service = Service::memory().await;
    let router = scheduler_axum::router(&service.scheduler, Access::open());
    let request = Request::post("/api/jobs/http_static/pause").body(Body::empty());
    let reply = send(&router, request.unwrap()).await;
    assert_eq!(reply.expect(200)["state"], "paused");
}

/// Requests every route in the way a browser does for a page of another site.
#[tokio::test(start_paused = true)]
async fn pages_of_other_sites_change_nothing() {
    let service = Service::memory().await;
    let cases: [(&[(&str, &str)], bool); 9] = [
        (&[("sec-fetch-site", "cross-site")], false),
        (&[("sec-fetch-site", "same-site")], false),
        (&[("sec-fetch-site", "same-origin")], true),
        (&[("sec-fetch-site", "none")], true),
        (
            &[("origin", "https://evil.example"), ("host", "shop.example")],
            false,
        ),
        (&[("origin", "null"), ("host", "shop.example")], false),
        (
            &[("origin", "https://shop.example"), ("host", "shop.example")],
            true,
        ),
        (
            &[
                ("origin", "https://shop.example:8443"),
                ("host", "shop.example"),
            ],
            false,
        ),
        (&[("host", "shop.example")], true),
    ];
    for (method, path, _) in ROUTES {
        for (headers, is_let_in) in cases {
            let mut request = asked(method, path, FULL);
            for (name, value) in headers {
                let name: axum::http::HeaderName = name.parse().unwrap();
                request.headers_mut().insert(name, value.parse().unwrap());
            }
            let status = status(&service, request).await;
            let expected = is_let_in || method == "GET";
            assert_eq!(
                status != 403,
                expected,
                "{method} {path} {headers:?}: {status}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_form_of_another_site_is_no_json() {
    let service = Service::memory().await;
    for path in [
        "/api/jobs",
        "/api/jobs/http_static/run",
        "/api/runs/019a0000-0000-8000-8000-000000000000/cancel",
    ] {
        let mut request = with_body("POST", path, "a=b");
        let form = "application/x-www-form-urlencoded".parse().unwrap();
        request.headers_mut().insert("content-type", form);
        service.send(request).await.problem(415);
    }
}

#[tokio::test(start_paused = true)]
async fn open_access_answers_to_no_name_that_others_can_give() {
    let service = Service::memory().await;
    let router = scheduler_axum::router(&service.scheduler, Access::open());
    for (host, status) in [
        ("127.0.0.1:8080", 200),
        ("localhost", 200),
        ("evil.example:8080", 403),
    ] {
        let request = Request::builder().uri("/api/jobs").header("host", host);
        let reply = send(&router, request.body(Body::empty()).unwrap()).await;
        assert_eq!(reply.status, status, "{host}");
    }
}
