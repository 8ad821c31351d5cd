//! How much work nodes cause in a database: idle nodes, nodes beside many dead ones, and nodes under another client's
//! long transaction.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use scheduler_core::store::{Cluster as _, NewNode};
use scheduler_core::testing::VirtualClock;
use scheduler_core::{Clock, NodeId, Trigger};
use scheduler_sqlx::SqlStore;
use scheduler_test_servers::postgres::Cluster;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};
use sqlx::{Connection, PgConnection};

use crate::support::{Folder, Node, Place, later, plain};
use crate::world::{EPOCH, minutes};

async fn node(store: SqlStore, clock: &VirtualClock) -> Node {
    Node::with(store, |builder| {
        builder.without_static_jobs().clock(clock.clone())
    })
    .await
}

/// Waits until all connections to the database are closed: a server counts a connection's work at its end at the
/// latest. Queries another database, so that its own connection is not counted.
async fn all_have_gone(url: &str) {
    let url: PgConnectOptions = url.parse().unwrap();
    let name = url.get_database().unwrap().to_owned();
    let clients = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 \
                   AND backend_type = 'client backend' AND application_name <> 'forgotten'";
    let mut beside = beside(url).await;
    let mut clients = async || -> i64 {
        let clients = sqlx::query_scalar(clients).bind(&name);
        clients.fetch_one(&mut beside).await.unwrap()
    };
    while clients().await > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn beside(url: PgConnectOptions) -> PgConnection {
    PgConnection::connect_with(&url.database("postgres"))
        .await
        .unwrap()
}

/// What is counted on each connection that a store opens to a file.
#[derive(Clone, Copy)]
enum Counted {
    /// Transactions that have written.
    Commits,
    /// Instructions of SQLite's virtual machine.
    Instructions,
}

/// Creates a store on a file, and returns it with the count.
async fn counted_store(folder: &Folder, what: Counted) -> (SqlStore, Arc<AtomicI64>) {
    let options = SqliteConnectOptions::new()
        .filename(folder.file())
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .busy_timeout(Duration::from_secs(60));
    let count = Arc::new(AtomicI64::new(0));
    let counting = count.clone();
    let pool = SqlitePoolOptions::new().after_connect(move |connection, _| {
        let counting = counting.clone();
        Box::pin(async move {
            let mut handle = connection.lock_handle().await?;
            let add = move || {
                counting.fetch_add(1, Ordering::SeqCst);
                true
            };
            match what {
                Counted::Commits => handle.set_commit_hook(add),
                Counted::Instructions => handle.set_progress_handler(1, add),
            }
            Ok(())
        })
    });
    let store = SqlStore::from_pool(pool.connect_lazy_with(options)).await;
    (store.unwrap(), count)
}

/// By then, nodes have done what they do when they start.
const STARTED: Duration = Duration::from_secs(10);
/// Longer than the period of the duties that run once a minute.
const IDLE: Duration = Duration::from_secs(61);

/// Asserts that two nodes whose only job is far from being due each make at most one transaction in two seconds.
async fn assert_idle(stores: [SqlStore; 2], mut count: impl FnMut() -> i64) {
    let [one, other] = stores;
    let (one, other) = (Node::start(one).await, Node::start(other).await);
    one.add(later(plain()).id("job")).await;
    tokio::time::sleep(STARTED).await;
    let before = count();
    tokio::time::sleep(IDLE).await;
    let (while_idle, seconds) = (count() - before, i64::try_from(IDLE.as_secs()).unwrap());
    // A heartbeat is sent at least every ten seconds.
    assert!(while_idle >= seconds / 5, "{while_idle} in {seconds} s");
    assert!(while_idle <= seconds, "{while_idle} in {seconds} s");
    assert!(one.scheduler.health().is_ok() && other.scheduler.health().is_ok());
    one.stop().await;
    other.stop().await;
}

/// Counts the transactions in a server's statement log, whose lines begin with the process number.
fn transactions(log: &str) -> i64 {
    let (mut count, mut open) = (0, HashSet::new());
    for line in log.lines() {
        let Some((process, said)) = line.split_once(" LOG:  ") else {
            continue;
        };
        let Some((_, statement)) = said.split_once(": ") else {
            continue;
        };
        if statement.starts_with("COMMIT") || statement.starts_with("ROLLBACK") {
            open.remove(process);
        } else if statement.starts_with("BEGIN") {
            count += 1;
            open.insert(process);
        } else if !open.contains(process) {
            count += 1;
        }
    }
    count
}

/// `solid_queue`#625, `solid_queue`#482: idle nodes still put load on their database.
#[tokio::test]
async fn idle_nodes_ask_for_a_transaction_in_two_seconds_at_most() {
    let of_a_file = async {
        let folder = Folder::new();
        let (one, by_one) = counted_store(&folder, Counted::Commits).await;
        let (other, by_other) = counted_store(&folder, Counted::Commits).await;
        let count = || by_one.load(Ordering::SeqCst) + by_other.load(Ordering::SeqCst);
        assert_idle([one, other], count).await;
    };
    let of_a_server = async {
        let log = [("log_statement", "all"), ("log_line_prefix", "%p ")];
        let Some(cluster) = Cluster::start_with(&log) else {
            return;
        };
        let store = async || SqlStore::connect(&cluster.url("postgres")).await.unwrap();
        let log = cluster.folder().join("log");
        let count = || transactions(&std::fs::read_to_string(&log).unwrap());
        assert_idle([store().await, store().await], count).await;
    };
    tokio::join!(of_a_file, of_a_server);
}

fn new_node(id: u64) -> NewNode {
    NewNode {
        id: NodeId::new(id),
        name: format!("node-{id}").into(),
        version: "".into(),
    }
}

/// The number of heartbeats over which the cost is measured.
const HEARTBEATS: i64 = 50;

async fn join_and_renew(store: &SqlStore, node: u64) {
    store.join(&new_node(node)).await.unwrap();
    for _ in 0..HEARTBEATS {
        let heartbeat = store.heartbeat(NodeId::new(node)).await.unwrap();
        assert!(heartbeat.is_alive && !heartbeat.has_lost);
    }
    store.leave(NodeId::new(node)).await.unwrap();
}

/// Inserts the rows of dead nodes.
async fn bury_nodes(place: &Place, count: i64) {
    let numbers = match place {
        Place::Postgres(_) => format!("generate_series(1, {count}) AS n(i)"),
        Place::Sqlite(_) => format!(
            "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) \
             SELECT i FROM n)"
        ),
    };
    let dead = match place {
        Place::Postgres(_) => "FALSE",
        Place::Sqlite(_) => "0",
    };
    place
        .run(&format!(
            "INSERT INTO scheduler_nodes (id, name, version, started_at, heartbeat_at, lease_until, is_alive) \
             SELECT i, 'gone', '', i, i, i, {dead} FROM {numbers}"
        ))
        .await;
}

/// shakenfist#3499: every heartbeat read thousands of nodes that had died long ago.
#[tokio::test]
async fn heartbeat_reads_no_more_beside_many_dead_nodes() {
    let Some(place) = Place::postgres() else {
        return;
    };
    place.store().await.migrate().await.unwrap();
    bury_nodes(&place, 20_000).await;
    place.run("ANALYZE scheduler_nodes").await;
    all_have_gone(&place.url()).await;
    let read = "SELECT (t.seq_tup_read + coalesce(t.idx_tup_fetch, 0) + i.read)::bigint \
         FROM pg_stat_user_tables t, (SELECT sum(idx_tup_read) AS read FROM pg_stat_user_indexes \
             WHERE relname = 'scheduler_nodes') i WHERE t.relname = 'scheduler_nodes'";
    let before = place.number(read).await;
    let store = place.store().await;
    join_and_renew(&store, 100_001).await;
    drop(store);
    all_have_gone(&place.url()).await;
    let rows = place.number(read).await - before;
    assert!(rows >= HEARTBEATS, "its own row at least: {rows}");
    assert!(rows < 20 * HEARTBEATS, "{rows}");
}

/// The same for a file.
#[tokio::test]
async fn heartbeat_takes_no_more_instructions_beside_many_dead_nodes() {
    let place = Place::sqlite();
    let Place::Sqlite(folder) = &place else {
        return;
    };
    let (store, count) = counted_store(folder, Counted::Instructions).await;
    join_and_renew(&store, 100_001).await;
    let alone = count.swap(0, Ordering::SeqCst);
    bury_nodes(&place, 20_000).await;
    count.store(0, Ordering::SeqCst);
    join_and_renew(&store, 100_002).await;
    let among_many = count.load(Ordering::SeqCst);
    assert!(alone > HEARTBEATS, "{alone}");
    assert!(among_many < 2 * alone, "{alone} before, {among_many} after");
}

/// The jobs of a busy node.
struct Jobs {
    count: i64,
    every: TimeDelta,
    /// How many are due at the same time.
    at_once: i64,
}

impl Jobs {
    async fn add(&self, place: &Place, clock: &VirtualClock) {
        let client = Node::with(place.store().await, |builder| {
            builder.client().without_static_jobs().clock(clock.clone())
        })
        .await;
        let every = self.every.num_milliseconds();
        let jobs = (0..self.count).map(|number| {
            let after = every * (number / self.at_once) / (self.count / self.at_once);
            let start = clock.now() + TimeDelta::milliseconds(after);
            let trigger = format!("every {every}ms start={}", start.to_rfc3339());
            let job = plain().id(format!("job-{number}"));
            job.trigger(trigger.parse::<Trigger>().unwrap())
        });
        client.scheduler.add_jobs(jobs).await.unwrap();
        client.stop().await;
    }

    /// Lets a node run for this long, and returns how many table and index blocks were read per run.
    async fn blocks_a_fire(&self, place: &Place, clock: &VirtualClock, length: TimeDelta) -> i64 {
        let blocks = "SELECT (sum(heap_blks_hit + heap_blks_read + idx_blks_hit + idx_blks_read))::bigint \
                      FROM pg_statio_user_tables";
        let before = place.number(blocks).await;
        let node = node(place.store().await, clock).await;
        clock.advance(length).await;
        let fires: usize = (0..self.count)
            .map(|number| node.log.count(&format!("job-{number}")))
            .sum();
        node.stop().await;
        all_have_gone(&place.url()).await;
        let (fires, expected) = (
            i64::try_from(fires).unwrap(),
            self.count * (length.num_milliseconds() / self.every.num_milliseconds()),
        );
        assert!(fires >= expected * 9 / 10, "{fires} of {expected}");
        (place.number(blocks).await - before) / fires
    }

    /// Asserts that a run takes at most twice as many blocks after another client's transaction has been open for
    /// five minutes. The cost is measured over `length`, before and after.
    async fn assert_cheap_beside_a_transaction(&self, length: TimeDelta) {
        let Some(place) = Place::postgres() else {
            return;
        };
        let clock = VirtualClock::at(EPOCH).unwrap();
        self.add(&place, &clock).await;
        all_have_gone(&place.url()).await;

        let mut forgotten = PgConnection::connect(&place.url()).await.unwrap();
        let snapshot = "SET application_name TO forgotten; \
            BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM scheduler_jobs";
        sqlx::raw_sql(snapshot)
            .execute(&mut forgotten)
            .await
            .unwrap();
        let at_first = self.blocks_a_fire(&place, &clock, length).await;
        self.blocks_a_fire(&place, &clock, minutes(5)).await;
        let at_last = self.blocks_a_fire(&place, &clock, length).await;
        forgotten.close().await.unwrap();
        assert!(
            at_last <= 2 * at_first,
            "{at_first} blocks a fire at first, {at_last} at last"
        );
    }
}

/// oban#79, que#240, pg-boss#876, graphile-worker#350: claims slowed down as dead rows piled up behind another
/// client's long transaction.
#[tokio::test(start_paused = true)]
async fn claims_read_at_most_twice_as_much_after_five_minutes_of_a_long_transaction() {
    let jobs = Jobs {
        count: 900,
        every: minutes(1),
        at_once: 5,
    };
    jobs.assert_cheap_beside_a_transaction(minutes(1)).await;
}

/// The same with hundreds of dead versions of each job's row, and as many ended runs of the job.
#[tokio::test(start_paused = true)]
async fn claims_of_jobs_that_fire_every_second_do_so_too() {
    let jobs = Jobs {
        count: 20,
        every: TimeDelta::seconds(1),
        at_once: 5,
    };
    // Full polls, one every ten seconds, cost the most: over a minute, one more or less hardly matters.
    jobs.assert_cheap_beside_a_transaction(minutes(1)).await;
}
