//! A throw-away PostgreSQL.
//!
//! [`database`] gives a test an empty database of its own, on a server that all tests of a run share.
//! [`Cluster`] is a server for one test alone, which may restart and kill it.
//!
//! Both need the server's programs (`initdb`, `pg_ctl`, `postgres`) somewhere on the machine; for
//! [`database`], `DATABASE_URL` may name a running server instead. Without either, they say so in one
//! line and return `None`, or panic if `REQUIRE_POSTGRES=1`.

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

/// Says what is not run, once per process; panics where these tests must run.
fn missing() {
    const TOLD: &str = "POSTGRES TESTS NOT RUN: no PostgreSQL server found; install one with \
                        `apt-get install postgresql`, or name a running one in DATABASE_URL";
    static ONCE: Once = Once::new();
    let required = std::env::var("REQUIRE_POSTGRES").is_ok_and(|value| value == "1");
    assert!(!required, "{TOLD}");
    ONCE.call_once(|| println!("{TOLD}"));
}
