//! Runs that wait for a slot: the order in which they start, and what happens to those that do not.

use std::sync::Arc;
use std::time::Duration;

use scheduler_core::plan::Verdict;
use scheduler_core::store::ClaimedRun;
use scheduler_core::{Coalesce, Overlap, RunId, RunKind, RunState, SkipReason};

use crate::draft::resume;
use crate::failure::{Done, Stop, ensure, ensure_eq};
use crate::stage::{Ask, Draft, Stage, Worker, as_skipped, at, ended, job, seconds, succeeded};

/// Returns a job that starts one run at a time and queues at most `bound` runs.
fn queueing(id: &str, bound: u32) -> Draft {
    job(id).policies(|own| {
        own.overlap = Overlap::Queue(bound);
        own.coalesce = Coalesce::All(10);
    })
}

pub(crate) async fn queued_runs_start_in_order(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    stage.add(queueing("job", 5)).await?;
    let claim = node.claim(at(3)).await?;
    ensure_eq!(claim.runs.len(), 1, "runs that start");
    ensure_eq!(claim.queued.len(), 2, "runs that wait");
    let waiting: Vec<RunId> = claim.queued.iter().map(|run| run.run_id).collect();
    let stored = stage.run(waiting[0]).await?;
    ensure_eq!(stored.state, RunState::Queued, "the state of what waits");
    ensure_eq!(
        (stored.attempt, stored.started_at),
        (0, None),
        "its attempt and start"
    );
    let mut run = claim.runs[0].clone();
    ensure_eq!(run.scheduled_for, at(1), "the first to start");
    for (minute, id) in (2..4).zip(waiting) {
        let none = node.claim(at(3) + seconds(1)).await?;
        ensure!(none.runs.is_empty(), "two runs at once");
        ensure!(
            node.finish_one(succeeded(&run, at(3) + seconds(2))).await?,
            "its end was not recorded"
        );
        run = node.claim_one(at(3) + seconds(3)).await?;
        ensure_eq!(run.run_id, id, "the run that starts next");
        ensure_eq!(
            (run.scheduled_for, run.due_at),
            (at(minute), at(minute)),
            "its instants"
        );
        ensure_eq!(
            (run.kind, run.attempt),
            (RunKind::Scheduled, 1),
            "what it is"
        );
    }
    Ok(())
}

pub(crate) async fn a_manual_run_does_not_overtake_queued_runs(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    stage.add(queueing("job", 5)).await?;
    let claim = node.claim(at(2)).await?;
    ensure!(
        node.finish_one(succeeded(&claim.runs[0], at(2))).await?,
        "its end was not recorded"
    );
    // The slot is free, but another run waits for it.
    let (manual, answer) = node.run_now("job", at(2)).await?;
    ensure!(answer.start.is_none(), "the manual run started");
    let run = node.claim_one(at(2) + seconds(1)).await?;
    ensure_eq!(run.run_id, claim.queued[0].run_id, "the run that starts");
    ensure_eq!(
        stage.run(manual).await?.state,
        RunState::Queued,
        "the manual run"
    );
    Ok(())
}

pub(crate) async fn the_queue_is_bounded(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    stage.add(queueing("job", 2)).await?;
    node.claim(at(5)).await?;
    let expected = [(SkipReason::QueueFull, at(4), at(5), 2)];
    ensure_eq!(
        stage.skipped_of("job").await?,
        expected,
        "what finds the queue full"
    );
    node.claim(at(6)).await?;
    let skipped = stage.skipped_of("job").await?;
    ensure_eq!(
        skipped.last(),
        Some(&(SkipReason::QueueFull, at(6), at(6), 1)),
        "the next one"
    );
    let runs = stage.runs_of("job").await?;
    ensure_eq!(runs.len(), 3, "runs that start or wait");
    Ok(())
}

pub(crate) async fn grace_is_judged_again_when_a_run_starts(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    let draft = queueing("job", 5).trigger("every 1h");
    let grace = Some(Duration::from_secs(90));
    stage
        .add(draft.policies(|own| own.misfire_grace_time = grace))
        .await?;
    let first = node.claim_one(at(60)).await?;
    node.claim(at(120)).await?;
    let (manual, _) = node.run_soon("job", at(121)).await?;
    ensure!(
        node.finish_one(succeeded(&first, at(122))).await?,
        "its end was not recorded"
    );
    let claim = node.claim(at(125)).await?;
    let started: Vec<RunId> = claim.runs.iter().map(|run| run.run_id).collect();
    ensure_eq!(started, [manual], "what starts: a manual run is never late");
    let expected = [(SkipReason::Missed, at(120), at(120), 1)];
    let answered: Vec<_> = claim.skipped.iter().map(as_skipped).collect();
    ensure_eq!(answered, expected, "what the answer says is skipped");
    ensure_eq!(stage.skipped_of("job").await?, expected, "what is listed");
    Ok(())
}

/// A store reads more of a queue than may start if part of it may be too late.
pub(crate) async fn a_queue_with_grace_keeps_to_slots_and_capacity(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    let with_slots = |count| {
        queueing("job", 8).policies(move |own| {
            own.max_instances = count;
            own.misfire_grace_time = Some(Duration::from_secs(86_400));
        })
    };
    stage.add(with_slots(2)).await?;
    stage
        .add(job("due").trigger("every 10m").added(at(-2)))
        .await?;
    let claim = node.claim(at(7)).await?;
    let starts = |runs: &[ClaimedRun]| -> Vec<_> {
        let runs = runs.iter().filter(|run| run.job_id == "job");
        runs.map(|run| run.scheduled_for).collect()
    };
    ensure_eq!(starts(&claim.runs), [at(1), at(2)], "runs that start");
    let first = claim.runs.iter().find(|run| run.scheduled_for == at(1));
    let first = first.ok_or_else(|| Stop::failed("the first one is missing"))?;
    ensure!(
        node.finish_one(succeeded(first, at(7))).await?,
        "its end was not recorded"
    );
    let claim = node.claim(at(7) + seconds(1)).await?;
    ensure_eq!(starts(&claim.runs), [at(3)], "runs that find one slot");
    let claim = node.claim(at(7) + seconds(2)).await?;
    ensure!(claim.runs.is_empty(), "runs that start without a slot");

    stage
        .edit("job", at(7) + seconds(3), |job| {
            Arc::make_mut(&mut job.policies).max_instances = 4;
        })
        .await?;
    let little = Ask::capacity("default", 1);
    let claim = node.claim_as(at(8), &little).await?;
    ensure_eq!(
        starts(&claim.runs),
        [at(4)],
        "runs that start with capacity for one"
    );
    ensure_eq!(claim.runs.len(), 1, "runs in all");
    let claim = node.claim_as(at(8), &Ask::capacity("default", 2)).await?;
    ensure_eq!(
        starts(&claim.runs),
        [at(5)],
        "runs that find the last slot, before a new fire time"
    );
    let due = claim.runs.iter().filter(|run| run.job_id == "due");
    ensure_eq!(due.count(), 1, "runs of the job that is due");
    Ok(())
}

/// A claim with little capacity cannot read all queued runs; late ones use up none of the capacity.
pub(crate) async fn late_runs_of_other_jobs_keep_no_room_from_one_that_may_start(
    stage: &Stage,
) -> Done {
    let node = stage.node(1).await?;
    let grace = Some(Duration::from_secs(90));
    let late = |index: u32| {
        let draft = queueing(&format!("late-{index:02}"), 5).trigger("every 1h");
        draft.policies(|own| own.misfire_grace_time = grace)
    };
    for index in 0..30 {
        stage.add(late(index)).await?;
    }
    stage
        .add(queueing("patient", 5).trigger("every 1h"))
        .await?;
    let first = node.claim(at(60)).await?;
    let next = node.claim(at(120)).await?;
    ensure_eq!(
        (first.runs.len(), next.queued.len()),
        (31, 31),
        "runs that start, and runs that wait"
    );
    for run in &first.runs {
        ensure!(
            node.finish_one(succeeded(run, at(121))).await?,
            "its end was not recorded"
        );
    }
    let mut started = Vec::new();
    let ask = Ask {
        limit: 1,
        ..Ask::capacity("default", 1)
    };
    loop {
        let claim = node.claim_as(at(125), &ask).await?;
        started.extend(claim.runs.iter().map(|run| run.job_id.to_string()));
        if !started.is_empty() || !claim.more {
            break;
        }
    }
    ensure_eq!(
        started,
        ["patient"],
        "what starts until no more is promised"
    );
    Ok(())
}

pub(crate) async fn a_paused_job_holds_its_queue(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    stage.add(queueing("job", 5)).await?;
    let claim = node.claim(at(2)).await?;
    let waiting = claim.queued[0].run_id;
    let (manual, _) = node.run_soon("job", at(2)).await?;
    stage
        .edit("job", at(2), |job| {
            job.pause("held".into());
        })
        .await?;
    ensure!(
        node.finish_one(succeeded(&claim.runs[0], at(3))).await?,
        "its end was not recorded"
    );
    let run = node.claim_one(at(3)).await?;
    ensure_eq!(
        run.run_id,
        manual,
        "what starts of a paused job: the manual run"
    );
    ensure!(
        node.finish_one(succeeded(&run, at(4))).await?,
        "its end was not recorded"
    );
    let held = node.claim(at(4)).await?;
    ensure!(held.runs.is_empty(), "a paused job's fire time was started");
    stage
        .edit("job", at(4), |job| {
            resume(job, at(4));
        })
        .await?;
    let run = node.claim_one(at(4)).await?;
    ensure_eq!(
        (run.run_id, run.scheduled_for),
        (waiting, at(2)),
        "what starts after the pause"
    );
    Ok(())
}

pub(crate) async fn a_higher_limit_starts_queued_runs(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    stage.add(queueing("job", 5)).await?;
    let claim = node.claim(at(3)).await?;
    ensure_eq!(claim.queued.len(), 2, "runs that wait");
    let none = node.claim(at(3)).await?;
    ensure!(none.runs.is_empty(), "two runs at once");
    stage
        .edit("job", at(3), |job| {
            Arc::make_mut(&mut job.policies).max_instances = 3;
        })
        .await?;
    let claim = node.claim(at(3)).await?;
    let started: Vec<_> = claim.runs.iter().map(|run| run.scheduled_for).collect();
    ensure_eq!(started, [at(2), at(3)], "what starts beside the first run");
    Ok(())
}

pub(crate) async fn queued_runs_need_a_node_that_can_run_them(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    stage.add(job("job").trigger("every 1h")).await?;
    let narrow = job("narrow").trigger("every 1h");
    stage
        .add(narrow.policies(|own| own.executor = "narrow".into()))
        .await?;
    node.run_soon("job", at(1)).await?;
    node.run_soon("narrow", at(1)).await?;
    let claim = node.claim_as(at(1), &Ask::tasks(&["elsewhere"])).await?;
    ensure!(
        claim.runs.is_empty(),
        "a run was given to a node without its task"
    );
    let claim = node.claim_as(at(1), &Ask::capacity("narrow", 0)).await?;
    let claimed: Vec<&str> = claim.runs.iter().map(|run| run.job_id.as_str()).collect();
    ensure_eq!(
        claimed,
        ["job"],
        "what starts while the other executor is full"
    );
    let run = node.claim_one(at(1)).await?;
    ensure_eq!(
        run.job_id.as_str(),
        "narrow",
        "what starts when there is capacity"
    );
    Ok(())
}

async fn stops(node: &Worker, run: &ClaimedRun, minute: i64) -> Done {
    let asked = node.store.list_cancellations(node.node).await?;
    ensure!(
        asked.contains(&run.run_id),
        "the oldest run was not asked to stop"
    );
    let cancelled = RunState::Cancelled;
    let end = ended(run, at(minute), Verdict::Final(cancelled), cancelled);
    ensure!(node.finish_one(end).await?, "its end was not recorded");
    Ok(())
}

pub(crate) async fn the_newest_fire_time_replaces_the_cancelled_run(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    let draft = job("job").policies(|own| own.overlap = Overlap::CancelRunning);
    stage.add(draft).await?;
    let oldest = node.claim_one(at(1)).await?;
    let claim = node.claim(at(2)).await?;
    ensure!(
        claim.runs.is_empty(),
        "it started beside the run that is to stop"
    );
    ensure_eq!(claim.queued.len(), 1, "what waits for it");
    node.claim(at(3)).await?;
    let expected = [(SkipReason::Superseded, at(2), at(2), 1)];
    ensure_eq!(
        stage.skipped_of("job").await?,
        expected,
        "what the newest took the place of"
    );
    stops(&node, &oldest, 4).await?;
    let run = node.claim_one(at(3) + seconds(30)).await?;
    ensure_eq!(run.scheduled_for, at(3), "what starts: the newest");
    ensure_eq!(
        stage.run(oldest.run_id).await?.state,
        RunState::Cancelled,
        "how the oldest ended"
    );
    let asked = node.store.list_cancellations(node.node).await?;
    ensure!(!asked.contains(&run.run_id), "the newest is asked to stop");
    Ok(())
}

pub(crate) async fn only_the_oldest_run_is_cancelled(stage: &Stage) -> Done {
    let (first, second) = (stage.node(1).await?, stage.node(2).await?);
    let draft = job("job").policies(|own| {
        own.overlap = Overlap::CancelRunning;
        own.max_instances = 2;
    });
    stage.add(draft).await?;
    let oldest = first.claim_one(at(1)).await?;
    let newer = second.claim_one(at(2)).await?;
    ensure_eq!(newer.scheduled_for, at(2), "the second run");
    second.claim(at(3)).await?;
    let asked = second.store.list_cancellations(second.node).await?;
    ensure!(
        asked.is_empty(),
        "the other node is asked to stop {asked:?}"
    );
    stops(&first, &oldest, 4).await?;
    let claim = second.claim(at(3) + seconds(1)).await?;
    let Some(run) = claim.runs.first() else {
        return Err(Stop::failed("the newest does not start"));
    };
    ensure_eq!(run.scheduled_for, at(3), "what starts: the newest");
    Ok(())
}

pub(crate) async fn caught_up_fire_times_are_not_stopped_by_each_other(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    let draft = job("job").policies(|own| {
        own.overlap = Overlap::CancelRunning;
        own.coalesce = Coalesce::All(3);
    });
    stage.add(draft).await?;
    let run = node.claim_one(at(3)).await?;
    ensure_eq!(run.scheduled_for, at(3), "what starts: the newest");
    let expected = [(SkipReason::Overlap, at(1), at(2), 2)];
    ensure_eq!(stage.skipped_of("job").await?, expected, "what is skipped");
    ensure_eq!(
        stage.runs_of("job").await?.len(),
        1,
        "runs that start or wait"
    );
    let claim = node.claim(at(4)).await?;
    ensure!(claim.runs.is_empty(), "two runs at once");
    stops(&node, &run, 5).await?;
    let next = node.claim_one(at(4) + seconds(30)).await?;
    ensure_eq!(next.scheduled_for, at(4), "what starts then");
    Ok(())
}

/// A queued run does not imply that a run was already asked to stop.
pub(crate) async fn a_run_beside_a_queue_is_cancelled(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    for id in ["of a queue", "manual"] {
        stage.add(queueing(id, 1)).await?;
    }
    let two = job("of two").policies(|own| {
        own.overlap = Overlap::CancelRunning;
        own.max_instances = 2;
    });
    stage.add(two).await?;
    let first = node.claim(at(1)).await?.runs;
    let second = node.claim(at(2)).await?.runs;
    ensure_eq!((first.len(), second.len()), (3, 1), "runs that start");
    let of = |id: &str| {
        let run = first.iter().find(|run| run.job_id == id);
        run.ok_or_else(|| Stop::failed(format_args!("{id} did not start")))
    };
    for id in ["of a queue", "manual"] {
        stage
            .edit(id, at(2), |job| {
                Arc::make_mut(&mut job.policies).overlap = Overlap::CancelRunning;
            })
            .await?;
    }
    node.run_now("manual", at(2) + seconds(30)).await?;
    let asked = node.store.list_cancellations(node.node).await?;
    ensure_eq!(asked, [of("manual")?.run_id], "asked by a manual run");

    node.claim(at(3)).await?;
    stops(&node, of("of a queue")?, 3).await?;
    let two = of("of two")?;
    stage
        .edit("of two", at(3), |job| {
            Arc::make_mut(&mut job.policies).max_instances = 1;
        })
        .await?;
    stops(&node, two, 3).await?;
    let asked = node.store.list_cancellations(node.node).await?;
    ensure!(
        !asked.contains(&second[0].run_id),
        "two runs were asked for one fire time"
    );
    node.claim(at(4)).await?;
    stops(&node, &second[0], 4).await
}

pub(crate) async fn no_run_is_cancelled_while_a_slot_is_free(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    let draft = job("job").policies(|own| {
        own.overlap = Overlap::CancelRunning;
        own.max_instances = 2;
    });
    stage.add(draft).await?;
    node.claim_one(at(1)).await?;
    node.run_soon("job", at(1) + seconds(1)).await?;
    node.run_soon("job", at(1) + seconds(2)).await?;
    let asked = node.store.list_cancellations(node.node).await?;
    ensure!(asked.is_empty(), "asked to stop: {asked:?}");
    let run = node.claim_one(at(1) + seconds(3)).await?;
    ensure_eq!(run.scheduled_for, at(1) + seconds(2), "what starts beside");
    Ok(())
}
