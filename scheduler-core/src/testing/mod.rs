//! Testing jobs and schedules: virtual time, simulation, and contexts for calling a task.
//!
//! # Virtual time
//!
//! Under tokio's paused clock, hours pass at once and every timer fires in order. A [`VirtualClock`] makes the
//! scheduler's time of day follow it.
//!
//! ```
//! use chrono::TimeDelta;
//! use scheduler_core::prelude::*;
//! use scheduler_core::testing::VirtualClock;
//! use scheduler_core::RunFilter;
//!
//! #[scheduled_job(cron = "0 6 * * *", timezone = "Asia/Shanghai", id = "daily_report")]
//! async fn daily_report() -> u32 { 7 }
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // In a test: #[tokio::test(start_paused = true)]
//! let clock = VirtualClock::at("2026-03-01T00:00:00Z")?;
//! let scheduler = Scheduler::builder()
//!     .clock(clock.clone())
//!     .only(["daily_report"])
//!     .start()
//!     .await?;
//!
//! clock.advance(TimeDelta::days(3)).await;
//!
//! let runs = scheduler.list_runs(&RunFilter::new().job("daily_report")).await?.items;
//! assert_eq!(runs.len(), 3);
//! assert_eq!(runs[0].scheduled_for.to_rfc3339(), "2026-03-03T22:00:00+00:00");
//! # Ok(())
//! # }
//! ```
//!
//! # With a database
//!
//! A database answers in real time, but tokio's paused clock does not wait for it: it jumps to the next timer as soon
//! as every task is waiting, so ten seconds have passed before the answer arrives. The store of `scheduler-sqlx`
//! keeps virtual time from passing during its calls. [`VirtualClock::hold`] does the same for a test's own calls to a
//! database or server, and [`VirtualClock::hold_during_runs`] for those of async tasks. Sync tasks always hold
//! virtual time, for a second of real time each. Custom stores use [`hold_virtual_time`].
//!
//! Leases in a database follow the database's clock, which is real. Under virtual time they last for at least an
//! hour, and there is no listener for changes made by other processes. Drivers check for such changes when the clock
//! is advanced, and every quarter of an hour.
//!
//! # Simulation
//!
//! [`simulate`] lists what jobs would do in a span of time, through the same decisions as the live scheduler, without
//! running anything.
//!
//! # A single task
//!
//! The annotated function is still a function: call it. [`context`] creates a [`JobContext`](crate::JobContext) for
//! it.

mod context;
mod hold;
mod simulate;
mod virtual_clock;

pub use context::{ContextBuilder, context};
pub(crate) use hold::hold_for_sync_task;
pub use hold::{Hold, hold_virtual_time, is_time_virtual};
pub use simulate::{Simulated, SimulatedKind, simulate};
pub use virtual_clock::VirtualClock;
