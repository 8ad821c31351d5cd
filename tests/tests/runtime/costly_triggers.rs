//! Triggers whose search is costly: refused, paused or left out, while everything else continues; and no search takes
//! place within a call that changes the store.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use scheduler_core::prelude::*;
use scheduler_core::reconcile::{Reconciled, StaticJob};
use scheduler_core::store::{
    Edit, Edited, Inserted, Intercept, Intercepted, NewJob, Store, StoreFuture, Wake,
};
use scheduler_core::testing::{SimulatedKind, simulate};
use scheduler_core::triggers::CustomTrigger;
use scheduler_core::{
    Error, EventKind, JobPatch, MemoryStore, PolicyPatch, SkipReason, SkippedFilter, UpcomingFilter,
};

use crate::support::{World, epoch, minutes, seconds, work};

const RARE: &str = "cron 0 0 0 29 2 ? 2096 timezone=Asia/Tehran";

/// Returns a trigger of two intervals that never meet, with more parts to evaluate at each of a hundred thousand
/// steps.
fn costly() -> Trigger {
    let rare = [RARE; 10].join("; ");
    format!(
        "and(every 10ms start=2026-01-01T00:00:00.001Z; or(every 10ms start=2026-01-01; {rare}))"
    )
    .parse()
    .unwrap()
}

/// Returns a trigger that becomes equally costly after it has fired once, a minute after the tests begin.
fn costly_later() -> Trigger {
    let once = "at 2026-03-02T00:01:00Z";
    let rare = [RARE; 10].join("; ");
    let start = "start=2026-03-02T01:00";
    format!(
        "and(or({once}; every 10ms {start}:00.001Z); or({once}; every 10ms {start}:00Z; {rare}))"
    )
    .parse()
    .unwrap()
}

fn is_costly(error: &Error, job: &str) -> bool {
    matches!(error, Error::CostlyTrigger { job: named, steps, .. } if named == job && *steps > 100_000)
}

#[tokio::test(start_paused = true)]
async fn costly_trigger_is_refused_and_says_what_was_searched() {
    let world = World::new().await;
    let error = world
        .scheduler
        .add_job(work::job(0).id("job").trigger(costly()));
    let error = error.await.unwrap_err();
    assert!(is_costly(&error, "job"), "{error}");
    assert!(error.to_string().contains("steps of search"), "{error}");
    let prepared = work::job(0).id("job").trigger(costly());
    let error = world.scheduler.prepare_job(prepared).unwrap_err();
    assert!(is_costly(&error, "job"), "{error}");

    world.add(work::job(0).id("job").interval("1m")).await;
    let before = world.scheduler.get_job("job").await.unwrap().unwrap();
    let error = world.scheduler.reschedule_job("job", costly()).await;
    assert!(is_costly(&error.unwrap_err(), "job"));
    let after = world.scheduler.get_job("job").await.unwrap().unwrap();
    assert_eq!(before, after);

    // One of several is costly: none is added.
    let jobs = [
        work::job(0).id("a").interval("1m"),
        work::job(0).id("b").trigger(costly()),
    ];
    let error = world.scheduler.add_jobs(jobs).await.unwrap_err();
    assert!(is_costly(&error, "b"), "{error}");
    assert!(world.scheduler.get_job("a").await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn trigger_that_takes_some_thousand_steps_is_taken() {
    let world = World::new().await;
    // Too costly to be searched on the runtime, but not costly enough to be refused.
    let rare = "and(every 10007ms start=2026-01-01; every 10009ms start=2026-01-01T00:00:00.001Z)";
    let added = world
        .scheduler
        .add_job(work::job(0).id("rare").trigger(rare.parse().unwrap()));
    let job = added.await.unwrap();
    let first = rare.parse::<Trigger>().unwrap().next_after(epoch());
    assert_eq!(job.next_run_time(), first);
    let job = world
        .scheduler
        .reschedule_job("rare", rare.parse().unwrap())
        .await;
    assert_eq!(job.unwrap().next_run_time(), first);
}

#[tokio::test(start_paused = true)]
async fn job_whose_trigger_becomes_costly_is_paused_and_the_others_go_on() {
    let mut world = World::new().await;
    world
        .add(work::job(0).id("costly").trigger(costly_later()))
        .await;
    world.add(work::job(0).id("other").interval("1m")).await;
    world.advance(minutes(5)).await;
    let runs = world.runs().await;
    let count = |id: &str| runs.iter().filter(|run| run.job_id == id).count();
    assert_eq!((count("costly"), count("other")), (0, 5));
    let job = world.scheduler.find_job("costly").await.unwrap();
    let note = job.paused.as_deref().unwrap();
    assert!(note.contains("steps of search"), "{note}");
    let is_paused = |kind: &EventKind| matches!(kind, EventKind::JobPaused(_));
    assert_eq!(
        world
            .event_kinds()
            .iter()
            .filter(|kind| is_paused(kind))
            .count(),
        1
    );
    assert_eq!(world.scheduler.health().warnings.len(), 1);

    let error = world.scheduler.resume_job("costly").await.unwrap_err();
    assert!(is_costly(&error, "costly"), "{error}");
    let often = Trigger::every("1m").unwrap();
    world
        .scheduler
        .reschedule_job("costly", often)
        .await
        .unwrap();
    world.scheduler.resume_job("costly").await.unwrap();
    world.advance(minutes(2)).await;
    let runs = world.runs().await;
    assert_eq!(runs.iter().filter(|run| run.job_id == "costly").count(), 2);
}

#[tokio::test(start_paused = true)]
async fn upcoming_leaves_a_costly_job_out_and_says_so() {
    let world = World::new().await;
    world
        .add(work::job(0).id("costly").trigger(costly_later()))
        .await;
    world.add(work::job(0).id("other").interval("1m")).await;
    let fires = world.scheduler.upcoming(5).await.unwrap();
    let ids: Vec<&str> = fires.iter().map(|fire| fire.job_id.as_str()).collect();
    assert_eq!(ids, ["costly", "other", "other", "other", "other"]);
    assert!(!fires.is_complete);
    let from = epoch() + minutes(10);
    let window = UpcomingFilter::new().from(from).until(from + minutes(5));
    let fires = world.scheduler.list_upcoming(&window).await.unwrap();
    assert_eq!((fires.len(), fires.is_complete), (6, false));
    let of_other = world.scheduler.list_upcoming(&window.job("other")).await;
    assert!(of_other.unwrap().is_complete);

    let jobs = world.scheduler.get_jobs().await.unwrap();
    let what = simulate(&jobs, epoch(), epoch() + minutes(3), |_| {
        std::time::Duration::ZERO
    });
    let of_costly: Vec<_> = what.iter().filter(|one| one.job_id == "costly").collect();
    assert_eq!(of_costly.len(), 1);
    assert_eq!(of_costly[0].kind, SimulatedKind::TooCostly);
    assert_eq!(what.len(), 4);
}

/// Evaluations by a search off the runtime wait until the test opens the gate.
#[derive(Debug)]
struct Gated {
    test: std::thread::ThreadId,
    asked: Arc<AtomicUsize>,
    begun: Arc<tokio::sync::Notify>,
    gate: Arc<(Mutex<bool>, Condvar)>,
}

impl CustomTrigger for Gated {
    fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if std::thread::current().id() != self.test {
            self.asked.fetch_add(1, Ordering::SeqCst);
            self.begun.notify_one();
            let (is_open, opened) = &*self.gate;
            let closed = is_open.lock().unwrap();
            drop(opened.wait_while(closed, |is_open| !*is_open).unwrap());
        }
        let next = (after.timestamp_millis() / 10 + 1) * 10;
        DateTime::from_timestamp_millis(next)
    }
}

/// A trigger whose search takes long, and the gate that blocks it.
struct Long {
    asked: Arc<AtomicUsize>,
    begun: Arc<tokio::sync::Notify>,
    gate: Arc<(Mutex<bool>, Condvar)>,
}

impl Long {
    fn new() -> Self {
        Self {
            asked: Arc::default(),
            begun: Arc::default(),
            gate: Arc::default(),
        }
    }

    fn trigger(&self) -> Trigger {
        let never = "every 10ms start=2026-01-01T00:00:00.001Z".parse().unwrap();
        let gated = Trigger::custom(Gated {
            test: std::thread::current().id(),
            asked: self.asked.clone(),
            begun: self.begun.clone(),
            gate: self.gate.clone(),
        });
        Trigger::and(vec![never, gated]).unwrap()
    }

    fn open(&self) {
        *self.gate.0.lock().unwrap() = true;
        self.gate.1.notify_all();
    }

    /// Waits until the search has ended, and asserts that it ended early.
    async fn has_ended(self) {
        while Arc::strong_count(&self.gate) > 1 {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        let asked = self.asked.load(Ordering::SeqCst);
        assert!(asked <= 2_000, "it was asked {asked} times");
    }
}

impl Drop for Long {
    /// A runtime waits for its threads, even when a test has failed.
    fn drop(&mut self) {
        self.open();
    }
}

#[tokio::test]
async fn long_search_ends_when_nobody_waits_for_it() {
    let world = World::new().await;
    let long = Long::new();
    let trigger = long.trigger();
    tokio::select! {
        found = world.scheduler.preview_trigger(&trigger, 1) => panic!("{found:?}"),
        () = long.begun.notified() => {}
    }
    drop(trigger);
    long.open();
    long.has_ended().await;
}

#[tokio::test]
async fn turn_of_a_search_lasts_until_the_search_has_ended() {
    use std::time::Duration;

    let world = World::new().await;
    let at_once = async |trigger: &Trigger| {
        let preview = world.scheduler.preview_trigger(trigger, 1);
        Scheduler::with_search_patience(Duration::ZERO, preview).await
    };
    let searches = [Long::new(), Long::new()];
    for long in &searches {
        let trigger = long.trigger();
        tokio::select! {
            found = at_once(&trigger) => panic!("{found:?}"),
            () = long.begun.notified() => {}
        }
    }
    // The two calls have been dropped, but their searches have not ended.
    let third = Long::new();
    let trigger = third.trigger();
    let refused = tokio::select! {
        refused = at_once(&trigger) => refused,
        () = third.begun.notified() => panic!("it has a turn"),
    };
    assert!(matches!(refused, Err(Error::Busy)), "{refused:?}");
    let short = at_once(&Trigger::every("1m").unwrap()).await;
    assert_eq!(
        short.unwrap().fires.len(),
        1,
        "a short search needs no turn"
    );
    for long in searches {
        long.open();
        long.has_ended().await;
    }
    tokio::select! {
        found = world.scheduler.preview_trigger(&trigger, 1) => panic!("{found:?}"),
        () = third.begun.notified() => {}
    }
    third.open();
}

#[tokio::test]
async fn long_search_ends_when_the_scheduler_stops() {
    let world = World::new().await;
    let long = Long::new();
    let trigger = long.trigger();
    let stop = async {
        long.begun.notified().await;
        world.scheduler.begin_shutdown();
        long.open();
    };
    let (found, ()) = tokio::join!(world.scheduler.preview_trigger(&trigger, 1), stop);
    assert!(matches!(found, Err(Error::Stopped)), "{found:?}");
    drop(trigger);
    long.has_ended().await;
}

#[tokio::test]
async fn others_go_on_while_a_long_search_is_on_its_way() {
    let world = World::new().await;
    let long = Long::new();
    let trigger = long.trigger();
    let others = async {
        long.begun.notified().await;
        // On the same thread, while the search is blocked.
        world.add(work::job(0).id("other").interval("1m")).await;
        world
            .scheduler
            .reschedule_job("other", Trigger::every("2m").unwrap())
            .await
            .unwrap();
        assert_eq!(world.scheduler.upcoming(3).await.unwrap().len(), 3);
        long.open();
    };
    let job = work::job(0).id("long").trigger(trigger);
    let (added, ()) = tokio::join!(world.scheduler.add_job(job), others);
    assert!(is_costly(&added.unwrap_err(), "long") || long.asked.load(Ordering::SeqCst) > 10_000);
}

thread_local! {
    /// `true` while a store call on this thread changes something.
    static CHANGING: Cell<bool> = const { Cell::new(false) };
}

/// Records if it is evaluated within a store call that changes something.
#[derive(Debug, Clone, Default)]
struct Watchful {
    asked: Arc<AtomicUsize>,
    asked_within: Arc<AtomicBool>,
}

impl CustomTrigger for Watchful {
    fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if CHANGING.get() {
            self.asked_within.store(true, Ordering::SeqCst);
        }
        let passed = (after - epoch()).num_minutes();
        Some(epoch() + minutes(passed + 1))
    }
}

/// A store that marks on its thread when it changes something.
#[derive(Debug)]
struct Watched {
    /// How often the job is moved on before an edit, as a claim does.
    claims_first: Arc<AtomicUsize>,
}

fn changing<T>(call: impl FnOnce() -> T) -> T {
    CHANGING.set(true);
    let done = call();
    CHANGING.set(false);
    done
}

impl Intercept for Watched {
    fn insert<'a>(
        &'a self,
        store: &'a dyn Store,
        jobs: Vec<NewJob>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'a, Inserted> {
        changing(|| store.insert(jobs, now))
    }

    fn reconcile<'a>(
        &'a self,
        store: &'a dyn Store,
        jobs: Vec<StaticJob>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'a, Vec<Reconciled>> {
        changing(|| store.reconcile(jobs, now))
    }

    fn edit<'a>(
        &'a self,
        store: &'a dyn Store,
        id: &'a str,
        mut edit: Edit<'a>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'a, Option<Edited>> {
        let left = self.claims_first.load(Ordering::SeqCst);
        if left > 0 {
            self.claims_first.store(left - 1, Ordering::SeqCst);
        }
        let moved: Edit<'a> = Box::new(move |job| {
            if left > 0 {
                job.watermark += minutes(1);
                job.recompute_next();
            }
            changing(|| edit(job))
        });
        store.edit(id, moved, now)
    }

    fn subscribe(&self, _store: &dyn Store, _wake: Wake) {}
}

async fn watched() -> (World, Watchful, Arc<AtomicUsize>) {
    let claims_first = Arc::new(AtomicUsize::new(0));
    let watched = Watched {
        claims_first: claims_first.clone(),
    };
    let store = Intercepted::new(Arc::new(MemoryStore::new()), watched);
    let world = World::with(|builder| builder.store(store)).await;
    (world, Watchful::default(), claims_first)
}

#[tokio::test(start_paused = true)]
async fn nothing_is_searched_while_the_store_changes_a_job() {
    let (world, watchful, _) = watched().await;
    let scheduler = &world.scheduler;
    let trigger = || Trigger::custom(watchful.clone());
    world.add(work::job(0).id("job").trigger(trigger())).await;
    let again = work::job(0).id("job").trigger(trigger());
    world.add(again.replace_existing(true)).await;
    scheduler.pause_job("job").await.unwrap();
    world.advance(seconds(150)).await;
    let job = scheduler.resume_job("job").await.unwrap();
    assert_eq!(job.next_run_time(), Some(epoch() + minutes(3)));
    let jitter = PolicyPatch::new().jitter(std::time::Duration::from_secs(10));
    let job = scheduler
        .modify_job("job", JobPatch::new().policies(jitter))
        .await
        .unwrap();
    assert_eq!(job.next_fire_time(), Some(epoch() + minutes(3)));
    assert!(job.next_run_time() > job.next_fire_time());
    scheduler.reschedule_job("job", trigger()).await.unwrap();
    let exported = scheduler.export_jobs("default").await.unwrap();
    let replace = scheduler_core::ImportConflict::Replace;
    scheduler
        .import_jobs("default", exported, replace)
        .await
        .unwrap();
    assert!(watchful.asked.load(Ordering::SeqCst) > 5);
    assert!(!watchful.asked_within.load(Ordering::SeqCst));
    let skipped = scheduler
        .list_skipped(&SkippedFilter::new().job("job").limit(9))
        .await
        .unwrap()
        .items;
    assert_eq!(skipped.len(), 1);
    assert_eq!(
        (skipped[0].reason, skipped[0].count),
        (SkipReason::Paused, 2)
    );
}

#[tokio::test(start_paused = true)]
async fn edit_goes_on_from_fire_times_that_were_claimed_while_it_searched() {
    let (world, watchful, claims_first) = watched().await;
    world.add(work::job(0).id("job").interval("1m")).await;
    claims_first.store(1, Ordering::SeqCst);
    let trigger = Trigger::custom(watchful);
    let job = world
        .scheduler
        .reschedule_job("job", trigger)
        .await
        .unwrap();
    // The watermark is that of the claim, 00:01; what counts is the new trigger's first fire time after it.
    assert_eq!(
        job.watermark,
        epoch() + minutes(1) - TimeDelta::microseconds(1)
    );
    assert_eq!(job.next_fire_time(), Some(epoch() + minutes(1)));
    assert!(world.skipped().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn edit_that_finds_the_job_changed_every_time_is_refused() {
    let (world, _, claims_first) = watched().await;
    world.add(work::job(0).id("job").interval("1m")).await;
    world.scheduler.pause_job("job").await.unwrap();
    world.advance(minutes(30)).await;
    // The pending fire times change each time, so no computed answer stays valid.
    claims_first.store(3, Ordering::SeqCst);
    let job = world.scheduler.resume_job("job").await.unwrap();
    assert_eq!(job.next_run_time(), Some(epoch() + minutes(31)));
    let skipped = world.skipped().await;
    assert_eq!(skipped.len(), 1);
    assert_eq!((skipped[0].0, skipped[0].3), (SkipReason::Paused, 28));

    world.scheduler.pause_job("job").await.unwrap();
    world.advance(minutes(30)).await;
    claims_first.store(1_000, Ordering::SeqCst);
    let error = world.scheduler.resume_job("job").await.unwrap_err();
    assert!(
        matches!(&error, Error::ChangedMeanwhile { job, .. } if job == "job"),
        "{error}"
    );
}
