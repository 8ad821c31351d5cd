//! Problems that users of other schedulers reported in public, as requirements on this one: wrong fire times, and
//! failures of running programs.
//!
//! Each report is named by project and number (`PR` for a pull request); the wording is ours.

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

mod clocks;
mod cost;
mod databases;
mod definitions;
mod fire_times;
mod jobs;
mod load;
mod nodes;

#[allow(dead_code, unused_imports, reason = "not every test needs all of it")]
#[path = "../sql_store/proxy.rs"]
mod proxy;
#[allow(dead_code, unused_imports, reason = "not every test needs all of it")]
#[path = "../sql_store/support.rs"]
mod support;
#[allow(dead_code, unused_imports, reason = "not every test needs all of it")]
#[path = "../runtime/support.rs"]
mod world;
