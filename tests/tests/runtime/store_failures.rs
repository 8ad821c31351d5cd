//! A store that fails: the scheduler says so, backs off, and goes on; nothing is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};
use scheduler_core::prelude::*;
use scheduler_core::reconcile::{Reconciled, StaticJob};
use scheduler_core::store::{
    CancelAnswer, Claim, ClaimRequest, Edit, Edited, Finished, Inserted, JobQuery, ManualRun,
    NewJob, Store, StoreError, StoreFuture,
};
use scheduler_core::{
    Dropped, EventKind, JobId, JobRecord, MemoryStore, Run, RunFilter, RunId, RunKind, RunState,
};

use crate::support::{World, minutes, seconds, work};

/// A memory store that fails while it is told to.
#[derive(Debug, Clone)]
struct Failing {
    store: MemoryStore,
    fails: Arc<AtomicBool>,
}

impl Failing {
    fn new() -> Self {
        Self {
            store: MemoryStore::new(),
            fails: Arc::default(),
        }
    }

    fn or_fail<'a, T: Send + 'a>(
        &self,
        call: impl FnOnce() -> StoreFuture<'a, T>,
    ) -> StoreFuture<'a, T> {
        if self.fails.load(Ordering::SeqCst) {
            Box::pin(async { Err(StoreError::new("the disk is full")) })
        } else {
            call()
        }
    }
}

impl Store for Failing {
    fn is_persistent(&self) -> bool {
        true
    }

    fn insert(&self, jobs: Vec<NewJob>, now: DateTime<Utc>) -> StoreFuture<'_, Inserted> {
        self.or_fail(|| self.store.insert(jobs, now))
    }

    fn reconcile(
        &self,
        jobs: Vec<StaticJob>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'_, Vec<Reconciled>> {
        self.or_fail(|| self.store.reconcile(jobs, now))
    }

    fn get<'a>(&'a self, id: &'a str) -> StoreFuture<'a, Option<JobRecord>> {
        self.or_fail(|| self.store.get(id))
    }

    fn list<'a>(&'a self, query: &'a JobQuery) -> StoreFuture<'a, Vec<JobRecord>> {
        self.or_fail(|| self.store.list(query))
    }

    fn edit<'a>(
        &'a self,
        id: &'a str,
        edit: Edit<'a>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'a, Option<Edited>> {
        self.or_fail(|| self.store.edit(id, edit, now))
    }

    fn remove<'a>(&'a self, id: &'a str, now: DateTime<Utc>) -> StoreFuture<'a, Option<Edited>> {
        self.or_fail(|| self.store.remove(id, now))
    }

    fn claim<'a>(&'a self, request: &'a ClaimRequest<'a>) -> StoreFuture<'a, Claim> {
        self.or_fail(|| self.store.claim(request))
    }

    fn run_now<'a>(
        &'a self,
        id: &'a str,
        kind: RunKind,
        run_id: RunId,
        hold: bool,
        now: DateTime<Utc>,
    ) -> StoreFuture<'a, Option<ManualRun>> {
        self.or_fail(|| self.store.run_now(id, kind, run_id, hold, now))
    }

    fn cancel(&self, run: RunId, now: DateTime<Utc>) -> StoreFuture<'_, CancelAnswer> {
        self.or_fail(|| self.store.cancel(run, now))
    }

    fn finish(&self, finished: Vec<Finished>) -> StoreFuture<'_, Vec<bool>> {
        self.or_fail(|| self.store.finish(finished))
    }

    fn release(&self, runs: Vec<RunId>) -> StoreFuture<'_, ()> {
        self.or_fail(|| self.store.release(runs))
    }

    fn next_due(&self) -> StoreFuture<'_, Option<DateTime<Utc>>> {
        self.or_fail(|| self.store.next_due())
    }

    fn heal_marks(&self, now: DateTime<Utc>) -> StoreFuture<'_, Vec<JobId>> {
        self.or_fail(|| self.store.heal_marks(now))
    }

    fn runs<'a>(&'a self, filter: &'a RunFilter) -> StoreFuture<'a, Vec<Run>> {
        self.or_fail(|| self.store.runs(filter))
    }

    fn dropped<'a>(&'a self, job: Option<&'a str>, limit: usize) -> StoreFuture<'a, Vec<Dropped>> {
        self.or_fail(|| self.store.dropped(job, limit))
    }
}

#[tokio::test(start_paused = true)]
async fn the_driver_outlives_a_store_that_fails_and_keeps_outcomes_until_they_are_written() {
    let store = Failing::new();
    let mut world = World::with(|builder| builder.store(store.clone())).await;
    world.add(work::job(30).id("job").interval("1m")).await;
    world.advance(seconds(70)).await;
    store.fails.store(true, Ordering::SeqCst);
    // The run ends at 01:30, and its outcome cannot be written for ten minutes.
    world.advance(minutes(10)).await;
    assert_eq!(world.journal.count(), 1);
    let health = world.scheduler.health();
    assert!(!health.is_ok());
    assert_eq!(
        &*health.stores[0].error.as_ref().unwrap().1,
        "the disk is full"
    );
    let error = world.scheduler.get_jobs().await.unwrap_err().to_string();
    assert_eq!(error, "store `default`: the disk is full");

    store.fails.store(false, Ordering::SeqCst);
    world.advance(seconds(31)).await;
    assert!(world.scheduler.health().is_ok());
    let runs = world.runs().await;
    assert_eq!(runs.last().unwrap().state, RunState::Succeeded);
    assert_eq!(
        runs.last().unwrap().finished_at.unwrap() - runs.last().unwrap().scheduled_for,
        seconds(30)
    );
    assert_eq!(world.journal.count(), 2, "the latest that was missed");
    let kinds = world.event_kinds();
    let failed = kinds
        .iter()
        .filter(|kind| matches!(kind, EventKind::StoreFailed { .. }))
        .count();
    assert!((10..50).contains(&failed), "{failed} tries in ten minutes");
    assert_eq!(
        kinds
            .iter()
            .filter(|kind| matches!(kind, EventKind::StoreRecovered { .. }))
            .count(),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn a_scheduler_can_stop_while_its_store_fails() {
    let store = Failing::new();
    let world = World::with(|builder| builder.store(store.clone())).await;
    world.add(work::job(30).id("job").interval("1m")).await;
    world.advance(seconds(70)).await;
    store.fails.store(true, Ordering::SeqCst);
    let report = world
        .scheduler
        .shutdown(Shutdown::wait_up_to(std::time::Duration::from_secs(60)))
        .await;
    assert_eq!(
        report.running.len(),
        1,
        "its outcome is not recorded: {report}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_at_the_start_is_an_error_that_names_it() {
    let store = Failing::new();
    store.fails.store(true, Ordering::SeqCst);
    let start = Scheduler::builder()
        .store(store)
        .without_static_jobs()
        .start()
        .await;
    assert_eq!(
        start.unwrap_err().to_string(),
        "store `default`: the disk is full"
    );
}

#[tokio::test(start_paused = true)]
async fn a_persistent_store_refuses_a_custom_trigger() {
    #[derive(Debug)]
    struct Never;

    impl scheduler_core::triggers::CustomTrigger for Never {
        fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
            Some(after + minutes(1))
        }

        fn describe(&self) -> String {
            "a minute later".to_owned()
        }
    }

    let custom = || work::job(0).id("custom").trigger(Trigger::custom(Never));
    let world = World::with(|builder| builder.store(Failing::new())).await;
    let error = world
        .scheduler
        .add_job(custom())
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("store `default` cannot keep a custom trigger"),
        "{error}"
    );
    let world = World::new().await;
    world.add(custom()).await;
    world.advance(minutes(5)).await;
    assert_eq!(world.journal.count(), 5);
}
