//! Processes with wrong clocks over a store that has a clock: everything is decided and recorded by the store's
//! clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use scheduler_core::prelude::*;
use scheduler_core::store::{
    Call, Heartbeat, Intercept, Intercepted, Lease, NewNode, Store, StoreFuture, TakenOver,
};
use scheduler_core::{
    Builder, Clock, EventKind, JobPatch, MemoryStore, NextEvent, Node, NodeId, RunFilter,
    SkipReason, SkippedFilter,
};
use scheduler_store_tests::{Fault, Faults, faulty};
use tokio::time::{Instant, sleep};

use crate::leased::LEASE;
use crate::support::{Journal, epoch, minutes, seconds, work};

/// A wrong clock that advances on its own.
#[derive(Debug, Clone)]
struct Wrong {
    origin: Instant,
    /// In seconds.
    error: Arc<AtomicI64>,
}

impl Wrong {
    fn by(error: i64) -> Self {
        Self {
            origin: Instant::now(),
            error: Arc::new(AtomicI64::new(error)),
        }
    }

    fn set(&self, error: i64) {
        self.error.store(error, Ordering::SeqCst);
    }
}

impl Clock for Wrong {
    fn now(&self) -> DateTime<Utc> {
        let error = seconds(self.error.load(Ordering::SeqCst));
        epoch() + TimeDelta::from_std(self.origin.elapsed()).unwrap() + error
    }

    fn is_real(&self) -> bool {
        true
    }

    fn heartbeats_from_thread(&self) -> bool {
        false
    }

    fn boot_time(&self) -> Option<Duration> {
        Some(self.origin.elapsed())
    }
}

/// A memory store with a clock, which processes share.
#[derive(Debug, Clone)]
struct Clocked {
    memory: MemoryStore,
    clock: Wrong,
}

impl Clocked {
    fn new() -> Self {
        Self {
            memory: MemoryStore::new(),
            clock: Wrong::by(0),
        }
    }

    fn store(&self) -> Intercepted<Self> {
        Intercepted::new(Arc::new(self.memory.clone()), self.clone())
    }

    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }
}

impl Intercept for Clocked {
    fn store_time<'a>(&'a self, _store: &'a dyn Store) -> StoreFuture<'a, Option<DateTime<Utc>>> {
        Box::pin(std::future::ready(Ok(Some(self.now()))))
    }

    fn has_cluster(&self, _store: &dyn Store) -> bool {
        true
    }

    fn join<'a>(&'a self, _store: &'a dyn Store, _node: &'a NewNode) -> StoreFuture<'a, Lease> {
        Box::pin(std::future::ready(Ok(LEASE)))
    }

    fn leave<'a>(&'a self, _store: &'a dyn Store, _node: NodeId) -> StoreFuture<'a, ()> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn is_only_node<'a>(&'a self, _store: &'a dyn Store, _node: NodeId) -> StoreFuture<'a, bool> {
        Box::pin(std::future::ready(Ok(false)))
    }

    fn take_over<'a>(
        &'a self,
        _store: &'a dyn Store,
        _now: DateTime<Utc>,
    ) -> StoreFuture<'a, TakenOver> {
        Box::pin(std::future::ready(Ok(TakenOver::default())))
    }

    fn list_nodes<'a>(&'a self, _store: &'a dyn Store) -> StoreFuture<'a, Vec<Node>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    fn heartbeat<'a>(&'a self, _store: &'a dyn Store, _node: NodeId) -> StoreFuture<'a, Heartbeat> {
        Box::pin(std::future::ready(Ok(Heartbeat {
            is_alive: true,
            store_time: Some(self.now()),
            has_lost: false,
            needs_repair: false,
        })))
    }
}

/// Starts a process whose clock is off by the given number of seconds.
async fn process(
    store: impl Store,
    clock: Wrong,
    set_up: impl FnOnce(Builder) -> Builder,
) -> Scheduler {
    let builder = Scheduler::builder()
        .clock(clock)
        .store(store)
        .shared_data(Arc::new(Journal::default()))
        .without_static_jobs();
    set_up(builder).start().await.unwrap()
}

async fn client(store: &Clocked, error: i64) -> (Scheduler, Wrong, Faults) {
    let (clock, store) = (Wrong::by(error), faulty(store.store()));
    let faults = store.by().clone();
    let client = process(store, clock.clone(), Builder::client).await;
    (client, clock, faults)
}

async fn pass(span: TimeDelta) {
    sleep(span.to_std().unwrap()).await;
}

#[tokio::test(start_paused = true)]
async fn a_job_that_a_client_with_a_wrong_clock_adds_fires_from_now_on() {
    for error in [600, -600, 86_400, -86_400] {
        let store = Clocked::new();
        let node = process(store.store(), Wrong::by(0), |builder| builder).await;
        let (client, ..) = client(&store, error).await;
        pass(seconds(10)).await;
        let job = work::job(0).id("job").interval("1s");
        let job = client
            .add_job(
                job.coalesce(scheduler_core::Coalesce::All(1_000))
                    .max_instances(1_000),
            )
            .await
            .unwrap();
        assert_eq!(job.created_at, store.now(), "{error}");
        assert_eq!(job.next_fire_time(), Some(store.now() + seconds(1)));
        pass(TimeDelta::milliseconds(5_500)).await;
        let runs = node.list_runs(&RunFilter::new()).await.unwrap().items;
        assert_eq!(runs.len(), 5, "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_client_with_a_wrong_clock_changes_counts_from_now_on() {
    for error in [600, -600] {
        let store = Clocked::new();
        let node = process(store.store(), Wrong::by(0), |builder| builder).await;
        let (client, ..) = client(&store, error).await;
        client
            .add_job(work::job(0).id("job").cron("*/5 * * * *"))
            .await
            .unwrap();
        pass(minutes(3)).await;
        let every_second = Trigger::every("1s").unwrap();
        let job = client.reschedule_job("job", every_second).await.unwrap();
        assert_eq!(
            job.next_fire_time(),
            Some(store.now() + seconds(1)),
            "{error}"
        );
        assert_eq!(job.watermark, store.now());

        client.pause_job("job").await.unwrap();
        pass(seconds(30)).await;
        let job = client.resume_job("job").await.unwrap();
        assert_eq!(job.watermark, store.now(), "{error}");
        let skipped = client
            .list_skipped(&SkippedFilter::new().job("job").limit(1))
            .await
            .unwrap()
            .items;
        assert_eq!(
            (skipped[0].reason, skipped[0].count),
            (SkipReason::Paused, 30),
            "{error}"
        );
        assert_eq!(skipped[0].decided_at, store.now());

        client
            .modify_job(
                "job",
                JobPatch::new().trigger(Trigger::every("1h").unwrap()),
            )
            .await
            .unwrap();
        client.run_job_now("job").await.unwrap();
        let asked_at = store.now();
        pass(seconds(1)).await;
        let runs = node.list_runs(&RunFilter::new()).await.unwrap().items;
        assert_eq!(runs[0].scheduled_for, asked_at, "{error}");
        let fires = client.upcoming(1).await.unwrap();
        let hour = asked_at..asked_at + TimeDelta::hours(1);
        assert!(hour.contains(&fires[0].scheduled_for), "{error}: {fires:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_one_off_that_is_past_by_the_stores_clock_alone_is_refused_by_every_client() {
    let store = Clocked::new();
    let (behind, ..) = client(&store, -600).await;
    let (ahead, ..) = client(&store, 600).await;
    pass(seconds(1)).await;
    let past = || work::job(0).id("past").date(epoch());
    assert!(behind.add_job(past()).await.is_err());
    let soon = work::job(0).id("soon").date(epoch() + seconds(60));
    ahead.add_job(soon).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn history_is_in_store_time_on_every_node() {
    for error in [600, -600] {
        let store = Clocked::new();
        let clock = Wrong::by(error);
        let node = process(store.store(), clock.clone(), |builder| builder).await;
        let mut events = node.events();
        let job = node
            .add_job(work::job(2).id("job").interval("1m"))
            .await
            .unwrap();
        assert_eq!(job.created_at, epoch(), "{error}");
        pass(seconds(30)).await;
        // Setting the clock of a node has no effect either.
        clock.set(-error);
        pass(seconds(180)).await;
        let runs = node.list_runs(&RunFilter::new()).await.unwrap().items;
        assert_eq!(runs.len(), 3, "{error}: {runs:?}");
        for run in &runs {
            assert_eq!(run.started_at, Some(run.scheduled_for), "{error}");
            assert_eq!(
                run.finished_at,
                Some(run.scheduled_for + seconds(2)),
                "{error}"
            );
            assert_eq!(run.lateness, Some(Duration::ZERO), "{error}");
        }
        let mut started = 0;
        while let Some(NextEvent::Event(event)) = events.try_next() {
            assert!(
                (epoch()..=store.now()).contains(&event.at),
                "{error}: {event:?}"
            );
            if let EventKind::Started(run) = &event.kind {
                assert_eq!(event.at, run.scheduled_for, "{error}");
                started += 1;
            }
        }
        assert_eq!(started, 3);
        let health = node.health();
        assert!(
            health
                .warnings
                .iter()
                .all(|warning| warning.at <= store.now()),
            "{health:?}"
        );
        let lease = health.stores[0].lease.as_ref().unwrap();
        assert_eq!(lease.clock_offset, seconds(error), "{error}");
        assert!(lease.valid_until <= store.now() + LEASE.length, "{error}");
        assert_eq!(node.store_now(), store.now());
    }
}

#[tokio::test(start_paused = true)]
async fn attempts_and_skipped_fire_times_are_in_store_time() {
    #[task]
    async fn always_fails() -> Result<(), String> {
        Err("no".into())
    }

    let store = Clocked::new();
    let node = process(store.store(), Wrong::by(-600), |builder| builder).await;
    let job = always_fails::job()
        .id("fails")
        .date(epoch() + seconds(1))
        .retries(1);
    node.add_job(job.backoff("10s")).await.unwrap();
    node.add_job(work::job(90).id("long").interval("1m"))
        .await
        .unwrap();
    pass(minutes(3)).await;
    let runs = node
        .list_runs(&RunFilter::new().job("fails"))
        .await
        .unwrap()
        .items;
    let attempt = &runs[0].earlier_attempts[0];
    assert_eq!(attempt.started_at, epoch() + seconds(1));
    assert_eq!(attempt.finished_at, epoch() + seconds(1));
    assert_eq!(runs[0].started_at, Some(epoch() + seconds(11)));
    let skipped = node
        .list_skipped(&SkippedFilter::new().job("long").limit(1))
        .await
        .unwrap()
        .items;
    assert_eq!(skipped[0].reason, SkipReason::Overlap);
    assert_eq!(skipped[0].decided_at, skipped[0].last);
}

#[tokio::test(start_paused = true)]
async fn a_client_asks_for_the_time_at_most_once_a_minute() {
    let store = Clocked::new();
    let (client, _, faults) = client(&store, 0).await;
    for number in 0..300 {
        let job = work::job(0).id(format!("job-{number}")).interval("24h");
        client.add_job(job).await.unwrap();
        pass(seconds(1)).await;
    }
    assert_eq!(faults.count(Call::StoreTime), 5);
}

#[tokio::test(start_paused = true)]
async fn a_client_follows_a_store_whose_clock_was_set() {
    let store = Clocked::new();
    let (client, ..) = client(&store, 0).await;
    store.clock.set(3_600);
    pass(minutes(1)).await;
    let job = client
        .add_job(work::job(0).id("job").interval("1h"))
        .await
        .unwrap();
    assert_eq!(job.created_at, store.now());
}

#[tokio::test(start_paused = true)]
async fn a_client_goes_on_with_the_last_measurement_while_the_time_cannot_be_asked_for() {
    let store = Clocked::new();
    let (client, clock, faults) = client(&store, 600).await;
    faults.always(Call::StoreTime, Fault::Before);
    clock.set(-3_600);
    pass(minutes(10)).await;
    let job = client
        .add_job(work::job(0).id("job").interval("1h"))
        .await
        .unwrap();
    assert_eq!(job.created_at, store.now());
}

#[tokio::test(start_paused = true)]
async fn no_scheduler_starts_on_a_store_that_does_not_say_its_time() {
    let store = faulty(Clocked::new().store());
    store.by().clone().always(Call::StoreTime, Fault::Before);
    let builder = Scheduler::builder().clock(Wrong::by(0)).store(store);
    let started = builder.client().without_static_jobs().start().await;
    assert!(
        matches!(started, Err(scheduler_core::Error::Store { .. })),
        "{started:?}"
    );
}
