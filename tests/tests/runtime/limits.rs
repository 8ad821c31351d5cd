//! The largest and smallest values that can be configured.

use std::time::Duration;

use scheduler_core::prelude::*;
use scheduler_core::{Backoff, Coalesce, Error, Overlap, PolicyPatch, RunState};

use crate::support::{World, minutes, seconds, work};

#[tokio::test(start_paused = true)]
async fn counts_that_have_no_text_are_refused() {
    let world = World::new().await;
    let patches = [
        PolicyPatch::new().coalesce(Coalesce::All(0)),
        PolicyPatch::new().coalesce(Coalesce::All(u32::MAX)),
        PolicyPatch::new().overlap(Overlap::Queue(0)),
        PolicyPatch::new().overlap(Overlap::Queue(u32::MAX)),
        PolicyPatch::new().backoff(Backoff::constant(Duration::ZERO)),
        PolicyPatch::new().timeout(Duration::ZERO),
        PolicyPatch::new().timeout(Duration::MAX),
    ];
    for (index, patch) in patches.into_iter().enumerate() {
        let job = work::job(0).interval("1m").policies(patch);
        let refused = world.scheduler.add_job(job).await;
        assert!(matches!(refused, Err(Error::Policy { .. })), "{index}");
    }
}

#[tokio::test(start_paused = true)]
async fn argument_made_in_code_that_is_nested_too_deep_is_refused() {
    let world = World::new().await;
    let nested = (0..124).fold(serde_json::Value::Null, |inner, _| vec![inner].into());
    let job = work::job(0).id("deep").argument("tree", nested);
    let refused = world
        .scheduler
        .add_job(job.interval("1m"))
        .await
        .unwrap_err();
    let text = refused.to_string();
    assert!(
        text.starts_with("job `deep`: argument `tree`: it has more than 64 levels"),
        "{text}"
    );
    assert!(
        matches!(&refused, Error::Arguments { argument: Some(name), .. } if name == "tree"),
        "{refused:?}"
    );
}

#[task]
async fn fails_forever() -> Result<(), String> {
    Err("no".into())
}

/// The longest duration that a policy can store.
const LONGEST: Duration = Duration::from_micros(u64::MAX);

#[tokio::test(start_paused = true)]
async fn the_longest_times_overflow_nowhere() {
    let world = World::new().await;
    let longest = || {
        PolicyPatch::new()
            .misfire_grace_time(LONGEST)
            .timeout(LONGEST)
            .jitter(LONGEST)
            .max_instances(u32::MAX)
            .coalesce(Coalesce::All(Coalesce::ALL_MAX))
            .overlap(Overlap::Queue(Overlap::QUEUE_MAX))
    };
    let often = work::job(0).id("often").cron("* * * * *");
    world.add(often.policies(longest())).await;
    let fails = fails_forever::job().id("fails").trigger(Trigger::now());
    let retries = PolicyPatch::new()
        .retries(u32::MAX)
        .backoff(Backoff::constant(LONGEST));
    world.add(fails.policies(retries)).await;
    world.advance(minutes(10)).await;
    assert!(world.journal.count() >= 8);
    let runs = world.runs().await;
    let run = runs.iter().find(|run| run.job_id == "fails").unwrap();
    assert_eq!((run.state, run.attempt), (RunState::Running, 2));
    world.scheduler.pause();
    world.clock.jump(chrono::TimeDelta::days(30_000));
    world.scheduler.resume();
    world.advance(seconds(31)).await;
    let longest = Shutdown::wait_up_to(Duration::MAX);
    world.scheduler.shutdown(longest).await;
}

#[task(
    name = "a_name_of_two_hundred_and_fifty_bytes_a_name_of_two_hundred_and_fifty_bytes_a_name_of_two_hundred_and_fifty_bytes_a_name_of_two_hundred_and_fifty_bytes_a_name_of_two_hundred_and_fifty_bytes_a_name_of_two_hundred_and_fifty_bytes_a_name_of_250_by"
)]
async fn long_name() {}

#[tokio::test(start_paused = true)]
async fn a_task_with_a_long_name_needs_no_id_of_its_own() {
    let world = World::new().await;
    for _ in 0..2 {
        world.add(long_name::job().interval("1m")).await;
    }
    assert_eq!(world.scheduler.get_jobs().await.unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn jobs_without_end_are_refused_at_the_first_mistake() {
    let world = World::new().await;
    let jobs = std::iter::repeat_with(|| Job::new("no_such_task").interval("1h"));
    let refused = world.scheduler.add_jobs(jobs).await;
    assert!(matches!(refused, Err(Error::UnknownTask { .. })));
}

#[tokio::test(start_paused = true)]
async fn arguments_are_told_of_before_policies() {
    let world = World::new().await;
    let job = Job::new("work").argument("nope", 1).interval("1h");
    let refused = world.scheduler.add_job(job.max_instances(0)).await;
    assert!(
        matches!(refused, Err(Error::Arguments { .. })),
        "{refused:?}"
    );
}
