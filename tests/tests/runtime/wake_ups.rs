//! When a driver polls again: each start is asserted to the instant, since a later poll would hide a lost wake-up.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use scheduler_core::store::{
    Call, ClaimRequest, Claimed, Intercept, Intercepted, Store, StoreFuture, Wake,
};
use scheduler_core::{LocalExecutor, MemoryStore, RunFilter};
use scheduler_store_tests::{Fault, faulty};

use crate::support::{World, epoch, minutes, seconds, work};

/// Returns when the run of a job started, counted from the first instant.
async fn start_of(world: &World, job: &str) -> TimeDelta {
    let runs = world.scheduler.list_runs(&RunFilter::new().job(job)).await;
    let runs = runs.unwrap().items;
    assert_eq!(runs.len(), 1, "{job}");
    runs[0].started_at.unwrap() - epoch()
}

fn at(millis: i64) -> DateTime<Utc> {
    epoch() + TimeDelta::milliseconds(millis)
}

/// A store that notifies its drivers of changes elsewhere only when the test makes it do so.
#[derive(Debug, Clone, Default)]
struct Quiet {
    wake: Arc<Mutex<Option<Wake>>>,
}

impl Quiet {
    fn wake_for(&self, due: DateTime<Utc>) {
        self.wake.lock().unwrap().as_ref().unwrap().wake_for(due);
    }
}

impl Intercept for Quiet {
    fn subscribe(&self, _store: &dyn Store, wake: Wake) {
        *self.wake.lock().unwrap() = Some(wake);
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_that_another_process_adds_while_the_driver_looks_for_the_next_one_starts_in_time() {
    let (store, hearing) = (MemoryStore::new(), Quiet::default());
    let quiet = faulty(Intercepted::new(Arc::new(store.clone()), hearing.clone()));
    let faults = quiet.by().clone();
    let world = World::with(|builder| builder.store(quiet)).await;
    let elsewhere = World::on(world.clock.clone(), store, scheduler_core::Builder::client).await;
    // It keeps running, so that its end does not wake the driver.
    world.add(work::job(300).id("first").date(at(10_000))).await;
    world.advance(seconds(9)).await;
    // Requested at 10 s, when nothing else is known; the answer arrives at 12 s.
    faults.next(Call::NextDue, Fault::Slow(Duration::from_secs(2)));
    world.advance(seconds(2)).await;
    let due = at(15_000);
    elsewhere.add(work::job(0).id("second").date(due)).await;
    hearing.wake_for(due);
    world.advance(minutes(2)).await;
    assert_eq!(start_of(&world, "second").await, seconds(15));
}

#[tokio::test(start_paused = true)]
async fn capacity_that_another_store_frees_during_a_claim_is_used_at_once() {
    let slow = faulty(MemoryStore::new());
    let faults = slow.by().clone();
    let world = World::with(|builder| {
        builder
            .store(slow)
            .named_store("other", MemoryStore::new())
            .executor("narrow", LocalExecutor::with_limit(2))
    })
    .await;
    let job = |id: &str, takes, due| work::job(takes).id(id).executor("narrow").date(at(due));
    world.add(job("running", 5, 5_100).store("other")).await;
    world.add(job("first", 60, 10_000)).await;
    world.add(job("second", 0, 10_000)).await;
    world.advance(seconds(9)).await;
    // One permit is free at 10 s and the claim takes it; the other is freed at 10.1 s, before the driver has learned
    // that it was one short. Overdue jobs are polled again at 11 s.
    faults.next(Call::Claim, Fault::Slow(Duration::from_millis(300)));
    world.advance(minutes(2)).await;
    let starts = [
        start_of(&world, "first").await,
        start_of(&world, "second").await,
    ];
    assert_eq!(starts, [TimeDelta::milliseconds(10_300); 2]);
}

#[tokio::test(start_paused = true)]
async fn capacity_that_a_claim_did_not_need_is_offered_to_the_other_stores() {
    let slow = faulty(MemoryStore::new());
    let faults = slow.by().clone();
    let world = World::with(|builder| {
        builder
            .store(slow)
            .named_store("other", MemoryStore::new())
            .executor("narrow", LocalExecutor::with_limit(1))
    })
    .await;
    world.add(work::job(0).id("first").date(at(10_000))).await;
    let second = work::job(0).id("second").executor("narrow").store("other");
    world.add(second.date(at(10_200))).await;
    world.advance(seconds(9)).await;
    // The claim of `first` reserves capacity in all stores until its answer arrives.
    faults.next(Call::Claim, Fault::Slow(Duration::from_secs(1)));
    world.advance(minutes(2)).await;
    assert_eq!(start_of(&world, "second").await, seconds(11));
}

/// A store in which another transaction holds a due job's row during the first claims.
#[derive(Debug, Clone, Default)]
struct Locked {
    claims_to_skip: Arc<AtomicUsize>,
}

impl Intercept for Locked {
    fn claim<'a>(
        &'a self,
        store: &'a dyn Store,
        request: &'a ClaimRequest<'a>,
    ) -> StoreFuture<'a, Claimed> {
        let skip = |left: usize| left.checked_sub(1);
        let is_locked = self
            .claims_to_skip
            .try_update(Ordering::SeqCst, Ordering::SeqCst, skip);
        if is_locked.is_ok() {
            return Box::pin(std::future::ready(Ok(Claimed::default())));
        }
        store.claim(request)
    }

    fn subscribe(&self, _store: &dyn Store, _wake: Wake) {}
}

#[tokio::test(start_paused = true)]
async fn a_due_job_that_nobody_took_is_looked_at_again_after_a_second() {
    let locked = Locked::default();
    let store = Intercepted::new(Arc::new(MemoryStore::new()), locked.clone());
    let world = World::with(|builder| builder.store(store)).await;
    world.add(work::job(0).id("job").date(at(10_000))).await;
    world.advance(seconds(9)).await;
    locked.claims_to_skip.store(2, Ordering::SeqCst);
    world.advance(minutes(2)).await;
    assert_eq!(start_of(&world, "job").await, seconds(12));
}
