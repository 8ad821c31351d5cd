//! The SQL store under schedulers at work: real files, a real server, real time.
//!
//! The store conformance suite covers single calls; they are not repeated here. No test asserts how long something
//! took: tests wait for a state, and fail after a time far beyond what it needs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "these are tests; clippy's exception leaves out what they share"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "other processes and databases live in real time"
)]
#![allow(
    clippy::print_stdout,
    reason = "who runs the tests must read what was not run"
)]

mod add_job_in;
mod bad_input;
mod broken_records;
mod clocks;
mod connections;
mod costly_triggers;
mod deploys;
mod failing_database;
mod given_up;
mod grants;
mod history;
mod nodes;
mod odd_names;
mod pooler;
mod proxy;
mod rights;
mod several_stores;
mod sqlite_file;
mod stored_v1;
mod stored_v2;
mod support;
mod transactions;
mod virtual_time;
mod waking;
