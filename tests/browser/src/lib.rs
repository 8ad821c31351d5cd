//! The web page in a real Chromium, with real clicks and keys, against a real process.
//!
//! A [`Scene`] is a service with its own database and a browser that shows its page. Everything that it started ends
//! with it, even if the test is killed. If Chromium or its driver is missing, the tests print one line and pass, or
//! fail if `REQUIRE_BROWSER=1`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "whatever goes wrong here is a failed test"
)]
#![allow(
    clippy::print_stdout,
    reason = "who runs the tests must read what was not run, and what failed where"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "browsers and other processes live in real time"
)]

mod api;
mod console;
mod driver;
mod evidence;
mod folder;
mod lifeline;
mod meter;
mod page;
mod programs;
mod scene;
mod service;
mod wait;

pub use api::{Answer, Api};
pub use console::Message;
pub use fantoccini::key::Key;
pub use meter::Meter;
pub use page::{Page, testid};
pub use scene::{Scene, Setup};
pub use service::{FULL_TOKEN, READ_TOKEN, Service};
pub use wait::{PATIENCE, until};
