//! Stores that cannot be opened: each error names the cause and a remedy.

use std::process::Command;

use scheduler_sqlx::{SqlError, SqlStore};
use scheduler_test_servers::postgres::Cluster;
use sqlx::{Connection, PgConnection};

use crate::support::{Folder, Node, Place, later, of_store, plain};

async fn refused(url: &str) -> SqlError {
    SqlStore::connect(url).await.unwrap_err()
}

fn assert_says(error: &SqlError, words: &[&str]) {
    let text = error.to_string();
    for word in words {
        assert!(text.contains(word), "`{word}` is not in: {text}");
    }
}

#[tokio::test]
async fn an_address_that_is_none_is_told_with_what_one_looks_like() {
    for url in [
        "",
        "jobs.db",
        "/var/lib/jobs.db",
        "mysql://app@db/app",
        "sqlite3://jobs.db",
        "http://db/app",
        "://",
        "sqlite",
        "postgres",
    ] {
        let error = refused(url).await;
        assert!(matches!(error, SqlError::Url { .. }), "{url}: {error}");
        assert_says(&error, &["sqlite://path/to/file.db", "postgres://"]);
    }
}

#[tokio::test]
async fn database_that_is_in_no_file_is_refused_since_it_would_be_another_one_per_connection() {
    for url in [
        "sqlite::memory:",
        "sqlite://:memory:",
        "sqlite://jobs?mode=memory",
        "sqlite://%3Amemory%3A",
        "sqlite:file::memory:",
        // A temporary file per connection.
        "sqlite:",
        "sqlite://",
        "sqlite://?mode=rwc",
        "sqlite:file:",
    ] {
        let error = refused(url).await;
        assert!(matches!(error, SqlError::Url { .. }), "{url}: {error}");
        assert_says(&error, &["MemoryStore"]);
    }
}

#[tokio::test]
async fn a_password_is_in_no_error() {
    for url in [
        "postgres://app:s3cr3t@db:port/app",
        "postgres:app:s3cr3t@db/app",
        "mysql://app:s3cr3t@db/app",
        "app:s3cr3t@db/app",
        "postgres://db:port/app?user=app&password=s3cr3t",
        "mysql://db/app?password=s3cr3t",
        "host=db user=app password=s3cr3t",
        "postgres://app:s3cr3t@[db/app",
        "postgres://app:s3@cr3t@db:port/app",
        "postgres://app:/s3cr3t",
        "postgresql+psycopg2://app:s3cr3t@db/app",
    ] {
        let error = refused(url).await;
        let told = format!("{error} {error:?}");
        assert!(!told.contains("cr3t"), "{url}: {told}");
    }
    let error = refused("postgres://app:s3cr3t@127.0.0.1:1/app").await;
    let told = format!("{error} {error:?}");
    assert!(!told.contains("s3cr3t"), "{told}");
}

#[tokio::test]
async fn a_server_that_is_not_there_cannot_be_reached_and_the_cause_is_reported() {
    let error = refused("postgres://app@127.0.0.1:1/app").await;
    assert!(matches!(error, SqlError::Unreachable(_)), "{error}");
    assert_says(&error, &["cannot be reached", "refused"]);
}

#[tokio::test]
async fn the_server_says_whom_it_lets_in() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let mut superuser = PgConnection::connect(&cluster.url("postgres"))
        .await
        .unwrap();
    let statement = "CREATE ROLE app LOGIN PASSWORD 's3cr3t'; CREATE ROLE guest LOGIN; \
        REVOKE CREATE ON SCHEMA public FROM PUBLIC";
    sqlx::raw_sql(statement)
        .execute(&mut superuser)
        .await
        .unwrap();
    let rules = "host all app all scram-sha-256\nhost all all all trust\n";
    std::fs::write(cluster.folder().join("data/pg_hba.conf"), rules).unwrap();
    sqlx::raw_sql("SELECT pg_reload_conf()")
        .execute(&mut superuser)
        .await
        .unwrap();
    superuser.close().await.unwrap();
    let url = |user: &str, database: &str| {
        cluster
            .url(database)
            .replace("postgres@", &format!("{user}@"))
    };
    // The new rules apply as soon as the server has read them.
    crate::support::until("the rules are read", async || {
        PgConnection::connect(&url("app:wrong", "postgres"))
            .await
            .is_err()
    })
    .await;

    let error = refused(&url("app:wr0ng", "postgres")).await;
    assert!(matches!(error, SqlError::Denied(_)), "{error}");
    assert_says(&error, &["password", "app"]);
    assert!(!error.to_string().contains("wr0ng"), "{error}");

    let error = refused(&url("nobody_there", "postgres")).await;
    assert!(matches!(error, SqlError::Denied(_)), "{error}");
    assert_says(&error, &["nobody_there"]);

    let error = refused(&url("guest", "no_such_database")).await;
    assert!(matches!(error, SqlError::Missing(_)), "{error}");
    assert_says(&error, &["no_such_database"]);

    let error = refused(&url("guest", "postgres")).await;
    assert!(matches!(error, SqlError::Denied(_)), "{error}");
    assert_says(&error, &["right", "permission denied for schema public"]);

    SqlStore::builder()
        .schema("postgres")
        .connect(&cluster.url("postgres"))
        .await
        .unwrap();
    let error = SqlStore::builder()
        .schema("postgres")
        .migrate(false)
        .connect(&url("guest", "postgres"))
        .await
        .unwrap_err();
    assert!(matches!(error, SqlError::Denied(_)), "{error}");
}

#[tokio::test]
async fn tables_that_need_a_newer_program_are_refused_and_left_as_they_are() {
    for place in Place::each() {
        let node = Node::start(place.store().await).await;
        node.add(later(plain()).id("kept")).await;
        node.stop().await;
        let newer = "INSERT INTO scheduler_migrations (version, min_reader, what, applied_at) \
            VALUES (999, 999, 'of tomorrow', 0)";
        place.run(newer).await;
        for builder in [SqlStore::builder(), SqlStore::builder().migrate(false)] {
            let error = builder.connect(&place.url()).await.unwrap_err();
            assert!(
                matches!(
                    error,
                    SqlError::TooNew {
                        found: 999,
                        reader: 999,
                        known: 3
                    }
                ),
                "{place:?}: {error}"
            );
            assert_says(&error, &["start the newer program"]);
        }
        assert_eq!(place.number("SELECT count(*) FROM scheduler_jobs").await, 1);
    }
}

#[tokio::test]
async fn tables_that_are_newer_and_say_that_this_program_can_read_them_work() {
    for place in Place::each() {
        let node = Node::start(place.store().await).await;
        node.add(later(plain()).id("kept")).await;
        node.stop().await;
        let newer = "INSERT INTO scheduler_migrations (version, min_reader, what, applied_at) \
            VALUES (999, 1, 'of tomorrow', 0); \
            ALTER TABLE scheduler_jobs ADD COLUMN colour text; \
            ALTER TABLE scheduler_runs ADD COLUMN colour text; \
            ALTER TABLE scheduler_nodes ADD COLUMN colour text; \
            ALTER TABLE scheduler_skipped ADD COLUMN colour text";
        place.run(newer).await;
        let node = Node::start(place.store().await).await;
        assert!(node.scheduler.get_job("kept").await.unwrap().is_some());
        node.add(plain().id("new").now()).await;
        node.ran("new", 1).await;
        node.stop().await;
    }
}

#[tokio::test]
async fn without_migration_an_empty_database_is_refused_and_stays_empty() {
    for place in Place::each() {
        let builder = SqlStore::builder().migrate(false);
        let error = builder.clone().connect(&place.url()).await.unwrap_err();
        assert!(
            matches!(
                error,
                SqlError::NotMigrated {
                    found: 0,
                    needed: 3
                }
            ),
            "{place:?}: {error}"
        );
        assert_says(&error, &["migrate()", ".migrate(false)"]);
        place.store().await;
        builder.connect(&place.url()).await.unwrap();
    }
}

#[tokio::test]
async fn a_file_in_a_folder_that_is_not_there_cannot_be_made() {
    let folder = Folder::new();
    let url = format!(
        "sqlite://{}/no/such/folder/jobs.db",
        folder.path().display()
    );
    let error = refused(&url).await;
    assert!(matches!(error, SqlError::Missing(_)), "{error}");
    assert_says(&error, &["folder"]);
}

#[tokio::test]
async fn a_missing_file_is_made_unless_the_address_says_not_to() {
    for (mode, is_made) in [
        ("", true),
        ("?mode=rwc", true),
        ("?mode=rw", false),
        ("?mode=ro", false),
    ] {
        let folder = Folder::new();
        let opened = SqlStore::connect(&format!("{}{mode}", folder.url())).await;
        assert_eq!(folder.file().exists(), is_made, "{mode}");
        match opened {
            Ok(_) => assert!(is_made, "{mode}"),
            Err(error) => {
                assert!(
                    matches!(error, SqlError::Missing(_)) && !is_made,
                    "{mode}: {error}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_told_and_left_as_it_is() {
    let folder = Folder::new();
    let letter = "Dear database, ".repeat(1_000);
    std::fs::write(folder.file(), &letter).unwrap();
    let error = refused(&folder.url()).await;
    assert!(matches!(error, SqlError::Damaged(_)), "{error}");
    assert_eq!(std::fs::read_to_string(folder.file()).unwrap(), letter);
}

#[tokio::test]
async fn a_folder_is_no_file() {
    let folder = Folder::new();
    let error = refused(&format!("sqlite://{}", folder.path().display())).await;
    assert!(matches!(error, SqlError::Missing(_)), "{error}");
}

#[tokio::test]
async fn a_file_that_can_only_be_read_can_be_looked_at_and_runs_nothing() {
    let folder = Folder::new();
    let node = Node::start(SqlStore::connect(&folder.url()).await.unwrap()).await;
    node.add(later(plain()).id("kept")).await;
    node.stop().await;
    let store = SqlStore::connect(&format!("{}?mode=ro", folder.url()))
        .await
        .unwrap();
    let client = Node::with(store.clone(), |builder| {
        builder.client().without_static_jobs()
    })
    .await;
    assert!(client.scheduler.get_job("kept").await.unwrap().is_some());
    let error = client.scheduler.remove_job("kept").await.unwrap_err();
    assert!(matches!(of_store(&error), SqlError::ReadOnly(_)), "{error}");
    let error = Node::try_with(store, scheduler_core::Builder::without_static_jobs)
        .await
        .unwrap_err();
    assert!(matches!(of_store(&error), SqlError::ReadOnly(_)), "{error}");
    let store = SqlStore::connect(&folder.url()).await.unwrap();
    let node = Node::start(store).await;
    assert!(node.scheduler.get_job("kept").await.unwrap().is_some());
}

#[tokio::test]
async fn an_empty_file_that_can_only_be_read_gets_no_tables() {
    let folder = Folder::new();
    std::fs::write(folder.file(), "").unwrap();
    for mode in ["mode=ro", "immutable=1&mode=ro"] {
        let error = refused(&format!("{}?{mode}", folder.url())).await;
        assert!(matches!(error, SqlError::ReadOnly(_)), "{mode}: {error}");
        assert_says(&error, &["can only be read"]);
    }
}

/// A read-only mount of a folder; `None`, with a printed note, if mounting is not allowed.
struct ReadOnly(Folder);

impl ReadOnly {
    fn of(folder: &Folder) -> Option<Self> {
        let place = Folder::new();
        let mounted = Command::new("mount")
            .args(["--bind", "-o", "ro"])
            .arg(folder.path())
            .arg(place.path())
            .output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self(place));
        }
        println!("NOT RUN: a read-only file system, which only root may mount");
        None
    }
}

impl Drop for ReadOnly {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[tokio::test]
async fn a_file_on_a_read_only_file_system_is_told_as_one() {
    let folder = Folder::new();
    let node = Node::start(SqlStore::connect(&folder.url()).await.unwrap()).await;
    node.add(later(plain()).id("kept")).await;
    node.stop().await;
    let Some(mount) = ReadOnly::of(&folder) else {
        return;
    };
    let problem = match SqlStore::connect(&mount.0.url()).await {
        Err(error) => error.to_string(),
        Ok(store) => {
            let start = Node::try_with(store, scheduler_core::Builder::without_static_jobs).await;
            of_store(&start.unwrap_err()).to_string()
        }
    };
    assert!(problem.contains("read"), "{problem}");
}

#[tokio::test]
async fn names_that_are_no_plain_names_are_refused_before_anything_is_asked() {
    for name in [
        "Jobs",
        "1st",
        "a b",
        "a-b",
        "x'; DROP TABLE users; --",
        &"a".repeat(33),
    ] {
        let url = "postgres://127.0.0.1:1/nowhere";
        let error = SqlStore::builder()
            .prefix(name)
            .connect(url)
            .await
            .unwrap_err();
        assert!(matches!(error, SqlError::Name { .. }), "{name}: {error}");
        assert_says(&error, &["lower-case letters"]);
        let error = SqlStore::builder()
            .schema(name)
            .connect(url)
            .await
            .unwrap_err();
        assert!(matches!(error, SqlError::Name { .. }), "{name}: {error}");
    }
}

#[tokio::test]
async fn tables_of_somebody_else_under_the_same_name_are_not_touched() {
    for place in Place::each() {
        place
            .run("CREATE TABLE scheduler_jobs (mine integer)")
            .await;
        place.run("INSERT INTO scheduler_jobs VALUES (7)").await;
        let error = SqlStore::connect(&place.url()).await.unwrap_err();
        assert_says(&error, &["scheduler_jobs", "already exists"]);
        assert_eq!(
            place.number("SELECT sum(mine) FROM scheduler_jobs").await,
            7
        );
        SqlStore::builder()
            .prefix("mine_")
            .connect(&place.url())
            .await
            .unwrap();
    }
}
