//! Two processes truly at once: limits hold, and nothing is handed out twice.

use std::collections::HashSet;
use std::sync::Arc;

use scheduler_core::reconcile::Change;
use scheduler_core::store::{ClaimedRun, Edit, Inserted, JobAnswer, JobQuery, Store};
use scheduler_core::{Coalesce, JobId, Overlap, RunId, RunState};

use crate::failure::{Done, Stop, ensure, ensure_eq};
use crate::stage::{Ask, Draft, Stage, Worker, at, insert, job, seconds, succeeded};

/// How many times each race is run.
fn rounds(stage: &Stage) -> i64 {
    if stage.loses_answers() { 20 } else { 50 }
}

/// Runs both at once, each on a thread of its own if the runtime has several.
async fn both<A, B>(
    first: impl Future<Output = Done<A>> + Send + 'static,
    second: impl Future<Output = Done<B>> + Send + 'static,
) -> Done<(A, B)>
where
    A: Send + 'static,
    B: Send + 'static,
{
    let start = Arc::new(tokio::sync::Barrier::new(2));
    let other = start.clone();
    let first = tokio::spawn(async move {
        start.wait().await;
        first.await
    });
    let second = tokio::spawn(async move {
        other.wait().await;
        second.await
    });
    Ok((first.await??, second.await??))
}

async fn two_nodes(stage: &Stage) -> Done<(Worker, Worker)> {
    let second = stage.second_node(2).await?;
    Ok((stage.node(1).await?, second))
}

async fn claim(node: Worker, minute: i64) -> Done<Vec<ClaimedRun>> {
    Ok(node.claim(at(minute)).await?.runs)
}

async fn run_now(node: Worker, id: String, minute: i64) -> Done<Vec<ClaimedRun>> {
    let (_, answer) = node.run_now(&id, at(minute)).await?;
    Ok(answer.start.into_iter().collect())
}

/// Ends the runs that both were given, and returns their number.
async fn end_all(
    first: (&Worker, &[ClaimedRun]),
    second: (&Worker, &[ClaimedRun]),
    minute: i64,
) -> Done<usize> {
    for (node, runs) in [first, second] {
        for run in runs {
            let end = succeeded(run, at(minute) + seconds(1));
            ensure!(
                node.finish_one(end).await?,
                "the end of a claimed run was not recorded"
            );
        }
    }
    Ok(first.1.len() + second.1.len())
}

async fn live(stage: &Stage, id: &str) -> Done<usize> {
    let runs = stage.runs_of(id).await?;
    Ok(runs
        .iter()
        .filter(|run| run.state == RunState::Running)
        .count())
}

/// Every fire time is there exactly once, whatever became of it.
async fn each_once(stage: &Stage, id: &str) -> Done {
    let runs = stage.runs_of(id).await?;
    let scheduled = runs
        .iter()
        .filter(|run| run.kind == scheduler_core::RunKind::Scheduled);
    let times: Vec<_> = scheduled.map(|run| run.scheduled_for).collect();
    let distinct: HashSet<_> = times.iter().collect();
    ensure_eq!(distinct.len(), times.len(), "different fire times of {id}");
    Ok(())
}

pub(crate) async fn a_second_handle_sees_the_same(stage: &Stage) -> Done {
    let (node, other) = two_nodes(stage).await?;
    let record = stage.add(job("job")).await?;
    let second = stage.second()?;
    ensure_eq!(second.get_job("job").await?, Some(record), "the job");
    let run = other.claim_one(at(1)).await?;
    ensure!(
        node.claim(at(1)).await?.runs.is_empty(),
        "the first handle claimed it, too"
    );
    ensure_eq!(
        stage.run(run.run_id).await?.state,
        RunState::Running,
        "the run at the first"
    );
    ensure!(
        other.finish_one(succeeded(&run, at(2))).await?,
        "its end was not recorded"
    );
    ensure_eq!(
        stage.run(run.run_id).await?.state,
        RunState::Succeeded,
        "its end at the first"
    );
    stage.store().remove("job", None, at(2)).await?;
    ensure!(
        second.get_job("job").await?.is_none(),
        "the removed job is still there"
    );
    Ok(())
}

pub(crate) async fn two_claims_at_once_take_each_fire_time_once(stage: &Stage) -> Done {
    let (node, other) = two_nodes(stage).await?;
    stage.add(job("job")).await?;
    for minute in 1..=rounds(stage) {
        let (first, second) =
            both(claim(node.clone(), minute), claim(other.clone(), minute)).await?;
        let count = end_all((&node, &first), (&other, &second), minute).await?;
        ensure_eq!(count, 1, "runs of one fire time in round {minute}");
    }
    each_once(stage, "job").await
}

pub(crate) async fn two_claims_at_once_share_many_jobs(stage: &Stage) -> Done {
    async fn drain(node: Worker) -> Done<Vec<(JobId, RunId)>> {
        let ask = Ask::limit(7);
        let mut claimed = Vec::new();
        let mut idle = 0;
        // A claim leaves out jobs that the other one has locked, so a single empty claim is not the end.
        while idle < 3 {
            let claim = node.claim_as(at(60), &ask).await?;
            idle = if claim.runs.is_empty() { idle + 1 } else { 0 };
            claimed.extend(claim.runs.into_iter().map(|run| (run.job_id, run.run_id)));
            tokio::task::yield_now().await;
        }
        Ok(claimed)
    }
    let (node, other) = two_nodes(stage).await?;
    let records = (0..150).map(|n| job(&format!("job {n}")).trigger("every 1h").record());
    let records = records.collect::<Done<Vec<_>>>()?;
    insert(stage.store(), records, at(0)).await?;
    let (mut first, second) = both(drain(node.clone()), drain(other.clone())).await?;
    // The jobs that each left to the other.
    first.extend(drain(node).await?);
    let jobs: HashSet<_> = first
        .iter()
        .chain(&second)
        .map(|(job, _)| job.clone())
        .collect();
    ensure_eq!(jobs.len(), 150, "jobs that were claimed");
    ensure_eq!(first.len() + second.len(), 150, "claimed runs");
    Ok(())
}

pub(crate) async fn a_claim_and_a_manual_run_keep_to_the_limit(stage: &Stage) -> Done {
    let (node, other) = two_nodes(stage).await?;
    stage.add(job("job")).await?;
    for minute in 1..=rounds(stage) {
        let manual = run_now(other.clone(), "job".to_owned(), minute);
        let (first, second) = both(claim(node.clone(), minute), manual).await?;
        ensure!(
            live(stage, "job").await? <= 1,
            "two runs at once in round {minute}"
        );
        let count = end_all((&node, &first), (&other, &second), minute).await?;
        // Where answers are lost, a claim is released and may be left to the next.
        let least = usize::from(!stage.loses_answers());
        ensure!(
            (least..=1).contains(&count),
            "{count} runs in round {minute}"
        );
        // A claim that found the job locked has left the fire time to the next claim.
        let rest = claim(node.clone(), minute).await?;
        end_all((&node, &rest), (&other, &[]), minute).await?;
    }
    each_once(stage, "job").await
}

pub(crate) async fn two_manual_runs_keep_to_the_limit(stage: &Stage) -> Done {
    let (node, other) = two_nodes(stage).await?;
    stage.add(job("job").trigger("every 365d")).await?;
    for minute in 1..=rounds(stage) {
        let id = "job".to_owned();
        let manual = run_now(node.clone(), id.clone(), minute);
        let (first, second) = both(manual, run_now(other.clone(), id, minute)).await?;
        let count = end_all((&node, &first), (&other, &second), minute).await?;
        ensure_eq!(count, 1, "runs in round {minute}");
    }
    Ok(())
}

/// When a queued run is claimed and cancelled at once, exactly one of the two wins.
pub(crate) async fn a_promotion_and_a_cancellation_do_not_both_win(stage: &Stage) -> Done {
    let (node, other) = two_nodes(stage).await?;
    stage.add(job("job").trigger("every 365d")).await?;
    for minute in 1..=rounds(stage) {
        let (run, _) = node.run_soon("job", at(minute)).await?;
        let canceller = other.clone();
        let cancel = async move { Ok(canceller.store.cancel(run, at(minute)).await?) };
        let (claimed, _) = both(claim(node.clone(), minute), cancel).await?;
        let state = stage.run(run).await?.state;
        let expected = match claimed.as_slice() {
            [] => RunState::Cancelled,
            _ => RunState::Running,
        };
        if !(stage.loses_answers() && state == RunState::Queued) {
            ensure_eq!(state, expected, "the run in round {minute}");
        }
        end_all((&node, &claimed), (&other, &[]), minute).await?;
        let rest = claim(node.clone(), minute).await?;
        end_all((&node, &rest), (&other, &[]), minute).await?;
    }
    Ok(())
}

pub(crate) async fn two_promotions_keep_to_the_limit(stage: &Stage) -> Done {
    let (node, other) = two_nodes(stage).await?;
    let rounds = rounds(stage);
    let draft: Draft = job("job").policies(|own| {
        own.overlap = Overlap::Queue(1_000);
        own.coalesce = Coalesce::All(1_000);
    });
    stage.add(draft).await?;
    let mut held = (claim(node.clone(), rounds).await?, Vec::new());
    for round in 1..rounds {
        let count = end_all((&node, &held.0), (&other, &held.1), rounds).await?;
        ensure_eq!(count, 1, "runs that start in round {round}");
        held = both(claim(node.clone(), rounds), claim(other.clone(), rounds)).await?;
        if held.0.is_empty() && held.1.is_empty() {
            // Each has left the job to the other.
            held.0 = claim(node.clone(), rounds).await?;
        }
        ensure!(
            live(stage, "job").await? <= 1,
            "two runs at once in round {round}"
        );
    }
    each_once(stage, "job").await
}

async fn claim_and_run(node: Worker, minute: i64) -> Done<Vec<ClaimedRun>> {
    let mut runs = claim(node.clone(), minute).await?;
    runs.extend(run_now(node, "job".to_owned(), minute).await?);
    Ok(runs)
}

async fn run_and_claim(node: Worker, minute: i64) -> Done<Vec<ClaimedRun>> {
    let mut runs = run_now(node.clone(), "job".to_owned(), minute).await?;
    runs.extend(claim(node, minute).await?);
    Ok(runs)
}

pub(crate) async fn free_slots_are_filled_and_no_more(stage: &Stage) -> Done {
    let (node, other) = two_nodes(stage).await?;
    let draft = job("job").policies(|own| {
        own.overlap = Overlap::Queue(1_000);
        own.max_instances = 3;
    });
    stage.add(draft).await?;
    for minute in 1..=rounds(stage) {
        let (first, second) = both(
            claim_and_run(node.clone(), minute),
            run_and_claim(other.clone(), minute),
        )
        .await?;
        let count = live(stage, "job").await?;
        ensure!(count <= 3, "{count} runs at once in round {minute}");
        end_all((&node, &first), (&other, &second), minute).await?;
    }
    each_once(stage, "job").await
}

pub(crate) async fn two_inserts_of_one_id_make_one_job(stage: &Stage) -> Done {
    let second = stage.second()?;
    let first = stage.node(1).await?.store;
    for round in 0..rounds(stage) {
        let id = format!("job {round}");
        let (one, two) = (job(&id).record()?, job(&id).task("other").record()?);
        let (first, second) = (first.clone(), second.clone());
        let (one, two) = both(
            async move { Ok(insert(&*first, vec![one], at(0)).await?) },
            async move { Ok(insert(&*second, vec![two], at(0)).await?) },
        )
        .await?;
        let inserted = [&one, &two].map(|answer| matches!(answer, Inserted::All { .. }));
        ensure!(
            inserted[0] != inserted[1],
            "both answers are alike: {one:?} and {two:?}"
        );
        let task = &*stage.job(&id).await?.task;
        ensure_eq!(
            task,
            if inserted[0] { "task" } else { "other" },
            "whose job it is"
        );
    }
    Ok(())
}

async fn count_up(store: Arc<dyn Store>, times: i64) -> Done {
    for _ in 0..times {
        let edit: Edit<'_> = Box::new(|job| {
            Arc::make_mut(&mut job.policies).retries += 1;
            Vec::new()
        });
        let edited = store.edit("job", edit, at(0)).await?;
        ensure!(edited.is_some(), "the job is not there");
    }
    Ok(())
}

pub(crate) async fn two_edits_at_once_are_both_kept(stage: &Stage) -> Done {
    if stage.loses_answers() {
        // A caller that lost its answer cannot know whose edit the stored job shows.
        return Err(Stop::LeftOut("answers that always come"));
    }
    let rounds = rounds(stage);
    let second = stage.second()?;
    let first = stage.node(1).await?.store;
    stage.add(job("job")).await?;
    both(count_up(first, rounds), count_up(second, rounds)).await?;
    let counted = stage.job("job").await?.policies.retries;
    ensure_eq!(i64::from(counted), 2 * rounds, "edits that are kept");
    Ok(())
}

pub(crate) async fn a_removal_of_what_was_seen_and_an_edit_do_not_both_win(stage: &Stage) -> Done {
    let second = stage.second()?;
    let first = stage.node(1).await?.store;
    for round in 0..rounds(stage) {
        let id = format!("job {round}");
        let seen = Some(stage.add(job(&id)).await?.revision());
        let (editor, remover) = (first.clone(), second.clone());
        let (edited, removed) = (id.clone(), id.clone());
        let (edited, removed) = both(
            async move {
                let edit: Edit<'_> = Box::new(|job| {
                    job.pause("it has to stay".into());
                    Vec::new()
                });
                Ok(editor.edit(&edited, edit, at(0)).await?.is_some())
            },
            async move { Ok(remover.remove(&removed, seen, at(0)).await?) },
        )
        .await?;
        let stored = stage.store().get_job(&id).await?;
        match removed {
            JobAnswer::Done(_) => ensure!(!edited && stored.is_none(), "an edit was lost"),
            JobAnswer::Stale(job) => {
                ensure!(edited, "nobody changed the job, and it is stale");
                ensure_eq!(Some(*job), stored, "the job that the answer has");
            }
            JobAnswer::NoJob => return Err(Stop::failed("the job was not there")),
        }
    }
    Ok(())
}

pub(crate) async fn two_starts_at_once_add_each_definition_once(stage: &Stage) -> Done {
    let second = stage.second()?;
    let first = stage.node(1).await?.store;
    for round in 0..10 {
        let drafts = (0..10).map(|n| job(&format!("job {round} {n}")).definition());
        let definitions = drafts.collect::<Done<Vec<_>>>()?;
        let mut reversed = definitions.clone();
        reversed.reverse();
        let (first, second) = (first.clone(), second.clone());
        let (one, two) = both(
            async move { Ok(first.reconcile(definitions, at(0)).await?) },
            async move { Ok(second.reconcile(reversed, at(1)).await?) },
        )
        .await?;
        ensure_eq!((one.len(), two.len()), (10, 10), "answers");
        let added = one
            .iter()
            .chain(&two)
            .filter(|answer| answer.change == Change::Added);
        let added = added.count();
        ensure!(
            added == 10 || stage.loses_answers(),
            "of 10 definitions, {added} were said to be added"
        );
    }
    let query = JobQuery::by_id(None, 1_000);
    let jobs = stage.store().list_jobs(&query).await?;
    ensure_eq!(jobs.len(), 100, "jobs");
    Ok(())
}
