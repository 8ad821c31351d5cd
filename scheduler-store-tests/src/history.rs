//! Reading the history, and pruning it.

use chrono::TimeDelta;
use scheduler_core::plan::Verdict;
use scheduler_core::store::SkippedQuery;
use scheduler_core::{Coalesce, Overlap, Run, RunFilter, RunId, RunState, SkipReason, Skipped};

use crate::failure::{Done, ensure, ensure_eq};
use crate::stage::{Stage, Worker, at, ended, job, seconds, succeeded, to_retry};

/// Creates runs of three jobs in several states, from two nodes.
async fn some_runs(stage: &Stage) -> Done<(Worker, Worker)> {
    let (node, other) = (stage.node(1).await?, stage.node(2).await?);
    for id in ["a", "b", "it's c"] {
        let draft = job(id).policies(|own| {
            own.max_instances = 5;
            own.overlap = Overlap::Queue(2);
        });
        stage.add(draft).await?;
    }
    let states = [
        RunState::Succeeded,
        RunState::Failed,
        RunState::TimedOut,
        RunState::Cancelled,
    ];
    for minute in 1..12 {
        let by = if minute % 2 == 0 { &node } else { &other };
        let claim = by.claim(at(minute)).await?;
        for (run, state) in claim.runs.iter().zip(
            states
                .iter()
                .cycle()
                .skip(usize::try_from(minute).unwrap_or(0)),
        ) {
            let finished = match minute {
                3 | 4 => continue,
                5 => to_retry(run, at(minute) + seconds(5)),
                _ => ended(run, at(minute) + seconds(5), Verdict::Final(*state), *state),
            };
            ensure!(by.finish_one(finished).await?, "its end was not recorded");
        }
    }
    for id in ["a", "b"] {
        node.run_soon(id, at(12)).await?;
    }
    Ok((node, other))
}

async fn list_skipped(stage: &Stage, query: &SkippedQuery) -> Done<Vec<(u64, Skipped)>> {
    Ok(stage.store().list_skipped(query).await?)
}

async fn list(stage: &Stage, filter: &RunFilter) -> Done<Vec<Run>> {
    Ok(stage.store().list_runs(filter).await?)
}

fn ids(runs: &[Run]) -> Vec<RunId> {
    runs.iter().map(|run| run.id).collect()
}

pub(crate) async fn runs_are_listed_newest_first_in_pages(stage: &Stage) -> Done {
    some_runs(stage).await?;
    let all = ids(&list(stage, &RunFilter::new().limit(1_000)).await?);
    ensure!(all.len() > 25, "there are only {} runs", all.len());
    ensure!(
        all.is_sorted_by(|a, b| a > b),
        "they are not listed by their ids, newest first"
    );
    for limit in [1, 7, all.len(), 1_000] {
        let mut found = Vec::new();
        let mut filter = RunFilter::new().limit(limit);
        loop {
            let page = ids(&list(stage, &filter).await?);
            ensure!(page.len() <= limit, "a page of {limit} has {}", page.len());
            let Some(last) = page.last() else { break };
            filter = filter.before(*last);
            found.extend(page);
            ensure!(found.len() <= all.len(), "pages of {limit} never end");
        }
        ensure_eq!(found, all, "pages of {limit}");
    }
    let none = list(stage, &RunFilter::new().limit(0)).await?;
    ensure!(none.is_empty(), "a page of 0 has {}", none.len());
    Ok(())
}

pub(crate) async fn runs_are_filtered(stage: &Stage) -> Done {
    some_runs(stage).await?;
    let new = || RunFilter::new().limit(1_000);
    let all = list(stage, &new()).await?;
    let states = [
        RunState::Queued,
        RunState::Running,
        RunState::Succeeded,
        RunState::Failed,
        RunState::TimedOut,
        RunState::Cancelled,
        RunState::Lost,
    ];
    let mut filters = vec![
        new().job("a"),
        new().job("it's c"),
        new().job("nobody"),
        new().job("%"),
        new().since(at(4)),
        new().until(at(4)),
        new()
            .since(at(2))
            .until(at(9))
            .job("b")
            .state(RunState::Failed),
        new().state(RunState::Queued).state(RunState::Running),
        new()
            .state(RunState::Failed)
            .state(RunState::TimedOut)
            .since(at(3)),
        new().before(all[10].id).job("a"),
        new().before(all[3].id).state(RunState::Succeeded),
        new().before(RunId::from_u128(0)),
        new().before(RunId::from_u128(u128::MAX)),
    ];
    filters.extend(states.map(|state| new().state(state)));
    for filter in filters {
        let expected: Vec<Run> = all
            .iter()
            .filter(|run| filter.matches(run))
            .cloned()
            .collect();
        let found = list(stage, &filter).await?;
        ensure_eq!(ids(&found), ids(&expected), "the runs of {filter:?}");
        ensure_eq!(found, expected, "what is said of the runs of {filter:?}");
    }
    for run in all {
        let found = stage.store().get_run(run.id).await?;
        ensure_eq!(found, Some(run), "the run by its id");
    }
    let none = stage.store().get_run(RunId::from_u128(7)).await?;
    ensure!(none.is_none(), "a run that never was is there");
    Ok(())
}

pub(crate) async fn drops_are_listed_newest_first(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    for id in ["a", "it's b"] {
        stage.add(job(id)).await?;
    }
    for minute in 1..8 {
        node.claim(at(minute)).await?;
    }
    let of_b = |limit| SkippedQuery::new(limit).job("it's b");
    let all = list_skipped(stage, &SkippedQuery::new(1_000)).await?;
    ensure_eq!(all.len(), 12, "skipped");
    ensure!(
        all.is_sorted_by(|(one, a), (other, b)| one > other && a.decided_at >= b.decided_at),
        "they are not the newest first: {all:?}"
    );
    let own = list_skipped(stage, &of_b(1_000)).await?;
    let times: Vec<_> = own.iter().map(|(_, skipped)| skipped.first).collect();
    ensure_eq!(
        times,
        (2..8).rev().map(at).collect::<Vec<_>>(),
        "the skipped of one job"
    );
    ensure!(
        own.iter().all(|(_, one)| one.job_id == "it's b"
            && one.reason == SkipReason::Overlap
            && one.count == 1),
        "they are {own:?}"
    );
    let three = list_skipped(stage, &of_b(3)).await?;
    ensure_eq!(three, own[..3], "the newest three");
    let none = list_skipped(stage, &SkippedQuery::new(3).job("nobody")).await?;
    ensure!(none.is_empty(), "skipped of no job: {none:?}");
    let none = list_skipped(stage, &SkippedQuery::new(0)).await?;
    ensure!(none.is_empty(), "0 skipped: {none:?}");
    Ok(())
}

/// One claim skips fire times of five jobs, so that five records share one instant.
pub(crate) async fn skipped_pages_go_on_among_records_of_one_instant(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    for id in ["a", "b", "c", "d", "e"] {
        stage.add(job(id)).await?;
    }
    for minute in 1..4 {
        node.claim(at(minute)).await?;
    }
    for (query, count) in [
        (SkippedQuery::new(1_000), 10),
        (SkippedQuery::new(1_000).job("c"), 2),
    ] {
        let all = list_skipped(stage, &query).await?;
        ensure_eq!(all.len(), count, "skipped");
        for size in [1, 3] {
            let mut page = query.clone();
            page.limit = size;
            let mut found = Vec::new();
            loop {
                let records = list_skipped(stage, &page).await?;
                let is_last = records.len() < size;
                found.extend(records);
                if is_last {
                    break;
                }
                page.below = found.last().map(|(seq, _)| *seq);
                ensure!(found.len() <= count, "pages of {size} do not end");
            }
            ensure_eq!(found, all, "the records in pages of {size}");
        }
    }
    Ok(())
}

async fn prune(stage: &Stage, now: chrono::DateTime<chrono::Utc>) -> Done {
    let mut calls = 0;
    while stage.store().prune(now).await? {
        calls += 1;
        ensure!(calls < 10_000, "there is always more to forget");
    }
    Ok(())
}

pub(crate) async fn old_records_are_pruned(stage: &Stage) -> Done {
    let age = stage.forgets_after()?;
    let age = TimeDelta::from_std(age).unwrap_or(TimeDelta::MAX);
    let node = stage.node(1).await?;
    let draft = |id: &str| {
        job(id).trigger("every 1h").policies(|own| {
            own.max_instances = 2;
            own.overlap = Overlap::Queue(1);
        })
    };
    stage.add(draft("job")).await?;
    stage
        .add(job("once").trigger("at 2026-01-05T01:00:00Z"))
        .await?;
    let written = job("written")
        .trigger("at 2026-01-05T01:00:00Z")
        .definition()?;
    stage.store().reconcile(vec![written], at(0)).await?;
    let claim = node.claim(at(60)).await?;
    for run in &claim.runs {
        ensure!(
            node.finish_one(succeeded(run, at(61))).await?,
            "its end was not recorded"
        );
    }
    for minute in [120, 180, 240, 300] {
        // Two runs stay live, one is queued, one fire time is skipped.
        node.claim(at(minute)).await?;
    }
    let kept = || [RunState::Running, RunState::Running, RunState::Queued];
    let states = |runs: Vec<Run>| runs.into_iter().map(|run| run.state).collect::<Vec<_>>();

    prune(stage, at(60) + age - TimeDelta::minutes(5)).await?;
    ensure_eq!(
        stage.runs_of("job").await?.len(),
        4,
        "runs that are not old yet"
    );
    ensure_eq!(
        stage.skipped_of("job").await?.len(),
        1,
        "skipped that are not old yet"
    );
    prune(stage, at(400) + age).await?;
    ensure_eq!(
        states(stage.runs_of("job").await?),
        kept(),
        "runs that are not forgotten"
    );
    ensure_eq!(
        stage.skipped_of("job").await?.len(),
        0,
        "skipped that are old"
    );
    ensure!(
        stage.store().get_job("once").await?.is_none(),
        "a job that ended long ago is still there"
    );
    stage.job("written").await?;
    stage.job("job").await?;
    Ok(())
}

pub(crate) async fn records_beyond_the_limit_are_pruned(stage: &Stage) -> Done {
    let count = stage.keeps_runs()?;
    ensure!(
        (500..=2_000).contains(&count),
        "give a count of 500 to 2,000, not {count}"
    );
    let node = stage.node(1).await?;
    let draft = job("job").trigger("every 1s").policies(|own| {
        own.coalesce = Coalesce::All(200);
        own.max_instances = 200;
    });
    stage.add(draft).await?;
    stage.add(job("beside")).await?;
    let claim = node.claim(at(1)).await?;
    let (live, first): (Vec<_>, Vec<_>) = claim
        .runs
        .into_iter()
        .partition(|run| run.job_id == "beside");
    ensure_eq!(live.len(), 1, "the run that stays live");
    let mut ended = first.len();
    node.finish(first.iter().map(|run| succeeded(run, at(1))).collect())
        .await?;
    let mut minute = 1;
    while ended < count + 50 {
        minute += 4;
        let claim = node.claim(at(minute)).await?;
        let own = claim.runs.iter().filter(|run| run.job_id == "job");
        let ends: Vec<_> = own.map(|run| succeeded(run, at(minute))).collect();
        ended += ends.len();
        node.finish(ends).await?;
    }
    prune(stage, at(minute)).await?;
    let runs = stage.runs_of("job").await?;
    ensure!(
        runs.len() <= count,
        "{} runs are kept, not {count}",
        runs.len()
    );
    ensure!(
        runs.len() + 100 >= count,
        "only {} runs are kept, not {count}",
        runs.len()
    );
    let newest = runs.last().map(|run| run.scheduled_for);
    ensure_eq!(newest, Some(at(minute)), "the newest run");
    ensure_eq!(
        stage.run(live[0].run_id).await?.state,
        RunState::Running,
        "the live run"
    );
    Ok(())
}
