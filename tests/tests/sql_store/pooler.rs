//! PostgreSQL behind pgbouncer: statements are named where names survive, unnamed elsewhere, and nodes are woken
//! where notifications arrive.

use std::time::Duration;

use scheduler_core::store::Store;
use scheduler_sqlx::{SqlError, SqlStore, SqlStoreBuilder};
use scheduler_test_servers::pgbouncer::{Pgbouncer, PoolMode, knows_named_statements};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgConnection, PgPool};

use crate::proxy::Proxy;
use crate::support::{Node, Place, go_on, later, of_store, plain, until};

/// The polling interval of a node that no notification wakes.
const EACH_SECOND: Duration = Duration::from_secs(1);

const MODES: [PoolMode; 2] = [PoolMode::Session, PoolMode::Transaction];

/// So few server sessions, used in turn, that transactions run on sessions that other connections have used.
const FEW: &[(&str, &str)] = &[("default_pool_size", "3"), ("server_round_robin", "1")];

/// The same for versions that know named statements: 1.24 and later, unless configured otherwise.
const NAMED: &[(&str, &str)] = &[
    ("default_pool_size", "3"),
    ("server_round_robin", "1"),
    ("max_prepared_statements", "200"),
];

fn behind(place: &Place, mode: PoolMode) -> Option<Pgbouncer> {
    let settings = match mode {
        PoolMode::Session => &[],
        PoolMode::Transaction if knows_named_statements() == Some(true) => NAMED,
        PoolMode::Transaction => FEW,
    };
    Pgbouncer::before_with(&place.url(), mode, settings)
}

/// Another process, which adds and controls jobs but runs none.
async fn client(store: SqlStore) -> Node {
    Node::with(store, |builder| builder.client().without_static_jobs()).await
}

fn notice(node: &Node) -> Option<String> {
    node.scheduler.health().stores[0]
        .notice
        .as_ref()
        .map(ToString::to_string)
}

#[tokio::test]
async fn jobs_run_and_are_steered_behind_a_pooler_in_both_modes() {
    let Some(place) = Place::postgres() else {
        return;
    };
    for mode in MODES {
        let Some(pooler) = behind(&place, mode) else {
            return;
        };
        let open = || SqlStore::builder();
        assert_runs_and_is_steered(&pooler.url(), open, &format!("{mode:?}")).await;
    }
}

#[tokio::test]
async fn jobs_run_and_are_steered_with_statements_that_a_transaction_pooler_knows_by_name() {
    let Some(place) = Place::postgres() else {
        return;
    };
    let Some(pooler) = behind(&place, PoolMode::Transaction) else {
        return;
    };
    if knows_named_statements() == Some(false) {
        println!(
            "NOT RUN: named statements in transaction mode, which take pgbouncer 1.21 or later"
        );
        return;
    }
    let open = || SqlStore::builder().named_statements(true);
    assert_runs_and_is_steered(&pooler.url(), open, "named").await;
}

async fn assert_runs_and_is_steered(url: &str, open: impl Fn() -> SqlStoreBuilder, name: &str) {
    let node = Node::start(open().connect(url).await.unwrap()).await;
    let other = Node::start(open().connect(url).await.unwrap()).await;
    let client = client(open().connect(url).await.unwrap()).await;
    let (often, long) = (&*format!("often-{name}"), &*format!("long-{name}"));
    client
        .add(plain().id(often).interval("50ms").max_instances(50))
        .await;
    until("both nodes run it", async || {
        node.log.count(often) >= 5 && other.log.count(often) >= 5
    })
    .await;
    client.add(later(go_on::job()).id(long)).await;
    client.scheduler.run_job_now(long).await.unwrap();
    until("it runs", async || {
        node.log.count(long) + other.log.count(long) == 1
    })
    .await;
    let run = client.runs(long).await[0].clone();
    client.scheduler.cancel_run(run.id).await.unwrap();
    until("it has stopped", async || {
        client.runs(long).await[0].state.is_final()
    })
    .await;
    client.scheduler.pause_job(often).await.unwrap();
    let hourly = "every 1h".parse().unwrap();
    client
        .scheduler
        .reschedule_job(often, hourly)
        .await
        .unwrap();
    let runs = client.runs(often).await;
    assert!(runs.len() >= 10, "{}", runs.len());
    for node in [client, other, node] {
        let health = node.scheduler.health();
        assert!(health.is_ok(), "{health:?}");
        node.stop().await;
    }
}

#[tokio::test]
async fn session_mode_wakes_and_transaction_mode_says_that_it_does_not() {
    let Some(place) = Place::postgres() else {
        return;
    };
    for mode in MODES {
        let Some(pooler) = behind(&place, mode) else {
            return;
        };
        let store = SqlStore::connect(&pooler.url()).await.unwrap();
        let node = Node::start(store.clone()).await;
        let client = client(SqlStore::connect(&pooler.url()).await.unwrap()).await;
        match mode {
            PoolMode::Session => {
                // The node sleeps, and the client wakes it.
                place.listeners(1).await;
                until("it sleeps", async || store.poll_every() > EACH_SECOND).await;
                assert_eq!(notice(&node), None);
            }
            PoolMode::Transaction => {
                until("health says it", async || notice(&node).is_some()).await;
                let notice = notice(&node).unwrap();
                assert!(
                    notice.contains("listen_url") && notice.contains("pooler"),
                    "{notice}"
                );
                assert!(node.scheduler.health().is_ok());
                assert_eq!(store.poll_every(), EACH_SECOND);
            }
        }
        let id = format!("now-{mode:?}");
        client.add(plain().id(&*id).now()).await;
        node.ran(&id, 1).await;
        client.stop().await;
        node.stop().await;
    }
}

/// Waits until a node reports that notifications do not reach it, and asserts that it polls often instead.
async fn is_deaf(node: &Node, store: &SqlStore) {
    until("health says it", async || {
        notice(node).is_some_and(|notice| notice.contains("listen_url"))
    })
    .await;
    let notice = notice(node).unwrap();
    assert!(notice.contains("pooler"), "{notice}");
    assert!(node.scheduler.health().is_ok());
    assert_eq!(store.poll_every(), EACH_SECOND);
}

#[tokio::test]
async fn transaction_pooler_in_the_listen_url_is_noticed_before_a_session_of_others_listens() {
    let Some(place) = Place::postgres() else {
        return;
    };
    let Some(pooler) = behind(&place, PoolMode::Transaction) else {
        return;
    };
    let proxy = Proxy::before(&pooler.url()).await;
    proxy.go_silent_before("LISTEN ");
    let store = SqlStore::builder()
        .listen_url(proxy.url())
        .connect(&place.url())
        .await
        .unwrap();
    let node = Node::start(store.clone()).await;
    is_deaf(&node, &store).await;
    assert!(!proxy.is_silent(), "nobody listens through it");
    let client = client(place.store().await).await;
    client.add(plain().id("now").now()).await;
    node.ran("now", 1).await;
    client.stop().await;
    node.stop().await;
}

#[tokio::test]
async fn transaction_pooler_that_comes_between_is_noticed_before_a_session_of_others_listens() {
    let Some(place) = Place::postgres() else {
        return;
    };
    let Some(pooler) = behind(&place, PoolMode::Transaction) else {
        return;
    };
    let proxy = Proxy::before(&place.url()).await;
    let store = SqlStore::from_pool(proxy.pool()).await.unwrap();
    let node = Node::start(store.clone()).await;
    place.listeners(1).await;
    until("it sleeps", async || store.poll_every() > EACH_SECOND).await;

    proxy.lead_to(&pooler.url());
    proxy.go_silent_before("LISTEN ");
    place.end_listeners().await;
    is_deaf(&node, &store).await;
    assert!(!proxy.is_silent(), "nobody listens through it");
    let client = client(place.store().await).await;
    client.add(plain().id("now").now()).await;
    node.ran("now", 1).await;
    client.stop().await;
    node.stop().await;
}

/// A pooler accepts a connection at once, and holds its first statement until a server session is free.
#[tokio::test]
async fn store_that_gets_no_session_of_the_server_from_a_pooler_is_not_opened() {
    let Some(place) = Place::postgres() else {
        return;
    };
    // The pooler also times out, with another error.
    let one_session = &[("default_pool_size", "1"), ("query_wait_timeout", "100")];
    let pooler = Pgbouncer::before_with(&place.url(), PoolMode::Session, one_session);
    let Some(pooler) = pooler else {
        return;
    };
    let options: PgConnectOptions = pooler.url().parse().unwrap();
    let mut holder = options.extra_float_digits(None).connect().await.unwrap();
    let take = sqlx::raw_sql("SELECT 1");
    take.execute(&mut holder).await.unwrap();
    for migrates in [true, false] {
        let store = SqlStore::builder().migrate(migrates);
        let error = store.connect(&pooler.url()).await.unwrap_err();
        assert!(matches!(error, SqlError::NoConnection(_)), "{error}");
        assert!(error.to_string().contains("pooler"), "{error}");
    }
    holder.close().await.unwrap();
}

#[tokio::test]
async fn peer_that_stops_answering_while_a_pooler_is_looked_for_is_given_up() {
    let Some(place) = Place::postgres() else {
        return;
    };
    let proxy = Proxy::before(&place.url()).await;
    let pool = proxy.pool();
    // The pool has its connection; the one that checks for a pooler is held.
    drop(pool.acquire().await.unwrap());
    until("it is idle", async || pool.num_idle() == 1).await;
    proxy.hold_new_ones();
    let opened = SqlStore::from_pool(pool);
    let opened = tokio::time::timeout(Duration::from_secs(100), opened).await;
    let error = opened.expect("it hangs").unwrap_err();
    assert!(matches!(error, SqlError::NoConnection(_)), "{error}");
}

/// A failure to reach the server at all does not indicate a pooler.
#[tokio::test]
async fn role_that_is_locked_out_while_the_store_is_opened_is_told_instead_of_a_pooler() {
    let Some(place) = Place::postgres() else {
        return;
    };
    let role = format!("locked_{}", scheduler_core::NodeId::random());
    place
        .run(&format!("CREATE ROLE \"{role}\" LOGIN SUPERUSER"))
        .await;
    let options: PgConnectOptions = place.url().parse().unwrap();
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .connect_with(options.username(&role))
        .await
        .unwrap();
    // The pool keeps its connection.
    place.run(&format!("ALTER ROLE \"{role}\" NOLOGIN")).await;
    let error = SqlStore::from_pool(pool.clone()).await.unwrap_err();
    pool.close().await;
    place.run(&format!("DROP ROLE \"{role}\"")).await;
    assert!(matches!(error, SqlError::Denied(_)), "{error}");
}

#[tokio::test]
async fn node_behind_a_transaction_pooler_is_woken_through_its_listen_url() {
    let Some(place) = Place::postgres() else {
        return;
    };
    let Some(pooler) = behind(&place, PoolMode::Transaction) else {
        return;
    };
    let store = SqlStore::builder()
        .listen_url(place.url())
        .connect(&pooler.url())
        .await
        .unwrap();
    let node = Node::start(store).await;
    let client = client(SqlStore::connect(&pooler.url()).await.unwrap()).await;
    place.listeners(1).await;
    for number in 0..3 {
        let id = format!("now-{number}");
        client.add(plain().id(&*id).now()).await;
        node.ran(&id, 1).await;
    }
    assert_eq!(notice(&node), None);
    client.stop().await;
    node.stop().await;
}

#[tokio::test]
async fn listen_url_of_another_database_is_noticed() {
    let (Some(place), Some(elsewhere)) = (Place::postgres(), Place::postgres()) else {
        return;
    };
    let store = SqlStore::builder()
        .listen_url(elsewhere.url())
        .connect(&place.url())
        .await
        .unwrap();
    let node = Node::start(store).await;
    until("health says it", async || notice(&node).is_some()).await;
    let notice = notice(&node).unwrap();
    assert!(notice.contains("the same database"), "{notice}");
    node.stop().await;
}

#[tokio::test]
async fn listen_url_that_is_none_is_refused() {
    let Some(place) = Place::postgres() else {
        return;
    };
    // The right URL with another scheme.
    let url = place.url();
    let (_, rest) = url.split_once(':').unwrap();
    let others = ["mysql", "http", "sqlite"].map(|scheme| format!("{scheme}:{rest}"));
    let none = ["postgres://db:port/app", "db", ""].map(str::to_owned);
    for url in others.iter().chain(&none) {
        let store = SqlStore::builder().listen_url(url);
        let error = store.connect(&place.url()).await.unwrap_err();
        assert!(matches!(error, SqlError::Url { .. }), "{url}: {error}");
    }
}

/// Returns an application's pool, configured for a pooler that refuses the parameters that sqlx sends at startup.
fn pool(pooler: &Pgbouncer) -> PgPool {
    let options: PgConnectOptions = pooler.url().parse().unwrap();
    PgPoolOptions::new()
        .max_connections(4)
        .connect_lazy_with(options.extra_float_digits(None))
}

#[tokio::test]
async fn job_is_added_in_a_transaction_behind_a_pooler_and_outside_of_one() {
    let Some(place) = Place::postgres() else {
        return;
    };
    for mode in MODES {
        let Some(pooler) = behind(&place, mode) else {
            return;
        };
        let pool = pool(&pooler);
        let store = SqlStore::from_pool(pool.clone()).await.unwrap();
        let node = Node::start(store.clone()).await;
        let id = |what: &str| format!("{what}-{mode:?}");
        let job = |what: &str| {
            let job = plain().id(id(what)).now();
            node.scheduler.prepare_job(job).unwrap()
        };

        let mut transaction = pool.begin().await.unwrap();
        let kept = job("kept");
        store.add_job_in(&mut *transaction, kept).await.unwrap();
        transaction.commit().await.unwrap();

        let mut connection = pool.acquire().await.unwrap();
        sqlx::raw_sql("BEGIN")
            .execute(&mut *connection)
            .await
            .unwrap();
        let undone = job("undone");
        store.add_job_in(&mut *connection, undone).await.unwrap();
        sqlx::raw_sql("ROLLBACK")
            .execute(&mut *connection)
            .await
            .unwrap();

        let alone = job("alone");
        store.add_job_in(&mut *connection, alone).await.unwrap();
        // A job other than `alone`, which may have finished so that its id could be used again.
        let hourly = || {
            let job = plain().id(id("hourly")).interval("1h");
            node.scheduler.prepare_job(job).unwrap()
        };
        store.add_job_in(&mut *connection, hourly()).await.unwrap();
        let again = store.add_job_in(&mut *connection, hourly()).await;
        let error = again.unwrap_err();
        assert!(
            matches!(error, scheduler_core::Error::JobExists { .. }),
            "{error}"
        );
        drop(connection);

        node.ran(&id("kept"), 1).await;
        node.ran(&id("alone"), 1).await;
        let found = node.scheduler.get_job(&id("undone")).await.unwrap();
        assert!(found.is_none(), "rolled back");
        node.stop().await;
    }
}

/// Makes calls until one fails.
async fn failure(store: SqlStore, name: &str) -> Option<scheduler_core::Error> {
    let client = match Node::try_with(store, |builder| builder.client().without_static_jobs()).await
    {
        Ok(client) => client,
        Err(error) => return Some(error),
    };
    for number in 0..40 {
        let job = later(plain()).id(format!("{name}-{number}"));
        let (added, listed) =
            tokio::join!(client.scheduler.add_job(job), client.scheduler.get_jobs());
        if let Some(error) = added.err().or(listed.err()) {
            return Some(error);
        }
    }
    client.stop().await;
    None
}

#[tokio::test]
async fn named_statements_behind_a_transaction_pooler_work_or_name_it_and_the_cure() {
    let Some(place) = Place::postgres() else {
        return;
    };
    let Some(pooler) = behind(&place, PoolMode::Transaction) else {
        return;
    };
    let url = pooler.url();
    let open = || SqlStore::builder().named_statements(true).connect(&url);
    let (one, other) = match (open().await, open().await) {
        (Ok(one), Ok(other)) => (one, other),
        (Err(error), _) | (_, Err(error)) => {
            assert!(!knows_named_statements().unwrap(), "{error}");
            return assert_names_pooler(&error);
        }
    };
    let (one, other) = tokio::join!(failure(one, "one"), failure(other, "other"));
    let failed = one.or(other);
    if knows_named_statements().unwrap() {
        assert!(failed.is_none(), "{failed:?}");
    } else {
        assert_names_pooler(of_store(
            &failed.expect("named statements are not found again"),
        ));
    }
}

fn assert_names_pooler(error: &SqlError) {
    assert!(matches!(error, SqlError::Pooler(_)), "{error}");
    let text = error.to_string();
    for word in [
        "pgbouncer",
        "named_statements(false)",
        "max_prepared_statements",
    ] {
        assert!(text.contains(word), "{word}: {text}");
    }
}

#[tokio::test]
async fn statements_lose_their_names_once_one_was_not_found_again() {
    let Some(place) = Place::postgres() else {
        return;
    };
    // Acts like a pooler that replaces a direct connection.
    let options: PgConnectOptions = place.url().parse().unwrap();
    let pool = PgPoolOptions::new()
        .max_connections(2)
        .after_release(|connection, _| {
            Box::pin(async move {
                sqlx::raw_sql("DISCARD ALL").execute(connection).await?;
                Ok(true)
            })
        })
        .connect_lazy_with(options);
    let store = SqlStore::builder()
        .lease(Duration::from_secs(120))
        .from_pool(pool)
        .await
        .unwrap();
    let client = client(store).await;
    let mut failures = 0;
    for number in 0..20 {
        let job = later(plain()).id(format!("job-{number}"));
        if let Err(error) = client.scheduler.add_job(job).await {
            assert!(matches!(of_store(&error), SqlError::Pooler(_)), "{error}");
            failures += 1;
        }
    }
    assert!((1..=4).contains(&failures), "{failures} failures");
    assert!(client.scheduler.get_jobs().await.is_ok());
    client.stop().await;
}

#[tokio::test]
async fn direct_connections_name_their_statements() {
    let Some(place) = Place::postgres() else {
        return;
    };
    // A single connection, so that the statements are those of the connection that the test inspects.
    let pool = PgPoolOptions::new().max_connections(1);
    let pool = pool.connect(&place.url()).await.unwrap();
    let store = SqlStore::from_pool(pool.clone()).await.unwrap();
    let client = client(store).await;
    client.add(later(plain()).id("job")).await;
    let mut connection = pool.acquire().await.unwrap();
    assert!(connection.cached_statements_size() > 0);
    let named: i64 = sqlx::query_scalar("SELECT count(*) FROM pg_prepared_statements")
        .fetch_one(&mut *connection as &mut PgConnection)
        .await
        .unwrap();
    assert!(named > 0);
    drop(connection);
    client.stop().await;
}
