//! A job scheduler for Rust services on tokio: annotated functions that run exactly when they say.
//!
//! # A job
//!
//! `#[scheduled_job]` makes a function a [task](macro@scheduled_job) of the program and gives it a
//! schedule. What can be checked is checked while compiling: durations, cron fields, time zones,
//! policies, arguments.
//!
//! ```no_run
//! use scheduler_core::prelude::*;
//! use std::time::Duration;
//!
//! struct Sessions; // stands for a pool of connections
//!
//! /// Runs every hour, never twice at once, and not at all if it would be over five minutes late.
//! #[scheduled_job(interval = "1h", id = "tour_cleanup", misfire_grace_time = "5m", retries = 3)]
//! async fn cleanup(_sessions: Data<Sessions>) -> Result<u64, std::io::Error> {
//!     Ok(17) // kept in the record of the run
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), scheduler_core::Error> {
//!     let scheduler = Scheduler::builder().data(Sessions).start().await?;
//!     let ctrl_c = tokio::signal::ctrl_c();
//!     let report = scheduler
//!         .run_until(ctrl_c, Shutdown::wait_up_to(Duration::from_secs(30)))
//!         .await;
//!     println!("{report}");
//!     Ok(())
//! }
//! ```
//!
//! Nothing has to be listed: [`Builder::start`] finds every annotated function of the program. (A library crate is
//! part of the program only if something in it is named: [`include_jobs!`] names crates for their jobs.) It checks
//! what the compiler could not — duplicate ids, values that were not provided, unknown executors — and reports
//! everything in a single error, before anything runs.
//!
//! # When
//!
//! A [`Trigger`] is a pure function from an instant to the next one: an interval, a cron expression (as text, or by
//! field), a calendar interval, a date, or several of them combined with `or` and `and`. It has no state and does not
//! read a clock, so the next fire times can be computed at any time:
//!
//! ```
//! use scheduler_core::Trigger;
//!
//! let nightly: Trigger = "cron 30 2 * * * timezone=Europe/Berlin".parse()?;
//! let next: Vec<String> = nightly
//!     .upcoming("2026-03-28T12:00:00Z".parse()?)
//!     .take(2)
//!     .map(|at| at.to_rfc3339())
//!     .collect();
//! // On the 29th clocks go from 02:00 to 03:00: it fires at the first instant after the gap.
//! assert_eq!(next, ["2026-03-29T01:00:00+00:00", "2026-03-30T00:30:00+00:00"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # How
//!
//! [`Policies`] define what happens when things do not go as planned: a late start (`misfire_grace_time`), several
//! fire times due at once ([`Coalesce`]), a run that is still in progress (`max_instances`, [`Overlap`]), one that
//! takes too long (`timeout`) or fails (`retries`, [`Backoff`]). They come, in this order, from [`Overrides`], the
//! attribute, and [`Builder::defaults`].
//!
//! A fire time that is not run leaves its [reason](SkipReason) behind: as an event, in a counter, and in a record
//! that [`Scheduler::list_skipped`] returns. Nothing is skipped silently.
//!
//! # What a task is given
//!
//! [`JobContext`] gives a run information about itself, including whether it was cancelled. [`Data<T>`] is a value
//! that the application passed to [`Builder::data`]. A custom type that implements [`FromContext`] is injected where
//! it is marked `#[inject]`. Every other parameter is an argument of the job. A task that is not `async` runs on the
//! scheduler's own threads, where it may block. As with `spawn_blocking`, it is inside the tokio runtime there, and
//! can block on calls of the handle:
//!
//! ```
//! use scheduler_core::prelude::*;
//! use tokio::runtime::Handle;
//!
//! #[task]
//! async fn index(file: String) {}
//!
//! #[task]
//! fn scan_folder(ctx: JobContext) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//!     let scheduler = ctx.scheduler().ok_or("not inside of a scheduler")?;
//!     let job = index::job("a.txt".into()).trigger(Trigger::now());
//!     Handle::current().block_on(scheduler.add_job(job))?;
//!     Ok(())
//! }
//! ```
//!
//! A cancelled run ends as [its function decides](JobContext::is_cancelled): with an error or, if it does not return
//! a `Result`, by returning after it noticed the cancellation.
//!
//! # At run time
//!
//! [`#[task]`](macro@task) registers a function without a schedule. `function::job(…)` creates a [`Job`] from it,
//! with arguments that the compiler checks:
//!
//! ```
//! use scheduler_core::{JobPatch, PolicyPatch, prelude::*};
//!
//! #[task]
//! async fn tour_reminder(user_id: i64, text: String) {}
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let scheduler = Scheduler::builder().without_static_jobs().start().await?;
//! let job = tour_reminder::job(42, "stand-up".into())
//!     .id("reminder-42")
//!     .cron("45 8 * * mon-fri")
//!     .timezone(Tz::Europe__Berlin);
//! scheduler.add_job(job).await?;
//!
//! scheduler.reschedule_job("reminder-42", "every 2h".parse()?).await?;
//! let patch = JobPatch::new().policies(PolicyPatch::new().max_instances(2));
//! scheduler.modify_job("reminder-42", patch).await?;
//! scheduler.run_job_now("reminder-42").await?;
//! scheduler.pause_job_with_note("reminder-42", "on holiday").await?;
//! scheduler.remove_job("reminder-42").await?;
//! # Ok(())
//! # }
//! ```
//!
//! A job can also be [data](Job#as-data), in a file or a request: serde reads a [`Job`], and the error names every
//! field that is wrong.
//!
//! A [`Scheduler`] is a cheap handle: clone it into web handlers; a running job finds it in its context.
//!
//! # What happened
//!
//! [`Scheduler::list_runs`] lists runs with their attempts, errors and values, [`Scheduler::list_skipped`] lists
//! skipped fire times, and [`Scheduler::upcoming`] lists future ones. [`Scheduler::events`] reports the same as it
//! happens, and [`Scheduler::health`] the state of the scheduler itself. Logs and spans go through `tracing`: each
//! attempt is a span `run` with `job_id`, `run_id`, `attempt` and `scheduled_for`, and, once it has ended, with
//! `outcome` and, unless it succeeded, `error`. The line that logs the end is inside the span.
//!
//! # Testing
//!
//! [`testing`] lets days of virtual time pass in a moment, and simulates what a schedule would do.
//!
//! # Features
//!
//! None is enabled by default.
//!
//! `cron`: schedules of the `cron` crate can be used as triggers. Cron texts need no feature.
//!
//! `chrono-tz`: conversions between [`Zone`] and the time zones of the `chrono-tz` crate.
//!
//! `metrics`: counters, gauges and histograms for the `metrics` crate; see [`mod@metrics`].

#![cfg_attr(docsrs, feature(doc_cfg))]

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod cancel;
mod clock;
mod definition_hash;
mod driver;
mod effort;
mod engine;
mod error;
mod event;
mod executor;
mod fields;
mod hash;
mod health;
mod id;
mod include_jobs;
mod into_trigger;
mod job;
mod job_data;
mod job_filter;
mod job_patch;
mod job_record;
mod lock;
pub mod metrics;
mod named;
mod node;
mod overrides;
mod page;
mod panic;
pub mod plan;
mod policy;
pub mod prelude;
mod random;
pub mod reconcile;
mod redaction;
mod revision;
mod run;
mod scheduler;
mod skipped;
mod skipped_filter;
mod source_location;
pub mod store;
mod store_clock;
mod task;
pub mod testing;
mod upcoming_filter;

pub use cancel::Cancellation;
pub use clock::{Clock, SystemClock};
pub use definition_hash::DefinitionHash;
pub use engine::shutdown_report::{EndedRun, ShutdownReport, UnfinishedRun};
pub use error::{Error, NameKind, PolicyError, StartError, StartErrors};
pub use event::{Event, EventKind, EventStream, NextEvent, RunEvent};
pub use executor::{Assignment, Executor, LocalExecutor, Outcome, Reporter};
pub use fields::{FieldError, FieldErrors, FieldProblem, Fields};
pub use health::{
    Duty, DutyFailure, ExecutorHealth, Health, LeaseHealth, Phase, StoreHealth, Warning,
};
pub use id::{JobId, RunId, RunIds};
pub use into_trigger::{IntoBound, IntoCron, IntoDate, IntoInterval, IntoTriggerOption};
pub use job::Job;
pub use job_filter::{JobFilter, JobState};
pub use job_patch::JobPatch;
pub use job_record::{JobRecord, Origin};
pub use node::{Node, NodeId};
pub use overrides::{JobOverride, Overrides};
pub use page::Page;
pub use plan::{NextFire, RefusedReason};
pub use policy::{Backoff, Coalesce, IntoPolicy, Overlap, Policies, PolicyPatch};
pub use revision::{InvalidRevision, Revision};
pub use run::{Attempt, Run, RunFilter, RunKind, RunState};
pub use scheduler::{
    Builder, ExportedJobs, IfRevision, ImportConflict, ParameterInfo, RunNow, Scheduler, Shutdown,
    TaskInfo, TriggerPreview, UpcomingFire, UpcomingFires,
};
pub use scheduler_macros::{scheduled_job, task};
pub use scheduler_triggers as triggers;
pub use scheduler_triggers::{Fold, Gap, Trigger, TriggerError, Tz, Zone};
pub use skipped::{SkipReason, Skipped, SkippedTimes};
pub use skipped_filter::{InvalidCursor, SkippedCursor, SkippedFilter};
pub use source_location::SourceLocation;
pub use store::MemoryStore;
pub use task::arguments::Arguments;
pub use task::context::JobContext;
pub use task::data::{Data, DataRemedy, Requirement};
pub use task::failure::TaskFailure;
pub use task::from_context::FromContext;
pub use upcoming_filter::{InvalidUpcomingCursor, UpcomingCursor, UpcomingFilter};

/// The examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
