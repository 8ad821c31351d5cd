//! Persistent jobs for [`scheduler_core`]: SQLite and PostgreSQL, one process or many.
//!
//! Jobs and their history outlive the process. One machine uses a SQLite file, with no server to run; a
//! fleet shares PostgreSQL.
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
//! # What is promised
//!
//! - A fire time is **claimed once**, whatever the number of nodes and crashes: claiming it, moving the
//!   job on and recording the run are one transaction, under a unique key of job and fire time.
//! - A fire time that is claimed is run **at least once**: the runs of a node that died are taken over by
//!   another one, as the next attempt, up to three times. With `at_most_once` they are recorded as lost
//!   instead, and are not run again.
//! - A fire time that is not run leaves its **reason** behind.
//! - `max_instances` holds **over all nodes**.
//!
//! What no scheduler can promise: that a body which was at work when its machine stopped did nothing. A
//! task that must not have its effect twice gives [`JobContext::fencing_token`] to whatever it changes,
//! or writes its result in one transaction with a watermark of its own.
//!
//! [`JobContext::fencing_token`]: scheduler_core::JobContext::fencing_token
//!
//! # Nodes and leases
//!
//! Every scheduler of a store is a *node* with a lease, by the database's clock, which it renews three
//! times as often as it runs out (15 s; [`SqlStoreBuilder::lease`]), from a thread of its own that no
//! load of jobs can hold up. A node that is cut off for as long as its lease stops what it runs and comes
//! back as another node; by then the others may have taken its runs over. Fire times are judged by the
//! database's clock: the machines' clocks may differ.
//!
//! Shorter leases: runs of a dead node are taken over sooner. Longer ones: a longer cut is survived
//! without stopping anything. They should be longer than the longest pause of a process that you want to
//! go unnoticed, such as a database restart.
//!
//! # Waking
//!
//! Nodes sleep until their next job is due. A job added on one node for right now wakes the others, by
//! `NOTIFY` of PostgreSQL, or by the version of the SQLite file, which is looked at four times a second.
//! That is a courtesy: every node looks by itself every 30 s, and every second while it cannot listen.
//!
//! # Poolers
//!
//! A pooler between this program and PostgreSQL, such as pgbouncer, is found out when the store is opened.
//! In every mode that has transactions, all works: statements stand inside of transactions and have no
//! names, which costs a round trip per statement ([`SqlStoreBuilder::named_statements`] saves it where
//! names are known). In transaction mode no notification arrives, so that nodes look once a second, and
//! [`StoreHealth::notice`](scheduler_core::StoreHealth::notice) says so;
//! [`SqlStoreBuilder::listen_url`] gives the listening connection the address of the server itself. The page
//! `docs/stores.md` of the guide has a table of versions and modes.
//!
//! # Tables
//!
//! `scheduler_jobs`, `scheduler_runs`, `scheduler_skipped`, `scheduler_nodes`, `scheduler_migrations` and, in
//! PostgreSQL, `scheduler_ids`,
//! under a [prefix](SqlStoreBuilder::prefix) or [schema](SqlStoreBuilder::schema) of your choice, made and
//! brought up to date when a store is opened. Versions only add, so that during a deploy the old program
//! goes on above the new tables, except for version 3: see [`SqlError::OlderNodes`]. Instants are microseconds since 1970, UTC; triggers and policies are
//! text that can be read.
//!
//! History is kept for 30 days and 1,000,000 runs unless [told otherwise](SqlStoreBuilder::keep_runs_for).
//! A record that cannot be read, since a newer program has written it or somebody has edited it badly, is
//! left alone and reported; it stops no other.
//!
//! # In your own transaction
//!
//! [`SqlStore::add_job_in`] adds a job through your own connection: "create the user and schedule the
//! reminder", or neither.
//!
//! # In tests
//!
//! Under `#[tokio::test(start_paused = true)]`, virtual time stands still while the database is asked, so days pass
//! at once over a real database: see [`scheduler_core::testing`].
//!
//! # Features
//!
//! - `sqlite` (on): SQLite, with its library built in.
//! - `postgres` (on): PostgreSQL 13 or later. For TLS, turn on one of sqlx's `tls-…` features:
//!   `sqlx = { version = "0.9", default-features = false, features = ["tls-rustls"] }`.
//!
//! With `default-features = false, features = ["postgres"]`, no SQLite is among the dependencies, so a program
//! that links another one, by rusqlite or diesel, can use the PostgreSQL store. Such a program takes pools from
//! `sqlx-postgres` itself: most features of `sqlx` other than those for TLS bring `sqlx-sqlite` back in.

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
