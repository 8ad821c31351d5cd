//! Runs that a node releases: they become available to any node, and lose nothing.

use std::sync::Arc;

use scheduler_core::store::{ClaimedRun, Inserted};
use scheduler_core::{Coalesce, Overlap, RunKind, RunState, SkipReason};

use crate::failure::{Done, Stop, ensure, ensure_eq};
use crate::stage::{Stage, at, job, replace, seconds, succeeded, to_retry};
use crate::worker::Worker;

pub(crate) async fn a_released_run_before_its_start_counts_no_attempt(stage: &Stage) -> Done {
    let (node, other) = (stage.node(1).await?, stage.node(2).await?);
    stage.add(job("job").trigger("every 1h")).await?;
    let run = node.claim_one(at(60)).await?;
    node.release(&[run.run_id], at(61)).await?;
    node.release(&[run.run_id], at(61)).await?;
    ensure!(node.held().await?.is_empty(), "the node still holds it");
    let stored = stage.run(run.run_id).await?;
    ensure_eq!(
        (stored.state, stored.attempt),
        (RunState::Queued, 0),
        "while it waits"
    );
    ensure!(
        !node.finish_one(succeeded(&run, at(61))).await?,
        "what was released has ended"
    );
    let again = other.claim_one(at(61)).await?;
    ensure_eq!(again.run_id, run.run_id, "the run that is claimed again");
    ensure_eq!(
        (again.attempt, again.failures),
        (1, 0),
        "its attempt and failures"
    );
    ensure_eq!(
        (again.kind, again.scheduled_for),
        (RunKind::Scheduled, at(60)),
        "what it is"
    );
    ensure!(
        !node.finish_one(succeeded(&run, at(62))).await?,
        "another node's run has ended"
    );
    ensure!(
        other.finish_one(succeeded(&again, at(62))).await?,
        "its end was not recorded"
    );
    Ok(())
}

pub(crate) async fn a_released_run_between_attempts_keeps_them(stage: &Stage) -> Done {
    let (node, other) = (stage.node(1).await?, stage.node(2).await?);
    let grace = Some(std::time::Duration::from_secs(60));
    stage
        .add(job("job").trigger("every 1h").policies(|own| {
            own.retries = 5;
            own.misfire_grace_time = grace;
        }))
        .await?;
    let run = node.claim_one(at(60)).await?;
    ensure!(
        node.finish_one(to_retry(&run, at(61))).await?,
        "it was not recorded"
    );
    node.release(&[run.run_id], at(61)).await?;
    let stored = stage.run(run.run_id).await?;
    ensure_eq!(
        (stored.state, stored.attempt),
        (RunState::Queued, 1),
        "while it waits"
    );
    ensure_eq!(
        stored.earlier_attempts.len(),
        1,
        "earlier attempts while it waits"
    );
    // Neither the grace time nor a pause holds up an attempt that is not the first.
    stage
        .edit("job", at(62), |job| {
            job.pause("held".into());
        })
        .await?;
    let again = other.claim_one(at(70)).await?;
    ensure_eq!(
        (again.run_id, again.attempt),
        (run.run_id, 2),
        "the run that is claimed again"
    );
    ensure_eq!(again.failures, 1, "its failures");
    ensure!(
        other.finish_one(succeeded(&again, at(71))).await?,
        "its end was not recorded"
    );
    let stored = stage.run(run.run_id).await?;
    ensure_eq!(
        (stored.state, stored.attempt),
        (RunState::Succeeded, 2),
        "how it ended"
    );
    ensure_eq!(stored.earlier_attempts.len(), 1, "earlier attempts");
    ensure_eq!(
        stored.lateness,
        Some(std::time::Duration::from_secs(59)),
        "the lateness of the first"
    );
    Ok(())
}

pub(crate) async fn released_runs_start_before_queued_ones(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    let draft = job("job").policies(|own| {
        own.coalesce = Coalesce::All(10);
        own.overlap = Overlap::Queue(10);
        own.max_instances = 2;
    });
    stage.add(draft).await?;
    let claim = node.claim(at(4)).await?;
    let runs: Vec<_> = claim.runs.iter().map(|run| run.run_id).collect();
    ensure_eq!(runs.len(), 2, "runs that start");
    node.release(&[runs[1], runs[0]], at(4)).await?;
    let claim = node.claim(at(4) + seconds(1)).await?;
    let times: Vec<_> = claim.runs.iter().map(|run| run.scheduled_for).collect();
    ensure_eq!(times, [at(1), at(2)], "what starts: the oldest");
    Ok(())
}

pub(crate) async fn only_the_holder_releases(stage: &Stage) -> Done {
    let (node, other) = (stage.node(1).await?, stage.node(2).await?);
    stage.add(job("job").trigger("every 1h")).await?;
    let run = node.claim_one(at(60)).await?;
    other
        .release(&[run.run_id, scheduler_core::RunId::from_u128(7)], at(61))
        .await?;
    ensure_eq!(node.held().await?, [run.run_id], "what the node holds");
    ensure!(
        other.held().await?.is_empty(),
        "the other node holds something"
    );
    ensure!(
        node.finish_one(succeeded(&run, at(61))).await?,
        "its end was not recorded"
    );
    node.release(&[run.run_id], at(61)).await?;
    let stored = stage.run(run.run_id).await?;
    ensure_eq!(
        stored.state,
        RunState::Succeeded,
        "a run that has ended, released"
    );
    Ok(())
}

pub(crate) async fn a_run_of_a_removed_job_released_has_ended(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    stage.add(job("fresh").trigger("every 1h")).await?;
    let fresh = node.claim_one(at(60)).await?;
    stage
        .add(job("tried").trigger("every 1h").added(at(60)))
        .await?;
    let tried = node.claim_one(at(120)).await?;
    ensure!(
        node.finish_one(to_retry(&tried, at(121))).await?,
        "it was not recorded"
    );
    for run in [&fresh, &tried] {
        stage
            .store()
            .remove(run.job_id.as_str(), None, at(122))
            .await?;
    }
    let answer = node.release(&[fresh.run_id, tried.run_id], at(123)).await?;
    let answer: Vec<_> = answer.into_iter().filter(|run| run.attempts > 0).collect();
    stage.ensure_cancelled(&answer, &[(&tried, 1)])?;
    ensure!(node.held().await?.is_empty(), "the node still holds it");
    // Every fire time leaves a record: for a run that was never started, this may be a skipped fire time.
    let state = stage
        .store()
        .get_run(fresh.run_id)
        .await?
        .map(|run| run.state);
    let is_skipped =
        stage
            .skipped_of("fresh")
            .await?
            .contains(&(SkipReason::Removed, at(60), at(60), 1));
    ensure!(
        state.map_or(is_skipped, RunState::is_final),
        "the run of a removed job is {state:?}, and its fire time skipped: {is_skipped}"
    );
    let stored = stage.run(tried.run_id).await?;
    ensure_eq!(stored.state, RunState::Cancelled, "a run between attempts");
    ensure_eq!(stored.earlier_attempts.len(), 1, "its attempts");
    ensure_eq!(
        (stored.error.as_deref(), stored.finished_at),
        (Some("its job was removed"), Some(at(123))),
        "why and when it ended"
    );
    // Their slots are free.
    stage
        .add(job("fresh").trigger("every 1h").added(at(123)))
        .await?;
    node.claim_one(at(183)).await?;
    Ok(())
}

pub(crate) async fn a_run_between_attempts_ends_with_its_job(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    stage.add(job("job").trigger("every 1h")).await?;
    let run = node.claim_one(at(60)).await?;
    ensure!(
        node.finish_one(to_retry(&run, at(61))).await?,
        "it was not recorded"
    );
    node.release(&[run.run_id], at(61)).await?;
    let removed = stage.store().remove("job", None, at(62)).await?;
    let cancelled = removed.done().map(|removed| removed.cancelled);
    stage.ensure_cancelled(&cancelled.unwrap_or_default(), &[(&run, 1)])?;
    let stored = stage.run(run.run_id).await?;
    ensure_eq!(
        stored.state,
        RunState::Cancelled,
        "what was started and waits when its job is removed"
    );
    ensure_eq!(stored.attempt, 1, "its attempts");
    ensure_eq!(stored.finished_at, Some(at(62)), "when it ended");
    Ok(())
}

/// Returns a run that has failed once and waits for its next attempt.
async fn tried(stage: &Stage, node: &Worker, minute: i64) -> Done<ClaimedRun> {
    let run = node.claim_one(at(minute)).await?;
    let end = to_retry(&run, at(minute));
    ensure!(node.finish_one(end).await?, "it was not recorded");
    node.release(&[run.run_id], at(minute)).await?;
    let state = stage.run(run.run_id).await?.state;
    ensure_eq!(state, RunState::Queued, "the state of a run that was tried");
    Ok(run)
}

async fn has_ended(stage: &Stage, run: &ClaimedRun) -> Done {
    let stored = stage.run(run.run_id).await?;
    ensure_eq!(
        (stored.state, stored.error.as_deref()),
        (RunState::Cancelled, Some("superseded")),
        "how it ended"
    );
    Ok(())
}

pub(crate) async fn a_tried_run_ends_when_its_job_is_replaced(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    stage.add(job("job").trigger("every 1h")).await?;
    let run = tried(stage, &node, 60).await?;
    let record = job("job").trigger("every 2h").added(at(61)).record()?;
    let answer = replace(stage.store(), record, at(61)).await?;
    let Inserted::All(inserted) = answer else {
        return Err(Stop::failed(format_args!("answered {answer:?}")));
    };
    stage.ensure_cancelled(&inserted.cancelled, &[(&run, 1)])?;
    has_ended(stage, &run).await
}

pub(crate) async fn a_tried_run_ends_when_a_manual_run_takes_its_place(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    let draft = job("job").trigger("every 1h");
    let draft = draft.policies(|own| own.overlap = Overlap::CancelRunning);
    stage.add(draft).await?;
    let run = tried(stage, &node, 60).await?;
    let (_, answer) = node.run_now("job", at(61)).await?;
    stage.ensure_cancelled(&answer.cancelled, &[(&run, 1)])?;
    has_ended(stage, &run).await
}

pub(crate) async fn a_tried_run_ends_when_a_newer_one_takes_its_place(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    let draft = job("job").policies(|own| {
        own.max_instances = 2;
        own.overlap = Overlap::CancelRunning;
    });
    stage.add(draft).await?;
    let (run, beside) = (node.claim_one(at(1)).await?, node.claim_one(at(2)).await?);
    let end = to_retry(&run, at(2));
    ensure!(node.finish_one(end).await?, "it was not recorded");
    // There is no longer a slot for both runs.
    stage
        .edit("job", at(2), |job| {
            Arc::make_mut(&mut job.policies).max_instances = 1;
        })
        .await?;
    node.release(&[run.run_id], at(2)).await?;
    let claim = node.claim(at(3)).await?;
    stage.ensure_cancelled(&claim.cancelled, &[(&run, 1)])?;
    has_ended(stage, &run).await?;
    let asked = node.store.list_cancellations(node.node).await?;
    ensure_eq!(asked, [beside.run_id], "which run is asked to stop");
    Ok(())
}
