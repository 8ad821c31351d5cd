//! Node processes on one database that are killed, frozen and replaced, and whose database is restarted under them.
//! Afterwards a checker that shares no code with the scheduler compares the contents of the tables with what the
//! jobs' bodies did.
//!
//! The choices come from a seed, which is printed: `CRASH_SEED=17` repeats them, although their timing is never the
//! same twice. `CRASH_SECONDS=300` runs for longer; `CRASH_LOG=debug` makes nodes log more.

#![allow(clippy::unwrap_used, clippy::panic)] // tests; the exception for them leaves out what they share
#![allow(clippy::disallowed_methods, clippy::print_stdout)] // other processes live in real time; who runs this reads what happened

mod course;
#[path = "../simulation/dice.rs"]
mod dice;
mod faults;
mod fleet;
#[path = "../../src/bin/crash_node/notes.rs"]
mod notes;
mod proof;
mod steering;
#[path = "../../src/bin/crash_node/tasks.rs"]
mod tasks;
mod workload;

use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use scheduler_test_servers::postgres::Cluster;

use course::{Course, Outcome};

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// Returns `CRASH_SEED`, or a random seed.
fn seed() -> u64 {
    number("CRASH_SEED").unwrap_or_else(|| RandomState::new().hash_one(0) % 1_000_000)
}

fn seconds() -> Duration {
    Duration::from_secs(number("CRASH_SECONDS").unwrap_or(35))
}

/// Creates a folder that nothing else uses.
fn folder(what: &str) -> PathBuf {
    let name = format!(
        "crash-{what}-{}-{:x}",
        std::process::id(),
        RandomState::new().hash_one(0)
    );
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Asserts that nothing is wrong, and that enough happened to prove something.
fn assert_good(outcome: &Outcome) {
    outcome.report.assert_clean();
    let summary = outcome.report.summary;
    assert!(summary.jobs > 50, "{summary}");
    assert!(summary.succeeded > 200, "{summary}");
    assert!(summary.taken_over > 0, "{summary}");
    assert!(outcome.tally.of("kills") > 0, "{}", outcome.tally);
    assert!(outcome.nodes.1 > 2, "{} nodes came to run", outcome.nodes.1);
    assert!(!outcome.rows.skipped.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres() {
    let Some(cluster) = Cluster::start_with(&[("fsync", "off"), ("synchronous_commit", "on")])
    else {
        return;
    };
    let course = Course {
        name: "PostgreSQL",
        url: cluster.create_database("crash"),
        nodes: 3,
        jobs: 1_500,
        lease: Duration::from_millis(2_500),
        time: seconds(),
        seed: seed(),
        folder: folder("postgres"),
    };
    let cluster = Arc::new(cluster);
    let outcome = course.run(Some(cluster.clone())).await;
    assert_good(&outcome);
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite() {
    let folder = folder("sqlite");
    let course = Course {
        name: "SQLite",
        url: format!("sqlite://{}/crash.db", folder.display()),
        nodes: 2,
        jobs: 400,
        lease: Duration::from_millis(2_500),
        time: seconds(),
        seed: seed(),
        folder,
    };
    let outcome = course.run(None).await;
    assert_good(&outcome);
}
