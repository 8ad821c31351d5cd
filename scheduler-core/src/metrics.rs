//! Counters, gauges and histograms for the [`metrics`](https://docs.rs/metrics) crate, with the feature `metrics`.
//! Without the feature, none of this is compiled.
//!
//! The application installs a recorder, such as a Prometheus exporter, before it starts the scheduler. It may call
//! `describe_metrics` to set the descriptions and units of the metrics:
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
//! | `scheduler_run_lateness_seconds` | histogram | seconds | `task` | how late the first attempt of a run started, compared with its due time (the fire time plus jitter) |
//! | `scheduler_skipped_total` | counter | fire times | `reason` | skipped fire times: `reason` is a [`SkipReason`](crate::SkipReason) |
//! | `scheduler_runs_live` | gauge | runs | `executor` | attempts that this node carries out at present |
//! | `scheduler_queue_depth` | gauge | runs | `store` | queued runs of the store, on all nodes; counted once a minute, up to 1,000 |
//! | `scheduler_store_seconds` | histogram | seconds | `store`, `operation` | how long store calls took, including failed ones |
//! | `scheduler_store_errors_total` | counter | calls | `store`, `operation` | store calls that failed |
//! | `scheduler_lease_age_seconds` | gauge | seconds | `store` | time since the last answered heartbeat was sent; only if the store supports leases |
//!
//! `operation` is the name of a method of [`Store`](crate::store::Store). `store` and `executor` are the names given
//! to the builder.
//!
//! # Notes
//!
//! - Runs are labeled by task and never by job: an application has a limited number of tasks, while it may create
//!   millions of jobs, each of which would become a separate time series.
//! - `scheduler_queue_depth` belongs to the store: all nodes that share a store report the same value, so take the
//!   largest instead of adding them up. All other metrics cover only this process.
//! - For a run that was lost with its node, only the job is known, so its label `task` is empty.
//! - A store call that is abandoned, because a lease ran out or a deadline passed, counts neither as failed nor with
//!   a duration. `scheduler_lease_age_seconds` grows meanwhile.
//! - `scheduler_runs_live` and `scheduler_lease_age_seconds` are set whenever the driver of the store or the
//!   heartbeat thread has done something, which is at least twice a minute.

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
