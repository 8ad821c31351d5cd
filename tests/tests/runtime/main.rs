//! The scheduler at work, in virtual time.

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
