//! Counters, gauges and histograms for the [`metrics`](https://docs.rs/metrics) crate, with the feature
//! `metrics`. Without it nothing of this is compiled in.
//!
//! The application installs a recorder, such as an exporter for Prometheus, before it starts the
//! scheduler, and may call `describe_metrics` to give the names their descriptions and units:
//!
#![cfg_attr(feature = "metrics", doc = "```")]
#![cfg_attr(not(feature = "metrics"), doc = "```ignore")]
//! // After the recorder was installed:
//! scheduler_core::metrics::describe_metrics();
//! ```
//!
//! | name | kind | unit | labels | what |
//! | --- | --- | --- | --- | --- |
//! | `scheduler_runs_total` | counter | runs | `task`, `outcome` | runs that have ended, retries over: `outcome` is `succeeded`, `failed`, `timed_out`, `cancelled` or `lost` |
//! | `scheduler_run_duration_seconds` | histogram | seconds | `task` | how long the last attempt of such a run took |
//! | `scheduler_run_lateness_seconds` | histogram | seconds | `task` | how long after its instant (the fire time and its jitter) the first attempt of a run started |
//! | `scheduler_skipped_total` | counter | fire times | `reason` | fire times that were not run: `reason` is a [`SkipReason`](crate::SkipReason) |
//! | `scheduler_runs_live` | gauge | runs | `executor` | attempts that this node carries out at present |
//! | `scheduler_queue_depth` | gauge | runs | `store` | runs of the store, of whatever node, that wait for a slot; counted once a minute, up to 1,000 |
//! | `scheduler_store_seconds` | histogram | seconds | `store`, `operation` | how long calls of the store took, whether or not they failed |
//! | `scheduler_store_errors_total` | counter | calls | `store`, `operation` | calls of the store that failed |
//! | `scheduler_lease_age_seconds` | gauge | seconds | `store` | time since the heartbeat was sent that was answered last; only where the store knows leases |
//!
//! `operation` is the name of a method of [`Store`](crate::store::Store), `store` and `executor` are the
//! names that the builder was given.
//!
//! # What to know
//!
//! - Runs are told apart by task and never by job: an application has as many tasks as somebody wrote,
//!   while jobs may be made by the million, each of which would be a time series of its own.
//! - `scheduler_queue_depth` is that of the store: nodes that share one all say the same, so take the
//!   largest and do not add them up. All the others count what this process did.
//! - A run that was lost with its node is known by its job alone; its label `task` is empty.
//! - A call of the store that is given up, because a lease ran out or a deadline came, has neither
//!   failed nor taken any time. `scheduler_lease_age_seconds` grows meanwhile.
//! - `scheduler_runs_live` and `scheduler_lease_age_seconds` are set whenever the driver of the store or
//!   the thread that heartbeats has done something: at least twice a minute.

#[cfg(feature = "metrics")]
mod measured;
#[cfg(not(feature = "metrics"))]
mod nothing;
#[cfg(feature = "metrics")]
mod recorded;

#[cfg(not(feature = "metrics"))]
pub(crate) use nothing::{
    lease_age, measured, queue_depth, run_ended, run_lost, run_started, runs_live, skipped,
};
#[cfg(feature = "metrics")]
pub use recorded::describe_metrics;
#[cfg(feature = "metrics")]
pub(crate) use recorded::{
    lease_age, measured, queue_depth, run_ended, run_lost, run_started, runs_live, skipped,
};
