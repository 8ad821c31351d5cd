//! Where runs are carried out: limits, threads of sync tasks, separate capacities.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use chrono::TimeDelta;
use scheduler_core::prelude::*;
use scheduler_core::{EventKind, LocalExecutor, RunFilter, RunState};

use crate::support::{World, minutes, seconds, work};

/// A gate at which sync tasks wait, on their threads.
struct Gate {
    open: Mutex<mpsc::Receiver<()>>,
    inside: AtomicUsize,
}

#[task]
fn blocking(gate: Data<Gate>, ctx: JobContext) -> bool {
    gate.inside.fetch_add(1, Ordering::SeqCst);
    let _ = gate.open.lock().unwrap().recv();
    gate.inside.fetch_sub(1, Ordering::SeqCst);
    ctx.is_cancelled()
}

#[task]
fn quick_sync(number: u64) -> u64 {
    assert!(
        std::thread::current()
            .name()
            .is_some_and(|name| name.starts_with("job-"))
    );
    number * 2
}

#[task]
fn sync_panic() {
    panic!("on a thread");
}

async fn gated() -> (World, mpsc::Sender<()>) {
    let (sender, receiver) = mpsc::channel();
    let gate = Gate {
        open: Mutex::new(receiver),
        inside: AtomicUsize::new(0),
    };
    (World::with(|builder| builder.data(gate)).await, sender)
}

#[tokio::test(start_paused = true)]
async fn sync_tasks_run_on_threads_of_their_own_and_return_values() {
    let (world, _gate) = gated().await;
    world
        .add(quick_sync::job(21).id("double").interval("1m"))
        .await;
    world
        .add(sync_panic::job().id("panic").interval("1m"))
        .await;
    world.advance(seconds(61)).await;
    let runs = world.runs().await;
    let run = |id: &str| runs.iter().find(|run| run.job_id == id).unwrap();
    assert_eq!(run("double").value.as_deref(), Some("42"));
    assert_eq!(run("panic").error.as_deref(), Some("panicked: on a thread"));
    assert_eq!(run("panic").state, RunState::Failed);
}

/// A sync task runs on a thread outside the runtime, whose time is virtual.
#[tokio::test(start_paused = true)]
async fn a_sync_task_ends_at_the_instant_at_which_it_started_while_virtual_time_stands_still() {
    let (world, _gate) = gated().await;
    world
        .add(quick_sync::job(21).id("double").interval("1h"))
        .await;
    world.advance(TimeDelta::days(1)).await;
    let runs = world.runs().await;
    assert_eq!(runs.len(), 24);
    for run in runs {
        assert_eq!(run.started_at, Some(run.scheduled_for));
        assert_eq!(run.finished_at, Some(run.scheduled_for));
    }
}

#[tokio::test(start_paused = true)]
async fn a_stuck_sync_task_is_reported_keeps_its_place_and_is_reported() {
    let (mut world, gate) = gated().await;
    let job = blocking::job()
        .id("stuck")
        .interval("1m")
        .timeout(Duration::from_secs(30));
    world.add(job).await;
    // Virtual time is held while a thread works, for two real seconds; then it continues.
    world.advance(seconds(100)).await;
    let run = &world.runs().await[0];
    assert_eq!(run.state, RunState::TimedOut);
    let kinds = world.event_kinds();
    assert!(kinds.iter().any(|kind| matches!(
        kind,
        EventKind::TimedOut {
            body_runs: true,
            ..
        }
    )));
    // The thread has not returned: the next fire time finds no slot.
    world.advance(seconds(25)).await;
    let reasons: Vec<_> = world
        .skipped()
        .await
        .into_iter()
        .map(|skipped| skipped.0.as_str())
        .collect();
    assert_eq!(reasons, ["overlap"]);
    assert_eq!(world.scheduler.health().live_runs, 1);
    gate.send(()).unwrap();
    // The thread returns in real time, which the virtual clock no longer follows.
    while world.scheduler.health().live_runs > 0 {
        let nap = || std::thread::sleep(Duration::from_millis(1));
        tokio::task::spawn_blocking(nap).await.unwrap();
    }
    assert_eq!(
        world.runs().await[0].state,
        RunState::TimedOut,
        "the record stays"
    );
    drop(gate);
    world.advance(minutes(1)).await;
    assert_eq!(world.runs().await.len(), 2, "the slot is free again");
}

#[tokio::test(start_paused = true)]
async fn a_stuck_sync_task_that_is_cancelled_is_not_tried_again() {
    let (world, gate) = gated().await;
    let job = blocking::job().id("stuck").trigger(Trigger::now());
    let job = job.timeout(Duration::from_secs(30)).retries(3);
    world.add(job).await;
    world.advance(seconds(60)).await;
    let run = world.runs().await[0].clone();
    assert_eq!((run.state, run.attempt), (RunState::Running, 1));
    world.scheduler.cancel_run(run.id).await.unwrap();
    world.clock.settle().await;
    assert_eq!(world.runs().await[0].state, RunState::Cancelled);
    assert_eq!(world.scheduler.health().live_runs, 1, "its thread works");
    drop(gate);
    while world.scheduler.health().live_runs > 0 {
        let nap = || std::thread::sleep(Duration::from_millis(1));
        tokio::task::spawn_blocking(nap).await.unwrap();
    }
    world.advance(minutes(10)).await;
    let runs = world.runs().await;
    assert_eq!(runs.len(), 1);
    assert_eq!((runs[0].state, runs[0].attempt), (RunState::Cancelled, 1));
}

#[tokio::test(start_paused = true)]
async fn a_full_executor_does_not_hold_up_the_jobs_of_another() {
    let world = World::with(|builder| builder.executor("slow", LocalExecutor::with_limit(2))).await;
    for index in 0..6 {
        let job = work::job(600)
            .id(format!("slow-{index}"))
            .date("2026-03-02T00:01:00Z");
        world.add(job.executor("slow")).await;
    }
    world.add(work::job(0).id("fast").interval("1m")).await;
    world.advance(minutes(5)).await;
    let started = world.starts().len();
    assert_eq!(started, 2 + 5);
    world.advance(TimeDelta::hours(1)).await;
    let slow = world
        .runs()
        .await
        .iter()
        .filter(|run| run.job_id.as_str().starts_with("slow"))
        .count();
    assert_eq!(slow, 6, "those that found it full came later");
    let health = world.scheduler.health();
    let executor = health
        .executors
        .iter()
        .find(|executor| &*executor.name == "slow")
        .unwrap();
    assert_eq!((executor.limit, executor.in_use), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn more_runs_of_one_job_than_room_wait_for_it() {
    let world = World::with(|builder| builder.executor("slow", LocalExecutor::with_limit(1))).await;
    let job = work::job(60)
        .id("job")
        .cron("*/10 * * * *")
        .executor("slow");
    world
        .add(
            job.coalesce(scheduler_core::Coalesce::All(10))
                .max_instances(10),
        )
        .await;
    world.scheduler.pause();
    world.advance(minutes(45)).await;
    world.scheduler.resume();
    world.advance(minutes(4)).await;
    assert_eq!(
        world.starts(),
        ["00:00", "00:10", "00:20", "00:30", "00:40"]
    );
    assert_eq!(world.journal.most_running.load(Ordering::SeqCst), 1);
}

#[task]
async fn blocks_its_thread(blocked: Data<AtomicUsize>) {
    blocked.fetch_add(1, Ordering::SeqCst);
    std::thread::sleep(Duration::from_millis(300));
    blocked.fetch_sub(1, Ordering::SeqCst);
}

#[task]
async fn sees(blocked: Data<AtomicUsize>, seen: Data<Mutex<bool>>) {
    if blocked.load(Ordering::SeqCst) > 0 {
        *seen.lock().unwrap() = true;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_job_that_blocks_its_thread_does_not_hold_up_the_others() {
    let seen = std::sync::Arc::new(Mutex::new(false));
    let scheduler = Scheduler::builder()
        .without_static_jobs()
        .data(AtomicUsize::new(0))
        .shared_data(seen.clone())
        .start()
        .await
        .unwrap();
    scheduler
        .add_job(
            blocks_its_thread::job()
                .id("blocks")
                .interval("1h")
                .run_on_start(true),
        )
        .await
        .unwrap();
    scheduler
        .add_job(sees::job().id("sees").interval("10ms"))
        .await
        .unwrap();
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        if *seen.lock().unwrap() {
            break;
        }
    }
    scheduler.shutdown(Shutdown::abort()).await;
    assert!(*seen.lock().unwrap());
}

#[task]
fn adds_a_job(ctx: JobContext) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let scheduler = ctx.scheduler().ok_or("a run of a scheduler")?;
    let runtime = tokio::runtime::Handle::try_current()?;
    let job = runtime.block_on(scheduler.add_job(quick_sync::job(4).id("added").interval("1m")))?;
    let spawned = runtime.block_on(tokio::spawn(async { 7 }))?;
    Ok(format!("{} {spawned}", job.id))
}

#[tokio::test(start_paused = true)]
async fn a_sync_task_blocks_on_the_calls_of_the_handle() {
    let world = World::new().await;
    world
        .add(adds_a_job::job().id("adder").trigger(Trigger::now()))
        .await;
    world.clock.settle().await;
    let run = &world.runs().await[0];
    assert_eq!(run.value.as_deref(), Some("\"added 7\""), "{run:?}");
    world.advance(minutes(2)).await;
    let added = RunFilter::new().job("added");
    assert_eq!(
        world.scheduler.list_runs(&added).await.unwrap().items.len(),
        2
    );
}
