//! Everything at once from many threads, with the totals checked afterwards.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use scheduler_core::prelude::*;
use scheduler_core::{
    Backoff, Coalesce, Error, EventKind, JobPatch, LocalExecutor, MemoryStore, NextEvent, Overlap,
    PolicyPatch, RunFilter, RunId, RunKind, RunNow, RunState, SkippedFilter,
};

/// A pseudo-random number generator (xorshift); failures print its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

#[allow(clippy::print_stdout)] // shown when the test fails
fn seed() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    let given = std::env::var("STRESS_SEED").ok();
    let seed = given.and_then(|seed| seed.parse().ok()).unwrap_or_else(|| {
        std::collections::hash_map::RandomState::new()
            .build_hasher()
            .finish()
    });
    println!("STRESS_SEED={seed}");
    seed | 1
}

/// Observations of the bodies: how many of each job ran at once, and how often that was too many.
#[derive(Default)]
struct Seen {
    running: Mutex<HashMap<String, u32>>,
    too_many: AtomicUsize,
    bodies: AtomicU64,
}

/// Returns the job's limit of concurrent runs, which is part of its id.
fn limit_of(id: &str) -> u32 {
    id.rsplit('-').next().and_then(|n| n.parse().ok()).unwrap()
}

struct Inside(Data<Seen>, String);

impl Inside {
    fn enter(seen: Data<Seen>, ctx: &JobContext) -> Self {
        let id = ctx.job_id().to_owned();
        let mut running = seen.running.lock().unwrap();
        let count = running.entry(id.clone()).or_default();
        *count += 1;
        if *count > limit_of(&id) {
            seen.too_many.fetch_add(1, Ordering::SeqCst);
        }
        drop(running);
        seen.bodies.fetch_add(1, Ordering::SeqCst);
        Self(seen, id)
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        *self.0.running.lock().unwrap().get_mut(&self.1).unwrap() -= 1;
    }
}

#[task]
async fn stressed(number: u64, ctx: JobContext, seen: Data<Seen>) -> Result<(), String> {
    let _inside = Inside::enter(seen, &ctx);
    let mut dice = Dice(number | 1);
    tokio::time::sleep(Duration::from_millis(dice.roll(12))).await;
    match dice.roll(4) {
        0 => Err("no luck".into()),
        1 => panic!("bad luck"),
        _ => Ok(()),
    }
}

/// Takes as long as its timeout: the timer and the thread report at the same time.
#[task]
fn stressed_sync(ctx: JobContext, seen: Data<Seen>) {
    let _inside = Inside::enter(seen, &ctx);
    std::thread::sleep(Duration::from_millis(3));
}

fn policies(dice: &mut Dice, limit: u32) -> PolicyPatch {
    let overlap = match dice.roll(3) {
        0 => Overlap::Skip,
        1 => Overlap::Queue(3),
        _ => Overlap::CancelRunning,
    };
    let coalesce = match dice.roll(3) {
        0 => Coalesce::Latest,
        1 => Coalesce::Earliest,
        _ => Coalesce::All(4),
    };
    PolicyPatch::new()
        .max_instances(limit)
        .overlap(overlap)
        .coalesce(coalesce)
        .retries(u32::try_from(dice.roll(3)).unwrap())
        .backoff(Backoff::constant(Duration::from_millis(2)))
}

fn any_job(dice: &mut Dice, number: u64) -> Job {
    let limit = 1 + u32::try_from(number % 2).unwrap();
    let every = Duration::from_millis(5 + dice.roll(20));
    let job = if number.is_multiple_of(4) {
        stressed_sync::job().timeout(Duration::from_millis(3))
    } else {
        let executor = ["default", "narrow"][usize::try_from(dice.roll(2)).unwrap()];
        let job = stressed::job(dice.roll(1_000)).executor(executor);
        job.store(["default", "other"][usize::try_from(number / 2 % 2).unwrap()])
    };
    job.id(format!("job-{number}-{limit}"))
        .interval(every)
        .policies(policies(dice, limit))
        .replace_existing(true)
}

/// One of the operators that make random changes to twelve jobs.
async fn disturb(scheduler: Scheduler, seed: u64, until: std::time::Instant) {
    let mut dice = Dice(seed | 1);
    while std::time::Instant::now() < until {
        let number = dice.roll(12);
        let id = format!("job-{number}-{}", 1 + number % 2);
        let done = match dice.roll(9) {
            0 | 1 => scheduler
                .add_job(any_job(&mut dice, number))
                .await
                .map(|_| ()),
            2 => scheduler.remove_job(&id).await.map(|_| ()),
            3 => scheduler.pause_job(&id).await.map(|_| ()),
            4 | 5 => scheduler.resume_job(&id).await.map(|_| ()),
            6 => {
                let limit = 1 + u32::try_from(number % 2).unwrap();
                let patch = JobPatch::new().policies(policies(&mut dice, limit));
                scheduler.modify_job(&id, patch).await.map(|_| ())
            }
            7 => match scheduler.run_job_now(&id).await {
                Ok(RunNow::Started(run) | RunNow::Queued(run)) if dice.roll(2) == 0 => {
                    scheduler.cancel_run(run).await
                }
                Ok(_) => Ok(()),
                Err(error) => Err(error),
            },
            _ => {
                let filter = RunFilter::new().job(id).limit(3);
                let runs = scheduler.list_runs(&filter).await.unwrap().items;
                match runs.first() {
                    Some(run) => scheduler.cancel_run(run.id).await,
                    None => Ok(()),
                }
            }
        };
        match done {
            Ok(()) | Err(Error::JobNotFound { .. } | Error::RunNotFound { .. }) => {}
            Err(error) => panic!("{error}"),
        }
        tokio::time::sleep(Duration::from_micros(dice.roll(2_000))).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn operators_on_many_threads_leave_nothing_behind() {
    let mut dice = Dice(seed());
    let stores = [(); 2].map(|()| MemoryStore::new().keep_runs(1_000_000));
    let seen = std::sync::Arc::new(Seen::default());
    let scheduler = Scheduler::builder()
        .without_static_jobs()
        .store(stores[0].clone())
        .named_store("other", stores[1].clone())
        .executor("narrow", LocalExecutor::with_limit(2))
        .event_capacity(1_000_000)
        .claim_batch(3)
        .shared_data(seen.clone())
        .start()
        .await
        .unwrap();
    let mut events = scheduler.events();
    let until = std::time::Instant::now() + Duration::from_millis(1_500);
    let operators: Vec<_> = (0..8)
        .map(|_| tokio::spawn(disturb(scheduler.clone(), dice.roll(u64::MAX), until)))
        .collect();
    for operator in operators {
        operator.await.unwrap();
    }

    // No new runs start, and all live and queued runs end.
    for job in scheduler.get_jobs().await.unwrap() {
        let patch = PolicyPatch::new().timeout(Duration::from_secs(5));
        let patch = JobPatch::new().policies(patch);
        scheduler.modify_job(job.id.as_str(), patch).await.unwrap();
        scheduler.resume_job(job.id.as_str()).await.unwrap();
        let never: Trigger = "cron 0 0 0 1 1 * 2099".parse().unwrap();
        scheduler
            .reschedule_job(job.id.as_str(), never)
            .await
            .unwrap();
    }
    let open = RunFilter::new()
        .limit(usize::MAX)
        .state(RunState::Queued)
        .state(RunState::Running);
    for _ in 0..1_000 {
        let quiet = scheduler.list_runs(&open).await.unwrap().items.is_empty();
        if quiet && scheduler.health().live_runs == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(scheduler.list_runs(&open).await.unwrap().items, []);
    assert_eq!(scheduler.health().live_runs, 0);
    for executor in scheduler.health().executors {
        assert_eq!(executor.in_use, 0, "{}", executor.name);
    }
    assert_eq!(seen.too_many.load(Ordering::SeqCst), 0);
    assert!(seen.bodies.load(Ordering::SeqCst) > 100);

    // No fire time ran twice, and every slot is free: each job starts at once.
    let all = scheduler
        .list_runs(&RunFilter::new().limit(usize::MAX))
        .await
        .unwrap()
        .items;
    let fires: Vec<_> = all
        .iter()
        .filter(|run| run.kind == RunKind::Scheduled)
        .map(|run| (run.job_id.clone(), run.scheduled_for))
        .collect();
    let unique: std::collections::HashSet<_> = fires.iter().collect();
    assert_eq!(unique.len(), fires.len());
    for job in scheduler.get_jobs().await.unwrap() {
        for _ in 0..limit_of(job.id.as_str()) {
            let answer = scheduler.run_job_now(job.id.as_str()).await.unwrap();
            assert!(matches!(answer, RunNow::Started(_)), "{}", job.id);
        }
    }
    let report = scheduler.shutdown(Shutdown::wait()).await;
    assert!(report.running.is_empty(), "{report}");
    order_of_events(&mut events).await;
}

/// Asserts that jobs are added before they start, that runs start before they end, and that each start has one end.
async fn order_of_events(events: &mut scheduler_core::EventStream) {
    let mut added: HashMap<String, usize> = HashMap::new();
    let mut started: HashMap<RunId, u32> = HashMap::new();
    while let Some(next) = events.next().await {
        let NextEvent::Event(event) = next else {
            panic!("{next:?}");
        };
        match event.kind {
            EventKind::JobAdded(id) => *added.entry(id.to_string()).or_default() += 1,
            EventKind::Started(run) => {
                assert!(added.contains_key(run.job_id.as_str()), "{run:?}");
                assert_eq!(started.insert(run.run_id, run.attempt), None, "{run:?}");
            }
            EventKind::Retrying { run, .. }
            | EventKind::Succeeded { run, .. }
            | EventKind::Failed { run, .. }
            | EventKind::TimedOut { run, .. } => {
                assert_eq!(started.remove(&run.run_id), Some(run.attempt), "{run:?}");
            }
            EventKind::Cancelled(run) => {
                started.remove(&run.run_id);
            }
            _ => {}
        }
    }
}

/// The period of the jobs whose fire times are counted.
const PERIOD: Duration = Duration::from_millis(4);

/// The machine's clock, except that it never shows a fire time of a [`PERIOD`] interval from the anchor: so a skipped
/// manual run, which is listed under the instant of its request, cannot be mistaken for a fire time.
#[derive(Debug)]
struct BetweenFireTimes {
    anchor: DateTime<Utc>,
}

impl scheduler_core::Clock for BetweenFireTimes {
    fn now(&self) -> DateTime<Utc> {
        let now = scheduler_core::Clock::now(&scheduler_core::SystemClock);
        now + TimeDelta::microseconds(i64::from(is_fire_time(self.anchor, now)))
    }

    fn is_real(&self) -> bool {
        true
    }
}

fn is_fire_time(anchor: DateTime<Utc>, at: DateTime<Utc>) -> bool {
    (at - anchor).num_microseconds().unwrap() % i64::try_from(PERIOD.as_micros()).unwrap() == 0
}

/// Every fire time of an interval was run, or is counted in a record of skipped fire times.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_fire_time_is_run_or_has_its_reason() {
    let mut dice = Dice(seed());
    let seen = std::sync::Arc::new(Seen::default());
    let anchor = scheduler_core::Clock::now(&scheduler_core::SystemClock);
    let scheduler = Scheduler::builder()
        .without_static_jobs()
        .clock(BetweenFireTimes { anchor })
        .store(MemoryStore::new().keep_runs(1_000_000))
        .executor("narrow", LocalExecutor::with_limit(2))
        .claim_batch(3)
        .shared_data(seen.clone())
        .start()
        .await
        .unwrap();
    for number in 0..8_u64 {
        let limit = 1 + u32::try_from(number % 2).unwrap();
        let executor = ["default", "narrow"][usize::try_from(dice.roll(2)).unwrap()];
        let job = stressed::job(dice.roll(1_000))
            .id(format!("job-{number}-{limit}"))
            .interval(PERIOD)
            .start(anchor)
            .policies(policies(&mut dice, limit))
            .executor(executor);
        scheduler.add_job(job).await.unwrap();
    }
    let disturb = async |dice: &mut Dice| {
        let number = dice.roll(8);
        let id = format!("job-{number}-{}", 1 + number % 2);
        match dice.roll(3) {
            0 => drop(scheduler.pause_job(&id).await.unwrap()),
            1 => drop(scheduler.resume_job(&id).await.unwrap()),
            _ => drop(scheduler.run_job_now(&id).await.unwrap()),
        }
    };
    for _ in 0..500 {
        disturb(&mut dice).await;
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    for number in 0..8_u64 {
        let id = format!("job-{number}-{}", 1 + number % 2);
        scheduler.resume_job(&id).await.unwrap();
    }
    let report = scheduler.shutdown(Shutdown::wait()).await;
    assert!(report.running.is_empty(), "{report}");
    assert_eq!(seen.too_many.load(Ordering::SeqCst), 0);
    for job in scheduler.get_jobs().await.unwrap() {
        let id = job.id.as_str();
        let filter = RunFilter::new().job(id).limit(usize::MAX);
        let runs = scheduler.list_runs(&filter).await.unwrap().items;
        let runs = runs.iter().filter(|run| run.kind == RunKind::Scheduled);
        // A queued manual run that was superseded is also listed as skipped.
        let skipped = scheduler
            .list_skipped(&SkippedFilter::new().job(id).limit(usize::MAX))
            .await
            .unwrap()
            .items;
        let skipped: u64 = skipped
            .iter()
            .filter(|one| is_fire_time(anchor, one.first))
            .map(|one| one.count)
            .sum();
        let before = anchor - TimeDelta::microseconds(1);
        let named = job.trigger.count_in(before, job.watermark, 1_000_000).value;
        let first = job.trigger.count_in(
            before,
            job.created_at - TimeDelta::microseconds(1),
            1_000_000,
        );
        assert_eq!(
            runs.count() as u64 + skipped,
            named - first.value,
            "{id}: runs and skipped"
        );
    }
}
