//! Watermarks that are ahead of the clock, or were set back: no fire time is lost or run twice.

use chrono::{DateTime, Utc};
use scheduler_core::{Coalesce, JobId, Overlap, RunState, SkipReason};

use crate::failure::{Done, ensure, ensure_eq};
use crate::stage::{Stage, at, job, replace, seconds, succeeded};

/// Sets the watermark of a job, as an edit by an older version might.
async fn set_watermark(
    stage: &Stage,
    id: &str,
    watermark: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Done {
    stage
        .edit(id, now, |job| {
            job.watermark = watermark;
            job.recompute_next();
        })
        .await?;
    Ok(())
}

pub(crate) async fn watermarks_ahead_of_now_are_set_to_now(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    for id in ["far", "near", "not ahead", "paused"] {
        stage.add(job(id)).await?;
    }
    set_watermark(stage, "far", at(6_000), at(0)).await?;
    set_watermark(stage, "near", at(5) + seconds(6), at(0)).await?;
    set_watermark(stage, "not ahead", at(5) + seconds(5), at(0)).await?;
    set_watermark(stage, "paused", at(6_000), at(0)).await?;
    stage
        .edit("paused", at(0), |job| {
            job.pause("held".into());
        })
        .await?;
    let repaired = stage.store().repair(at(5)).await?;
    let mut watermarks: Vec<&str> = repaired.watermarks.iter().map(JobId::as_str).collect();
    watermarks.sort_unstable();
    ensure_eq!(
        watermarks,
        ["far", "near", "paused"],
        "the jobs that were repaired"
    );
    let far = stage.job("far").await?;
    ensure_eq!(far.watermark, at(5), "the watermark that was far ahead");
    ensure_eq!(far.next_fire_time(), Some(at(6)), "its next fire time");
    let near = stage.job("near").await?;
    ensure_eq!(
        near.watermark,
        at(5),
        "a watermark that is six seconds ahead"
    );
    let not_ahead = stage.job("not ahead").await?;
    ensure_eq!(
        not_ahead.watermark,
        at(5) + seconds(5),
        "a watermark within what clocks may differ by"
    );
    let paused = stage.job("paused").await?;
    ensure!(paused.paused.is_some(), "a paused job was resumed");
    let claim = node.claim(at(6)).await?;
    let mut ids: Vec<&str> = claim.runs.iter().map(|run| run.job_id.as_str()).collect();
    ids.sort_unstable();
    ensure_eq!(ids, ["far", "near", "not ahead"], "the jobs that go on");
    let again = stage.store().repair(at(6)).await?;
    ensure_eq!(
        again.watermarks.len(),
        0,
        "watermarks to repair the second time"
    );
    Ok(())
}

pub(crate) async fn a_watermark_set_back_by_an_edit_runs_nothing_twice(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    let draft = job("job").policies(|own| {
        own.coalesce = Coalesce::All(10);
        own.max_instances = 10;
    });
    stage.add(draft).await?;
    let live = node.claim_one(at(1)).await?;
    let ended = node.claim_one(at(2)).await?;
    ensure!(
        node.finish_one(succeeded(&ended, at(2))).await?,
        "its end was not recorded"
    );
    set_watermark(stage, "job", at(0), at(2)).await?;
    let claim = node.claim(at(2)).await?;
    ensure!(claim.runs.is_empty(), "claimed again: {:?}", claim.runs);
    set_watermark(stage, "job", at(0), at(2)).await?;
    let run = node.claim_one(at(3)).await?;
    ensure_eq!(run.scheduled_for, at(3), "the only fire time that is new");
    let run = node.claim_one(at(4)).await?;
    ensure_eq!(run.scheduled_for, at(4), "the job goes on");
    let runs = stage.runs_of("job").await?;
    let times: Vec<_> = runs.iter().map(|run| run.scheduled_for).collect();
    ensure_eq!(
        times,
        [at(1), at(2), at(3), at(4)],
        "the fire times of all runs"
    );
    ensure_eq!(
        stage.run(live.run_id).await?.state,
        RunState::Running,
        "the live run"
    );
    Ok(())
}

pub(crate) async fn a_queued_fire_time_is_not_queued_twice(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    let draft = job("job").policies(|own| {
        own.coalesce = Coalesce::All(10);
        own.overlap = Overlap::Queue(10);
    });
    stage.add(draft).await?;
    let claim = node.claim(at(3)).await?;
    ensure_eq!(
        (claim.runs.len(), claim.queued.len()),
        (1, 2),
        "runs that start, and wait"
    );
    set_watermark(stage, "job", at(0), at(3)).await?;
    let claim = node.claim(at(4)).await?;
    ensure!(claim.runs.is_empty(), "claimed again: {:?}", claim.runs);
    let runs = stage.runs_of("job").await?;
    let times: Vec<_> = runs.iter().map(|run| run.scheduled_for).collect();
    ensure_eq!(
        times,
        [at(1), at(2), at(3), at(4)],
        "the fire times of all runs"
    );
    Ok(())
}

pub(crate) async fn a_fire_time_that_comes_again_stops_and_skips_nothing(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    let overlaps = [Overlap::Skip, Overlap::Queue(1), Overlap::CancelRunning];
    let [skip, queue, cancel] = ["skip", "queue", "cancel"];
    for (id, overlap) in [skip, queue, cancel].into_iter().zip(overlaps) {
        let draft = job(id).policies(|own| {
            own.coalesce = Coalesce::All(10);
            own.overlap = overlap;
        });
        stage.add(draft).await?;
    }
    let asked = async || node.store.list_cancellations(node.node).await;
    let claim = node.claim(at(1)).await?;
    ensure_eq!(claim.runs.len(), 3, "runs that start");
    for id in [skip, queue, cancel] {
        set_watermark(stage, id, at(0), at(1)).await?;
    }
    let claim = node.claim(at(1) + seconds(30)).await?;
    ensure!(
        claim.runs.is_empty() && claim.queued.is_empty() && claim.skipped.is_empty(),
        "it came again, and gave {claim:?}"
    );
    ensure!(
        asked().await?.is_empty(),
        "a run was asked to stop by its own fire time"
    );
    for id in [skip, queue, cancel] {
        ensure_eq!(
            stage.runs_of(id).await?.len(),
            1,
            "runs of {id} that were there"
        );
        ensure_eq!(stage.skipped_of(id).await?, [], "what is skipped of {id}");
    }

    node.claim(at(2)).await?;
    for id in [queue, cancel] {
        set_watermark(stage, id, at(0), at(2)).await?;
    }
    let claim = node.claim(at(2) + seconds(30)).await?;
    ensure!(
        claim.queued.is_empty() && claim.skipped.is_empty(),
        "what waits came again, and gave {claim:?}"
    );
    for id in [queue, cancel] {
        let runs = stage.runs_of(id).await?;
        let times: Vec<_> = runs.iter().map(|run| run.scheduled_for).collect();
        ensure_eq!(times, [at(1), at(2)], "the fire times of {id}");
        ensure_eq!(stage.skipped_of(id).await?, [], "what is skipped of {id}");
    }
    // A new fire time is decided as usual.
    set_watermark(stage, cancel, at(0), at(2)).await?;
    node.claim(at(3)).await?;
    let expected = [(SkipReason::Superseded, at(2), at(2), 1)];
    ensure_eq!(stage.skipped_of(cancel).await?, expected, "superseded");
    let expected = [(SkipReason::QueueFull, at(3), at(3), 1)];
    ensure_eq!(stage.skipped_of(queue).await?, expected, "one too many");
    Ok(())
}

pub(crate) async fn a_clock_that_came_back_runs_nothing_twice(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    stage.add(job("job").trigger("every 1h")).await?;
    let early = node.claim_one(at(6_000)).await?;
    ensure_eq!(
        early.scheduled_for,
        at(6_000),
        "what a clock far ahead claims"
    );
    ensure!(
        node.finish_one(succeeded(&early, at(6_000))).await?,
        "its end was not recorded"
    );
    stage.store().repair(at(5)).await?;
    let run = node.claim_one(at(60)).await?;
    ensure_eq!(run.scheduled_for, at(60), "the job goes on");
    ensure!(
        node.finish_one(succeeded(&run, at(60))).await?,
        "its end was not recorded"
    );
    let claim = node.claim(at(6_000)).await?;
    ensure!(claim.runs.is_empty(), "claimed again: {:?}", claim.runs);
    let run = node.claim_one(at(6_060)).await?;
    ensure_eq!(run.scheduled_for, at(6_060), "the fire time after it");
    Ok(())
}

pub(crate) async fn a_finished_one_off_stays_finished(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    let trigger = format!("at {}", at(600).to_rfc3339());
    stage.add(job("once").trigger(&trigger)).await?;
    let early = node.claim_one(at(600)).await?;
    ensure!(
        node.finish_one(succeeded(&early, at(600))).await?,
        "its end was not recorded"
    );
    let repaired = stage.store().repair(at(5)).await?;
    ensure!(
        repaired.watermarks.is_empty(),
        "repaired: {:?}",
        repaired.watermarks
    );
    ensure!(
        stage.job("once").await?.is_finished(),
        "a one-off that has run is to run again"
    );
    let claim = node.claim(at(601)).await?;
    ensure!(claim.runs.is_empty(), "claimed again: {:?}", claim.runs);
    Ok(())
}

pub(crate) async fn runs_ahead_of_now_are_kept(stage: &Stage) -> Done {
    let count = stage.keeps_runs()?;
    let node = stage.node(1).await?;
    stage.add(job("job").trigger("every 1h")).await?;
    let early = node.claim_one(at(6_000)).await?;
    ensure!(
        node.finish_one(succeeded(&early, at(6_000))).await?,
        "its end was not recorded"
    );
    stage.store().repair(at(0)).await?;
    let draft = job("other").trigger("every 1s").policies(|own| {
        own.coalesce = Coalesce::All(200);
        own.max_instances = 200;
    });
    stage.add(draft).await?;
    let (mut ended, mut minute) = (0, 0);
    while ended < count + 50 {
        minute += 4;
        let claim = node.claim(at(minute)).await?;
        let ends: Vec<_> = claim
            .runs
            .iter()
            .map(|run| succeeded(run, at(minute)))
            .collect();
        ended += ends.len();
        node.finish(ends).await?;
    }
    while stage.store().prune(at(minute)).await? {}
    let kept = stage.run(early.run_id).await?;
    ensure_eq!(kept.scheduled_for, at(6_000), "a run that is still to come");
    stage.store().remove("other", None, at(minute)).await?;
    let claim = node.claim(at(6_000)).await?;
    ensure!(claim.runs.is_empty(), "claimed again: {:?}", claim.runs);
    Ok(())
}

pub(crate) async fn a_job_added_again_runs_nothing_twice(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    let draft = || {
        job("job")
            .trigger("cron 0 * * * *")
            .policies(|own| own.max_instances = 10)
    };
    stage.add(draft()).await?;
    node.claim_one(at(60)).await?;
    // At this very instant, which counts as still to come.
    replace(stage.store(), draft().added(at(60)).record()?, at(60)).await?;
    let claim = node.claim(at(60)).await?;
    ensure!(
        claim.runs.is_empty(),
        "a replaced job was claimed again: {:?}",
        claim.runs
    );
    node.claim_one(at(120)).await?;
    stage.store().remove("job", None, at(120)).await?;
    stage.add(draft().added(at(120))).await?;
    let claim = node.claim(at(120)).await?;
    ensure!(
        claim.runs.is_empty(),
        "a job added again was claimed again: {:?}",
        claim.runs
    );
    let run = node.claim_one(at(180)).await?;
    ensure_eq!(run.scheduled_for, at(180), "the job goes on");
    Ok(())
}
