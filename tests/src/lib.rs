//! The checker of the crash test.

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

pub mod checker;
