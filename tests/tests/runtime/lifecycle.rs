//! Starting and stopping.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;
use scheduler_core::prelude::*;
use scheduler_core::testing::VirtualClock;
use scheduler_core::{Error, LocalExecutor, MemoryStore, Phase, RunFilter, RunState};

use crate::support::{World, minutes, seconds, work};

#[tokio::test(start_paused = true)]
async fn fifty_starts_and_stops_lose_nothing() {
    let store = MemoryStore::new();
    let mut world = World::with(|builder| builder.store(store.clone())).await;
    world
        .add(
            work::job(0)
                .id("job")
                .interval("1m")
                .start("2026-03-02T00:01:00Z"),
        )
        .await;
    let mut runs = 0;
    for _ in 0..50 {
        world.advance(seconds(150)).await;
        assert!(world.scheduler.shutdown(Shutdown::wait()).await.is_clean());
        runs += world.journal.count();
        world = World::on(world.clock.clone(), store.clone(), |builder| builder).await;
    }
    world.clock.settle().await;
    runs += world.journal.count();
    assert_eq!(runs, 125);
    assert_eq!(world.runs().await.len(), 125);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_waits_for_what_runs_and_starts_nothing_more() {
    let world = World::new().await;
    world
        .add(work::job(40).id("long").date("2026-03-02T00:00:00Z"))
        .await;
    world.add(work::job(0).id("often").interval("1s")).await;
    world.advance(seconds(2)).await;
    let before = world.journal.count();
    let report = world
        .scheduler
        .shutdown(Shutdown::wait_up_to(Duration::from_secs(60)))
        .await;
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.completed, 1);
    assert_eq!(report.to_string(), "1 run completed");
    assert_eq!(world.journal.count(), before);
    assert_eq!(world.scheduler.health().phase, Phase::Stopped);
    let run = &world
        .scheduler
        .list_runs(&scheduler_core::RunFilter::new().job("long"))
        .await
        .unwrap()
        .items[0];
    assert_eq!(run.state, RunState::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_stops_what_still_runs_and_says_so() {
    let world = World::new().await;
    world
        .add(work::job(3600).id("long").date("2026-03-02T00:00:00Z"))
        .await;
    world.advance(seconds(1)).await;
    let report = world
        .scheduler
        .shutdown(Shutdown::wait_up_to(Duration::from_secs(10)))
        .await;
    assert!(!report.is_clean());
    assert_eq!(report.cancelled.len(), 1);
    assert_eq!(report.cancelled[0].job_id, "long");
    assert_eq!(report.to_string(), "1 cancelled (long)");
    assert_eq!(world.runs().await[0].state, RunState::Cancelled);
}

#[tokio::test(start_paused = true)]
async fn abort_does_not_wait() {
    let world = World::new().await;
    world
        .add(work::job(3600).id("long").date("2026-03-02T00:00:00Z"))
        .await;
    world.advance(seconds(1)).await;
    let before = world.now();
    let report = world.scheduler.shutdown(Shutdown::abort()).await;
    assert_eq!(report.cancelled.len(), 1);
    assert!(world.now() - before <= seconds(1));
}

#[task]
async fn polite(ctx: JobContext) -> &'static str {
    ctx.cancelled().await;
    "cleaned up"
}

#[tokio::test(start_paused = true)]
async fn a_run_that_stops_when_it_is_cancelled_at_the_deadline_keeps_its_value() {
    let world = World::new().await;
    world
        .add(polite::job().id("polite").date("2026-03-02T00:00:00Z"))
        .await;
    world.advance(seconds(1)).await;
    world
        .scheduler
        .shutdown(Shutdown::wait_up_to(Duration::from_secs(5)))
        .await;
    let run = &world.runs().await[0];
    assert_eq!(run.state, RunState::Cancelled);
    assert_eq!(run.value.as_deref(), Some("\"cleaned up\""));
}

#[tokio::test(start_paused = true)]
async fn a_stopped_scheduler_says_that_it_is_stopped() {
    let mut world = World::new().await;
    world.scheduler.begin_shutdown();
    world.scheduler.begin_shutdown();
    assert!(matches!(
        world.scheduler.add_job(work::job(0).interval("1s")).await,
        Err(Error::Stopped)
    ));
    let mut for_a_browser = world.scheduler.events().until_shutdown();
    assert!(for_a_browser.next().await.is_none(), "web streams end");
    let (a, b) = tokio::join!(
        world.scheduler.shutdown(Shutdown::wait()),
        world.scheduler.shutdown(Shutdown::wait()),
    );
    assert_eq!(a, b);
    assert!(world.events.next().await.is_none(), "event streams end");
    assert!(matches!(
        world.scheduler.run_job_now("job").await,
        Err(Error::Stopped)
    ));
}

#[tokio::test(start_paused = true)]
async fn it_runs_until_a_signal() {
    let world = World::new().await;
    world.add(work::job(0).id("job").interval("1m")).await;
    let signal = tokio::time::sleep(Duration::from_secs(150));
    let report = world.scheduler.run_until(signal, Shutdown::wait()).await;
    assert!(report.is_clean());
    assert_eq!(world.journal.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_waits_for_its_next_attempt_is_reported_at_the_end() {
    #[task]
    async fn fails() -> Result<(), String> {
        Err("no".into())
    }
    let world = World::new().await;
    world
        .add(
            fails::job()
                .id("fails")
                .date("2026-03-02T00:00:00Z")
                .retries(5),
        )
        .await;
    world.advance(seconds(2)).await;
    let report = world.scheduler.shutdown(Shutdown::wait()).await;
    assert_eq!(report.waiting.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_hundred_jobs_are_added_at_once_on_many_threads() {
    let scheduler = Scheduler::builder()
        .without_static_jobs()
        .data(crate::support::Journal::default())
        .start()
        .await
        .unwrap();
    let adds: Vec<_> = (0..300)
        .map(|index| {
            let scheduler = scheduler.clone();
            tokio::spawn(async move {
                let job = work::job(0)
                    .id(format!("job-{index}"))
                    .interval("1h")
                    .run_on_start(true);
                scheduler.add_job(job).await
            })
        })
        .collect();
    for add in adds {
        add.await.unwrap().unwrap();
    }
    assert_eq!(scheduler.get_jobs().await.unwrap().len(), 300);
    let report = scheduler.shutdown(Shutdown::wait()).await;
    assert!(report.is_clean(), "{report}");
    let runs = scheduler
        .list_runs(&scheduler_core::RunFilter::new().limit(1_000))
        .await
        .unwrap()
        .items;
    assert_eq!(runs.len(), 300);
    let waiting = runs
        .iter()
        .filter(|run| run.state == RunState::Queued)
        .count();
    assert_eq!(waiting, report.released, "released, and not lost");
}

#[tokio::test(start_paused = true)]
async fn a_hundred_thousand_jobs_of_the_same_second_all_run() {
    let world = World::with(|builder| builder.store(MemoryStore::new().keep_runs(10))).await;
    let jobs = (0..100_000).map(|index| {
        work::job(0)
            .id(format!("job-{index}"))
            .date("2026-03-02T00:01:00Z")
    });
    world.scheduler.add_jobs(jobs).await.unwrap();
    world.advance(minutes(2)).await;
    assert_eq!(world.journal.count(), 100_000);
    assert!(world.skipped().await.is_empty());
    assert!(world.scheduler.upcoming(1).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn jobs_hundreds_of_years_ahead_do_not_disturb_those_of_today() {
    let world = World::new().await;
    world
        .add(work::job(0).id("far").date("2090-01-01T00:00:00Z"))
        .await;
    world.advance(TimeDelta::days(13)).await;
    world.add(work::job(0).id("hourly").interval("1h")).await;
    world.advance(TimeDelta::days(1)).await;
    assert_eq!(world.journal.count(), 24);
}

#[tokio::test(start_paused = true)]
async fn a_client_adds_and_steers_and_runs_nothing_itself() {
    let store = MemoryStore::new();
    let world = World::with(|builder| builder.store(store.clone())).await;
    let client = Scheduler::builder()
        .clock(world.clock.clone())
        .store(store)
        .without_static_jobs()
        .client()
        .start()
        .await
        .unwrap();
    let job = work::job(0).id("job").interval("1h");
    client.add_job(job).await.unwrap();
    client.run_job_now("job").await.unwrap();
    assert!(client.shutdown(Shutdown::wait()).await.is_clean());
    assert_eq!(client.health().phase, Phase::Stopped);
    world.advance(minutes(1)).await;
    assert_eq!(world.starts(), ["00:00"]);
}

#[task]
async fn stops_everything(
    ctx: JobContext,
    reports: Data<std::sync::Mutex<Vec<String>>>,
) -> &'static str {
    let Some(scheduler) = ctx.scheduler() else {
        return "no scheduler";
    };
    let report = scheduler.shutdown(Shutdown::wait()).await;
    reports.lock().unwrap().push(report.to_string());
    "stopped"
}

#[tokio::test(start_paused = true)]
async fn a_job_that_stops_its_own_scheduler_does_not_wait_for_itself() {
    let reports = std::sync::Arc::new(std::sync::Mutex::new(Vec::<String>::new()));
    let world = World::with(|builder| builder.shared_data(reports.clone())).await;
    world
        .add(
            stops_everything::job()
                .id("stop")
                .date("2026-03-02T00:01:00Z"),
        )
        .await;
    world
        .add(work::job(90).id("long").date("2026-03-02T00:00:00Z"))
        .await;
    world.advance(minutes(3)).await;
    assert_eq!(
        *reports.lock().unwrap(),
        ["1 run completed, 1 still running (stop)"]
    );
    let runs = world.runs().await;
    assert!(
        runs.iter().all(|run| run.state == RunState::Succeeded),
        "{runs:?}"
    );
    assert_eq!(world.scheduler.health().phase, Phase::Stopped);
}

#[task]
async fn keeps_its_context(kept: Data<Mutex<Option<JobContext>>>, ctx: JobContext) -> bool {
    let has_scheduler = ctx.scheduler().is_some();
    *kept.lock().unwrap() = Some(ctx);
    has_scheduler
}

#[tokio::test(start_paused = true)]
async fn a_context_that_is_kept_keeps_no_scheduler_alive() {
    let clock = VirtualClock::at("2026-03-02T00:00:00Z").unwrap();
    let kept = Arc::new(Mutex::new(None::<JobContext>));
    // It lives as long as the engine, which cannot be observed from outside in another way.
    let executor = Arc::new(LocalExecutor::with_limit(1));
    let probe = Arc::downgrade(&executor);
    let scheduler = Scheduler::builder()
        .clock(clock.clone())
        .without_static_jobs()
        .shared_data(kept.clone())
        .executor("probe", executor)
        .start()
        .await
        .unwrap();
    let job = keeps_its_context::job().id("keeps").executor("probe");
    scheduler
        .add_job(job.trigger(Trigger::now()))
        .await
        .unwrap();
    clock.settle().await;
    let runs = scheduler.list_runs(&RunFilter::new()).await.unwrap().items;
    assert_eq!(runs[0].value.as_deref(), Some("true"));
    scheduler.shutdown(Shutdown::wait()).await;
    clock.settle().await;
    assert!(probe.strong_count() > 0, "the handle keeps it");
    drop(scheduler);
    assert_eq!(probe.strong_count(), 0);
    let context = kept.lock().unwrap().take().unwrap();
    assert!(context.scheduler().is_none());
    assert_eq!(context.job_id(), "keeps");
    assert!(context.data::<Mutex<Option<JobContext>>>().is_some());
}
