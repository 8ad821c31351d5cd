//! Resources that must not grow.

use std::process::Command;

use scheduler_core::prelude::*;
use scheduler_core::testing::VirtualClock;
use scheduler_core::{MemoryStore, RunFilter};
use sqlx::{Connection, SqliteConnection};

use crate::support::{Folder, Node, plain};
use crate::world::{EPOCH, World, minutes, work};

/// The number of one-shot jobs that are added at once.
const AT_ONCE: usize = 10_000;
/// The number of times that they are added.
const BATCHES: usize = 100;
/// The number of batches after which the memory should have stopped growing.
const GROWN: usize = 20;

/// Returns the memory of this process in KiB, or `None` if the system does not report it.
fn resident() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Set in the child process that does the work, so that its memory contains nothing else.
const ALONE: &str = "PUBLIC_REPORTS_ALONE";

/// node-schedule#478, node-schedule#581: each one-shot job left something behind in memory.
#[test]
fn a_million_one_shot_jobs_leave_nothing_behind_in_memory() {
    if std::env::var_os(ALONE).is_some() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build();
        runtime.unwrap().block_on(a_million_one_shot_jobs());
        return;
    }
    let name = "load::a_million_one_shot_jobs_leave_nothing_behind_in_memory";
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(ALONE, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

async fn a_million_one_shot_jobs() {
    let clock = VirtualClock::at(EPOCH).unwrap();
    let store = MemoryStore::new().keep_runs(1_000);
    let world = World::on(clock, store, |builder| builder).await;
    let mut grown = None;
    for batch in 0..BATCHES {
        let jobs = (0..AT_ONCE).map(|number| {
            work::job(0)
                .id(format!("{batch}-{number}"))
                .trigger(Trigger::now())
        });
        world.scheduler.add_jobs(jobs).await.unwrap();
        world.advance(minutes(2)).await;
        assert_eq!(world.journal.take(), AT_ONCE);
        if batch == GROWN {
            grown = resident();
        }
    }
    let jobs = world.scheduler.get_jobs().await.unwrap();
    let all = RunFilter::new().limit(1_000_000);
    let runs = world.scheduler.list_runs(&all).await.unwrap().items;
    assert!(jobs.len() <= 2_000, "{} jobs are left", jobs.len());
    assert!(runs.len() <= 2_000, "{} runs are left", runs.len());
    let (Some(grown), Some(last)) = (grown, resident()) else {
        println!("NOT RUN: how much memory is used, which this system does not say");
        return;
    };
    // Even one byte in ten per job, over 800,000 jobs, would be noticed.
    let left = last.saturating_sub(grown) * 1_024 / (AT_ONCE * (BATCHES - GROWN));
    assert!(
        left < 10,
        "{left} bytes a job: {grown} KiB grew to {last} KiB"
    );
}

/// Returns the size of the write-ahead log next to a file.
fn log_size(folder: &Folder) -> u64 {
    let log = folder.path().join("jobs.db-wal");
    std::fs::metadata(log).map_or(0, |log| log.len())
}

/// podly#140: the write-ahead log of a SQLite file grew without bound.
#[tokio::test(start_paused = true)]
async fn log_of_a_file_is_cut_off_by_the_scheduler_once_its_readers_are_gone() {
    const GROWN: u64 = 45_000_000;

    let folder = Folder::new();
    let clock = VirtualClock::at(EPOCH).unwrap();
    let store = scheduler_sqlx::SqlStore::connect(&folder.url())
        .await
        .unwrap();
    let node = Node::with(store, |builder| {
        builder.without_static_jobs().clock(clock.clone())
    })
    .await;
    node.add(plain().id("job").interval("10s")).await;
    clock.advance(minutes(1)).await;
    let mut application = SqliteConnection::connect(&folder.url()).await.unwrap();
    let mut reader = SqliteConnection::connect(&folder.url()).await.unwrap();
    let table = "CREATE TABLE files (content blob)";
    sqlx::query(table).execute(&mut application).await.unwrap();
    let mut reading = reader.begin().await.unwrap();
    let count = "SELECT count(*) FROM files";
    let seen: i64 = sqlx::query_scalar(count)
        .fetch_one(&mut *reading)
        .await
        .unwrap();
    for _ in 0..6 {
        sqlx::query("INSERT INTO files VALUES (randomblob(8000000))")
            .execute(&mut application)
            .await
            .unwrap();
    }
    clock.advance(minutes(5)).await;
    assert!(log_size(&folder) > GROWN, "the reader needs it");
    let still: i64 = sqlx::query_scalar(count)
        .fetch_one(&mut *reading)
        .await
        .unwrap();
    assert_eq!((seen, still), (0, 0));
    reading.rollback().await.unwrap();
    // The scheduler tries every minute, and yields to concurrent writers.
    let mut tries = 0;
    while log_size(&folder) > GROWN && tries < 60 {
        clock.advance(minutes(1)).await;
        tries += 1;
    }
    let size = log_size(&folder);
    assert!(size < GROWN / 4, "{size} bytes");
    assert!(node.log.count("job") >= 60, "it was at work");
    assert!(node.scheduler.health().is_ok());
    node.stop().await;
}
