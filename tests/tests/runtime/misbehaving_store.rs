//! A store that breaks its contract: the scheduler reports it, and runs what it can.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use scheduler_core::store::{
    ClaimRequest, Claimed, Finished, Heartbeat, Intercept, Intercepted, JobAnswer, Lease,
    ManualRequest, ManualRun, NewNode, Store, StoreFuture,
};
use scheduler_core::{EventKind, MemoryStore, NodeId, Policies, RunNow, RunState};

use crate::support::{World, minutes, seconds, work};

async fn world(by: impl Intercept) -> World {
    let store = Intercepted::new(Arc::new(MemoryStore::new()), by);
    World::with(|builder| builder.store(store)).await
}

fn answer<'a, T: Send + 'a>(answer: T) -> StoreFuture<'a, T> {
    Box::pin(std::future::ready(Ok(answer)))
}

#[derive(Debug, Default)]
struct PanicsOnce(AtomicUsize);

impl Intercept for PanicsOnce {
    fn claim<'a>(
        &'a self,
        store: &'a dyn Store,
        request: &'a ClaimRequest<'a>,
    ) -> StoreFuture<'a, Claimed> {
        let claims = self.0.fetch_add(1, Ordering::SeqCst);
        assert_ne!(claims, 3, "a bug in a store");
        store.claim(request)
    }
}

#[tokio::test(start_paused = true)]
async fn store_that_panics_once_has_failed_once() {
    let mut world = world(PanicsOnce::default()).await;
    world.add(work::job(0).id("job").interval("10m")).await;
    world.advance(minutes(61)).await;
    assert_eq!(world.journal.count(), 6);
    let failures = world
        .event_kinds()
        .into_iter()
        .filter_map(|kind| match kind {
            EventKind::StoreFailed { error, .. } => Some(error),
            _ => None,
        });
    let failures: Vec<_> = failures.collect();
    assert_eq!(failures.len(), 1);
    assert!(
        failures[0].contains("it panicked in `claim`"),
        "{failures:?}"
    );
    assert!(failures[0].contains("a bug in a store"), "{failures:?}");
    assert!(world.scheduler.health().is_ok());
}

/// Panics outside of calls whose answers are awaited.
#[derive(Debug, Default)]
struct PanicsInBetween(AtomicUsize);

impl Intercept for PanicsInBetween {
    fn poll_every(&self, store: &dyn Store) -> Duration {
        let calls = self.0.fetch_add(1, Ordering::SeqCst);
        assert!(calls < 5, "a bug between the calls");
        store.poll_every()
    }
}

#[tokio::test(start_paused = true)]
async fn driver_that_panics_is_seen_at_once() {
    let mut world = world(PanicsInBetween::default()).await;
    world.add(work::job(0).id("job").interval("10m")).await;
    world.advance(minutes(120)).await;
    let health = world.scheduler.health();
    assert!(!health.is_ok());
    let (_, error) = health.stores[0].error.clone().unwrap();
    assert!(error.contains("a bug between the calls"), "{error}");
    let is_failure = |kind: &EventKind| matches!(kind, EventKind::StoreFailed { .. });
    assert_eq!(
        world
            .event_kinds()
            .iter()
            .filter(|kind| is_failure(kind))
            .count(),
        1
    );
}

#[derive(Debug)]
struct LeaseForEver;

impl Intercept for LeaseForEver {
    fn has_cluster(&self, _: &dyn Store) -> bool {
        true
    }

    fn join<'a>(&'a self, _: &'a dyn Store, _: &'a NewNode) -> StoreFuture<'a, Lease> {
        answer(Lease {
            length: Duration::MAX,
            heartbeat_every: Duration::from_secs(5),
        })
    }

    fn heartbeat<'a>(&'a self, _: &'a dyn Store, _: NodeId) -> StoreFuture<'a, Heartbeat> {
        answer(Heartbeat {
            is_alive: true,
            store_time: None,
            has_lost: false,
            needs_repair: false,
        })
    }

    fn leave<'a>(&'a self, _: &'a dyn Store, _: NodeId) -> StoreFuture<'a, ()> {
        answer(())
    }
}

#[tokio::test(start_paused = true)]
async fn lease_for_ever_is_one_for_long() {
    let world = world(LeaseForEver).await;
    world.add(work::job(0).id("job").interval("10m")).await;
    world.advance(minutes(61)).await;
    assert_eq!(world.journal.count(), 6);
    assert!(world.scheduler.health().is_ok());
}

/// Another program moves the job to a different executor just before the manual run is requested.
#[derive(Debug)]
struct MovedMeanwhile;

impl Intercept for MovedMeanwhile {
    fn run_now<'a>(
        &'a self,
        store: &'a dyn Store,
        request: &'a ManualRequest<'a>,
    ) -> StoreFuture<'a, JobAnswer<ManualRun>> {
        Box::pin(async move {
            let edit = |job: &mut scheduler_core::JobRecord| {
                let mut policies = Policies::clone(&job.policies);
                policies.executor = "elsewhere".into();
                job.policies = Arc::new(policies);
                Vec::new()
            };
            store.edit(request.job, Box::new(edit), request.now).await?;
            store.run_now(request).await
        })
    }
}

#[tokio::test(start_paused = true)]
async fn manual_run_for_an_executor_that_is_not_here_is_released() {
    let world = world(MovedMeanwhile).await;
    world.add(work::job(0).id("job").cron("0 0 1 1 *")).await;
    world.scheduler.run_job_now("job").await.unwrap();
    world.advance(minutes(1)).await;
    assert_eq!(world.runs().await[0].state, RunState::Queued);
    assert_eq!(world.scheduler.health().live_runs, 0);
}

#[derive(Debug, Clone, Default)]
struct NoAnswers(Arc<AtomicUsize>);

impl Intercept for NoAnswers {
    fn finish<'a>(
        &'a self,
        _: &'a dyn Store,
        _: NodeId,
        _: Vec<Finished>,
    ) -> StoreFuture<'a, Vec<bool>> {
        self.0.fetch_add(1, Ordering::SeqCst);
        answer(Vec::new())
    }
}

#[tokio::test(start_paused = true)]
async fn store_that_leaves_out_answers_is_asked_again_after_a_while() {
    let by = NoAnswers::default();
    let world = world(by.clone()).await;
    world.add(work::job(0).id("job").cron("0 0 1 1 *")).await;
    world.scheduler.run_job_now("job").await.unwrap();
    world.advance(seconds(60)).await;
    let calls = by.0.load(Ordering::SeqCst);
    assert!((5..15).contains(&calls), "{calls}");
    let health = world.scheduler.health();
    let (_, error) = health.stores[0].error.clone().unwrap();
    let expected = "`finish` was given 1 ends of attempts and gave 0 answers";
    assert!(error.contains(expected), "{error}");
}

/// Reports after each claim that there is more.
#[derive(Debug)]
struct NeverDone;

impl Intercept for NeverDone {
    fn claim<'a>(
        &'a self,
        store: &'a dyn Store,
        request: &'a ClaimRequest<'a>,
    ) -> StoreFuture<'a, Claimed> {
        Box::pin(async move {
            let mut claim = store.claim(request).await?;
            claim.more = true;
            tokio::time::sleep(Duration::from_millis(1)).await;
            Ok(claim)
        })
    }
}

#[tokio::test(start_paused = true)]
async fn cancellation_is_passed_on_while_there_is_more_to_claim() {
    let world = world(NeverDone).await;
    world
        .add(work::job(3_600).id("job").cron("0 0 1 1 *"))
        .await;
    let RunNow::Started(run) = world.scheduler.run_job_now("job").await.unwrap() else {
        panic!("it has a slot");
    };
    tokio::time::sleep(Duration::from_secs(1)).await;
    world.scheduler.cancel_run(run).await.unwrap();
    tokio::time::sleep(Duration::from_secs(7)).await;
    assert_eq!(world.runs().await[0].state, RunState::Cancelled);
}
