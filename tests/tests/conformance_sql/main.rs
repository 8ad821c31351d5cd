//! The suite for stores, run on SQLite files and on a PostgreSQL server.

#![allow(clippy::unwrap_used, clippy::panic, reason = "these are tests")]

mod postgres;
mod sqlite;
