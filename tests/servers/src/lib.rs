//! Throw-away servers for tests: PostgreSQL if none is provided, and a pooler in front of it.
//!
//! It does not depend on the scheduler, so every crate of the workspace can use it in tests.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "whatever goes wrong here is a failed test"
)]
#![allow(
    clippy::print_stdout,
    reason = "who runs the tests must read what was not run"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "other processes live in real time"
)]

pub mod pgbouncer;
pub mod postgres;
