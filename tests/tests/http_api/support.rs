//! Shared by the tests: services over each store, tasks, and requests.

use std::path::PathBuf;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use scheduler_axum::{Access, WebApi};
use scheduler_core::NodeId;
use scheduler_core::prelude::*;
use scheduler_core::testing::VirtualClock;
use scheduler_sqlx::SqlStore;
use serde_json::Value;
use tower::ServiceExt;

pub(crate) const FULL: &str = "the-full-token-0123";
pub(crate) const READ: &str = "the-read-token-0123";

/// A Thursday.
pub(crate) const START: &str = "2026-01-01T00:00:00Z";

#[scheduled_job(cron = "0 6 * * *", timezone = "Asia/Shanghai", id = "http_static")]
pub(crate) async fn http_static() -> u32 {
    3
}

#[task]
pub(crate) async fn http_greet(name: String, times: Option<u8>) -> String {
    format!("{name} {times:?}")
}

#[task]
pub(crate) async fn http_fail() -> Result<(), String> {
    Err(format!("<script>alert(1)</script>{}", "x".repeat(300)))
}

#[task]
pub(crate) async fn http_slow() {
    pause(Duration::from_secs(60)).await;
}

#[task]
pub(crate) async fn http_secret() {}

#[allow(clippy::disallowed_methods, reason = "what a job does takes time")]
pub(crate) async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}

/// A service with a scheduler in virtual time.
pub(crate) struct Service {
    pub(crate) scheduler: Scheduler,
    pub(crate) clock: VirtualClock,
    pub(crate) router: Router,
    folder: Option<PathBuf>,
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

pub(crate) fn access() -> Access {
    let access = Access::bearer(FULL).unwrap();
    access.and_read_only(READ).unwrap()
}

pub(crate) fn web(scheduler: &Scheduler) -> WebApi {
    WebApi::new(scheduler, access()).allow_tasks([
        "http_greet",
        "http_fail",
        "http_slow",
        "http_sign_in",
    ])
}

impl Service {
    pub(crate) async fn memory() -> Self {
        let clock = VirtualClock::at(START).unwrap();
        let builder = Scheduler::builder().clock(clock.clone());
        let scheduler = builder.only(["http_static"]).start().await.unwrap();
        Self {
            router: web(&scheduler).router(),
            scheduler,
            clock,
            folder: None,
        }
    }

    pub(crate) async fn sqlite() -> Self {
        let folder = std::env::temp_dir().join(format!("http-api-{}", NodeId::random()));
        std::fs::create_dir_all(&folder).unwrap();
        let url = format!("sqlite://{}", folder.join("jobs.db").display());
        let clock = VirtualClock::at(START).unwrap();
        let store = SqlStore::connect(&url).await.unwrap();
        let builder = Scheduler::builder().clock(clock.clone()).store(store);
        let scheduler = builder.only(["http_static"]).start().await.unwrap();
        Self {
            router: web(&scheduler).router(),
            scheduler,
            clock,
            folder: Some(folder),
        }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        send(&self.router, request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(request("GET", path, FULL)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        self.send(with_body("POST", path, &body.to_string())).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Reply {
        self.send(with_body("PATCH", path, &body.to_string())).await
    }

    pub(crate) async fn call(&self, method: &str, path: &str) -> Reply {
        self.send(request(method, path, FULL)).await
    }

    pub(crate) async fn greet(&self, id: &str) {
        let job = http_greet::job("Ada".into(), None).id(id).interval("1h");
        self.scheduler.add_job(job).await.unwrap();
    }
}

pub(crate) fn request(method: &str, path: &str, token: &str) -> Request<Body> {
    let request = Request::builder().method(method).uri(path);
    let request = request.header("authorization", format!("Bearer {token}"));
    request.body(Body::empty()).unwrap()
}

pub(crate) fn with_body(method: &str, path: &str, body: &str) -> Request<Body> {
    let mut request = request(method, path, FULL);
    let json = "application/json".parse().unwrap();
    request.headers_mut().insert("content-type", json);
    *request.body_mut() = Body::from(body.to_owned());
    request
}

pub(crate) async fn send(router: &Router, request: Request<Body>) -> Reply {
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    Reply {
        status: parts.status,
        headers: parts.headers,
        body: to_bytes(body, usize::MAX).await.unwrap().to_vec(),
    }
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| {
            panic!("{error}: {} {}", self.status, self.text());
        })
    }

    /// Returns the JSON of an answer with this status.
    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        assert_eq!(self.header("cache-control"), "no-store");
        assert_eq!(self.header("x-content-type-options"), "nosniff");
        assert_eq!(self.header("content-type"), "application/json");
        self.json()
    }

    /// Returns the problem of an answer with this status.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.header("cache-control"), "no-store");
        assert_eq!(self.header("x-content-type-options"), "nosniff");
        let problem = self.json();
        assert_eq!(problem["type"], "about:blank");
        assert_eq!(problem["status"], status);
        assert!(problem["title"].is_string() && problem["detail"].is_string());
        problem
    }

    /// Returns the messages for a field that is wrong.
    #[track_caller]
    pub(crate) fn field(&self, field: &str) -> String {
        let problem = self.problem(422);
        let errors = problem["errors"].as_array().unwrap();
        let error = errors.iter().find(|error| error["field"] == field);
        let error = error.unwrap_or_else(|| panic!("no `{field}`: {problem}"));
        error["message"].as_str().unwrap().to_owned()
    }
}

/// Turns `async fn name(service)` into a test for each store.
macro_rules! on_each_store {
    ($($(#[$attribute:meta])* async fn $name:ident($service:ident) $body:block)+) => {
        $(
            mod $name {
                #[allow(unused_imports, reason = "some tests take nothing from around them")]
                use super::*;

                async fn on($service: $crate::support::Service) $body

                #[tokio::test(flavor = "current_thread", start_paused = true)]
                async fn memory() {
                    on($crate::support::Service::memory().await).await;
                }

                #[tokio::test(flavor = "current_thread")]
                async fn sqlite() {
                    on($crate::support::Service::sqlite().await).await;
                }
            }
        )+
    };
}
pub(crate) use on_each_store;

impl Service {
    /// Runs a job, waits for the end of the run, and returns its id.
    pub(crate) async fn run_to_its_end(&self, job: &str) -> String {
        let asked = self.call("POST", &format!("/api/jobs/{job}/run")).await;
        let run = asked.expect(202)["run_id"].as_str().unwrap().to_owned();
        self.until(&format!("/api/runs/{run}"), |run| {
            !run["finished_at"].is_null()
        })
        .await;
        run
    }

    /// Repeats a request until its answer meets the condition.
    pub(crate) async fn until(&self, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..2_000 {
            let answer = self.get(path).await.expect(200);
            if is_so(&answer) {
                return answer;
            }
            pause(Duration::from_millis(5)).await;
        }
        panic!("{path} never came to be as it should");
    }
}

/// Returns the ids of the jobs or runs on a page.
pub(crate) fn ids(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap().iter();
    items
        .map(|item| item["id"].as_str().unwrap().to_owned())
        .collect()
}
