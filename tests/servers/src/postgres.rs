//! A throw-away PostgreSQL server.
//!
//! [`database`] gives a test its own empty database, on a server that all tests of a run share. [`Cluster`] is a
//! server for a single test, which may restart and kill it.
//!
//! Both need the server's programs (`initdb`, `pg_ctl`, `postgres`) somewhere on the machine; for [`database`],
//! `DATABASE_URL` may name a running server instead. Without either, they print one line and return `None`, or panic
//! if `REQUIRE_POSTGRES=1`.

pub(crate) mod account;
mod cluster;
mod database;
pub(crate) mod folder;
pub(crate) mod lifeline;
mod programs;
pub(crate) mod server;
mod shared;
mod sql;
mod url;

pub use cluster::{Cluster, Stop};
pub use database::{Database, database};

use std::sync::Once;

/// Prints once per process which tests are not run; panics if they are required.
fn missing() {
    const TOLD: &str = "POSTGRES TESTS NOT RUN: no PostgreSQL server found; install one with \
                        `apt-get install postgresql`, or name a running one in DATABASE_URL";
    static ONCE: Once = Once::new();
    let required = std::env::var("REQUIRE_POSTGRES").is_ok_and(|value| value == "1");
    assert!(!required, "{TOLD}");
    ONCE.call_once(|| println!("{TOLD}"));
}
