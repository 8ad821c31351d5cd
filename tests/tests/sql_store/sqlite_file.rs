//! A SQLite file that the application shares with the scheduler: the settings of its pool, transactions next to the
//! scheduler's, and a log that grows while a reader is active.

use std::time::Duration;

use scheduler_core::store::History;
use scheduler_core::{Clock, SystemClock};
use scheduler_sqlx::{SqlError, SqlStore};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteLockingMode, SqlitePoolOptions};
use sqlx::{Connection, SqliteConnection, SqlitePool};

use crate::support::{Folder, Node, Place, plain};

/// The application's options, as the documentation recommends them. The timeout is far longer than a busy machine
/// needs.
fn options(folder: &Folder) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(folder.file())
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .busy_timeout(Duration::from_secs(60))
}

/// Returns the setting for which a pool with these options is refused.
async fn refused_for(options: SqliteConnectOptions) -> (&'static str, String) {
    // A single connection, since it might lock out another one.
    let pool = SqlitePoolOptions::new().max_connections(1);
    let pool = pool.connect_with(options).await.unwrap();
    let error = SqlStore::from_pool(pool.clone()).await.unwrap_err();
    let tables = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema");
    let tables: i64 = tables.fetch_one(&pool).await.unwrap();
    assert_eq!(tables, 0, "nothing was made");
    match error {
        SqlError::UnfitPool { setting, found, .. } => (setting, found),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_pool_in_whose_way_the_scheduler_would_be_is_refused_with_what_to_set() {
    let folder = Folder::new();
    let delete = options(&folder).journal_mode(SqliteJournalMode::Delete);
    let refused = refused_for(delete).await;
    assert_eq!(refused, ("journal_mode", "delete".to_owned()));
    let elsewhere = Folder::new();
    let exclusive = options(&elsewhere).locking_mode(SqliteLockingMode::Exclusive);
    let refused = refused_for(exclusive).await;
    assert_eq!(refused, ("locking_mode", "exclusive".to_owned()));
    let impatient = options(&folder).busy_timeout(Duration::ZERO);
    let refused = refused_for(impatient).await;
    assert_eq!(refused, ("busy_timeout", "0".to_owned()));
    let memory = refused_for("sqlite::memory:".parse().unwrap()).await;
    assert_eq!(memory, ("journal_mode", "memory".to_owned()));
    for options in [
        SqliteConnectOptions::new(),
        SqliteConnectOptions::new().filename(""),
    ] {
        let no_file = options.journal_mode(SqliteJournalMode::Wal);
        assert_eq!(refused_for(no_file).await.0, "journal_mode");
    }

    let fit = SqlitePool::connect_with(options(&folder)).await.unwrap();
    SqlStore::from_pool(fit).await.unwrap();
    // WAL mode is stored in the file.
    let plain = SqliteConnectOptions::new().filename(folder.file());
    let plain = SqlitePool::connect_with(plain).await.unwrap();
    SqlStore::from_pool(plain).await.unwrap();
}

#[tokio::test]
async fn file_whose_journal_is_in_memory_is_not_taken_for_a_database_in_memory() {
    let folder = Folder::new();
    let options = options(&folder).journal_mode(SqliteJournalMode::Memory);
    let pool = SqlitePool::connect_with(options).await.unwrap();
    let error = SqlStore::from_pool(pool).await.unwrap_err().to_string();
    assert!(error.contains("journal_mode = memory"), "{error}");
    assert!(error.contains("SqliteJournalMode::Wal"), "{error}");
}

/// Executes the application's transactions one after the other; every other one reads first.
async fn transactions(pool: SqlitePool, client: i64, count: i64) -> Result<(), sqlx::Error> {
    for number in 0..count {
        let mut transaction = if number % 2 == 0 {
            pool.begin().await?
        } else {
            let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
            let highest = sqlx::query_scalar("SELECT max(number) FROM orders WHERE client = ?");
            let highest: i64 = highest.bind(client).fetch_one(&mut *transaction).await?;
            assert_eq!(highest, number - 1);
            transaction
        };
        sqlx::query("INSERT INTO orders (client, number) VALUES (?, ?)")
            .bind(client)
            .bind(number)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_transaction_of_the_application_fails_beside_a_scheduler_at_work() {
    let folder = Folder::new();
    let pool = SqlitePoolOptions::new()
        .max_connections(12)
        .acquire_timeout(Duration::from_secs(120))
        .connect_with(options(&folder))
        .await
        .unwrap();
    sqlx::query("CREATE TABLE orders (client integer, number integer)")
        .execute(&pool)
        .await
        .unwrap();
    let node = Node::start(SqlStore::from_pool(pool.clone()).await.unwrap()).await;
    for number in 0..10 {
        let job = plain().id(format!("tick-{number}"));
        node.add(job.interval(Duration::from_millis(20))).await;
    }
    node.ran("tick-0", 1).await;
    node.ran("tick-9", 1).await;
    let clients: Vec<_> = (0..3)
        .map(|client| tokio::spawn(transactions(pool.clone(), client, 80)))
        .collect();
    for client in clients {
        client.await.unwrap().unwrap();
    }
    assert!(node.log.count("tick-9") > 0, "the scheduler was at work");
    assert!(node.scheduler.health().is_ok());
    let stored: i64 = sqlx::query_scalar("SELECT count(*) FROM orders")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(stored, 240);
    node.stop().await;
}

/// Returns the size of the file's write-ahead log, in MB.
fn log_size(folder: &Folder) -> u64 {
    let log = folder.path().join("jobs.db-wal");
    std::fs::metadata(log).map_or(0, |log| log.len() / 1_000_000)
}

#[tokio::test]
async fn the_log_is_cut_off_once_the_reader_that_made_it_grow_is_gone() {
    let folder = Folder::new();
    let store = SqlStore::connect(&folder.url()).await.unwrap();
    assert_log_is_cut_off(&folder, store).await;
}

#[cfg(unix)]
#[tokio::test]
async fn log_of_a_file_behind_a_symbolic_link_is_cut_off() {
    let (folder, elsewhere) = (Folder::new(), Folder::new());
    std::fs::write(folder.file(), "").unwrap();
    std::os::unix::fs::symlink(folder.file(), elsewhere.file()).unwrap();
    let store = SqlStore::connect(&elsewhere.url()).await.unwrap();
    assert_log_is_cut_off(&folder, store).await;
}

async fn assert_log_is_cut_off(folder: &Folder, store: SqlStore) {
    let now = SystemClock.now();
    let mut application = SqliteConnection::connect(&folder.url()).await.unwrap();
    let mut reader = SqliteConnection::connect(&folder.url()).await.unwrap();
    sqlx::query("CREATE TABLE files (content blob)")
        .execute(&mut application)
        .await
        .unwrap();
    let mut reading = reader.begin().await.unwrap();
    let count = "SELECT count(*) FROM files";
    let seen: i64 = sqlx::query_scalar(count)
        .fetch_one(&mut *reading)
        .await
        .unwrap();
    assert_eq!(seen, 0);
    for _ in 0..8 {
        sqlx::query("INSERT INTO files (content) VALUES (randomblob(8000000))")
            .execute(&mut application)
            .await
            .unwrap();
    }
    assert!(log_size(folder) > 60, "{} MB", log_size(folder));

    // Pruning neither fails nor removes anything that the reader still sees.
    store.prune(now).await.unwrap();
    assert!(log_size(folder) > 60, "{} MB", log_size(folder));
    let seen: i64 = sqlx::query_scalar(count)
        .fetch_one(&mut *reading)
        .await
        .unwrap();
    assert_eq!(seen, 0);
    reading.rollback().await.unwrap();

    store.prune(now).await.unwrap();
    assert_eq!(log_size(folder), 0);
    let stored: i64 = sqlx::query_scalar(count)
        .fetch_one(&mut application)
        .await
        .unwrap();
    assert_eq!(stored, 8);
}

#[tokio::test]
async fn the_log_of_a_scheduler_at_work_is_left_alone_until_it_has_grown() {
    let place = Place::sqlite();
    let store = place.store().await;
    place.run("CREATE TABLE files (content blob)").await;
    let mut application = SqliteConnection::connect(&place.url()).await.unwrap();
    sqlx::raw_sql("PRAGMA wal_autocheckpoint = 0; INSERT INTO files VALUES (randomblob(8000000))")
        .execute(&mut application)
        .await
        .unwrap();
    store.prune(SystemClock.now()).await.unwrap();
    let Place::Sqlite(folder) = &place else {
        return;
    };
    assert!(log_size(folder) >= 8, "{} MB", log_size(folder));
}
