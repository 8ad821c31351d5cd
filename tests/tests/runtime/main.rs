//! A running scheduler, in virtual time.

#![allow(clippy::unwrap_used, clippy::panic)] // tests; the exception for them leaves out what they share
#![allow(clippy::disallowed_methods)] // what sleeps here sleeps in virtual time, or on purpose

mod adding_again;
mod alone;
mod cancelling;
mod capacity;
mod clock;
mod costly_triggers;
mod custom_triggers;
mod duties;
mod executors;
mod failing_store;
mod hostile;
#[path = "../leased/mod.rs"]
mod leased;
mod leases;
mod lifecycle;
mod limits;
mod listing;
mod lost_answers;
mod misbehaving_store;
mod outages;
mod overlap;
mod own_executors;
mod policies;
mod reconcile;
mod retries;
mod runtime_calls;
mod shutdown_report;
mod spans;
mod start_up;
mod stopping;
mod store_failures;
mod store_time;
mod stress;
mod support;
mod wake_ups;
