//! The throw-away PostgreSQL server that other tests rely on.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test of other processes, which live in real time"
)]

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use scheduler_test_servers::postgres::{Cluster, Stop, database};
use sqlx::{Connection, PgConnection};

async fn ask(url: &str, query: &'static str) -> Result<String, sqlx::Error> {
    let mut connection = PgConnection::connect(url).await?;
    let answer = sqlx::query_scalar(query).fetch_one(&mut connection).await?;
    connection.close().await?;
    Ok(answer)
}

async fn run(url: &str, statement: &'static str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(statement)
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

const COUNT: &str = "SELECT count(*)::text FROM kept";

#[tokio::test]
async fn databases_are_empty_apart_and_removed_afterwards() {
    let Some(first) = database() else { return };
    let Some(second) = database() else { return };
    run(&first.url(), "CREATE TABLE kept (id int)").await;
    run(&second.url(), "CREATE TABLE kept (id int)").await;
    assert_eq!(ask(&first.url(), COUNT).await.unwrap(), "0");

    // An open connection does not keep the database.
    let open = PgConnection::connect(&first.url()).await.unwrap();
    let url = first.url();
    drop(first);
    let gone = ask(&url, COUNT).await.unwrap_err();
    assert!(gone.to_string().contains("does not exist"), "{gone}");
    assert_eq!(ask(&second.url(), COUNT).await.unwrap(), "0");
    drop(open);
}

const SERVER: &str = "SELECT current_setting('data_directory') || current_setting('port')";

/// Prints which server it was given; run by the test below, in a separate process.
#[tokio::test]
#[ignore = "one half of another test"]
async fn tells_its_server() {
    if let Some(database) = database() {
        println!("server={}", ask(&database.url(), SERVER).await.unwrap());
    }
}

#[tokio::test]
async fn processes_share_one_server() {
    let Some(database) = database() else { return };
    let own = format!("server={}\n", ask(&database.url(), SERVER).await.unwrap());
    let other = Command::new(std::env::current_exe().unwrap())
        .args(["tells_its_server", "--exact", "--ignored", "--nocapture"])
        .output()
        .unwrap();
    let told = String::from_utf8(other.stdout).unwrap();
    assert!(told.contains(&own), "{own}{told}");
}

#[tokio::test]
async fn data_and_address_stay_over_restarts_and_kills() {
    let Some(cluster) = Cluster::start_with(&[("fsync", "on")]) else {
        return;
    };
    let url = cluster.create_database("kept");
    assert_eq!(ask(&url, "SHOW fsync").await.unwrap(), "on");
    run(&url, "CREATE TABLE kept (id int)").await;
    for stop in [Stop::Smart, Stop::Fast, Stop::Immediate] {
        run(&url, "INSERT INTO kept VALUES (1)").await;
        cluster.restart(stop);
    }
    run(&url, "INSERT INTO kept VALUES (1)").await;
    let open = PgConnection::connect(&url).await.unwrap();
    cluster.kill();
    assert!(ask(&url, COUNT).await.is_err());
    cluster.start_again();
    assert_eq!(ask(&url, COUNT).await.unwrap(), "4");
    drop(open);

    let folder = cluster.folder().to_owned();
    assert!(folder.exists());
    drop(cluster);
    assert!(!folder.exists());
    assert!(ask(&url, COUNT).await.is_err());
}

/// Starts a server and is killed; run by the test below.
#[test]
#[ignore = "one half of another test"]
fn dies_with_a_server() {
    if let Some(cluster) = Cluster::start() {
        println!("folder={};", cluster.folder().display());
        let own = std::process::id().to_string();
        Command::new("kill").args(["-KILL", &own]).status().unwrap();
    }
}

#[test]
fn a_server_does_not_outlive_a_test_that_is_killed() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["dies_with_a_server", "--exact", "--ignored", "--nocapture"])
        .output()
        .unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    let Some((_, rest)) = told.split_once("folder=") else {
        assert!(output.status.success(), "{told}");
        return;
    };
    let folder = Path::new(rest.split_once(';').unwrap().0);
    let started = Instant::now();
    while folder.exists() {
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "{}",
            folder.display()
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Returns a command that runs this program as on a machine without PostgreSQL.
fn without_postgres() -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["tells_its_server", "--exact", "--ignored", "--nocapture"])
        .env_remove("DATABASE_URL")
        .env("POSTGRES_PROGRAMS", "/nowhere");
    command
}

#[test]
fn without_a_server_one_line_says_what_to_install() {
    let output = without_postgres()
        .env_remove("REQUIRE_POSTGRES")
        .output()
        .unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<_> = told
        .lines()
        .filter(|line| line.contains("POSTGRES TESTS NOT RUN"))
        .collect();
    assert!(output.status.success(), "{told}");
    assert_eq!(lines.len(), 1, "{told}");
    assert!(lines[0].contains("apt-get install postgresql"));
    assert!(lines[0].contains("DATABASE_URL"));
}

#[test]
fn where_it_is_required_its_absence_is_a_failure() {
    let output = without_postgres()
        .env("REQUIRE_POSTGRES", "1")
        .output()
        .unwrap();
    assert!(!output.status.success());
}
