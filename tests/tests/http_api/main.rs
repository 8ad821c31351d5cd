//! The HTTP API of a scheduler, called without a network: on the memory store and on SQLite.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "these are tests; clippy's exception leaves out what they share"
)]

mod access;
mod bad_input;
mod bodies;
mod conditional;
mod create;
mod events;
mod health;
mod jobs;
mod openapi;
mod page;
mod paging;
mod preview;
mod revisions;
mod routing;
mod runs;
mod secret_arguments;
mod support;
mod tasks;
