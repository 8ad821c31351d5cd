//! The scheduler at work, in virtual time.

#![allow(clippy::unwrap_used, clippy::panic)] // tests; the exception for them leaves out what they share
#![allow(clippy::disallowed_methods)] // what sleeps here sleeps in virtual time, or on purpose

mod clock;
mod executors;
mod lifecycle;
mod overlap;
mod policies;
mod reconcile;
mod retries;
mod runtime_calls;
mod spans;
mod start_up;
mod store_failures;
mod support;
