//! Changes as server-sent events.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use chrono::TimeDelta;
use http_body_util::BodyExt;
use scheduler_core::prelude::*;
use scheduler_core::testing::VirtualClock;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

use crate::support::{FULL, START, Service, http_fail, http_slow, on_each_store, request, web};

/// Reads a stream event by event.
struct Events {
    body: Body,
    text: String,
}

impl Events {
    async fn open(service: &Service) -> Self {
        let asked = request("GET", "/api/events", FULL);
        let response = service.router.clone().oneshot(asked).await.unwrap();
        assert_eq!(response.status(), 200);
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-type"), "text/event-stream");
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!(header("x-content-type-options"), "nosniff");
        let mut events = Self {
            body: response.into_body(),
            text: String::new(),
        };
        assert_eq!(events.next().await, Some(("hello".to_owned(), json!({}))));
        events
    }

    /// Returns the next event that is not a comment, or `None` at the end.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                let field = |name: &str| {
                    let mut lines = event.lines();
                    lines
                        .find_map(|line| line.strip_prefix(name))
                        .map(str::trim)
                };
                match (field("event:"), field("data:")) {
                    (Some(event), Some(data)) => {
                        return Some((event.to_owned(), serde_json::from_str(data).unwrap()));
                    }
                    _ => continue,
                }
            }
            let frame = self.body.frame().await?.unwrap();
            self.text += std::str::from_utf8(&frame.into_data().unwrap()).unwrap();
        }
    }

    async fn until(&mut self, what: &str) -> Value {
        loop {
            let (event, data) = self.next().await.unwrap();
            if event == "change" && data["what"] == what {
                return data;
            }
        }
    }
}

on_each_store! {
    async fn what_happens_is_told_as_a_hint(service) {
        let mut events = Events::open(&service).await;
        service.scheduler.add_job(http_fail::job().id("a/b").interval("1h").retries(0)).await.unwrap();
        let added = events.until("job_added").await;
        assert_eq!(added, json!({"what": "job_added", "job_id": "a/b"}));
        service.scheduler.pause_job("a/b").await.unwrap();
        events.until("job_paused").await;
        service.scheduler.resume_job("a/b").await.unwrap();
        events.until("job_resumed").await;
        let run = service.call("POST", "/api/jobs/a%2Fb/run").await.expect(202);
        let started = events.until("run_started").await;
        assert_eq!(started["run_id"], run["run_id"]);
        let ended = events.until("run_ended").await;
        assert_eq!(ended["job_id"], "a/b");
        // A hint contains no output of a task.
        assert_eq!(ended.as_object().unwrap().len(), 3);
        service.patch("/api/jobs/a%2Fb", json!({"policies": {"retries": 1}})).await.expect(200);
        events.until("job_changed").await;
        service.call("DELETE", "/api/jobs/a%2Fb").await;
        events.until("job_removed").await;
        service.scheduler.pause();
        assert_eq!(events.until("scheduler").await, json!({"what": "scheduler"}));
    }

    async fn the_stream_ends_when_the_scheduler_begins_to_stop(service) {
        let mut events = Events::open(&service).await;
        service.scheduler.begin_shutdown();
        while let Some((event, _)) = events.next().await {
            assert_ne!(event, "lagged");
        }
        // A stream that is opened too late ends at once.
        let mut late = Events::open(&service).await;
        assert_eq!(late.next().await, None);
    }
}

#[tokio::test(start_paused = true)]
async fn queued_retried_and_dropped_runs_are_reported() {
    let service = Service::memory().await;
    let mut events = Events::open(&service).await;
    let slow = http_slow::job().id("slow").interval("20s");
    service.scheduler.add_job(slow).await.unwrap();
    let bad = http_fail::job()
        .id("bad")
        .date("2026-01-01T00:00:10Z")
        .retries(1);
    service.scheduler.add_job(bad).await.unwrap();
    service.clock.advance(TimeDelta::minutes(2)).await;
    assert_eq!(events.until("run_retrying").await["job_id"], "bad");
    assert_eq!(events.until("skipped").await["job_id"], "slow");
    let queue = json!({"policies": {"overlap": "queue"}});
    service.patch("/api/jobs/slow", queue).await.expect(200);
    service.call("POST", "/api/jobs/slow/run").await.expect(202);
    events.until("run_queued").await;
}

#[tokio::test(start_paused = true)]
async fn who_falls_behind_is_told_to_read_again() {
    let clock = VirtualClock::at(START).unwrap();
    let builder = Scheduler::builder().clock(clock).event_capacity(4);
    let scheduler = builder.without_static_jobs().start().await.unwrap();
    let response = web(&scheduler)
        .router()
        .oneshot(request("GET", "/api/events", FULL))
        .await;
    let mut events = Events {
        body: response.unwrap().into_body(),
        text: String::new(),
    };
    for _ in 0..10 {
        scheduler.pause();
        scheduler.resume();
    }
    assert_eq!(events.next().await.unwrap().0, "hello");
    assert_eq!(events.next().await, Some(("lagged".to_owned(), json!({}))));
    assert_eq!(events.next().await.unwrap().0, "change");
}

#[tokio::test(start_paused = true)]
async fn a_comment_keeps_an_idle_stream_open() {
    let service = Service::memory().await;
    let mut events = Events::open(&service).await;
    let before = tokio::time::Instant::now();
    let frame = events.body.frame().await.unwrap().unwrap();
    assert!(frame.into_data().unwrap().starts_with(b":"));
    let waited = before.elapsed();
    assert!(waited >= Duration::from_secs(15) && waited < Duration::from_secs(16));
}

/// A server with a client that stays connected.
#[tokio::test]
async fn an_open_stream_does_not_hold_up_the_server() {
    let scheduler = Scheduler::builder()
        .without_static_jobs()
        .start()
        .await
        .unwrap();
    let app = Router::new().nest_service("/scheduler", web(&scheduler).router());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let stopping = scheduler.clone();
    let server = tokio::spawn(async move {
        axum::serve(listener, app)
            .with_graceful_shutdown(async move {
                let _ = stopped.await;
                stopping.begin_shutdown();
            })
            .await
    });

    let mut client = TcpStream::connect(address).await.unwrap();
    let asked = format!(
        "GET /scheduler/api/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {FULL}\r\n\r\n"
    );
    client.write_all(asked.as_bytes()).await.unwrap();
    let mut answer = String::new();
    while !answer.contains("event: hello") {
        let mut bytes = [0; 1_024];
        let count = client.read(&mut bytes).await.unwrap();
        assert!(count > 0, "{answer}");
        answer += std::str::from_utf8(&bytes[..count]).unwrap();
    }

    stop.send(()).unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(10), server).await;
    ended
        .expect("the server waits for the client")
        .unwrap()
        .unwrap();
    // The stream ends properly; it is not cut off.
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.unwrap();
    assert!(rest.ends_with(b"0\r\n\r\n"));
    assert!(scheduler.shutdown(Shutdown::wait()).await.is_clean());
}
