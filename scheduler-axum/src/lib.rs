//! The HTTP API and the web page of a [scheduler](scheduler_core), as a router of
//! [axum](https://docs.rs/axum): what ran, what failed, what comes next, and pausing, running and
//! editing it.
//!
//! # Inside a service
//!
//! [`router`] makes a router that nests under any path. Who may use it has to be said: there is no
//! default, so that nothing is open by accident. [`WebApi`] has more to set.
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
//!             // Ends the event streams of open pages, which the server would wait for otherwise.
//!             stopping.begin_shutdown();
//!         })
//!         .await?;
//!     // Lets what runs come to its end.
//!     let how = Shutdown::wait_up_to(Duration::from_secs(30));
//!     println!("{}", scheduler.shutdown(how).await);
//!     Ok(())
//! }
//! ```
//!
//! The page is then at `/scheduler/`, and asks for the token. It is made of files that the program
//! holds, works under a strict content security policy, and loads nothing from elsewhere.
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
//! | `POST api/jobs`, `PATCH` and `DELETE api/jobs/{id}` | adding, changing, removing |
//! | `POST api/jobs/{id}/pause`, `resume`, `reschedule`, `run` | steering |
//! | `GET api/runs`, `GET api/jobs/{id}/runs`, `GET api/runs/{id}` | runs, newest first |
//! | `POST api/runs/{id}/cancel` | asking a run to stop |
//! | `GET api/upcoming`, `GET api/skipped` | the next fire times, and the skipped ones with their reasons |
//! | `POST api/preview` | what a trigger means, and when it would fire |
//! | `GET api/tasks` | what there is to run, with JSON Schema of the arguments |
//! | `GET api/health`, `GET api/nodes` | how the scheduler is, and who shares its store |
//! | `GET api/health/live`, `GET api/health/ready` | probes, for everybody |
//! | `GET api/events` | changes as server-sent events: hints to read again |
//! | `GET api/session` | who asks, and where |
//!
//! Each job has a `revision`, which the `ETag` of `GET api/jobs/{id}` begins with. A request that changes, runs or removes the job and sends
//! it, as `If-Match` or as the field `revision`, is carried out only if nobody has changed the job meanwhile. Otherwise the answer is
//! 412, with the change that was asked for (`yours`) and the job as it is now (`current`).
//!
//! What cannot be done is answered by problem details (RFC 9457) that name each field that is wrong
//! and what to do. Adding the same job under the same id twice answers with the job that is there, so
//! that a request can be sent again. Lists come in pages, whose `next` is the parameter for the page
//! after them.
//!
//! An id stands percent-encoded in a path. It may be any text but `.` and `..`, for which browsers go
//! up in the path however they are written: those are refused.
//!
//! # Who may do what
//!
//! [`Access`] gives each caller a [`Role`]: by tokens, or by the sessions of the application. A request
//! that changes something and comes from a page of another site is refused even where its browser
//! would be let in. Jobs can only be created of tasks that [`WebApi::allow_tasks`] names, with arguments
//! that their parameters can take.
//!
//! Arguments marked `#[arg(secret)]` are shown to nobody, whatever the role: `***` stands in their place, and in the place of
//! all arguments of a job whose task is not in this program, since that says which of them are secret. A request that sends
//! `***` back leaves the stored value as it is. Error texts are the task's own words; `Builder::redact` of `scheduler_core`
//! sees them before they are stored.
//!
//! # Over slow lines, and from slow clients
//!
//! Answers to `GET` have an `ETag`: send it as `If-None-Match`, and an answer that has not changed is 304 without a body.
//! They are compressed for those who take gzip; a layer of the application that compresses as well leaves them as
//! they are. A body has [30 seconds](WebApi::body_timeout) to arrive. How long the head of a request may take is
//! decided before any router: `axum::serve` waits for ever, and the example `web_app` has a server that does not.
//!
//! Behind a reverse proxy, let it pass on the `Host` header, which the origin of requests is compared
//! with, and do not let it hold `api/events` back.

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
