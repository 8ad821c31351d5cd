//! How a store connects: addresses, and what an application's own pool does with each connection.

use std::net::{Ipv6Addr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use scheduler_core::Builder;
use scheduler_sqlx::{SqlError, SqlStore};
use scheduler_test_servers::pgbouncer::{Pgbouncer, PoolMode};
use scheduler_test_servers::postgres::{Cluster, database};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};

use crate::support::{Folder, Node, Place, of_store, plain, until};

/// Returns `false`, and prints a note, if the machine has no IPv6.
fn has_ipv6() -> bool {
    let has = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok();
    if !has {
        println!("NOT RUN: a server at [::1], since this machine has no IPv6");
    }
    has
}

#[tokio::test]
async fn server_is_reached_at_an_ipv6_address() {
    if !has_ipv6() {
        return;
    }
    let Some(cluster) = Cluster::start_with(&[("listen_addresses", "127.0.0.1,::1")]) else {
        return;
    };
    let url = cluster.url("postgres").replace("127.0.0.1", "[::1]");
    let node = Node::start(SqlStore::connect(&url).await.unwrap()).await;
    node.add(plain().id("job").now()).await;
    node.ran("job", 1).await;
    node.stop().await;
}

/// Starts a separate cluster, since roles belong to all databases of a server: `worker` may do nothing except become
/// `app`, whose tables are in the schema `background`.
async fn with_roles() -> Option<Cluster> {
    let cluster = Cluster::start()?;
    let mut superuser = PgConnection::connect(&cluster.url("postgres"))
        .await
        .unwrap();
    let statements = "CREATE ROLE app NOLOGIN; CREATE SCHEMA background AUTHORIZATION app; \
        REVOKE CREATE ON SCHEMA public FROM PUBLIC; \
        CREATE ROLE worker LOGIN NOINHERIT; GRANT app TO worker";
    sqlx::raw_sql(statements)
        .execute(&mut superuser)
        .await
        .unwrap();
    superuser.close().await.unwrap();
    Some(cluster)
}

/// Returns a pool that runs this statement on every new connection.
fn with_hook(cluster: &Cluster, statement: &'static str) -> PgPool {
    let url = cluster.url("postgres").replace("postgres@", "worker@");
    let options: PgConnectOptions = url.parse().unwrap();
    PgPoolOptions::new()
        .max_connections(4)
        .acquire_timeout(Duration::from_secs(3))
        .after_connect(move |connection, _| {
            Box::pin(async move {
                sqlx::raw_sql(statement)
                    .execute(&mut *connection)
                    .await
                    .map(drop)
            })
        })
        .connect_lazy_with(options)
}

#[tokio::test]
async fn hooks_of_the_applications_pool_run_on_each_connection_of_the_store() {
    let Some(cluster) = with_roles().await else {
        return;
    };
    let hook = "SET ROLE app; SET search_path TO background; SET application_name TO 'hooked'";
    let store = async || {
        let pool = with_hook(&cluster, hook);
        SqlStore::from_pool(pool).await.unwrap()
    };
    let node = Node::start(store().await).await;
    let client = Node::with(store().await, |builder| {
        builder.client().without_static_jobs()
    })
    .await;
    client.add(plain().id("job").now()).await;
    node.ran("job", 1).await;

    let mut superuser = PgConnection::connect(&cluster.url("postgres"))
        .await
        .unwrap();
    let others = "FROM pg_stat_activity WHERE usename = 'worker'";
    let mut number = async |what: &'static str| -> i64 {
        let query = AssertSqlSafe(format!("SELECT {what} {others}"));
        sqlx::query_scalar(query)
            .fetch_one(&mut superuser)
            .await
            .unwrap()
    };
    // At least the pool's connection, the one for heartbeats and the listening one.
    let all = number("count(*)").await;
    assert!(all >= 3, "{all} connections");
    let hooked = number("count(*) FILTER (WHERE application_name = 'hooked')").await;
    assert_eq!(hooked, all);
    client.stop().await;
    node.stop().await;
}

#[tokio::test]
async fn hook_that_fails_is_named_where_the_store_gets_no_connection() {
    let Some(cluster) = with_roles().await else {
        return;
    };
    let pool = with_hook(&cluster, "SET ROLE postgres");
    let error = SqlStore::from_pool(pool).await.unwrap_err();
    assert!(matches!(error, SqlError::NoConnection(_)), "{error}");
    assert!(error.to_string().contains("after_connect"), "{error}");
}

#[tokio::test]
async fn hooks_run_on_each_connection_to_a_file() {
    let folder = Folder::new();
    let made = Arc::new(AtomicUsize::new(0));
    let count = made.clone();
    let options: SqliteConnectOptions = format!("{}?mode=rwc", folder.url()).parse().unwrap();
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .after_connect(move |_, _| {
            count.fetch_add(1, Ordering::SeqCst);
            Box::pin(async { Ok(()) })
        })
        .connect_lazy_with(options.journal_mode(SqliteJournalMode::Wal));
    let node = Node::start(SqlStore::from_pool(pool).await.unwrap()).await;
    node.add(plain().id("job").now()).await;
    node.ran("job", 1).await;
    // The connections for reading, for writing, for heartbeats and for watching the file.
    until("each connection ran the hook", async || {
        made.load(Ordering::SeqCst) == 4
    })
    .await;
    node.stop().await;
}

#[tokio::test]
async fn hook_that_fails_is_named_where_the_store_gets_no_connection_to_a_file() {
    let folder = Folder::new();
    let options: SqliteConnectOptions = format!("{}?mode=rwc", folder.url()).parse().unwrap();
    let pool = SqlitePoolOptions::new()
        .acquire_timeout(Duration::from_secs(1))
        .after_connect(|connection, _| {
            let fails = sqlx::raw_sql("SELECT nothing");
            Box::pin(async move { fails.execute(connection).await.map(drop) })
        })
        .connect_lazy_with(options.journal_mode(SqliteJournalMode::Wal));
    let error = SqlStore::from_pool(pool).await.unwrap_err();
    assert!(matches!(error, SqlError::NoConnection(_)), "{error}");
    assert!(error.to_string().contains("after_connect"), "{error}");
}

/// Returns a hook that succeeds on the first connection and fails on all later ones, although the server accepts
/// them.
fn fails_later() -> impl Fn() -> &'static str {
    let made = AtomicUsize::new(0);
    move || match made.fetch_add(1, Ordering::SeqCst) {
        0 => "SELECT 1",
        _ => "SELECT nothing",
    }
}

async fn assert_start_names_hook(store: SqlStore) {
    let error = Node::try_with(store, Builder::without_static_jobs).await;
    let error = error.unwrap_err();
    let cause = of_store(&error);
    assert!(matches!(cause, SqlError::NoConnection(_)), "{error}");
    assert!(cause.to_string().contains("after_connect"), "{error}");
}

#[tokio::test]
async fn hook_that_fails_later_is_named_when_the_scheduler_starts() {
    // Both shorter and longer than the time limit of a call; sqlx's default is longer.
    let patience = [Duration::from_secs(1), Duration::from_secs(30)];
    for acquire_timeout in patience {
        let Some(database) = database() else {
            return;
        };
        let statement = fails_later();
        let options: PgConnectOptions = database.url().parse().unwrap();
        let pool = PgPoolOptions::new()
            .acquire_timeout(acquire_timeout)
            .max_connections(1)
            .after_connect(move |connection, _| {
                let hook = sqlx::raw_sql(statement());
                Box::pin(async move { hook.execute(connection).await.map(drop) })
            })
            .connect_lazy_with(options);
        assert_start_names_hook(SqlStore::from_pool(pool).await.unwrap()).await;
    }
}

#[tokio::test]
async fn hook_that_fails_later_is_named_when_the_scheduler_starts_on_a_file() {
    let folder = Folder::new();
    // Existing tables are read over the pool's first connection.
    drop(SqlStore::connect(&folder.url()).await.unwrap());
    let statement = fails_later();
    let options: SqliteConnectOptions = folder.url().parse().unwrap();
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .after_connect(move |connection, _| {
            let hook = sqlx::raw_sql(statement());
            Box::pin(async move { hook.execute(connection).await.map(drop) })
        })
        .connect_lazy_with(options.journal_mode(SqliteJournalMode::Wal));
    assert_start_names_hook(SqlStore::from_pool(pool).await.unwrap()).await;
}

/// Asserts that the error of a pooler's refusal names this remedy.
async fn assert_refused(refused: Result<SqlStore, SqlError>, remedy: &str) {
    let error = refused.unwrap_err();
    assert!(matches!(error, SqlError::PoolerRefuses { .. }), "{error}");
    assert!(error.to_string().contains(remedy), "{error}");
}

#[tokio::test]
async fn parameters_and_modes_that_a_pooler_refuses_are_named_with_their_cure() {
    let Some(database) = database() else {
        return;
    };
    let Some(pooler) = Pgbouncer::before(&database.url(), PoolMode::Transaction) else {
        return;
    };
    let options: PgConnectOptions = pooler.url().parse().unwrap();
    // sqlx sets `extra_float_digits` unless configured not to.
    let pool = PgPoolOptions::new().connect_lazy_with(options.clone());
    assert_refused(SqlStore::from_pool(pool).await, "extra_float_digits(None)").await;
    let timeout = options
        .extra_float_digits(None)
        .options([("statement_timeout", "5s")]);
    let pool = PgPoolOptions::new().connect_lazy_with(timeout);
    let refused = SqlStore::from_pool(pool).await;
    assert_refused(refused, "leave it out of the URL or the pool's options").await;

    let statements = &[("pool_mode", "statement")];
    let pooler = Pgbouncer::before_with(&database.url(), PoolMode::Transaction, statements);
    let Some(pooler) = pooler else {
        return;
    };
    let refused = SqlStore::connect(&pooler.url()).await;
    assert_refused(refused, "set `pool_mode` to `transaction` or `session`").await;
}

/// One connection of the pool, one for heartbeats and one that listens. Connections that a burst opened are closed
/// during one of the next polls, which an idle node makes every 30 seconds.
#[tokio::test]
async fn idle_nodes_keep_three_connections_each() {
    let Some(place) = Place::postgres() else {
        return;
    };
    let mut nodes = Vec::new();
    for _ in 0..3 {
        nodes.push(Node::start(place.store().await).await);
    }
    place.listeners(3).await;
    for number in 0..30 {
        nodes[number % 3]
            .add(plain().id(format!("burst-{number}")).now())
            .await;
    }
    until("all have run", async || {
        let begun = |number| {
            let id = format!("burst-{number}");
            nodes.iter().map(|node| node.log.count(&id)).sum::<usize>() == 1
        };
        (0..30).all(begun)
    })
    .await;
    let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                AND pid <> pg_backend_pid() AND backend_type = 'client backend'";
    let mut at_rest = 0;
    for _ in 0..600 {
        // A poll or retention may be in progress, so nine connections must be seen three times in a row.
        at_rest = if place.number(open).await == 9 {
            at_rest + 1
        } else {
            0
        };
        if at_rest == 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    assert_eq!(at_rest, 3, "{} connections", place.number(open).await);
    for node in nodes {
        node.stop().await;
    }
}
