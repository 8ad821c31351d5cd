//! Databases that become unavailable, are locked, or store odd texts.

use std::time::Duration;

use scheduler_core::{EventKind, Job, RunFilter, RunState, Shutdown, SkippedFilter};
use scheduler_sqlx::{SqlStore, SqlStoreBuilder};
use scheduler_test_servers::pgbouncer::{Pgbouncer, PoolMode};
use scheduler_test_servers::postgres::{Cluster, Stop};
use sqlx::{Connection, PgPool, SqliteConnection, SqlitePool};

use crate::proxy::Proxy;
use crate::support::{Folder, Node, Place, later, note, plain, until, wait_at_gate};

/// A long lease, so that temporary failures do not end it: that is another test.
fn builder() -> SqlStoreBuilder {
    SqlStore::builder().lease(Duration::from_secs(120))
}

/// Adds one job in a transaction that is rolled back and one in a transaction that is committed.
macro_rules! joins_transactions {
    ($node:ident, $pool:ident) => {
        let store = SqlStore::from_pool($pool.clone()).await.unwrap();
        for (id, is_kept) in [("taken-back", false), ("kept", true)] {
            let job = $node.scheduler.prepare_job(plain().id(id).now()).unwrap();
            let mut transaction = $pool.begin().await.unwrap();
            store.add_job_in(&mut *transaction, job).await.unwrap();
            if is_kept {
                transaction.commit().await.unwrap();
            } else {
                transaction.rollback().await.unwrap();
            }
        }
        $node.ran("kept", 1).await;
        assert_eq!($node.log.count("taken-back"), 0);
        let job = $node.scheduler.get_job("taken-back").await.unwrap();
        assert!(job.is_none());
        $node.stop().await;
    };
}

async fn store_failed(node: &mut Node) {
    let is_it = |kind: &EventKind| matches!(kind, EventKind::StoreFailed { .. });
    node.event("the store failed", is_it).await;
    assert!(!node.scheduler.health().is_ok(), "health is red meanwhile");
}

async fn store_recovered(node: &mut Node) {
    let is_it = |kind: &EventKind| matches!(kind, EventKind::StoreRecovered { .. });
    node.event("the store works again", is_it).await;
}

async fn ended(node: &Node, job: &str) {
    until("its run has ended", async || {
        let runs = node.scheduler.list_runs(&RunFilter::new().job(job)).await;
        runs.is_ok_and(|runs| runs.items[0].state.is_final())
    })
    .await;
}

/// apscheduler#109, quartznet#740, Hangfire#1795: after a restart of the database, the scheduler stayed dead until
/// its process was restarted as well.
#[tokio::test]
async fn scheduler_goes_on_by_itself_after_the_database_restarts() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let store = builder().connect(&cluster.url("postgres")).await.unwrap();
    let mut node = Node::start(store).await;
    node.add(plain().id("job").interval("200ms")).await;
    node.ran("job", 1).await;
    cluster.stop(Stop::Fast);
    store_failed(&mut node).await;
    let before = node.log.count("job");
    cluster.start_again();
    store_recovered(&mut node).await;
    node.ran("job", before + 3).await;
    node.scheduler.remove_job("job").await.unwrap();
    until("all runs have ended", async || {
        let runs = node.runs("job").await;
        runs.iter().all(|run| run.state == RunState::Succeeded)
    })
    .await;
    // Nothing was lost without a reason: each fire time is a run or part of a skipped record.
    let mut runs = node.runs("job").await;
    runs.reverse();
    let skipped = node
        .scheduler
        .list_skipped(&SkippedFilter::new().job("job").limit(1_000))
        .await
        .unwrap()
        .items;
    let skipped: u64 = skipped.iter().map(|record| record.count).sum();
    let (first, last) = (&runs[0], &runs[runs.len() - 1]);
    let span = last.scheduled_for - first.scheduled_for;
    let fire_times = u64::try_from(span.num_milliseconds() / 200 + 1).unwrap();
    assert!(
        runs.len() as u64 + skipped >= fire_times,
        "{} runs and {skipped} skipped of {fire_times}",
        runs.len()
    );
    node.stop().await;
}

/// quartznet#793, quartznet#800: a connection that was open but no longer answered was awaited without limit.
#[tokio::test]
async fn half_open_connection_is_given_up_and_replaced() {
    let Some(place) = Place::postgres() else {
        return;
    };
    let proxy = Proxy::before(&place.url()).await;
    let store = builder()
        .answer_within(Duration::from_secs(5))
        .from_pool(proxy.pool())
        .await
        .unwrap();
    let node = Node::start(store).await;
    node.add(later(plain()).id("job")).await;
    proxy.go_silent();
    assert!(node.scheduler.pause_job("job").await.is_err(), "no answer");
    proxy.let_new_ones_through();
    until("it works again", async || {
        node.scheduler.resume_job("job").await.is_ok()
    })
    .await;
    node.scheduler.run_job_now("job").await.unwrap();
    node.ran("job", 1).await;
    node.stop().await;
}

/// river#1225, jobrunr#1264, gue#202: after a failover, connections to a server that had become read-only were kept.
#[tokio::test]
async fn connections_to_a_read_only_server_are_reported_and_replaced() {
    let Some(old) = Cluster::start() else {
        return;
    };
    let proxy = Proxy::before(&old.url("postgres")).await;
    let mut node = Node::start(builder().from_pool(proxy.pool()).await.unwrap()).await;
    node.add(plain().id("job").interval("100ms")).await;
    node.ran("job", 1).await;
    // The node's address leads to the old server, which is a standby from now on.
    old.stop(Stop::Fast);
    let new = old.copy();
    old.start_again_read_only();
    node.event("it is reported", |kind| {
        matches!(kind, EventKind::StoreFailed { error, .. } if error.contains("only be read"))
    })
    .await;
    assert!(!node.scheduler.health().is_ok());
    assert!(node.scheduler.pause_job("job").await.is_err());
    let before = node.log.count("job");
    // Open connections stay with the old server, and work for reads.
    proxy.lead_to(&new.url("postgres"));
    store_recovered(&mut node).await;
    node.ran("job", before + 1).await;
    node.scheduler.pause_job("job").await.unwrap();
    node.stop().await;
}

/// Closes the current connections of others, and waits until they are closed.
async fn close_connections(place: &Place) {
    let others = "SELECT pid::text FROM pg_stat_activity \
                  WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let closed = place.texts(others).await.join(", ");
    let close = format!("SELECT pg_terminate_backend(pid) FROM unnest(ARRAY[{closed}]) pid");
    place.run(&close).await;
    let left = format!("SELECT count(*) FROM pg_stat_activity WHERE pid IN ({closed})");
    until("they are closed", async || place.number(&left).await == 0).await;
}

/// apscheduler#419, apscheduler#212, django-apscheduler#137: the server had closed idle connections, and the next
/// `add_job` failed.
#[tokio::test]
async fn connections_that_the_server_closed_cost_no_call() {
    let Some(place) = Place::postgres() else {
        return;
    };
    let node = Node::start(place.store().await).await;
    // A client does not poll the store, so its connections are idle.
    let client = Node::with(place.store().await, |builder| {
        builder.client().without_static_jobs()
    })
    .await;
    client.add(later(plain()).id("before")).await;
    // Longer than the time for which a connection is reused without a check.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    close_connections(&place).await;
    client.add(plain().id("after").now()).await;
    node.ran("after", 1).await;
    client.stop().await;
    node.stop().await;
}

/// apscheduler#843, `solid_queue`#133: "database is locked" stopped work that could have waited.
#[tokio::test]
async fn lock_of_another_process_is_waited_for() {
    let folder = Folder::new();
    let mut node = Node::start(builder().connect(&folder.url()).await.unwrap()).await;
    node.add(later(wait_at_gate::job()).id("job")).await;
    node.scheduler.run_job_now("job").await.unwrap();
    node.ran("job", 1).await;
    let mut holder = SqliteConnection::connect(&folder.url()).await.unwrap();
    let lock = "BEGIN IMMEDIATE";
    sqlx::raw_sql(lock).execute(&mut holder).await.unwrap();
    let scheduler = node.scheduler.clone();
    let pausing = tokio::spawn(async move { scheduler.pause_job("job").await });
    node.gate.open();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!pausing.is_finished(), "it waits");
    sqlx::raw_sql("COMMIT").execute(&mut holder).await.unwrap();
    pausing.await.unwrap().unwrap();
    ended(&node, "job").await;
    let run = node.runs("job").await.remove(0);
    assert_eq!((run.state, run.attempt), (RunState::Succeeded, 1));
    while let Some(next) = node.events.try_next() {
        let text = format!("{next:?}");
        assert!(!text.contains("StoreFailed"), "{text}");
    }
    node.stop().await;
}

/// The same reports: a lock that lasts longer than the lease. Without another node, nothing can have taken over the
/// live runs.
#[tokio::test]
async fn no_run_is_stopped_and_no_outcome_lost_by_a_lock_that_outlasts_the_lease() {
    let folder = Folder::new();
    let mut node = Node::start(SqlStore::connect(&folder.url()).await.unwrap()).await;
    for job in ["ends-meanwhile", "goes-on"] {
        node.add(later(wait_at_gate::job()).id(job)).await;
        node.scheduler.run_job_now(job).await.unwrap();
        node.ran(job, 1).await;
    }
    let mut holder = SqliteConnection::connect(&folder.url()).await.unwrap();
    let lock = "BEGIN EXCLUSIVE";
    sqlx::raw_sql(lock).execute(&mut holder).await.unwrap();
    node.gate.open();
    // The lease is fifteen seconds long.
    tokio::time::sleep(Duration::from_secs(21)).await;
    assert!(!node.scheduler.health().is_ok(), "it is reported");
    sqlx::raw_sql("COMMIT").execute(&mut holder).await.unwrap();
    let mut recovered = false;
    while let Some(next) = node.events.try_next() {
        let text = format!("{next:?}");
        assert!(!text.contains("LeaseLost"), "{text}");
        recovered |= text.contains("StoreRecovered");
    }
    if !recovered {
        store_recovered(&mut node).await;
    }
    node.gate.open();
    for job in ["ends-meanwhile", "goes-on"] {
        ended(&node, job).await;
        let run = node.runs(job).await.remove(0);
        assert_eq!((run.state, run.attempt), (RunState::Succeeded, 1), "{job}");
        assert_eq!(node.log.count(job), 1, "{job} ran once");
    }
    node.stop().await;
}

/// Hangfire.PostgreSql#358, kestra#10653: a NUL or an odd character in an argument broke the whole queue.
#[tokio::test]
async fn odd_characters_in_arguments_are_stored_exactly_or_refused_by_name() {
    for place in Place::each() {
        let node = Node::start(place.store().await).await;
        let texts = [
            "a\0b",
            "\u{1}\u{7f}\u{ffff}",
            "👩‍👩‍👧 \u{202e}rtl",
            "e\u{301} 毎日",
            "'; DROP TABLE scheduler_jobs; --",
            "\\u0000 \\x00",
        ];
        for (number, text) in texts.into_iter().enumerate() {
            let id = format!("odd-{number}");
            match node
                .scheduler
                .add_job(note::job(text.into()).id(&*id).now())
                .await
            {
                Ok(_) => {
                    node.ran(&id, 1).await;
                    assert_eq!(node.log.texts(&id), [text]);
                }
                Err(error) => assert!(error.to_string().contains("text"), "{error}"),
            }
        }
        node.add(plain().id("plain").now()).await;
        node.ran("plain", 1).await;
        assert!(node.scheduler.health().is_ok());
        node.stop().await;
    }
}

/// oban#791, odd-jobs#42: a notification longer than 8,000 bytes failed the transaction that sent it.
#[tokio::test]
async fn many_jobs_with_long_ids_at_once_wake_other_nodes() {
    for place in Place::each() {
        let (one, other) = (
            Node::start(place.store().await).await,
            Node::start(place.store().await).await,
        );
        one.scheduler.pause();
        let long = "x".repeat(150);
        let jobs: Vec<Job> = (0..500)
            .map(|number| plain().id(format!("{long}-{number}")).now())
            .collect();
        one.scheduler.add_jobs(jobs).await.unwrap();
        other.ran(&format!("{long}-499"), 1).await;
        one.stop().await;
        other.stop().await;
    }
}

/// graphile-worker#475, graphile-worker#132, pg-boss#605: the service's role may not create tables.
#[tokio::test]
async fn role_that_may_not_create_tables_runs_what_an_owner_migrated() {
    let Some(place) = Place::postgres() else {
        return;
    };
    place.store().await.migrate().await.unwrap();
    let role = format!("service_{}", scheduler_core::NodeId::random());
    place
        .run(&format!(
            "CREATE ROLE {role} LOGIN; \
             REVOKE CREATE ON SCHEMA public FROM PUBLIC; \
             GRANT USAGE ON SCHEMA public TO {role}; \
             GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}; \
             GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}"
        ))
        .await;
    let url = format!("{}?options=-crole%3D{role}", place.url());
    let store = SqlStore::builder().migrate(false).connect(&url).await;
    let node = Node::start(store.unwrap()).await;
    node.add(plain().id("job").interval("100ms")).await;
    node.ran("job", 3).await;
    assert!(node.scheduler.health().is_ok());
    node.stop().await;
    place
        .run(&format!("DROP OWNED BY {role}; DROP ROLE {role}"))
        .await;
}

/// quartz#1087: a job stayed blocked after the connection was lost during its run.
#[tokio::test]
async fn job_whose_run_saw_the_connection_break_runs_again() {
    let Some(place) = Place::postgres() else {
        return;
    };
    let node = Node::start(place.store().await).await;
    node.add(later(wait_at_gate::job()).id("job")).await;
    for times in 1..=2 {
        until("there is a free slot", async || {
            let answer = node.scheduler.run_job_now("job").await;
            matches!(answer, Ok(scheduler_core::RunNow::Started(_)))
        })
        .await;
        node.ran("job", times).await;
        close_connections(&place).await;
        node.gate.open();
        ended(&node, "job").await;
        let run = node.runs("job").await.remove(0);
        assert_eq!((run.state, run.attempt), (RunState::Succeeded, 1));
    }
    node.stop().await;
}

/// `PrintStash` PR 181: a job could not be added in the caller's own transaction.
#[tokio::test]
async fn job_joins_the_transaction_of_the_caller() {
    for place in Place::each() {
        match &place {
            Place::Sqlite(folder) => {
                let options = sqlx::sqlite::SqliteConnectOptions::new()
                    .filename(folder.file())
                    .create_if_missing(true)
                    .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
                    .busy_timeout(Duration::from_secs(60));
                let pool = SqlitePool::connect_with(options).await.unwrap();
                let node = Node::start(SqlStore::from_pool(pool.clone()).await.unwrap()).await;
                joins_transactions!(node, pool);
            }
            Place::Postgres(database) => {
                let pool = PgPool::connect(&database.url()).await.unwrap();
                let node = Node::start(SqlStore::from_pool(pool.clone()).await.unwrap()).await;
                joins_transactions!(node, pool);
            }
        }
    }
}

/// apscheduler#157, apscheduler#268: `shutdown` hung, among other things because the database was down.
#[tokio::test]
async fn shutdown_ends_while_the_database_is_down_and_names_what_was_not_written() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let store = builder().connect(&cluster.url("postgres")).await.unwrap();
    let mut node = Node::start(store).await;
    node.add(later(wait_at_gate::job()).id("job")).await;
    node.scheduler.run_job_now("job").await.unwrap();
    node.ran("job", 1).await;
    cluster.stop(Stop::Fast);
    node.gate.open();
    store_failed(&mut node).await;
    let deadline = Shutdown::wait_up_to(Duration::from_secs(3));
    let stopping = node.scheduler.shutdown(deadline);
    let report = tokio::time::timeout(Duration::from_secs(90), stopping)
        .await
        .expect("it ends");
    assert_eq!(report.completed, 0, "{report}");
    let unwritten: Vec<_> = report
        .unwritten
        .iter()
        .map(|run| run.job_id.as_str())
        .collect();
    assert_eq!(unwritten, ["job"], "{report}");
    assert!(!report.is_clean());
}

/// pgbouncer#655, pgbouncer#976, `good_job`#1573, que#110, river#205: behind a pooler in transaction mode,
/// prepared statements failed, and notifications never came.
#[tokio::test]
async fn jobs_run_behind_a_transaction_pooler_and_lacking_notifications_are_reported() {
    let Some(place) = Place::postgres() else {
        return;
    };
    let Some(pooler) = Pgbouncer::before(&place.url(), PoolMode::Transaction) else {
        return;
    };
    let store = || async { SqlStore::connect(&pooler.url()).await.unwrap() };
    let (one, other) = (
        Node::start(store().await).await,
        Node::start(store().await).await,
    );
    one.scheduler.pause();
    one.add(plain().id("job").interval("100ms")).await;
    other.ran("job", 3).await;
    until("health says that notifications do not arrive", async || {
        other.scheduler.health().stores[0].notice.is_some()
    })
    .await;
    assert!(other.scheduler.health().is_ok());
    one.stop().await;
    other.stop().await;
}
