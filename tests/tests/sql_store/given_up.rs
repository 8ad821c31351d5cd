//! Calls that are abandoned while the database is still committing their writes: the writes are found afterwards.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use scheduler_core::store::{ClaimRequest, Claimable, Cluster, ManualRequest, NewNode, Store};
use scheduler_core::{NodeId, RunIds, RunKind};
use scheduler_sqlx::SqlStore;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};
use sqlx::{Connection, PgConnection};

use crate::support::{Node, Place, later, plain, until};

const NODE: NodeId = NodeId::new(1);

/// A store in which a node has made a run live, in a call that was abandoned during its COMMIT.
struct Committing {
    place: Place,
    store: SqlStore,
    gate: Gate,
}

/// Keeps the COMMIT from completing.
enum Gate {
    Sqlite(Arc<Hook>),
    /// The connection that holds a lock for which the COMMIT waits.
    Postgres(PgConnection),
}

/// The state of a COMMIT in SQLite.
#[derive(Default)]
struct Hook {
    is_shut: AtomicBool,
    is_reached: AtomicBool,
}

#[derive(Debug, Clone, Copy)]
enum Call {
    Claim,
    RunNow,
}

impl Committing {
    async fn new(place: Place, call: Call) -> Self {
        let hook = Arc::<Hook>::default();
        let store = match &place {
            Place::Sqlite(folder) => {
                let options = SqliteConnectOptions::new()
                    .filename(folder.file())
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    .busy_timeout(Duration::from_secs(20));
                let waits = hook.clone();
                let pool = SqlitePoolOptions::new().after_connect(move |connection, _| {
                    let waits = waits.clone();
                    Box::pin(async move {
                        connection.lock_handle().await?.set_commit_hook(move || {
                            waits.pass();
                            true
                        });
                        Ok(())
                    })
                });
                let pool = pool.connect_with(options).await.unwrap();
                SqlStore::from_pool(pool).await.unwrap()
            }
            Place::Postgres(_) => place.store().await,
        };
        let client = Node::with(store.clone(), |builder| {
            builder.client().without_static_jobs()
        });
        client.await.add(later(plain()).id("job")).await;
        let node = NewNode {
            id: NODE,
            name: "node".into(),
            version: "1".into(),
        };
        Cluster::join(&store, &node).await.unwrap();
        let gate = Gate::shut(&place, hook).await;
        let committing = Self { place, store, gate };
        let store = committing.store.clone();
        let given_up = tokio::spawn(async move { make_live(&store, call).await });
        until("the COMMIT has begun", async || {
            committing.is_committing().await
        })
        .await;
        given_up.abort();
        assert!(given_up.await.unwrap_err().is_cancelled());
        committing
    }

    async fn is_committing(&self) -> bool {
        match &self.gate {
            Gate::Sqlite(hook) => hook.is_reached.load(Ordering::SeqCst),
            Gate::Postgres(_) => self.waiting().await > 0,
        }
    }

    /// Returns how many PostgreSQL sessions wait for a lock.
    async fn waiting(&self) -> i64 {
        self.place
            .number(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
                 AND datname = current_database()",
            )
            .await
    }

    /// Waits until a store call waits for the COMMIT, or has finished without waiting.
    async fn until_waiting<T>(&self, call: &tokio::task::JoinHandle<T>) {
        match &self.gate {
            // Waiting for the file is not visible from outside.
            Gate::Sqlite(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            Gate::Postgres(_) => {
                until("it waits, or is over", async || {
                    self.waiting().await > 1 || call.is_finished()
                })
                .await;
            }
        }
    }

    /// Lets the COMMIT complete.
    async fn open(&mut self) {
        match &mut self.gate {
            Gate::Sqlite(hook) => hook.is_shut.store(false, Ordering::SeqCst),
            Gate::Postgres(lock) => {
                let unlock = sqlx::raw_sql("SELECT pg_advisory_unlock(1)");
                unlock.execute(lock).await.unwrap();
            }
        }
        let live = "SELECT count(*) FROM scheduler_runs WHERE slot = 2";
        until("the run is live", async || {
            self.place.number(live).await == 1
        })
        .await;
    }
}

impl Gate {
    async fn shut(place: &Place, hook: Arc<Hook>) -> Self {
        match place {
            Place::Sqlite(_) => {
                hook.is_shut.store(true, Ordering::SeqCst);
                Self::Sqlite(hook)
            }
            Place::Postgres(_) => {
                place
                    .run(
                        "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS \
                            $$ BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END $$; \
                         CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON scheduler_runs \
                            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait()",
                    )
                    .await;
                let mut lock = PgConnection::connect(&place.url()).await.unwrap();
                let locked = sqlx::raw_sql("SELECT pg_advisory_lock(1)");
                locked.execute(&mut lock).await.unwrap();
                Self::Postgres(lock)
            }
        }
    }
}

impl Hook {
    /// Blocks the connection's thread until the gate is open.
    fn pass(&self) {
        while self.is_shut.load(Ordering::SeqCst) {
            self.is_reached.store(true, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Makes a run of the job live on the node.
async fn make_live(store: &SqlStore, call: Call) {
    let (run_ids, now) = (RunIds::new(1), Utc::now());
    match call {
        Call::Claim => {
            let claimable = Claimable::new([].into(), ["note".into()].into());
            let capacity = [("default".into(), 1)].into();
            let due = now + TimeDelta::hours(25);
            let request = ClaimRequest::new(NODE, due, &claimable, &capacity, &run_ids);
            store.claim(&request).await.unwrap();
        }
        Call::RunNow => {
            let run_id = run_ids.next(now);
            let request = ManualRequest::new("job", RunKind::Manual, run_id, now).holder(NODE);
            store.run_now(&request).await.unwrap();
        }
    }
}

#[tokio::test]
async fn run_that_was_being_committed_is_among_those_that_its_node_holds() {
    for call in [Call::Claim, Call::RunNow] {
        for place in Place::each() {
            let mut committing = Committing::new(place, call).await;
            let store = committing.store.clone();
            let held = tokio::spawn(async move { store.list_held(NODE).await.unwrap() });
            committing.until_waiting(&held).await;
            if matches!(committing.place, Place::Postgres(_)) {
                let heartbeat = Cluster::heartbeat(&committing.store, NODE);
                let heartbeat = tokio::time::timeout(Duration::from_secs(5), heartbeat);
                assert!(heartbeat.await.unwrap().unwrap().is_alive);
            }
            committing.open().await;
            let held = held.await.unwrap();
            assert_eq!(held.len(), 1, "{call:?}, {:?}", committing.place);
        }
    }
}

#[tokio::test]
async fn node_whose_run_was_being_committed_does_not_leave() {
    for place in Place::each() {
        let mut committing = Committing::new(place, Call::RunNow).await;
        let store = committing.store.clone();
        let leaving = tokio::spawn(async move { Cluster::leave(&store, NODE).await.unwrap() });
        committing.until_waiting(&leaving).await;
        committing.open().await;
        leaving.await.unwrap();
        // The node is still marked alive: its lease will expire, and other nodes will take the run over.
        let alive = "SELECT count(*) FROM scheduler_nodes WHERE is_alive = ";
        let alive = match committing.place {
            Place::Sqlite(_) => format!("{alive}1"),
            Place::Postgres(_) => format!("{alive}TRUE"),
        };
        let place = &committing.place;
        assert_eq!(place.number(&alive).await, 1, "{place:?}");
    }
}
