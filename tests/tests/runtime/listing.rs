//! Lists of jobs and of upcoming fire times.

use std::time::Duration;

use scheduler_core::prelude::*;
use scheduler_core::{Error, JobFilter, JobState, RunFilter, UpcomingFilter};

use super::support::*;

async fn ids(world: &World, filter: JobFilter) -> Vec<String> {
    let jobs = world.scheduler.list_jobs(&filter).await.unwrap().items;
    jobs.into_iter().map(|job| job.id.to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn pages_of_jobs_follow_each_other_without_loss() {
    let world = World::new().await;
    for number in 0..250 {
        let job = work::job(0).id(format!("job-{number:03}")).interval("1h");
        world.add(job).await;
    }
    let mut seen = Vec::new();
    let mut filter = JobFilter::new().limit(60);
    loop {
        let page = ids(&world, filter.clone()).await;
        let Some(last) = page.last() else { break };
        filter = filter.after(last);
        seen.extend(page);
    }
    let all: Vec<String> = (0..250).map(|number| format!("job-{number:03}")).collect();
    assert_eq!(seen, all);
    assert_eq!(ids(&world, JobFilter::new().limit(usize::MAX)).await, all);
    // Without a limit, a page is returned, with a cursor since more follow.
    let page = world.scheduler.list_jobs(&JobFilter::new()).await.unwrap();
    assert_eq!(page.items.len(), 100);
    assert_eq!(
        page.next.as_ref().map(scheduler_core::JobId::as_str),
        Some("job-099")
    );
    let rest = JobFilter::new().after("job-099").limit(150);
    let page = world.scheduler.list_jobs(&rest).await.unwrap();
    assert_eq!((page.items.len(), page.next), (150, None));
}

#[tokio::test(start_paused = true)]
async fn a_narrow_list_goes_through_all_jobs_for_its_page() {
    let world = World::new().await;
    for number in 0..3_000 {
        let name = if number % 1_000 == 999 { "Rare" } else { "job" };
        let job = work::job(0)
            .id(format!("{number:04}-{name}"))
            .interval("1h");
        world.add(job).await;
    }
    let rare = JobFilter::new().text("rARE");
    assert_eq!(
        ids(&world, rare.clone()).await,
        ["0999-Rare", "1999-Rare", "2999-Rare"]
    );
    assert_eq!(ids(&world, rare.clone().limit(1)).await, ["0999-Rare"]);
    assert_eq!(
        ids(&world, rare.after("0999-Rare").limit(1)).await,
        ["1999-Rare"]
    );
}

#[tokio::test(start_paused = true)]
async fn prefix_finds_ids_that_begin_with_it_and_no_others() {
    let world = World::new().await;
    for id in [
        "acme/1",
        "acme/2",
        "acme",
        "acme0",
        "ACME/1",
        "big-acme/1",
        "a%me/1",
    ] {
        world.add(work::job(0).id(id).interval("1h")).await;
    }
    let prefix = |text: &str| JobFilter::new().prefix(text);
    assert_eq!(ids(&world, prefix("acme/")).await, ["acme/1", "acme/2"]);
    assert_eq!(
        ids(&world, prefix("acme/").after("acme/1")).await,
        ["acme/2"]
    );
    assert_eq!(ids(&world, prefix("a%")).await, ["a%me/1"]);
    assert_eq!(ids(&world, prefix("none")).await, [""; 0]);
    assert_eq!(ids(&world, prefix("")).await.len(), 7);
    let text = JobFilter::new().text("acme/");
    assert_eq!(ids(&world, text).await.len(), 4, "anywhere, in any case");
}

#[tokio::test(start_paused = true)]
async fn list_of_all_runs_is_not_cut_and_a_page_of_them_says_that_it_is() {
    let world = World::new().await;
    world.add(work::job(0).id("often").interval("1s")).await;
    world.advance(seconds(250)).await;
    let all = world
        .scheduler
        .list_runs(&RunFilter::new().limit(usize::MAX))
        .await
        .unwrap()
        .items;
    assert_eq!(all.len(), 250);
    let mut filter = RunFilter::new();
    let mut lengths = Vec::new();
    loop {
        let page = world.scheduler.list_runs(&filter).await.unwrap();
        lengths.push(page.items.len());
        let Some(next) = page.next else { break };
        filter = filter.before(next);
    }
    assert_eq!(lengths, [100, 100, 50]);
}

#[tokio::test(start_paused = true)]
async fn jobs_are_listed_by_state() {
    let world = World::new().await;
    world.add(work::job(0).id("on").interval("1h")).await;
    world
        .add(work::job(0).id("held").interval("1h").paused(""))
        .await;
    world
        .add(work::job(0).id("once").date("2026-03-02T00:01:00Z"))
        .await;
    world.advance(minutes(2)).await;
    for (state, id) in [
        (JobState::Scheduled, "on"),
        (JobState::Paused, "held"),
        (JobState::Finished, "once"),
    ] {
        assert_eq!(
            ids(&world, JobFilter::new().state(state)).await,
            [id],
            "{state}"
        );
    }
    assert_eq!(
        ids(&world, JobFilter::new().is_static(false).task("work"))
            .await
            .len(),
        3
    );
    assert_eq!(ids(&world, JobFilter::new().task("wor")).await.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_window_of_what_comes_begins_and_ends_where_it_says() {
    let world = World::new().await;
    world.add(work::job(0).id("a").cron("*/20 * * * *")).await;
    world.add(work::job(0).id("b").cron("0 * * * *")).await;
    world
        .add(work::job(0).id("held").cron("* * * * *").paused(""))
        .await;
    let now = world.scheduler.store_now();
    let (from, until) = (now + minutes(60), now + minutes(120));
    let in_window = UpcomingFilter::new().from(from).until(until);
    let window = async |filter: UpcomingFilter| {
        let fires = world.scheduler.list_upcoming(&filter).await.unwrap();
        let text = |fire: &scheduler_core::UpcomingFire| {
            format!("{} {}", fire.job_id, clock_text(fire.scheduled_for))
        };
        fires.iter().map(text).collect::<Vec<_>>()
    };
    let all = [
        "a 01:00", "b 01:00", "a 01:20", "a 01:40", "a 02:00", "b 02:00",
    ];
    assert_eq!(window(in_window.clone()).await, all);
    assert_eq!(window(in_window.clone().limit(3)).await, all[..3]);
    let of_b = window(in_window.clone().job("b")).await;
    assert_eq!(of_b, ["b 01:00", "b 02:00"]);
    assert_eq!(window(in_window.clone().job("held")).await, [""; 0]);
    let of_none = in_window.job("c");
    let missing = world.scheduler.list_upcoming(&of_none).await;
    assert!(matches!(missing, Err(Error::JobNotFound { .. })));
}

/// Many jobs start at the same instant, so that pages end in the middle of it.
#[tokio::test(start_paused = true)]
async fn pages_of_upcoming_fire_times_hold_each_of_them_once() {
    let world = World::new().await;
    for id in ["d", "b", "e", "a", "c"] {
        let jitter = Duration::from_secs(if id == "e" { 40 } else { 0 });
        let job = work::job(0).id(id).cron("* * * * *").jitter(jitter);
        world.add(job).await;
    }
    let until = world.scheduler.store_now() + minutes(10);
    let all = UpcomingFilter::new().until(until).limit(1_000);
    let whole = world.scheduler.list_upcoming(&all).await.unwrap();
    assert!(whole.len() >= 49 && whole.next.is_none() && whole.is_complete);
    for limit in [1, 3, 7, 48] {
        let mut filter = all.clone().limit(limit);
        let mut found = Vec::new();
        loop {
            let page = world.scheduler.list_upcoming(&filter).await.unwrap();
            assert!(page.len() <= limit);
            found.extend(page.fires);
            let Some(next) = page.next else { break };
            // As text, in the way a client passes it on.
            filter = filter.after(next.to_string().parse().unwrap());
        }
        assert_eq!(found, whole.fires, "{limit}");
    }
}

/// Jitter moves starts across the edges of a window, in both directions.
#[tokio::test(start_paused = true)]
async fn windows_side_by_side_hold_every_delayed_start_once() {
    let world = World::new().await;
    let jitter = Duration::from_secs(90);
    world
        .add(work::job(0).id("late").cron("* * * * *").jitter(jitter))
        .await;
    let now = world.scheduler.store_now();
    let hour = async |from, until| {
        let window = UpcomingFilter::new().from(from).until(until).limit(1_000);
        world.scheduler.list_upcoming(&window).await.unwrap()
    };
    let tick = chrono::TimeDelta::microseconds(1);
    let whole = hour(now, now + minutes(60) - tick).await;
    assert!(whole.len() > 50);
    let mut parts = Vec::new();
    for part in 0..60 {
        let from = now + minutes(part);
        let until = from + minutes(1) - tick;
        parts.extend(hour(from, until).await);
    }
    let key = |fire: &scheduler_core::UpcomingFire| (fire.starts_at, fire.scheduled_for);
    let mut parts: Vec<_> = parts.iter().map(key).collect();
    let mut expected: Vec<_> = whole.iter().map(key).collect();
    parts.sort_unstable();
    expected.sort_unstable();
    assert_eq!(parts, expected);
}

#[tokio::test(start_paused = true)]
async fn list_that_goes_on_after_a_text_that_cannot_be_an_id_is_refused() {
    let world = World::new().await;
    world.add(work::job(0).id("job").interval("1h")).await;
    for text in ["", "a\nb", &"x".repeat(256)] {
        let filter = JobFilter::new().after(text);
        let listed = world.scheduler.list_jobs(&filter).await;
        assert!(matches!(listed, Err(Error::InvalidName { .. })), "{text:?}");
        let jobs = world.scheduler.list_jobs(&filter).await;
        assert!(matches!(jobs, Err(Error::InvalidName { .. })), "{text:?}");
    }
    assert_eq!(ids(&world, JobFilter::new().after("i")).await, ["job"]);
}

#[tokio::test(start_paused = true)]
async fn page_has_at_least_one_item_and_says_whether_the_list_goes_on() {
    let world = World::new().await;
    for id in ["a", "b"] {
        world.add(work::job(0).id(id).trigger(Trigger::now())).await;
    }
    world.advance(seconds(1)).await;
    let jobs = world
        .scheduler
        .list_jobs(&JobFilter::new().limit(0))
        .await
        .unwrap();
    assert_eq!(jobs.items.len(), 1);
    assert_eq!(jobs.next.as_ref(), Some(&jobs.items[0].id));
    let runs = world
        .scheduler
        .list_runs(&RunFilter::new().limit(0))
        .await
        .unwrap();
    assert_eq!((runs.items.len(), runs.next), (1, Some(runs.items[0].id)));
    let runs = world
        .scheduler
        .list_runs(&RunFilter::new().limit(usize::MAX))
        .await
        .unwrap();
    assert_eq!((runs.items.len(), runs.next), (2, None));
}
