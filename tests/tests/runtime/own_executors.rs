//! User-provided executors: how their runs are recorded, and built-in executors that they share or wrap.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use scheduler_core::prelude::*;
use scheduler_core::{
    Assignment, Cancellation, Executor, LocalExecutor, Outcome, Reporter, RunId, RunState,
};

use crate::support::{World, minutes, seconds, work};

/// Completes each run after a minute.
#[derive(Debug, Default)]
struct OneMinute {
    enforces_timeouts: bool,
    deadlines: Arc<Mutex<Vec<Option<DateTime<Utc>>>>>,
}

impl Executor for OneMinute {
    fn capacity(&self) -> usize {
        8
    }

    fn submit(&self, assignment: Assignment, reporter: Reporter) {
        self.deadlines.lock().unwrap().push(assignment.deadline());
        tokio::spawn(async move {
            let minute = Duration::from_secs(60);
            tokio::time::sleep(minute).await;
            reporter.report(Outcome::succeeded().with_duration(minute));
        });
    }

    fn cancel(&self, _run: RunId, _attempt: u32, _cancellation: Cancellation) {}

    fn enforces_timeouts(&self) -> bool {
        self.enforces_timeouts
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_started_when_its_executor_says_whoever_enforces_timeouts() {
    for enforces_timeouts in [false, true] {
        let deadlines = Arc::default();
        let executor = OneMinute {
            enforces_timeouts,
            deadlines: Arc::clone(&deadlines),
        };
        let world = World::with(|builder| builder.executor("own", executor)).await;
        let job = work::job(0).id("job").date("2026-03-02T00:10:00Z");
        let job = job.executor("own").timeout(Duration::from_secs(300));
        world.add(job).await;
        world.advance(minutes(15)).await;
        let run = &world.runs().await[0];
        assert_eq!(run.started_at, Some(run.scheduled_for), "{run:?}");
        assert_eq!(run.finished_at, Some(run.scheduled_for + minutes(1)));
        assert_eq!(run.lateness, Some(Duration::ZERO));
        // The scheduler computes no deadline for timeouts that it does not enforce.
        let deadline = Some(run.scheduled_for + minutes(5)).filter(|_| !enforces_timeouts);
        assert_eq!(*deadlines.lock().unwrap(), [deadline]);
    }
}

/// Forwards everything to a built-in executor, except for methods with a default.
#[derive(Debug)]
struct Wrapper {
    inner: LocalExecutor,
    cancelled: Arc<Mutex<Vec<(RunId, u32, Cancellation)>>>,
}

impl Executor for Wrapper {
    fn capacity(&self) -> usize {
        self.inner.capacity()
    }

    fn submit(&self, assignment: Assignment, reporter: Reporter) {
        self.inner.submit(assignment, reporter);
    }

    fn cancel(&self, run: RunId, attempt: u32, cancellation: Cancellation) {
        let cancelled = (run, attempt, cancellation);
        self.cancelled.lock().unwrap().push(cancelled);
    }
}

#[task]
fn sync_and_quick() {}

#[tokio::test(start_paused = true)]
async fn a_run_of_a_wrapped_executor_is_not_cancelled_once_it_has_ended() {
    let cancelled = Arc::default();
    let executor = Wrapper {
        inner: LocalExecutor::with_limit(4),
        cancelled: Arc::clone(&cancelled),
    };
    let world = World::with(|builder| builder.executor("own", executor)).await;
    for (id, job) in [
        ("sync", sync_and_quick::job()),
        ("async", work::job(1)),
        ("slow", work::job(60)),
    ] {
        let job = job.id(id).date("2026-03-02T00:10:00Z").executor("own");
        world.add(job.timeout(Duration::from_secs(30))).await;
    }
    world.advance(minutes(12)).await;
    let runs = world.runs().await;
    let run = |id: &str| runs.iter().find(|run| run.job_id == id).unwrap();
    assert_eq!(run("sync").state, RunState::Succeeded);
    assert_eq!(run("async").state, RunState::Succeeded);
    let slow = run("slow");
    assert_eq!(slow.state, RunState::TimedOut);
    assert_eq!(slow.started_at, Some(slow.scheduled_for));
    assert_eq!(slow.finished_at, Some(slow.scheduled_for + seconds(30)));
    let once = (slow.id, 1, Cancellation::TimedOut);
    assert_eq!(*cancelled.lock().unwrap(), [once], "slow is {}", slow.id);
    assert_eq!(world.scheduler.health().live_runs, 0);
}

fn runtime() -> tokio::runtime::Runtime {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().start_paused(true).build().unwrap()
}

async fn run_on(executor: Arc<LocalExecutor>) {
    let world = World::with(|builder| builder.executor("own", executor)).await;
    let job = work::job(1).id("job").cron("*/10 * * * *").executor("own");
    world.add(job).await;
    world.advance(minutes(21)).await;
    let runs = world.runs().await;
    assert_eq!(runs.len(), 3);
    for run in runs {
        assert_eq!(run.state, RunState::Succeeded, "{run:?}");
    }
    world.scheduler.shutdown(Shutdown::wait()).await;
}

#[test]
fn an_executor_is_used_on_another_runtime_once_the_first_is_gone() {
    let executor = Arc::new(LocalExecutor::with_limit(4));
    for _ in 0..2 {
        runtime().block_on(run_on(executor.clone()));
    }
}

#[test]
fn an_executor_is_used_on_another_runtime_while_nobody_drives_the_first() {
    let executor = Arc::new(LocalExecutor::with_limit(4));
    let first = runtime();
    first.block_on(run_on(executor.clone()));
    runtime().block_on(run_on(executor.clone()));
    first.block_on(run_on(executor));
}
