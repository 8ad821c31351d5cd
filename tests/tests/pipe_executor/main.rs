//! Runs that are carried to another process: the executor interface, tested from the outside.

#![allow(clippy::unwrap_used, clippy::panic)] // tests; the exception for them leaves out what they share
#![allow(clippy::disallowed_methods)] // another process lives in real time

mod carrier;

use std::sync::Arc;
use std::time::Duration;

use carrier::PipeExecutor;
use scheduler_core::prelude::*;
use scheduler_core::{
    Assignment, Backoff, Cancellation, Executor, Job, Reporter, Run, RunFilter, RunId, RunState,
};

/// Only the names and arguments of the tasks are used here; the worker runs the bodies.
#[task]
async fn pipe_double(number: u64) -> u64 {
    panic!("{number} is doubled by the worker")
}

#[task]
async fn pipe_fail() {}

#[task]
async fn pipe_wait_at_first() {}

#[task]
fn pipe_stubborn() {}

struct World {
    scheduler: Scheduler,
    executor: Arc<PipeExecutor>,
}

impl World {
    async fn with_capacity(capacity: usize) -> Self {
        let executor = PipeExecutor::new(capacity);
        let builder = Scheduler::builder().without_static_jobs();
        let scheduler = builder.executor("pipe", executor.clone()).start().await;
        Self {
            scheduler: scheduler.unwrap(),
            executor,
        }
    }

    async fn run(&self, job: Job) {
        let job = job.executor("pipe").trigger(Trigger::now());
        let job = job
            .retries(1)
            .backoff(Backoff::constant(Duration::from_millis(10)));
        self.scheduler.add_job(job).await.unwrap();
    }

    async fn until(&self, what: impl AsyncFn(&Self) -> bool) {
        for _ in 0..1_000 {
            if what(self).await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("not within 20 seconds: {:?}", self.runs().await);
    }

    async fn runs(&self) -> Vec<Run> {
        self.scheduler
            .list_runs(&RunFilter::new().limit(usize::MAX))
            .await
            .unwrap()
            .items
    }

    /// Waits for the end of the only run, and returns it.
    async fn ended(&self) -> Run {
        self.until(async |world| {
            let runs = world.runs().await;
            runs.len() == 1 && runs[0].finished_at.is_some() && world.free().await
        })
        .await;
        self.runs().await.remove(0)
    }

    async fn at_work(&self) {
        self.until(async |world| world.executor.at_work() == 1)
            .await;
    }

    /// Returns `true` if all of the executor's capacity is free.
    async fn free(&self) -> bool {
        let health = self.scheduler.health();
        let mut executors = health.executors.iter();
        executors.any(|executor| &*executor.name == "pipe" && executor.in_use == 0)
    }
}

#[tokio::test]
async fn a_run_is_carried_to_another_process_and_its_value_back() {
    let world = World::with_capacity(8).await;
    world.run(pipe_double::job(21).id("double")).await;
    let run = world.ended().await;
    assert_eq!(run.state, RunState::Succeeded, "{run:?}");
    assert_eq!(run.value.as_deref(), Some("42"));
}

#[tokio::test]
async fn failures_of_a_worker_are_tried_again_as_the_job_says() {
    let world = World::with_capacity(8).await;
    world.run(pipe_fail::job().id("fails")).await;
    let run = world.ended().await;
    assert_eq!((run.state, run.attempt), (RunState::Failed, 2), "{run:?}");
    assert_eq!(run.error.as_deref(), Some("no paper"));
}

#[tokio::test]
async fn a_cancellation_reaches_the_worker() {
    let world = World::with_capacity(8).await;
    world.run(pipe_wait_at_first::job().id("waits")).await;
    world.at_work().await;
    let run = world.runs().await.remove(0);
    world.scheduler.cancel_run(run.id).await.unwrap();
    let run = world.ended().await;
    assert_eq!(
        (run.state, run.attempt),
        (RunState::Cancelled, 1),
        "{run:?}"
    );
    let error = run.error.unwrap_or_default();
    assert!(error.ends_with("stopped, Requested"), "{error}");
}

#[tokio::test]
async fn a_run_whose_worker_is_killed_is_tried_again_on_the_next_one() {
    let world = World::with_capacity(8).await;
    world.run(pipe_wait_at_first::job().id("waits")).await;
    world.at_work().await;
    world.executor.kill_worker();
    let run = world.ended().await;
    assert_eq!(
        (run.state, run.attempt),
        (RunState::Succeeded, 2),
        "{run:?}"
    );
    assert_eq!(run.value.as_deref(), Some("2"));
    let lost = &run.earlier_attempts[0];
    assert_eq!(lost.state, RunState::Failed);
    assert_eq!(lost.error.as_deref(), Some("the worker was lost"));
    assert_eq!(world.executor.workers_started(), 2);
}

#[tokio::test]
async fn an_outcome_of_an_attempt_that_was_given_up_changes_nothing() {
    let world = World::with_capacity(8).await;
    world.run(pipe_stubborn::job().id("lost")).await;
    world.at_work().await;
    assert_eq!(world.executor.lose_attempts(), 1);
    let run = world.ended().await;
    assert_eq!(
        (run.state, run.attempt),
        (RunState::Succeeded, 2),
        "{run:?}"
    );
    assert_eq!(run.value.as_deref(), Some("\"in time\""));
    // The worker has reported the first attempt by now.
    tokio::time::sleep(Duration::from_millis(900)).await;
    assert_eq!(world.ended().await, run);
}

#[tokio::test]
async fn a_worker_that_takes_too_long_is_cancelled_and_its_late_outcome_changes_nothing() {
    let world = World::with_capacity(8).await;
    let job = pipe_stubborn::job().id("late");
    world.run(job.timeout(Duration::from_millis(200))).await;
    world.at_work().await;
    world
        .until(async |world| {
            let run = world.runs().await.remove(0);
            run.earlier_attempts
                .iter()
                .any(|attempt| attempt.state == RunState::TimedOut)
        })
        .await;
    assert!(!world.free().await, "its body is at work");
    let run = world.ended().await;
    assert_eq!(
        (run.state, run.attempt),
        (RunState::Succeeded, 2),
        "{run:?}"
    );
    assert_eq!(run.value.as_deref(), Some("\"in time\""));
}

#[tokio::test]
async fn no_more_runs_are_handed_over_than_the_executor_takes() {
    let world = World::with_capacity(2).await;
    for number in 0..10 {
        let job = pipe_double::job(number).id(format!("double-{number}"));
        world.run(job).await;
    }
    world
        .until(async |world| {
            let runs = world.runs().await;
            let ended = runs.iter().filter(|run| run.finished_at.is_some());
            ended.count() == 10 && world.free().await
        })
        .await;
    assert!((1..=2).contains(&world.executor.most_at_once()));
}

#[tokio::test]
async fn a_shutdown_at_its_deadline_cancels_what_workers_have() {
    let world = World::with_capacity(8).await;
    world.run(pipe_wait_at_first::job().id("waits")).await;
    world.at_work().await;
    let report = world.scheduler.shutdown(Shutdown::abort()).await;
    assert_eq!(report.cancelled.len(), 1, "{report}");
    assert_eq!(world.runs().await[0].state, RunState::Cancelled);
}

#[derive(Debug)]
struct Panics;

impl Executor for Panics {
    fn capacity(&self) -> usize {
        1
    }

    fn submit(&self, _assignment: Assignment, _reporter: Reporter) {
        panic!("no connection")
    }

    fn cancel(&self, _run: RunId, _attempt: u32, _cancellation: Cancellation) {}
}

#[tokio::test]
async fn an_executor_that_panics_fails_the_run_and_not_the_scheduler() {
    let builder = Scheduler::builder().without_static_jobs();
    let scheduler = builder.executor("pipe", Panics).start().await.unwrap();
    let world = World {
        scheduler,
        executor: PipeExecutor::new(1),
    };
    world.run(pipe_fail::job().id("fails")).await;
    let run = world.ended().await;
    assert_eq!((run.state, run.attempt), (RunState::Failed, 2), "{run:?}");
    assert!(world.scheduler.health().is_ok());
}
