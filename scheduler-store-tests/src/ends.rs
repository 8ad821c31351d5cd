//! How attempts end: recorded once, for the node that holds the run.

use std::time::Duration;

use scheduler_core::plan::{Verdict, verdict};
use scheduler_core::store::{ClaimedRun, End};
use scheduler_core::{Attempt, Overlap, RunId, RunState};

use crate::failure::{Done, ensure, ensure_eq};
use crate::stage::{Stage, at, body_ended, body_goes_on, ended, job, seconds, succeeded, to_retry};

/// Returns the next attempt of a run whose last attempt is to be retried.
fn next_attempt(run: &ClaimedRun) -> ClaimedRun {
    let mut next = run.clone();
    next.attempt += 1;
    next.failures += 1;
    next
}

pub(crate) async fn a_success_is_recorded(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    stage.add(job("job")).await?;
    let run = node.claim_one(at(1) + seconds(3)).await?;
    let value = format!("{{\"text\":\"it's \u{1F680} {}\"}}", "x".repeat(100_000));
    let mut finished = succeeded(&run, at(2));
    if let End::Attempt(end) = &mut finished.end {
        end.value = Some(value.as_str().into());
        end.lateness = Duration::from_micros(58_999_999);
    }
    ensure!(node.finish_one(finished).await?, "it was not recorded");
    let stored = stage.run(run.run_id).await?;
    ensure_eq!(stored.state, RunState::Succeeded, "the state");
    ensure_eq!(stored.started_at, Some(at(2) - seconds(1)), "the start");
    ensure_eq!(stored.finished_at, Some(at(2)), "the end");
    ensure_eq!(
        stored.lateness,
        Some(Duration::from_micros(58_999_999)),
        "the lateness"
    );
    ensure!(
        stored.value.as_deref() == Some(&*value),
        "the value is another"
    );
    ensure_eq!(stored.error, None, "the error");
    ensure_eq!(
        (stored.attempt, stored.earlier_attempts.len()),
        (1, 0),
        "the attempts"
    );
    ensure_eq!(
        (stored.job_id.as_str(), &*stored.task),
        ("job", "task"),
        "what it was"
    );
    ensure!(node.held().await?.is_empty(), "the node still holds it");
    node.claim_one(at(2)).await?;
    Ok(())
}

pub(crate) async fn every_end_is_recorded(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    let states = [
        RunState::Succeeded,
        RunState::Failed,
        RunState::TimedOut,
        RunState::Cancelled,
    ];
    for state in states {
        stage
            .add(job(&format!("{state:?}")).trigger("every 1h"))
            .await?;
    }
    let claim = node.claim(at(60)).await?;
    ensure_eq!(claim.runs.len(), 4, "claimed runs");
    let error = "no route to host: \"'\u{e9}\\\n\ttab".repeat(200);
    let mut batch = Vec::new();
    for run in &claim.runs {
        let state = states
            .into_iter()
            .find(|state| run.job_id == format!("{state:?}").as_str());
        let state = state.unwrap_or(RunState::Lost);
        let mut finished = ended(run, at(61), Verdict::Final(state), state);
        if let End::Attempt(end) = &mut finished.end
            && state == RunState::Failed
        {
            end.error = Some(error.as_str().into());
        }
        batch.push(finished);
    }
    ensure_eq!(
        node.finish(batch).await?,
        [true; 4],
        "what a batch of ends is answered with"
    );
    for state in states {
        let runs = stage.runs_of(&format!("{state:?}")).await?;
        ensure_eq!(runs[0].state, state, "the state of the run that ended so");
        let expected = match state {
            RunState::Succeeded => None,
            RunState::Failed => Some(error.as_str()),
            _ => Some("attempt 1"),
        };
        ensure!(
            runs[0].error.as_deref() == expected,
            "{state:?}: the error is another"
        );
    }
    Ok(())
}

pub(crate) async fn a_retry_keeps_the_slot_and_counts_up(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    stage
        .add(job("job").policies(|own| own.retries = 5))
        .await?;
    let run = node.claim_one(at(1)).await?;
    ensure!(
        node.finish_one(to_retry(&run, at(1) + seconds(10))).await?,
        "it was not recorded"
    );
    let stored = stage.run(run.run_id).await?;
    ensure_eq!(
        stored.state,
        RunState::Running,
        "the state between attempts"
    );
    ensure_eq!(stored.attempt, 2, "the attempt that is next");
    ensure_eq!(stored.finished_at, None, "its end");
    let first = Attempt::new(
        1,
        (at(1) + seconds(9), at(1) + seconds(10)),
        RunState::Failed,
        Some("attempt 1".into()),
    );
    ensure_eq!(stored.earlier_attempts, [first], "the attempt that failed");
    ensure_eq!(node.held().await?, [run.run_id], "what the node holds");
    let claim = node.claim(at(2)).await?;
    ensure!(
        claim.runs.is_empty(),
        "a run between attempts holds no slot"
    );
    let second = next_attempt(&run);
    ensure!(
        node.finish_one(succeeded(&second, at(3))).await?,
        "the second was not recorded"
    );
    let stored = stage.run(run.run_id).await?;
    ensure_eq!(
        (stored.state, stored.attempt),
        (RunState::Succeeded, 2),
        "how it ended"
    );
    ensure_eq!(stored.error, None, "the error of the last attempt");
    ensure_eq!(
        stored.started_at,
        Some(at(3) - seconds(1)),
        "the start of the last attempt"
    );
    ensure_eq!(
        stored.lateness,
        Some(Duration::from_secs(9)),
        "the lateness of the first attempt"
    );
    ensure_eq!(stored.earlier_attempts.len(), 1, "earlier attempts");
    node.claim_one(at(3)).await?;
    Ok(())
}

pub(crate) async fn the_last_ten_attempts_are_kept(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    stage.add(job("job").trigger("every 1h")).await?;
    let mut run = node.claim_one(at(60)).await?;
    for minute in 61..75 {
        ensure!(
            node.finish_one(to_retry(&run, at(minute))).await?,
            "it was not recorded"
        );
        run = next_attempt(&run);
    }
    let stored = stage.run(run.run_id).await?;
    ensure_eq!(stored.attempt, 15, "the attempt");
    let kept: Vec<u32> = stored
        .earlier_attempts
        .iter()
        .map(|one| one.attempt)
        .collect();
    let expected: Vec<u32> = (5..15).collect();
    ensure_eq!(kept, expected, "the attempts that are kept");
    Ok(())
}

pub(crate) async fn retries_are_counted_over_releases(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    stage
        .add(
            job("job")
                .trigger("every 1h")
                .policies(|own| own.retries = 2),
        )
        .await?;
    let state = RunState::Failed;
    let mut run = node.claim_one(at(60)).await?;
    for minute in 61..70 {
        let follows = verdict(&run.policies, run.failures, false, state);
        ensure!(
            node.finish_one(ended(&run, at(minute), follows, state))
                .await?,
            "it was not recorded"
        );
        if follows == Verdict::Final(state) {
            break;
        }
        node.release(&[run.run_id], at(minute)).await?;
        run = node.claim_one(at(minute)).await?;
    }
    let stored = stage.run(run.run_id).await?;
    ensure_eq!(
        (stored.state, stored.attempt, stored.earlier_attempts.len()),
        (state, 3, 2),
        "how it ended"
    );
    Ok(())
}

pub(crate) async fn a_lost_attempt_is_no_failure(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    stage.add(job("job").trigger("every 1h")).await?;
    let run = node.claim_one(at(60)).await?;
    let again = Verdict::Retry(Duration::ZERO);
    ensure!(
        node.finish_one(ended(&run, at(61), again, RunState::Lost))
            .await?,
        "it was not recorded"
    );
    node.release(&[run.run_id], at(61)).await?;
    let run = node.claim_one(at(62)).await?;
    ensure_eq!(
        (run.attempt, run.failures),
        (2, 0),
        "its attempt and failures"
    );
    Ok(())
}

pub(crate) async fn a_cancelled_run_that_fails_is_not_tried_again(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    stage
        .add(
            job("job")
                .trigger("every 1h")
                .policies(|own| own.retries = 2),
        )
        .await?;
    let run = node.claim_one(at(60)).await?;
    stage.store().cancel(run.run_id, at(60)).await?;
    let requested = stage.store().list_cancellations(node.node).await?;
    let state = RunState::Failed;
    let is_requested = requested.contains(&run.run_id);
    let follows = verdict(&run.policies, run.failures, is_requested, state);
    ensure!(
        node.finish_one(ended(&run, at(61), follows, state)).await?,
        "it was not recorded"
    );
    let stored = stage.run(run.run_id).await?;
    ensure_eq!((stored.state, stored.attempt), (state, 1), "how it ended");
    Ok(())
}

// One function, since it reports ends of one run at every stage of that run, in the order in which they may arrive.
pub(crate) async fn a_late_end_changes_nothing(stage: &Stage) -> Done {
    let (node, other) = (stage.node(1).await?, stage.node(2).await?);
    stage.add(job("job").trigger("every 1h")).await?;
    let run = node.claim_one(at(60)).await?;
    let mut unknown = succeeded(&run, at(61));
    unknown.run_id = RunId::from_u128(7);
    ensure!(
        !node.finish_one(unknown).await?,
        "a run that never was has ended"
    );
    let ahead = next_attempt(&run);
    ensure!(
        !node.finish_one(succeeded(&ahead, at(61))).await?,
        "an attempt that never was has ended"
    );
    ensure!(
        !other.finish_one(succeeded(&run, at(61))).await?,
        "another node's run has ended"
    );
    ensure!(
        node.finish_one(to_retry(&run, at(61))).await?,
        "its attempt was not recorded"
    );
    let before = stage.run(run.run_id).await?;
    ensure!(
        !node.finish_one(succeeded(&run, at(62))).await?,
        "an attempt that is over has ended again"
    );
    ensure!(
        !other.finish_one(succeeded(&ahead, at(62))).await?,
        "another node's run has ended"
    );
    ensure_eq!(
        stage.run(run.run_id).await?,
        before,
        "the run after late ends"
    );
    ensure_eq!(node.held().await?, [run.run_id], "what the node holds");
    // In one batch with an end that is recorded.
    let batch = vec![succeeded(&run, at(62)), succeeded(&ahead, at(63))];
    ensure_eq!(
        node.finish(batch).await?,
        [false, true],
        "a late end beside a good one"
    );
    let stored = stage.run(run.run_id).await?;
    ensure_eq!(
        (stored.attempt, stored.finished_at),
        (2, Some(at(63))),
        "how it ended"
    );
    let failed = ended(
        &ahead,
        at(64),
        Verdict::Final(RunState::Failed),
        RunState::Failed,
    );
    ensure!(
        !node.finish_one(failed).await?,
        "a run that has ended has ended otherwise"
    );
    ensure!(
        !node.finish_one(succeeded(&run, at(63))).await?,
        "the end of an attempt is taken for that of a later one"
    );
    ensure_eq!(
        stage.run(run.run_id).await?,
        stored,
        "the run after a second end"
    );
    Ok(())
}

pub(crate) async fn the_same_end_twice_is_recorded_once(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    stage.add(job("job").trigger("every 1h")).await?;
    let run = node.claim_one(at(60)).await?;
    let retry = to_retry(&run, at(61));
    for turn in ["first", "second"] {
        ensure!(
            node.finish_one(retry.clone()).await?,
            "the {turn} time was not recorded"
        );
        let stored = stage.run(run.run_id).await?;
        ensure_eq!(
            (stored.attempt, stored.earlier_attempts.len()),
            (2, 1),
            "its attempts"
        );
    }
    let end = succeeded(&next_attempt(&run), at(62));
    ensure!(
        node.finish_one(end.clone()).await?,
        "the end was not recorded"
    );
    let stored = stage.run(run.run_id).await?;
    ensure!(
        node.finish_one(end.clone()).await?,
        "the same end again is refused"
    );
    ensure_eq!(
        stage.run(run.run_id).await?,
        stored,
        "the run after the same end again"
    );
    // Its slot is freed once, not twice.
    let next = node.claim_one(at(120)).await?;
    ensure!(
        node.finish_one(end).await?,
        "the same end again is refused, later"
    );
    let claim = node.claim(at(180)).await?;
    ensure!(
        claim.runs.is_empty(),
        "the same end again freed the place of another run"
    );
    ensure_eq!(node.held().await?, [next.run_id], "what the node holds");
    Ok(())
}

pub(crate) async fn a_body_that_goes_on_holds_the_slot(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    stage.add(job("job")).await?;
    let run = node.claim_one(at(1)).await?;
    let end = body_goes_on(&run, at(2), Verdict::Final(RunState::TimedOut));
    for turn in ["first", "second"] {
        ensure!(
            node.finish_one(end.clone()).await?,
            "the {turn} time was not recorded"
        );
    }
    let stored = stage.run(run.run_id).await?;
    ensure_eq!(
        (stored.state, stored.finished_at),
        (RunState::TimedOut, Some(at(2))),
        "how it ended"
    );
    let otherwise = body_goes_on(&run, at(3), Verdict::Final(RunState::Cancelled));
    ensure!(
        !node.finish_one(otherwise).await?,
        "a run that has ended has ended otherwise"
    );
    let runs = stage.runs_of("job").await?;
    ensure_eq!(runs, std::slice::from_ref(&stored), "the list of runs");
    let claim = node.claim(at(3)).await?;
    ensure!(claim.runs.is_empty(), "a body that goes on holds no slot");
    ensure_eq!(node.held().await?, [run.run_id], "what the node holds");
    for turn in ["first", "second"] {
        ensure!(
            node.finish_one(body_ended(&run)).await?,
            "the {turn} end of the body was not recorded"
        );
        let now = stage.run(run.run_id).await?;
        ensure_eq!(now, stored, "the run after its body");
    }
    ensure!(node.held().await?.is_empty(), "the node still holds it");
    node.claim_one(at(4)).await?;
    ensure!(
        node.finish_one(body_ended(&run)).await?,
        "the end of the body is refused, later"
    );
    let claim = node.claim(at(5)).await?;
    ensure!(
        claim.runs.is_empty(),
        "the same end again freed the place of another run"
    );
    Ok(())
}

/// The next fire time finds no slot, but there is no attempt that a cancellation could end.
pub(crate) async fn an_ended_run_is_not_cancelled_while_its_body_goes_on(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    let draft = job("job").policies(|own| own.overlap = Overlap::CancelRunning);
    stage.add(draft).await?;
    let run = node.claim_one(at(1)).await?;
    let end = body_goes_on(&run, at(2), Verdict::Final(RunState::TimedOut));
    ensure!(node.finish_one(end).await?, "it was not recorded");
    let claim = node.claim(at(2)).await?;
    ensure!(claim.runs.is_empty(), "a body that goes on holds no slot");
    let requested = stage.store().list_cancellations(node.node).await?;
    ensure!(requested.is_empty(), "an ended run is to be cancelled");
    ensure_eq!(node.held().await?, [run.run_id], "what the node holds");
    Ok(())
}

pub(crate) async fn a_retry_after_a_body_waits_for_it(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    stage
        .add(
            job("job")
                .trigger("every 1h")
                .policies(|own| own.retries = 2),
        )
        .await?;
    let run = node.claim_one(at(60)).await?;
    let retry = Verdict::Retry(Duration::from_secs(1));
    for turn in ["first", "second"] {
        ensure!(
            node.finish_one(body_goes_on(&run, at(61), retry)).await?,
            "the {turn} time was not recorded"
        );
        let stored = stage.run(run.run_id).await?;
        ensure_eq!(
            (stored.state, stored.attempt, stored.earlier_attempts.len()),
            (RunState::Running, 1, 1),
            "while its body goes on"
        );
    }
    for turn in ["first", "second"] {
        ensure!(
            node.finish_one(body_ended(&run)).await?,
            "the {turn} end of the body was not recorded"
        );
    }
    let stored = stage.run(run.run_id).await?;
    ensure_eq!(
        (stored.state, stored.attempt),
        (RunState::Running, 2),
        "between the attempts"
    );
    ensure_eq!(stored.earlier_attempts.len(), 1, "earlier attempts");
    ensure_eq!(
        stored.earlier_attempts[0].state,
        RunState::TimedOut,
        "how the first ended"
    );
    let second = next_attempt(&run);
    // In one batch: the end of the attempt and the end of its body.
    let end = body_goes_on(&second, at(62), Verdict::Final(RunState::TimedOut));
    let batch = vec![end, body_ended(&second)];
    ensure_eq!(
        node.finish(batch).await?,
        [true, true],
        "an end and its body in one batch"
    );
    let stored = stage.run(run.run_id).await?;
    ensure_eq!(
        (stored.state, stored.attempt),
        (RunState::TimedOut, 2),
        "how it ended"
    );
    ensure!(node.held().await?.is_empty(), "the node still holds it");
    node.claim_one(at(120)).await?;
    Ok(())
}

pub(crate) async fn a_retry_can_be_called_off_while_the_body_goes_on(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    let draft = job("job").trigger("every 1h");
    stage.add(draft.policies(|own| own.retries = 2)).await?;
    let run = node.claim_one(at(60)).await?;
    let retry = body_goes_on(&run, at(61), Verdict::Retry(Duration::from_secs(1)));
    ensure!(node.finish_one(retry).await?, "it was not recorded");
    let cancelled = RunState::Cancelled;
    let mut end = ended(&run, at(62), Verdict::Final(cancelled), cancelled);
    if let End::Attempt(end) = &mut end.end {
        end.body_runs = true;
    }
    for turn in ["first", "second"] {
        ensure!(
            node.finish_one(end.clone()).await?,
            "the {turn} time was not recorded"
        );
        let stored = stage.run(run.run_id).await?;
        ensure_eq!(
            (stored.state, stored.attempt),
            (cancelled, 1),
            "how it ended"
        );
        ensure_eq!(stored.finished_at, Some(at(62)), "when it ended");
    }
    let claim = node.claim(at(120)).await?;
    ensure!(claim.runs.is_empty(), "a body that goes on holds no slot");
    ensure!(
        node.finish_one(body_ended(&run)).await?,
        "the end of the body was not recorded"
    );
    ensure_eq!(
        stage.run(run.run_id).await?.state,
        cancelled,
        "its state after the body"
    );
    ensure!(node.held().await?.is_empty(), "the node still holds it");
    node.claim_one(at(180)).await?;
    Ok(())
}
