//! Databases that fail while a scheduler is at work: it reports the failure, keeps outcomes, and continues.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use scheduler_core::{Error, EventKind, RunState};
use scheduler_sqlx::{SqlError, SqlStore, SqlStoreBuilder};
use scheduler_test_servers::postgres::{Cluster, Stop};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};
use sqlx::{Connection, PgConnection, SqliteConnection};

use crate::support::{Folder, Node, Place, later, note, of_store, plain, until, wait_at_gate};

/// A long lease, so that temporary failures do not end it; that is another test.
fn builder() -> SqlStoreBuilder {
    SqlStore::builder().lease(Duration::from_secs(120))
}

fn has_error(node: &Node, words: &str) -> bool {
    let health = node.scheduler.health();
    let error = health.stores[0].error.as_ref();
    error.is_some_and(|(_, text)| text.contains(words))
}

/// A small file system; `None`, with a printed note, if mounting is not allowed.
struct SmallDisk(Folder);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let folder = Folder::new();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"])
            .arg(folder.path())
            .output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self(folder));
        }
        println!("NOT RUN: a full disk, which only root may mount");
        None
    }

    fn filler(&self) -> std::path::PathBuf {
        self.0.path().join("filler")
    }

    /// Fills the file system to the last byte.
    fn fill(&self) {
        use std::io::Write;
        let mut file = std::fs::File::create(self.filler()).unwrap();
        for size in [64 * 1024, 4096, 1] {
            let block = vec![b'x'; size];
            while file.write_all(&block).is_ok() {}
        }
    }

    fn make_room(&self) {
        std::fs::remove_file(self.filler()).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[tokio::test]
async fn a_full_disk_is_told_and_outcomes_are_kept_until_there_is_room() {
    let Some(disk) = SmallDisk::mount() else {
        return;
    };
    let mut node = Node::start(builder().connect(&disk.0.url()).await.unwrap()).await;
    node.add(later(wait_at_gate::job()).id("job")).await;
    node.scheduler.run_job_now("job").await.unwrap();
    node.ran("job", 1).await;

    disk.fill();
    node.gate.open();
    node.event(
        "the store failed",
        |kind| matches!(kind, EventKind::StoreFailed { error, .. } if error.contains("disk")),
    )
    .await;
    until("health shows it", async || has_error(&node, "full")).await;
    assert!(!node.scheduler.health().is_ok());
    let error = node
        .scheduler
        .add_job(later(plain()).id("no-room"))
        .await
        .unwrap_err();
    assert!(matches!(of_store(&error), SqlError::Full(_)), "{error}");
    assert_eq!(
        node.runs("job").await[0].state,
        RunState::Running,
        "not written yet"
    );

    disk.make_room();
    node.event("the store works again", |kind| {
        matches!(kind, EventKind::StoreRecovered { .. })
    })
    .await;
    assert!(node.scheduler.health().is_ok());
    let runs = node.runs("job").await;
    assert_eq!(runs.len(), 1);
    assert_eq!((runs[0].state, runs[0].attempt), (RunState::Succeeded, 1));
    assert_eq!(runs[0].value.as_deref(), Some("42"));
    assert_eq!(node.log.count("job"), 1, "once");
    assert!(node.scheduler.get_job("no-room").await.unwrap().is_none());
    node.add(later(plain()).id("room-again")).await;
    node.stop().await;
}

fn pool_options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .busy_timeout(Duration::from_millis(200))
}

#[tokio::test]
async fn a_job_for_which_a_file_has_no_room_is_refused_and_the_others_go_on() {
    let folder = Folder::new();
    let options = pool_options(&folder.file()).pragma("max_page_count", "100");
    let pool = SqlitePoolOptions::new()
        .connect_with(options)
        .await
        .unwrap();
    let node = Node::start(builder().from_pool(pool).await.unwrap()).await;
    node.add(plain().id("small").interval("1h")).await;
    // The file may have 400 KiB, enough for at most two of these.
    let text = "x".repeat(200_000);
    let mut error = None;
    for number in 0..3 {
        let job = later(note::job(text.clone())).id(format!("large-{number}"));
        error = node.scheduler.add_job(job).await.err().or(error);
    }
    let error = error.unwrap();
    assert!(matches!(of_store(&error), SqlError::Full(_)), "{error}");
    node.scheduler.run_job_now("small").await.unwrap();
    node.ran("small", 1).await;
    until("it is recorded", async || {
        node.runs("small").await[0].state == RunState::Succeeded
    })
    .await;
    assert!(node.scheduler.health().is_ok());
    node.stop().await;
}

#[tokio::test]
async fn a_file_that_another_process_holds_is_told_and_used_again_when_it_lets_go() {
    let folder = Folder::new();
    let pool = SqlitePoolOptions::new().connect_lazy_with(pool_options(&folder.file()));
    let mut node = Node::start(builder().from_pool(pool).await.unwrap()).await;
    node.add(later(wait_at_gate::job()).id("job")).await;
    node.scheduler.run_job_now("job").await.unwrap();
    node.ran("job", 1).await;

    let mut holder = SqliteConnection::connect(&folder.url()).await.unwrap();
    sqlx::raw_sql("BEGIN EXCLUSIVE")
        .execute(&mut holder)
        .await
        .unwrap();
    node.gate.open();
    node.event("the store failed", |kind| {
        matches!(kind, EventKind::StoreFailed { error, .. } if error.contains("locked by another process"))
    })
    .await;
    let error = node.scheduler.pause_job("job").await.unwrap_err();
    assert!(matches!(of_store(&error), SqlError::Locked(_)), "{error}");

    sqlx::raw_sql("COMMIT").execute(&mut holder).await.unwrap();
    node.event("the store works again", |kind| {
        matches!(kind, EventKind::StoreRecovered { .. })
    })
    .await;
    let runs = node.runs("job").await;
    assert_eq!((runs[0].state, runs[0].attempt), (RunState::Succeeded, 1));
    assert!(node.scheduler.health().is_ok());
    node.stop().await;
}

#[tokio::test]
async fn a_file_that_another_process_holds_for_a_moment_is_waited_for() {
    let folder = Folder::new();
    let mut node = Node::start(builder().connect(&folder.url()).await.unwrap()).await;
    node.add(later(plain()).id("job")).await;
    let mut holder = SqliteConnection::connect(&folder.url()).await.unwrap();
    sqlx::raw_sql("BEGIN IMMEDIATE")
        .execute(&mut holder)
        .await
        .unwrap();
    let scheduler = node.scheduler.clone();
    let pausing = tokio::spawn(async move { scheduler.pause_job("job").await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!pausing.is_finished());
    sqlx::raw_sql("COMMIT").execute(&mut holder).await.unwrap();
    assert!(pausing.await.unwrap().unwrap().paused.is_some());
    while let Some(next) = node.events.try_next() {
        let text = format!("{next:?}");
        assert!(!text.contains("StoreFailed"), "{text}");
    }
    node.stop().await;
}

#[tokio::test]
async fn a_run_goes_on_while_another_program_writes_for_longer_than_the_lease() {
    let folder = Folder::new();
    let mut node = Node::start(SqlStore::connect(&folder.url()).await.unwrap()).await;
    node.add(later(wait_at_gate::job()).id("job")).await;
    node.scheduler.run_job_now("job").await.unwrap();
    node.ran("job", 1).await;
    let mut holder = SqliteConnection::connect(&folder.url()).await.unwrap();
    let begin = "BEGIN IMMEDIATE";
    sqlx::raw_sql(begin).execute(&mut holder).await.unwrap();
    // Longer than a lease and a heartbeat.
    tokio::time::sleep(Duration::from_secs(20)).await;
    sqlx::raw_sql("COMMIT").execute(&mut holder).await.unwrap();
    node.gate.open();
    node.event("the run has ended", |kind| {
        assert!(
            !matches!(kind, EventKind::LeaseLost { .. }),
            "it was stopped"
        );
        matches!(kind, EventKind::Succeeded { .. })
    })
    .await;
    let runs = node.runs("job").await;
    assert_eq!((runs[0].state, runs[0].attempt), (RunState::Succeeded, 1));
    assert_eq!(node.log.count("job"), 1, "once");
    node.stop().await;
}

#[tokio::test]
async fn a_server_that_restarts_is_told_and_used_again() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let mut node = Node::start(builder().connect(&cluster.url("postgres")).await.unwrap()).await;
    node.add(later(wait_at_gate::job()).id("job")).await;
    node.scheduler.run_job_now("job").await.unwrap();
    node.ran("job", 1).await;

    cluster.stop(Stop::Fast);
    node.gate.open();
    node.event("the store failed", |kind| {
        matches!(kind, EventKind::StoreFailed { .. })
    })
    .await;
    until("calls fail at once", async || {
        let error = node.scheduler.get_job("job").await.unwrap_err();
        matches!(error, Error::StoreUnreachable { .. })
    })
    .await;
    cluster.start_again();
    node.event("the store works again", |kind| {
        matches!(kind, EventKind::StoreRecovered { .. })
    })
    .await;
    let runs = node.runs("job").await;
    assert_eq!((runs[0].state, runs[0].attempt), (RunState::Succeeded, 1));
    node.add(plain().id("next").now()).await;
    node.ran("next", 1).await;
    node.stop().await;
}

#[tokio::test]
async fn statement_timeout_is_reported_as_a_cancelled_statement() {
    let Some(place) = Place::postgres() else {
        return;
    };
    let node = Node::start(place.store().await).await;
    node.add(later(plain()).id("job")).await;
    place
        .run(
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET statement_timeout = 300', \
             current_database()); END $$",
        )
        .await;
    // Connections adopt the setting when they are opened.
    let node_too = Node::with(place.store().await, |builder| {
        builder.client().without_static_jobs()
    })
    .await;
    let mut holder = PgConnection::connect(&place.url()).await.unwrap();
    let lock = "BEGIN; LOCK TABLE scheduler_jobs";
    sqlx::raw_sql(lock).execute(&mut holder).await.unwrap();
    let error = node_too.scheduler.pause_job("job").await.unwrap_err();
    assert!(
        matches!(of_store(&error), SqlError::Cancelled(_)),
        "{error}"
    );
    assert!(
        error.to_string().contains("statement_timeout") && !error.to_string().contains("locked"),
        "{error}"
    );
    sqlx::raw_sql("ROLLBACK")
        .execute(&mut holder)
        .await
        .unwrap();
    node_too.stop().await;
    node.stop().await;
}

#[tokio::test]
async fn damaged_file_is_reported_as_corrupt() {
    let folder = Folder::new();
    let node = Node::start(builder().connect(&folder.url()).await.unwrap()).await;
    node.add(later(plain()).id("job")).await;
    node.stop().await;
    let mut connection = SqliteConnection::connect(&folder.url()).await.unwrap();
    let into = "PRAGMA wal_checkpoint(TRUNCATE)";
    sqlx::raw_sql(into).execute(&mut connection).await.unwrap();
    let bytes = std::fs::read(folder.file()).unwrap();
    let damage: [fn(&mut Vec<u8>); 3] = [
        // The first page contains the schema.
        |bytes| bytes[100..4096].fill(0xff),
        |bytes| bytes.truncate(5_000),
        |bytes| bytes.truncate(300),
    ];
    for (number, spoil) in damage.into_iter().enumerate() {
        let file = folder.path().join(format!("damaged-{number}.db"));
        let mut bytes = bytes.clone();
        spoil(&mut bytes);
        std::fs::write(&file, bytes).unwrap();
        let error = SqlStore::connect(&format!("sqlite://{}", file.display()))
            .await
            .unwrap_err();
        assert!(matches!(error, SqlError::Damaged(_)), "{number}: {error}");
        assert!(error.to_string().contains("the file is corrupt"), "{error}");
    }
}
