//! Changes to one job: edited, paused, ended, removed.

use std::sync::Arc;

use scheduler_core::store::{Edit, Edited, JobAnswer};
use scheduler_core::{JobId, JobRecord, SkipReason, SkippedTimes};

use crate::draft::{reschedule, resume};
use crate::failure::{Done, Stop, ensure, ensure_eq};
use crate::stage::{Ask, Stage, as_skipped, at, insert, job, succeeded};

pub(crate) async fn an_edit_sees_the_stored_job_and_changes_it(stage: &Stage) -> Done {
    let record = stage.add(job("job")).await?;
    let mut seen = None;
    let edit: Edit<'_> = Box::new(|job: &mut JobRecord| {
        seen = Some(job.clone());
        job.task = "other".into();
        job.edited = true;
        job.arguments = scheduler_core::Arguments::new();
        Arc::make_mut(&mut job.policies).max_instances = 4;
        job.trigger = scheduler_core::triggers::Trigger::date(at(90));
        job.recompute_next();
        Vec::new()
    });
    let edited = stage.store().edit("job", edit, at(0)).await?;
    let Some(Edited { job, skipped, .. }) = edited else {
        return Err(Stop::failed("the job was not found"));
    };
    ensure!(skipped.is_empty(), "it skipped {skipped:?}");
    if !stage.loses_answers() {
        ensure_eq!(seen, Some(record), "the job that the edit was given");
    }
    ensure_eq!(&*job.task, "other", "the task in the answer");
    ensure_eq!(
        job.next_run_time(),
        Some(at(90)),
        "the next run in the answer"
    );
    ensure_eq!(stage.job("job").await?, job, "the stored job");
    // Claims follow the new schedule.
    let node = stage.node(1).await?;
    let early = node.claim(at(89)).await?;
    ensure!(
        early.runs.is_empty(),
        "the old fire times are still claimed"
    );
    let run = node.claim_one(at(90)).await?;
    ensure_eq!(&*run.task, "other", "the claimed task");
    Ok(())
}

pub(crate) async fn an_edit_records_skipped_fire_times(stage: &Stage) -> Done {
    stage.add(job("job")).await?;
    let edit: Edit<'_> = Box::new(|job: &mut JobRecord| {
        let pending = job.pending(at(4), SkipReason::Superseded);
        job.watermark = at(4);
        job.recompute_next();
        let one = SkippedTimes::one(SkipReason::Overlap, at(5));
        pending.into_iter().chain([one]).collect()
    });
    let edited = stage.store().edit("job", edit, at(4)).await?;
    let Some(edited) = edited else {
        return Err(Stop::failed("the job was not found"));
    };
    let expected = [
        (SkipReason::Superseded, at(1), at(4), 4),
        (SkipReason::Overlap, at(5), at(5), 1),
    ];
    let answered: Vec<_> = edited.skipped.iter().map(as_skipped).collect();
    ensure_eq!(answered, expected, "what the answer says was skipped");
    ensure_eq!(stage.skipped_of("job").await?, expected, "what is listed");
    for skipped in stage.records_of("job").await? {
        ensure_eq!(skipped.decided_at, at(4), "when it was decided");
        ensure!(skipped.exact, "the count {} is not exact", skipped.count);
    }
    Ok(())
}

pub(crate) async fn a_paused_job_is_not_claimed_until_resumed(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    stage.add(job("job")).await?;
    stage
        .edit("job", at(0), |job| {
            job.pause("maintenance: it's \u{e9}".into());
        })
        .await?;
    let paused = stage.job("job").await?;
    ensure_eq!(
        paused.paused.as_deref(),
        Some("maintenance: it's \u{e9}"),
        "the note"
    );
    ensure_eq!(paused.next_run_time(), None, "the next run of a paused job");
    ensure!(paused.next.is_some(), "its next fire time was forgotten");
    let claim = node.claim(at(2)).await?;
    ensure!(claim.runs.is_empty(), "a paused job was claimed");
    let due = node.next_due(at(2), &Ask::default()).await?;
    ensure_eq!(due, None, "when a paused job is due");

    let mut times = None;
    let edit: Edit<'_> = Box::new(|job: &mut JobRecord| {
        times = resume(job, at(3));
        times.into_iter().collect()
    });
    stage.store().edit("job", edit, at(3)).await?;
    let expected = [(SkipReason::Paused, at(1), at(3), 3)];
    ensure_eq!(
        stage.skipped_of("job").await?,
        expected,
        "what came due while paused"
    );
    let claim = node.claim(at(3)).await?;
    ensure!(claim.runs.is_empty(), "what came due while paused was run");
    let due = node.next_due(at(3), &Ask::default()).await?;
    ensure_eq!(due, Some(at(4)), "when the resumed job is due");
    let run = node.claim_one(at(4)).await?;
    ensure_eq!(run.scheduled_for, at(4), "the fire time after the pause");
    Ok(())
}

pub(crate) async fn a_job_whose_trigger_ended_stays_finished(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    stage
        .add(job("once").trigger("at 2026-01-05T00:05:00Z"))
        .await?;
    let claim = node.claim(at(5)).await?;
    let ended: Vec<&str> = claim.ended.iter().map(JobId::as_str).collect();
    ensure_eq!(ended, ["once"], "the jobs that the claim says have ended");
    let stored = stage.job("once").await?;
    ensure!(stored.is_finished(), "the job is not finished: {stored:?}");
    let again = node.claim(at(9)).await?;
    ensure!(
        again.runs.is_empty() && again.ended.is_empty(),
        "it was claimed again"
    );
    ensure_eq!(
        node.next_due(at(9), &Ask::default()).await?,
        None,
        "when it is due"
    );
    let [run] = &claim.runs[..] else {
        return Err(Stop::failed(format_args!(
            "claimed {} runs",
            claim.runs.len()
        )));
    };
    ensure!(
        node.finish_one(succeeded(run, at(6))).await?,
        "its end was not recorded"
    );
    // A new trigger makes it fire again.
    stage
        .edit("once", at(9), |job| {
            reschedule(job, scheduler_core::triggers::Trigger::date(at(20)), at(9));
        })
        .await?;
    let run = node.claim_one(at(20)).await?;
    ensure_eq!(
        run.scheduled_for,
        at(20),
        "the fire time of the new trigger"
    );
    Ok(())
}

pub(crate) async fn a_removed_job_skips_pending_fire_times(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    stage
        .add(job("job").policies(|own| own.overlap = scheduler_core::Overlap::Queue(2)))
        .await?;
    let live = node.claim_one(at(1)).await?;
    node.claim(at(2)).await?;
    let record = stage.job("job").await?;
    let removed = stage.store().remove("job", None, at(4)).await?;
    let Some(Edited { job, skipped, .. }) = removed.done() else {
        return Err(Stop::failed("the job was not found"));
    };
    ensure_eq!(job, record, "the job as it was");
    let mut answered: Vec<_> = skipped.iter().map(as_skipped).collect();
    answered.sort_unstable();
    let expected = [
        (SkipReason::Removed, at(2), at(2), 1),
        (SkipReason::Removed, at(3), at(4), 2),
    ];
    ensure_eq!(answered, expected, "what the answer says was skipped");
    let mut listed = stage.skipped_of("job").await?;
    listed.sort_unstable();
    ensure_eq!(listed, expected, "what is listed");
    ensure!(
        stage.store().get_job("job").await?.is_none(),
        "the job is still there"
    );
    ensure!(
        stage
            .store()
            .remove("job", None, at(4))
            .await?
            .done()
            .is_none(),
        "it was removed twice"
    );
    let runs = stage.runs_of("job").await?;
    ensure_eq!(runs.len(), 1, "runs that are left");
    // The live run continues, and its end is recorded.
    ensure_eq!(node.held().await?, [live.run_id], "what the node holds");
    ensure!(
        node.finish_one(succeeded(&live, at(5))).await?,
        "its end was not recorded"
    );
    let run = stage.run(live.run_id).await?;
    ensure_eq!(
        run.state,
        scheduler_core::RunState::Succeeded,
        "how it ended"
    );
    ensure_eq!(run.job_id.as_str(), "job", "whose run it was");
    Ok(())
}

pub(crate) async fn a_stale_revision_removes_nothing(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    stage
        .add(job("job").policies(|own| own.overlap = scheduler_core::Overlap::Queue(2)))
        .await?;
    let live = node.claim_one(at(1)).await?;
    node.claim(at(2)).await?;
    let seen = stage.job("job").await?.revision();
    let pause = |job: &mut JobRecord| job.paused = Some("not now".into());
    let current = stage.edit("job", at(3), pause).await?.job;
    let runs = stage.runs_of("job").await?;
    let answer = stage.store().remove("job", Some(seen), at(4)).await?;
    let JobAnswer::Stale(found) = answer else {
        return Err(Stop::failed(format_args!("answered {answer:?}")));
    };
    ensure_eq!(*found, current, "the job that the answer has");
    ensure_eq!(stage.job("job").await?, current, "the stored job");
    ensure_eq!(stage.runs_of("job").await?, runs, "its runs");
    ensure_eq!(stage.skipped_of("job").await?, [], "what was skipped");
    ensure_eq!(node.held().await?, [live.run_id], "what the node holds");

    let nobody = stage.store().remove("nobody", Some(seen), at(4)).await?;
    ensure!(matches!(nobody, JobAnswer::NoJob), "answered {nobody:?}");
    let seen = Some(current.revision());
    let removed = stage.store().remove("job", seen, at(4)).await?;
    let removed = removed.done().map(|edited| edited.job);
    ensure_eq!(removed, Some(current), "the job that was removed");
    ensure!(
        stage.store().get_job("job").await?.is_none(),
        "the job is still there"
    );
    Ok(())
}

pub(crate) async fn live_runs_of_a_removed_job_count_for_the_next(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    stage.add(job("job")).await?;
    let old = node.claim_one(at(1)).await?;
    stage.store().remove("job", None, at(1)).await?;
    stage.add(job("job").added(at(2))).await?;
    let claim = node.claim(at(3)).await?;
    ensure!(
        claim.runs.is_empty(),
        "the run of the removed job holds no slot"
    );
    let expected = [(SkipReason::Overlap, at(3), at(3), 1)];
    ensure_eq!(stage.skipped_of("job").await?, expected, "what was skipped");
    ensure!(
        node.finish_one(succeeded(&old, at(4))).await?,
        "its end was not recorded"
    );
    let run = node.claim_one(at(4)).await?;
    ensure_eq!(run.scheduled_for, at(4), "the fire time of the new job");
    Ok(())
}

pub(crate) async fn a_batch_of_drops_keeps_more_than_it_counts(stage: &Stage) -> Done {
    // An interval counts exactly, whatever the number; a cron trigger says "more than" beyond a thousand.
    let node = stage.node(1).await?;
    let records = vec![
        job("exact").trigger("every 1s").record()?,
        job("capped").trigger("cron * * * * *").record()?,
    ];
    insert(stage.store(), records, at(0)).await?;
    let claim = node.claim(at(3_000)).await?;
    ensure_eq!(claim.runs.len(), 2, "runs of what was coalesced");
    for (id, count, exact) in [("exact", 179_999, true), ("capped", 1_000, false)] {
        let skipped = stage.records_of(id).await?;
        let found: Vec<_> = skipped
            .iter()
            .map(|one| (one.reason, one.count, one.exact))
            .collect();
        ensure_eq!(
            found,
            [(SkipReason::Coalesced, count, exact)],
            "skipped of {id}"
        );
    }
    Ok(())
}
