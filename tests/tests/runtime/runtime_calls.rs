//! Jobs that are added, changed and removed while the scheduler runs, also by jobs.

use std::time::Duration;

use chrono::TimeDelta;
use scheduler_core::prelude::*;
use scheduler_core::{
    Arguments, Backoff, Coalesce, Error, EventKind, Fold, Gap, JobPatch, NextEvent, Overlap,
    PolicyPatch, RunFilter, RunKind, RunState,
};

use crate::support::{World, clock_text, minutes, seconds, work};

#[tokio::test(start_paused = true)]
async fn a_job_added_earlier_than_the_present_sleep_is_not_late() {
    let world = World::new().await;
    world.add(work::job(0).id("far").cron("0 0 1 1 *")).await;
    world.advance(seconds(7)).await;
    world
        .add(
            work::job(0)
                .id("near")
                .interval("2s")
                .start("2026-03-02T00:00:09Z"),
        )
        .await;
    world.advance(seconds(5)).await;
    assert_eq!(world.starts(), ["00:00:09", "00:00:11"]);
}

#[tokio::test(start_paused = true)]
async fn jobs_are_found_changed_and_removed_by_id() {
    let world = World::new().await;
    world.add(work::job(0).id("a").interval("1h")).await;
    let scheduler = &world.scheduler;
    let job = scheduler.get_job("a").await.unwrap().unwrap();
    assert_eq!(clock_text(job.next_run_time().unwrap()), "01:00");
    assert_eq!(
        job.trigger.to_string(),
        "every 1h start=2026-03-02T01:00:00Z"
    );

    let job = scheduler
        .reschedule_job("a", "cron */5 * * * *".parse().unwrap())
        .await
        .unwrap();
    assert_eq!(clock_text(job.next_run_time().unwrap()), "00:05");
    assert!(!job.edited, "a dynamic job has no code to differ from");

    let patch = JobPatch::new()
        .policies(PolicyPatch::new().max_instances(4))
        .arguments(Arguments::new().with("seconds", 3).unwrap());
    let job = scheduler.modify_job("a", patch).await.unwrap();
    assert_eq!(job.policies.max_instances, 4);
    assert_eq!(job.arguments.to_string(), r#"{"seconds":3}"#);
    assert_eq!(clock_text(job.next_run_time().unwrap()), "00:05");

    assert_eq!(scheduler.remove_job("a").await.unwrap().id, "a");
    assert!(scheduler.get_job("a").await.unwrap().is_none());
    assert!(matches!(
        scheduler.remove_job("a").await,
        Err(Error::JobNotFound { .. })
    ));
    assert!(matches!(
        scheduler.pause_job("a").await,
        Err(Error::JobNotFound { .. })
    ));
    world.advance(minutes(30)).await;
    assert_eq!(world.journal.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_id_is_taken_once_unless_it_is_replaced() {
    let world = World::new().await;
    world.add(work::job(0).id("a").interval("1h")).await;
    let again = world
        .scheduler
        .add_job(work::job(0).id("a").interval("1m"))
        .await;
    assert!(matches!(again, Err(Error::JobExists { .. })));
    world
        .add(work::job(0).id("a").interval("1m").replace_existing(true))
        .await;
    assert_eq!(world.scheduler.get_jobs().await.unwrap().len(), 1);
    world.advance(minutes(3)).await;
    assert_eq!(world.journal.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn many_jobs_are_added_all_or_none() {
    let world = World::new().await;
    let jobs = ["a", "b", "b "].map(|id| work::job(0).id(id).interval("1h"));
    world.scheduler.add_jobs(jobs).await.unwrap();
    let jobs = ["c", "a"].map(|id| work::job(0).id(id).interval("1h"));
    assert!(
        matches!(world.scheduler.add_jobs(jobs).await, Err(Error::JobExists { job }) if job == "a")
    );
    assert!(world.scheduler.get_job("c").await.unwrap().is_none());
    let twice = ["d", "d"].map(|id| work::job(0).id(id).interval("1h"));
    assert!(
        matches!(world.scheduler.add_jobs(twice).await, Err(Error::JobExists { job }) if job == "d")
    );
}

#[tokio::test(start_paused = true)]
async fn jobs_without_an_id_get_one_each() {
    let world = World::new().await;
    let a = world
        .scheduler
        .add_job(work::job(0).interval("1h"))
        .await
        .unwrap();
    let b = world
        .scheduler
        .add_job(work::job(0).interval("1h"))
        .await
        .unwrap();
    assert_ne!(a.id, b.id);
    assert!(a.id.as_str().starts_with("work-"));
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_a_job_is_told_by_name() {
    let world = World::new().await;
    let error = async |job: Job| {
        world
            .scheduler
            .add_job(job.id("x"))
            .await
            .unwrap_err()
            .to_string()
    };
    let cases = [
        (
            Job::new("wrok").interval("1h"),
            "no task `wrok` in this program: did you mean `work`?",
        ),
        (work::job(0), "has no trigger"),
        (work::job(0).cron("61 * * * *"), "0-59"),
        (work::job(0).interval("5 minuts"), "minut"),
        (
            work::job(0).date("2020-01-01T00:00:00Z"),
            "would never fire",
        ),
        (
            work::job(0).interval("1h").max_instances(0),
            "`max_instances`",
        ),
        (
            work::job(0).interval("1h").executor("gpu"),
            "no executor named `gpu`; there is `default`, `sync`",
        ),
        (
            work::job(0).interval("1h").store("pg"),
            "no store named `pg`; there is `default`",
        ),
        (
            Job::new("work").interval("1h").argument("second", 1),
            "did you mean `seconds`?",
        ),
        (
            Job::new("work").interval("1h").argument("seconds", "x"),
            "argument `seconds` is not of type `u64`",
        ),
        (
            Job::new("work")
                .interval("1h")
                .argument("seconds", "x".repeat(300_000)),
            "over the limit",
        ),
        (
            work::job(0).interval("1h").at_most_once(true).retries(1),
            "`at_most_once`",
        ),
        (
            work::job(0).interval("1h").timezone(Tz::Europe__Berlin),
            "zone",
        ),
        (
            work::job(0).cron("@daily").timezone("Europe/Berln"),
            "did you mean `Europe/Berlin`?",
        ),
        (
            work::job(0).cron("@daily").gap("skp"),
            "did you mean `skip`?",
        ),
        (
            work::job(0).cron("@daily").fold("boht"),
            "did you mean `both`?",
        ),
        (
            work::job(0).interval("1h").timeout("soon"),
            "`timeout`: cannot take `soon`",
        ),
        (
            work::job(0).interval("1h").overlap("queue(0)"),
            "`overlap`: cannot take `queue(0)`",
        ),
    ];
    for (job, expected) in cases {
        let text = error(job.clone()).await;
        assert!(text.contains(expected), "{text}\nfor {job:?}");
        assert!(text.contains("`x`"), "{text}");
    }
    assert!(world.scheduler.get_jobs().await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn default_policy_that_cannot_be_read_is_an_error_of_start() {
    let builder = Scheduler::builder()
        .without_static_jobs()
        .defaults(PolicyPatch::new().misfire_grace_time("5 minuts"));
    let error = builder.start().await.unwrap_err().to_string();
    assert!(
        error.contains("`misfire_grace_time`: cannot take `5 minuts`"),
        "{error}"
    );
    assert!(error.contains("did you mean `5 minutes`?"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn texts_of_a_job_mean_what_they_mean_in_an_attribute() {
    let world = World::new().await;
    let texts = work::job(0)
        .id("texts")
        .cron("30 2 * * *")
        .timezone("Europe/Berlin")
        .gap("skip")
        .fold("both")
        .misfire_grace_time("5m")
        .timeout("none")
        .jitter("30s")
        .backoff("5s..1m")
        .coalesce("all(20)")
        .overlap("queue");
    let values = work::job(0)
        .id("values")
        .cron("30 2 * * *")
        .timezone(Tz::Europe__Berlin)
        .gap(Gap::Skip)
        .fold(Fold::Both)
        .misfire_grace_time(Duration::from_secs(300))
        .timeout(None)
        .jitter(Duration::from_secs(30))
        .backoff(Backoff::exponential(
            Duration::from_secs(5),
            Duration::from_secs(60),
        ))
        .coalesce(Coalesce::All(20))
        .overlap(Overlap::Queue(1));
    let texts = world.scheduler.add_job(texts).await.unwrap();
    let values = world.scheduler.add_job(values).await.unwrap();
    assert_eq!(texts.policies, values.policies);
    assert_eq!(texts.trigger, values.trigger);
}

#[task]
async fn busybody(step: u32, ctx: JobContext) -> Result<(), Error> {
    let Some(scheduler) = ctx.scheduler() else {
        return Ok(());
    };
    if step > 0 {
        scheduler.remove_job("child").await?;
        scheduler.remove_job(ctx.job_id()).await?;
        return Ok(());
    }
    scheduler
        .add_job(work::job(0).id("child").interval("1m"))
        .await?;
    scheduler
        .reschedule_job(ctx.job_id(), "every 10m".parse().unwrap())
        .await?;
    let patch = JobPatch::new().arguments(Arguments::new().with("step", step + 1).unwrap());
    scheduler.modify_job(ctx.job_id(), patch).await?;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_job_adds_reschedules_and_removes_itself() {
    let world = World::new().await;
    world
        .add(busybody::job(0).id("busybody").interval("1m"))
        .await;
    world.advance(minutes(60)).await;
    assert!(world.scheduler.get_jobs().await.unwrap().is_empty());
    let runs = world
        .scheduler
        .list_runs(&RunFilter::new().job("busybody"))
        .await
        .unwrap()
        .items;
    assert_eq!(runs.len(), 2);
    assert!(
        runs.iter().all(|run| run.state == RunState::Succeeded),
        "{runs:?}"
    );
    assert_eq!(clock_text(runs[0].scheduled_for), "00:11");
    assert_eq!(world.journal.count(), 10);
}

#[tokio::test(start_paused = true)]
async fn what_comes_next_is_listed_over_all_jobs() {
    let world = World::new().await;
    world
        .add(
            work::job(0)
                .id("a")
                .cron("*/20 * * * *")
                .start("2026-03-02T00:01:00Z"),
        )
        .await;
    world.add(work::job(0).id("b").cron("30 * * * *")).await;
    world
        .add(work::job(0).id("p").cron("* * * * *").paused(""))
        .await;
    let next = world.scheduler.upcoming(5).await.unwrap();
    let listed: Vec<String> = next
        .iter()
        .map(|fire| format!("{} {}", fire.job_id, clock_text(fire.scheduled_for)))
        .collect();
    assert_eq!(
        listed,
        ["a 00:20", "b 00:30", "a 00:40", "a 01:00", "a 01:20"]
    );
}

#[tokio::test(start_paused = true)]
async fn runs_are_filtered_and_paged() {
    let world = World::new().await;
    world.add(work::job(0).id("a").interval("1m")).await;
    world.add(work::job(0).id("b").interval("1m")).await;
    world.advance(minutes(10)).await;
    let runs = async |filter: RunFilter| world.scheduler.list_runs(&filter).await.unwrap().items;
    assert_eq!(runs(RunFilter::new()).await.len(), 20);
    let page = runs(RunFilter::new().job("a").limit(4)).await;
    assert_eq!(
        page.iter()
            .map(|run| clock_text(run.scheduled_for))
            .collect::<Vec<_>>(),
        ["00:10", "00:09", "00:08", "00:07"]
    );
    let next = runs(RunFilter::new().job("a").limit(4).before(page[3].id)).await;
    assert_eq!(clock_text(next[0].scheduled_for), "00:06");
    assert!(
        runs(RunFilter::new().state(RunState::Failed))
            .await
            .is_empty()
    );
    let since = "2026-03-02T00:09:00Z".parse().unwrap();
    assert_eq!(runs(RunFilter::new().since(since)).await.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn run_on_start_runs_once_more_when_added() {
    let world = World::new().await;
    world
        .add(work::job(0).id("a").interval("1h").run_on_start(true))
        .await;
    world.advance(minutes(59)).await;
    let runs = world.runs().await;
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0].kind, RunKind::Startup);
    world.advance(minutes(2)).await;
    assert_eq!(world.runs().await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_date_fires_once_and_the_job_is_finished() {
    let mut world = World::new().await;
    world
        .add(work::job(0).id("once").date("2026-03-02T00:30:00Z"))
        .await;
    world.advance(TimeDelta::days(2)).await;
    assert_eq!(world.starts(), ["00:30"]);
    let job = world.scheduler.get_job("once").await.unwrap().unwrap();
    assert!(job.is_finished());
    assert!(
        world
            .event_kinds()
            .iter()
            .any(|kind| matches!(kind, EventKind::JobFinished(_)))
    );
}

#[tokio::test(start_paused = true)]
async fn a_slow_listener_is_told_how_much_it_lost() {
    let world = World::with(|builder| builder.event_capacity(4)).await;
    let mut events = world.scheduler.events();
    world.add(work::job(0).id("a").interval("1s")).await;
    world.advance(seconds(10)).await;
    let first = tokio::time::timeout(Duration::from_secs(1), events.next())
        .await
        .unwrap();
    assert!(
        matches!(first, Some(NextEvent::Lagged(lost)) if lost > 10),
        "{first:?}"
    );
    assert!(matches!(events.next().await, Some(NextEvent::Event(_))));
}
