//! Persistent jobs for [`scheduler_core`]: SQLite and PostgreSQL, one process or many.
//!
//! Jobs and their history outlive the process. A single machine can use a SQLite file, without a server; a fleet
//! shares PostgreSQL.
//!
//! ```no_run
//! use scheduler_core::prelude::*;
//! use scheduler_sqlx::SqlStore;
//!
//! #[scheduled_job(interval = "1h", id = "cleanup_sessions")]
//! async fn cleanup_sessions() {}
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let store = SqlStore::connect("sqlite://scheduler.db").await?; // or "postgres://…"
//!     let scheduler = Scheduler::builder().store(store).start().await?;
//!     scheduler.run_until(tokio::signal::ctrl_c(), Shutdown::wait()).await;
//!     Ok(())
//! }
//! ```
//!
//! # Guarantees
//!
//! - A fire time is **claimed once**, regardless of the number of nodes and crashes: claiming it, advancing the
//!   job and recording the run are one transaction, under a unique key of job and fire time.
//! - A claimed fire time is run **at least once**: the runs of a dead node are taken over by another node, as the
//!   next attempt, up to three times. With `at_most_once` they are recorded as lost instead, and are not run again.
//! - A fire time that is not run is recorded with the **reason**.
//! - `max_instances` holds **across all nodes**.
//!
//! No scheduler can promise that a body which was running when its machine stopped had no effect. A task that must
//! not have its effect twice passes [`JobContext::fencing_token`] to the system that it changes, or writes its result
//! in one transaction with a watermark of its own.
//!
//! [`JobContext::fencing_token`]: scheduler_core::JobContext::fencing_token
//!
//! # Nodes and leases
//!
//! Every scheduler of a store is a *node* with a lease (15 s by default; [`SqlStoreBuilder::lease`]), measured by the
//! database's clock. The node renews it three times per lease, from a dedicated thread that busy jobs cannot delay. A
//! node that is cut off from the database for longer than its lease stops its runs and rejoins as a new node; by then
//! other nodes may have taken its runs over. Fire times are compared with the database's clock, so the machines'
//! clocks may differ.
//!
//! With a shorter lease, the runs of a dead node are taken over sooner. With a longer one, a longer outage is survived
//! without stopping any run. A lease should be longer than the longest pause that you want to go unnoticed, such as a
//! database restart.
//!
//! # Waking
//!
//! Nodes sleep until their next job is due. A job that is added on one node and due now wakes the others: by `NOTIFY`
//! in PostgreSQL, and in SQLite by the version of the file, which is checked four times a second. This only reduces
//! latency: every node also polls every 30 s, and every second while it cannot listen.
//!
//! # Poolers
//!
//! A pooler between this program and PostgreSQL, such as pgbouncer, is detected when the store is opened. Everything
//! works in every mode that supports transactions: statements run inside transactions and are unnamed, which costs
//! one round trip per statement ([`SqlStoreBuilder::named_statements`] avoids it if the pooler supports named
//! statements). In transaction mode notifications do not arrive, so nodes poll once a second, which
//! [`StoreHealth::notice`](scheduler_core::StoreHealth::notice) reports;
//! [`SqlStoreBuilder::listen_url`] lets the listening connection bypass the pooler. The page
//! `docs/stores.md` of the guide has a table of versions and modes.
//!
//! # Tables
//!
//! `scheduler_jobs`, `scheduler_runs`, `scheduler_skipped`, `scheduler_nodes`, `scheduler_migrations` and, in
//! PostgreSQL, `scheduler_ids`, under a [prefix](SqlStoreBuilder::prefix) or [schema](SqlStoreBuilder::schema) of your
//! choice. They are created and updated when a store is opened. New versions only add to them, so the old program
//! keeps working with the new tables during a deploy, except for version 3: see [`SqlError::OlderNodes`]. Instants are
//! microseconds since 1970, UTC; triggers and policies are readable text.
//!
//! History is kept for 30 days and up to 1,000,000 runs by default; see [`SqlStoreBuilder::keep_runs_for`].
//! An unreadable record, written by a newer program or edited badly, is left unchanged and reported; it does not affect
//! other records.
//!
//! # In your own transaction
//!
//! [`SqlStore::add_job_in`] adds a job through your own connection: "create the user and schedule the
//! reminder", or neither.
//!
//! # In tests
//!
//! Under `#[tokio::test(start_paused = true)]`, virtual time is paused during calls to the database, so days pass in an
//! instant even with a real database: see [`scheduler_core::testing`].
//!
//! # Features
//!
//! - `sqlite` (on by default): SQLite, with its library bundled.
//! - `postgres` (on by default): PostgreSQL 13 or later. For TLS, turn on one of sqlx's `tls-…` features:
//!   `sqlx = { version = "0.9", default-features = false, features = ["tls-rustls"] }`.
//!
//! With `default-features = false, features = ["postgres"]`, the dependencies do not include SQLite, so a program that
//! links another version of it, through rusqlite or diesel, can use the PostgreSQL store. Such a program takes pools
//! from `sqlx-postgres` itself: most features of `sqlx` other than those for TLS bring `sqlx-sqlite` back in.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod add_job_in;
mod backend;
mod beyond;
mod builder;
mod claim;
mod counted;
mod due_floor;
mod ended_queued;
mod engine;
mod error;
mod finish;
mod history;
mod id_range;
mod instant;
mod job_row;
mod jobs;
mod listed_jobs;
mod manual;
mod migrations;
mod node_row;
mod nodes;
mod options;
mod own_connection;
mod policy_cache;
#[cfg(feature = "postgres")]
mod postgres;
mod quarantine;
mod reconcile;
mod record_problem;
mod run_row;
mod session;
mod skipped_row;
#[cfg(feature = "sqlite")]
mod sqlite;
mod sqlx;
mod statements;
mod store;
mod tables;
mod wakes;

pub use add_job_in::SqlConnection;
pub use builder::{IntoSqlPool, SqlPool, SqlStoreBuilder};
pub use error::SqlError;
pub use record_problem::RecordProblem;
pub use store::SqlStore;

/// The examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
