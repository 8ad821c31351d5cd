//! The HTTP API and the web page of a [scheduler](scheduler_core), as a router of
//! [axum](https://docs.rs/axum): shows past runs, failures and upcoming fire times, and pauses, runs and edits jobs.
//!
//! # Inside a service
//!
//! [`router`] returns a router that can be nested under any path. Access has to be specified: there is no default, so
//! nothing is open by accident. [`WebApi`] has more settings.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use scheduler_axum::{Access, WebApi};
//! use scheduler_core::prelude::*;
//!
//! #[scheduled_job(interval = "1h", id = "web_tour_cleanup")]
//! async fn cleanup_sessions() {}
//!
//! #[task]
//! async fn web_tour_reminder(user_id: i64, text: String) {}
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let scheduler = Scheduler::builder().start().await?;
//!     let access = Access::bearer(std::env::var("SCHEDULER_TOKEN")?)?;
//!     let web = WebApi::new(&scheduler, access)
//!         .allow_tasks(["web_tour_reminder"]) // what may be created over HTTP
//!         .title("Shop");
//!
//!     let app = axum::Router::new().nest_service("/scheduler", web.router());
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//!     let stopping = scheduler.clone();
//!     axum::serve(listener, app)
//!         .with_graceful_shutdown(async move {
//!             let _ = tokio::signal::ctrl_c().await;
//!             // Ends the event streams of open pages, for which the server would otherwise wait.
//!             stopping.begin_shutdown();
//!         })
//!         .await?;
//!     // Waits for live runs to end.
//!     let how = Shutdown::wait_up_to(Duration::from_secs(30));
//!     println!("{}", scheduler.shutdown(how).await);
//!     Ok(())
//! }
//! ```
//!
//! The page is then at `/scheduler/`, and asks for the token. Its files are embedded in the program; it works under a
//! strict content security policy, and loads nothing from elsewhere.
//!
//! # Over HTTP
//!
//! ```
//! use axum::body::{Body, to_bytes};
//! use axum::http::{Request, StatusCode};
//! use scheduler_axum::{Access, WebApi};
//! use scheduler_core::prelude::*;
//! use tower::ServiceExt;
//!
//! #[task]
//! async fn web_tour_report(city: String) {}
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let scheduler = Scheduler::builder().without_static_jobs().start().await?;
//! let access = Access::bearer("a-long-and-random-text")?;
//! let app = WebApi::new(&scheduler, access).allow_tasks(["web_tour_report"]).router();
//!
//! let request = Request::post("/api/jobs")
//!     .header("Authorization", "Bearer a-long-and-random-text")
//!     .header("Content-Type", "application/json")
//!     .body(Body::from(
//!         r#"{
//!             "id": "report-berlin",
//!             "task": "web_tour_report",
//!             "arguments": {"city": "Berlin"},
//!             "trigger": "0 9 * * mon-fri",
//!             "timezone": "Europe/Berlin"
//!         }"#,
//!     ))?;
//! let response = app.oneshot(request).await?;
//! assert_eq!(response.status(), StatusCode::CREATED);
//!
//! let body = to_bytes(response.into_body(), usize::MAX).await?;
//! let job: serde_json::Value = serde_json::from_slice(&body)?;
//! assert_eq!(job["trigger"], "cron 0 9 * * mon-fri timezone=Europe/Berlin");
//! assert!(scheduler.get_job("report-berlin").await?.is_some());
//! # Ok(())
//! # }
//! ```
//!
//! `GET api/openapi.json` describes every route (`OpenAPI` 3.1):
//!
//! | below the path of the router | |
//! | --- | --- |
//! | `GET api/jobs`, `GET api/jobs/{id}` | jobs by id, with their newest runs |
//! | `POST api/jobs`, `PATCH` and `DELETE api/jobs/{id}` | adding, changing, removing jobs |
//! | `POST api/jobs/{id}/pause`, `resume`, `reschedule`, `run` | controlling a job |
//! | `GET api/runs`, `GET api/jobs/{id}/runs`, `GET api/runs/{id}` | runs, newest first |
//! | `POST api/runs/{id}/cancel` | cancelling a run |
//! | `GET api/upcoming`, `GET api/skipped` | upcoming fire times, and skipped ones with their reasons |
//! | `POST api/preview` | what a trigger means, and when it would fire |
//! | `GET api/tasks` | available tasks, with JSON Schema of their arguments |
//! | `GET api/health`, `GET api/nodes` | health of the scheduler, and the nodes that share its store |
//! | `GET api/health/live`, `GET api/health/ready` | public probes |
//! | `GET api/events` | changes as server-sent events: hints to read again |
//! | `GET api/session` | the caller's role, and properties of this service |
//!
//! Each job has a `revision`, with which the `ETag` of `GET api/jobs/{id}` begins. A request that changes, runs or
//! removes the job and sends the revision, as `If-Match` or as the field `revision`, is only carried out if the job has
//! not been changed in the meantime. Otherwise the answer is 412, with the requested change (`yours`) and the job as it
//! is now (`current`).
//!
//! Errors are problem details (RFC 9457) that name each wrong field and the remedy. Adding the same job under the same
//! id twice returns the existing job, so a request can be retried. Lists are paginated; `next` is the parameter for the
//! following page.
//!
//! Ids are percent-encoded in a path. An id may be any text except `.` and `..`, which browsers resolve as relative
//! path segments even when encoded: those are rejected.
//!
//! # Access control
//!
//! [`Access`] gives each caller a [`Role`]: by tokens, or by the sessions of the application. A request that changes
//! something and comes from a page of another site is rejected even if its browser has access. Jobs can only be created
//! for tasks that [`WebApi::allow_tasks`] names, with arguments that fit their parameters.
//!
//! Arguments marked `#[arg(secret)]` are never shown, regardless of the role: they are replaced by `***`. If the task
//! of a job is not in this program, all its arguments are, since only the task says which of them are secret. A request
//! that sends `***` back leaves the stored value unchanged. Error texts come from the task; `Builder::redact` of
//! `scheduler_core` processes them before they are stored.
//!
//! # Slow connections and slow clients
//!
//! Answers to `GET` have an `ETag`: send it as `If-None-Match`, and an unchanged answer is a 304 without a body.
//! Answers are compressed for clients that accept gzip; a compression layer of the application leaves them unchanged. A
//! body has [30 seconds](WebApi::body_timeout) to arrive. A time-out for the head of a request has to be set in the
//! server: `axum::serve` waits forever, and the example `web_app` has a server that does not.
//!
//! A reverse proxy must forward the `Host` header, with which the origin of requests is compared, and must not buffer
//! `api/events`.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod access;
mod api;
mod bundle;
mod conditional;
mod cross_site;
mod entity_tag;
mod gzip;
mod if_match;
mod model;
mod object;
mod openapi;
mod page;
mod path;
mod policy_table;
mod problem;
mod query;
mod reply;
mod request_body;
mod route;
mod router;
mod secret_arguments;
mod state;
mod web_api;

pub use access::{Access, AccessError, Role};
pub use web_api::{WebApi, router};

/// The examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
