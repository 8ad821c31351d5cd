//! The suite for stores, run on SQLite files and on a PostgreSQL server.

#![allow(clippy::unwrap_used, clippy::panic, reason = "these are tests")]

mod pgbouncer;
mod postgres;
mod sqlite;

/// Longer than any case takes on a busy machine: where one has to run out, its end is written to the
/// database. Leases that run out by themselves are part of `sql_store`.
const LEASE: std::time::Duration = std::time::Duration::from_secs(120);
