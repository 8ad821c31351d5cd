//! Manual runs, and cancellation requests.

use scheduler_core::plan::{CANCELLED, ClaimedRun, ManualDecision, RefusedReason, Verdict};
use scheduler_core::store::{CancelAnswer, JobAnswer, ManualRequest};
use scheduler_core::{JobRecord, Overlap, RunId, RunKind, RunState, SkipReason};

use crate::draft::resume;
use crate::failure::{Done, Stop, ensure, ensure_eq};
use crate::stage::{
    Stage, Worker, as_skipped, at, body_goes_on, ended, job, seconds, succeeded, to_retry,
};

pub(crate) async fn a_manual_run_starts_at_its_holder(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    let record = stage.add(job("job")).await?;
    let now = at(0) + seconds(30);
    let (run_id, answer) = node.run_now("job", now).await?;
    ensure_eq!(answer.decision, ManualDecision::Start, "the decision");
    ensure!(answer.skipped.is_empty(), "it skipped {:?}", answer.skipped);
    let run = answer
        .start
        .ok_or_else(|| Stop::failed("there is nothing to start"))?;
    ensure_eq!((run.run_id, run.kind), (run_id, RunKind::Manual), "the run");
    ensure_eq!((run.scheduled_for, run.due_at), (now, now), "its instants");
    ensure_eq!((run.attempt, run.failures), (1, 0), "attempt and failures");
    ensure_eq!(node.held().await?, [run_id], "what the node holds");
    let stored = stage.run(run_id).await?;
    ensure_eq!(
        (stored.state, stored.kind),
        (RunState::Running, RunKind::Manual),
        "the stored run"
    );
    // The watermark does not move, and the slot is taken.
    ensure_eq!(stage.job("job").await?, record, "the job");
    let claim = node.claim(at(1)).await?;
    ensure!(claim.runs.is_empty(), "the manual run holds no slot");
    ensure!(
        node.finish_one(succeeded(&run, at(1))).await?,
        "its end was not recorded"
    );
    let next = node.claim_one(at(2)).await?;
    ensure_eq!(next.scheduled_for, at(2), "the next fire time");
    Ok(())
}

pub(crate) async fn a_manual_run_without_holder_waits_for_a_node(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    stage.add(job("job")).await?;
    let now = at(0) + seconds(30);
    let (run_id, answer) = node.run_soon("job", now).await?;
    ensure_eq!(answer.decision, ManualDecision::Start, "the decision");
    ensure!(
        answer.start.is_none(),
        "a run without a holder is to be started"
    );
    ensure_eq!(
        stage.run(run_id).await?.state,
        RunState::Queued,
        "its state"
    );
    ensure!(node.held().await?.is_empty(), "a node holds it");
    let run = node.claim_one(now).await?;
    ensure_eq!(
        (run.run_id, run.kind),
        (run_id, RunKind::Manual),
        "the claimed run"
    );
    ensure_eq!(
        (run.scheduled_for, run.attempt),
        (now, 1),
        "its instant and attempt"
    );
    ensure!(
        node.finish_one(succeeded(&run, at(1))).await?,
        "its end was not recorded"
    );
    // A fire time may fall on the same instant.
    let (manual, _) = node.run_soon("job", at(1)).await?;
    let claim = node.claim(at(1)).await?;
    ensure_eq!(claim.runs.len(), 1, "runs within the limit");
    ensure_eq!(claim.runs[0].run_id, manual, "the one that waited");
    Ok(())
}

const fn queued(cancel_oldest: bool, replace_queued: bool) -> ManualDecision {
    ManualDecision::Queue {
        cancel_oldest,
        replace_queued,
    }
}

pub(crate) async fn manual_runs_keep_to_the_limits(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    for (id, overlap) in [
        ("skip", Overlap::Skip),
        ("queue", Overlap::Queue(1)),
        ("cancel", Overlap::CancelRunning),
    ] {
        let draft = job(id).trigger("every 1h");
        stage
            .add(draft.policies(|own| own.overlap = overlap))
            .await?;
        let (_, answer) = node.run_now(id, at(1)).await?;
        ensure_eq!(
            answer.decision,
            ManualDecision::Start,
            "the first run of {id}"
        );
    }
    second_run_is_refused(stage, &node).await?;
    second_run_is_queued(stage, &node).await?;
    second_run_cancels_the_first(stage, &node).await
}

async fn second_run_is_refused(stage: &Stage, node: &Worker) -> Done {
    let (run, answer) = node.run_now("skip", at(2)).await?;
    ensure_eq!(
        answer.decision,
        ManualDecision::Refuse(RefusedReason::Overlap),
        "the second run of skip"
    );
    ensure!(
        stage.store().get_run(run).await?.is_none(),
        "a refused run was written"
    );
    Ok(())
}

async fn second_run_is_queued(stage: &Stage, node: &Worker) -> Done {
    let (run, answer) = node.run_now("queue", at(2)).await?;
    ensure_eq!(
        answer.decision,
        queued(false, false),
        "the second run of queue"
    );
    ensure!(answer.start.is_none(), "a run that waits is to be started");
    ensure_eq!(stage.run(run).await?.state, RunState::Queued, "its state");
    let (_, answer) = node.run_now("queue", at(3)).await?;
    ensure_eq!(
        answer.decision,
        ManualDecision::Refuse(RefusedReason::QueueFull),
        "the third run of queue"
    );
    Ok(())
}

async fn second_run_cancels_the_first(stage: &Stage, node: &Worker) -> Done {
    let oldest = stage.runs_of("cancel").await?[0].id;
    let (_, answer) = node.run_now("cancel", at(2)).await?;
    ensure_eq!(
        answer.decision,
        queued(true, false),
        "the second run of cancel"
    );
    let asked = node.store.list_cancellations(node.node).await?;
    ensure!(asked.contains(&oldest), "the oldest was not asked to stop");
    let (run, answer) = node.run_now("cancel", at(3)).await?;
    // A repeated request changes nothing.
    ensure_eq!(
        answer.decision,
        queued(true, true),
        "the third run of cancel"
    );
    let asked = node.store.list_cancellations(node.node).await?;
    ensure_eq!(asked, [oldest], "what was asked to stop");
    let expected = [(SkipReason::Superseded, at(2), at(2), 1)];
    let answered: Vec<_> = answer.skipped.iter().map(as_skipped).collect();
    ensure_eq!(
        answered,
        expected,
        "what the third run of cancel took the place of"
    );
    ensure_eq!(
        stage.skipped_of("cancel").await?,
        expected,
        "what is listed"
    );
    let waiting: Vec<RunId> = stage
        .runs_of("cancel")
        .await?
        .into_iter()
        .filter(|run| run.state == RunState::Queued)
        .map(|run| run.id)
        .collect();
    ensure_eq!(waiting, [run], "what waits of cancel");
    Ok(())
}

pub(crate) async fn a_manual_run_needs_a_job(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    let run_id = RunId::from_u128(7);
    let request = ManualRequest::new("nobody", RunKind::Manual, run_id, at(1)).holder(node.node);
    let answer = stage.store().run_now(&request).await?;
    ensure!(
        matches!(answer, JobAnswer::NoJob),
        "a run of no job was answered with {answer:?}"
    );
    Ok(())
}

pub(crate) async fn a_stale_revision_runs_nothing(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    let seen = stage.add(job("job")).await?.revision();
    let pause = |job: &mut JobRecord| job.paused = Some("not now".into());
    let current = stage.edit("job", at(0), pause).await?.job;
    let run_id = RunId::from_u128(7);
    let request = ManualRequest::new("job", RunKind::Manual, run_id, at(1));
    for holder in [None, Some(node.node)] {
        let mut request = request.seen(seen);
        request.holder = holder;
        let answer = stage.store().run_now(&request).await?;
        let JobAnswer::Stale(job) = answer else {
            return Err(Stop::failed(format_args!("answered {answer:?}")));
        };
        ensure_eq!(*job, current, "the job that the answer has");
    }
    ensure_eq!(stage.job("job").await?, current, "the stored job");
    ensure!(stage.runs_of("job").await?.is_empty(), "a run was made");
    ensure!(node.held().await?.is_empty(), "a run is held");

    let mut nobody = request.seen(seen);
    nobody.job = "nobody";
    let answer = stage.store().run_now(&nobody).await?;
    ensure!(
        matches!(answer, JobAnswer::NoJob),
        "a run of no job was answered with {answer:?}"
    );
    let request = request.seen(current.revision()).holder(node.node);
    let answer = stage.store().run_now(&request).await?;
    ensure!(
        answer.done().is_some_and(|run| run.start.is_some()),
        "the job was not run, and it is as the caller has seen it"
    );
    ensure_eq!(node.held().await?, [run_id], "what the node holds");
    Ok(())
}

pub(crate) async fn a_paused_or_finished_job_runs_manually(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    stage.add(job("paused")).await?;
    stage
        .edit("paused", at(0), |job| {
            job.pause("held".into());
        })
        .await?;
    stage
        .add(job("once").trigger("at 2026-01-05T00:01:00Z"))
        .await?;
    let run = node.claim_one(at(1)).await?;
    ensure!(
        node.finish_one(succeeded(&run, at(1))).await?,
        "its end was not recorded"
    );
    for id in ["paused", "once"] {
        let (run_id, answer) = node.run_now(id, at(2)).await?;
        ensure!(
            answer.start.is_some(),
            "{id} does not start: {:?}",
            answer.decision
        );
        let run = stage.run(run_id).await?;
        ensure_eq!(run.state, RunState::Running, "the run of {id}");
    }
    // The kind is kept.
    stage.add(job("startup").trigger("every 1h")).await?;
    let (run_id, _) = node
        .manual_run("startup", RunKind::Startup, None, at(2))
        .await?;
    ensure_eq!(
        stage.run(run_id).await?.kind,
        RunKind::Startup,
        "the kind while it waits"
    );
    let run = node.claim_one(at(2)).await?;
    ensure_eq!(
        (run.run_id, run.kind),
        (run_id, RunKind::Startup),
        "the claimed run"
    );
    Ok(())
}

pub(crate) async fn a_manual_run_passes_runs_that_a_pause_holds(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    for (id, overlap) in [
        ("queue", Overlap::Queue(1)),
        ("cancel", Overlap::CancelRunning),
    ] {
        let draft = job(id).policies(|own| own.overlap = overlap);
        stage.add(draft).await?;
        let live = node.claim_one(at(1)).await?;
        node.claim(at(2)).await?;
        stage
            .edit(id, at(2), |job| {
                job.pause("held".into());
            })
            .await?;
        ensure!(
            node.finish_one(succeeded(&live, at(3))).await?,
            "its end was not recorded"
        );
        let (_, answer) = node.run_now(id, at(3)).await?;
        ensure_eq!(
            answer.decision,
            ManualDecision::Start,
            "a manual run of {id} while no run is live"
        );
        let manual = answer
            .start
            .ok_or_else(|| Stop::failed("there is nothing to start"))?;
        let skipped = stage.skipped_of(id).await?;
        ensure!(skipped.is_empty(), "skipped of {id}: {skipped:?}");
        ensure!(
            node.finish_one(succeeded(&manual, at(4))).await?,
            "its end was not recorded"
        );
        // Runs that the pause does not hold still start first.
        let (before, _) = node.run_soon(id, at(4)).await?;
        let (_, answer) = node.run_now(id, at(4) + seconds(1)).await?;
        ensure!(answer.start.is_none(), "a manual run of {id} overtakes one");
        if overlap == Overlap::Queue(1) {
            let run = node.claim_one(at(5)).await?;
            ensure_eq!(run.run_id, before, "the manual run that waited");
            ensure!(
                node.finish_one(succeeded(&run, at(5))).await?,
                "its end was not recorded"
            );
            stage
                .edit(id, at(5), |job| {
                    resume(job, at(5));
                })
                .await?;
            let run = node.claim_one(at(5)).await?;
            ensure_eq!(run.scheduled_for, at(2), "what the pause has held");
            stage.store().remove(id, None, at(5)).await?;
        }
    }
    Ok(())
}

pub(crate) async fn a_queued_run_ends_when_cancelled(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    stage.add(job("job")).await?;
    let (run_id, _) = node.run_soon("job", at(0)).await?;
    let answer = stage.store().cancel(run_id, at(1)).await?;
    let CancelAnswer::Ended(run) = answer else {
        return Err(Stop::failed(format_args!("answered {answer:?}")));
    };
    ensure_eq!(
        (run.id, run.state),
        (run_id, RunState::Cancelled),
        "the run in the answer"
    );
    ensure_eq!(run.finished_at, Some(at(1)), "when it ended");
    ensure_eq!(run.error.as_deref(), Some(CANCELLED), "its error");
    let stored = stage.run(run_id).await?;
    ensure_eq!(
        (stored.state, stored.finished_at),
        (RunState::Cancelled, Some(at(1))),
        "the stored run"
    );
    ensure_eq!(stored.error.as_deref(), Some(CANCELLED), "its stored error");
    if !stage.loses_answers() {
        let again = stage.store().cancel(run_id, at(2)).await?;
        ensure_eq!(again, CancelAnswer::Unknown, "a second request");
    }
    let run = node.claim_one(at(1)).await?;
    ensure!(run.run_id != run_id, "it was started all the same");
    Ok(())
}

pub(crate) async fn cancellation_of_a_live_run_is_listed_for_its_node(stage: &Stage) -> Done {
    let (node, other) = (stage.node(1).await?, stage.node(2).await?);
    stage.add(job("job").trigger("every 1h")).await?;
    stage
        .add(job("beside").trigger("every 1h").task("other"))
        .await?;
    let ask = crate::stage::Ask::tasks(&["task"]);
    let claim = node.claim_as(at(60), &ask).await?;
    let run = claim
        .runs
        .first()
        .ok_or_else(|| Stop::failed("nothing was claimed"))?;
    let beside = other.claim_one(at(60)).await?;
    ensure_eq!(
        stage.store().cancel(run.run_id, at(61)).await?,
        CancelAnswer::Live,
        "the answer"
    );
    ensure_eq!(
        node.store.list_cancellations(node.node).await?,
        [run.run_id],
        "what its node is told"
    );
    let told = other.store.list_cancellations(other.node).await?;
    ensure!(told.is_empty(), "another node is told to stop {told:?}");
    ensure_eq!(
        stage.run(run.run_id).await?.state,
        RunState::Running,
        "its state until it has ended"
    );
    let cancelled = RunState::Cancelled;
    let end = ended(run, at(62), Verdict::Final(cancelled), cancelled);
    ensure!(node.finish_one(end).await?, "its end was not recorded");
    ensure_eq!(
        stage.run(run.run_id).await?.state,
        cancelled,
        "how it ended"
    );
    let told = node.store.list_cancellations(node.node).await?;
    ensure!(told.is_empty(), "a run that has ended is to stop");
    ensure_eq!(
        stage.run(beside.run_id).await?.state,
        RunState::Running,
        "the other run"
    );
    Ok(())
}

pub(crate) async fn cancellation_of_a_run_between_attempts_is_listed(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    stage
        .add(
            job("job")
                .trigger("every 1h")
                .policies(|own| own.retries = 3),
        )
        .await?;
    let run = node.claim_one(at(60)).await?;
    ensure!(
        node.finish_one(to_retry(&run, at(61))).await?,
        "its attempt was not recorded"
    );
    ensure_eq!(
        stage.store().cancel(run.run_id, at(62)).await?,
        CancelAnswer::Live,
        "the answer"
    );
    ensure_eq!(
        node.store.list_cancellations(node.node).await?,
        [run.run_id],
        "what its node is told"
    );
    Ok(())
}

pub(crate) async fn released_run_whose_cancellation_was_requested_has_ended(stage: &Stage) -> Done {
    let (node, other) = (stage.node(1).await?, stage.node(2).await?);
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
    for (run, attempts) in [(&fresh, 0), (&tried, 1)] {
        ensure_eq!(
            stage.store().cancel(run.run_id, at(122)).await?,
            CancelAnswer::Live,
            "the answer"
        );
        let answer = node.release(&[run.run_id], at(123)).await?;
        stage.ensure_cancelled(&answer, &[(run, attempts)])?;
        let stored = stage.run(run.run_id).await?;
        ensure_eq!(
            (stored.state, stored.attempt),
            (RunState::Cancelled, attempts),
            "how it ended"
        );
        ensure_eq!(
            (stored.error.as_deref(), stored.finished_at),
            (Some(CANCELLED), Some(at(123))),
            "why and when it ended"
        );
    }
    ensure!(node.held().await?.is_empty(), "the node still holds it");
    let told = node.store.list_cancellations(node.node).await?;
    ensure!(
        told.is_empty(),
        "runs that have ended are to stop: {told:?}"
    );
    // Their slots are free, and the runs are not started again.
    let claim = other.claim(at(180)).await?;
    let again = |run: &ClaimedRun| [fresh.run_id, tried.run_id].contains(&run.run_id);
    ensure!(!claim.runs.iter().any(again), "it was started again");
    ensure_eq!(claim.runs.len(), 2, "runs that start");
    Ok(())
}

pub(crate) async fn a_run_that_is_not_open_cannot_be_cancelled(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    let unknown = stage.store().cancel(RunId::from_u128(7), at(0)).await?;
    ensure_eq!(unknown, CancelAnswer::Unknown, "a run that never was");
    stage.add(job("ended").trigger("every 1h")).await?;
    let run = node.claim_one(at(60)).await?;
    ensure!(
        node.finish_one(succeeded(&run, at(61))).await?,
        "its end was not recorded"
    );
    let answer = stage.store().cancel(run.run_id, at(62)).await?;
    ensure_eq!(answer, CancelAnswer::Unknown, "a run that has ended");
    ensure_eq!(
        stage.run(run.run_id).await?.state,
        RunState::Succeeded,
        "its state"
    );
    // A run that has ended while its body is still running.
    let run = node.claim_one(at(120)).await?;
    let end = body_goes_on(&run, at(121), Verdict::Final(RunState::TimedOut));
    ensure!(node.finish_one(end).await?, "its end was not recorded");
    let answer = stage.store().cancel(run.run_id, at(122)).await?;
    ensure_eq!(answer, CancelAnswer::Unknown, "a run that has timed out");
    ensure_eq!(
        stage.run(run.run_id).await?.state,
        RunState::TimedOut,
        "its state"
    );
    Ok(())
}
