//! A job is added under an id that is already stored.

use scheduler_core::store::{AllInserted, Inserted, NewJob};
use scheduler_core::triggers::{Trigger, Zone};
use scheduler_core::{JobRecord, Overlap, RunState};

use crate::failure::{Done, Stop, ensure, ensure_eq};
use crate::stage::{Draft, Stage, at, insert, job, succeeded};

/// Adds a job as the scheduler does for `replace_existing`, and returns the jobs that continue a replaced schedule.
async fn replace(stage: &Stage, draft: Draft, minute: i64) -> Done<Vec<JobRecord>> {
    let trigger: Trigger = draft.trigger.parse()?;
    let new = NewJob::new(draft.added(at(minute)).record()?)
        .replace_existing(true)
        .written(trigger, Zone::UTC);
    let answer = stage.store().insert(vec![new], at(minute)).await?;
    let Inserted::All(AllInserted {
        skipped,
        carried_on,
        ..
    }) = answer
    else {
        return Err(Stop::failed(format_args!("answered {answer:?}")));
    };
    ensure!(skipped.is_empty(), "skipped {skipped:?}");
    Ok(carried_on)
}

pub(crate) async fn job_with_an_unchanged_trigger_carries_on(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    let draft = || {
        job("job")
            .trigger("every 10m")
            .policies(|own| own.overlap = Overlap::Queue(3))
    };
    let before = stage.add(draft()).await?;
    let carried_on = replace(stage, draft().policies(|own| own.retries = 2), 5).await?;
    let stored = stage.job("job").await?;
    ensure_eq!(carried_on, vec![stored.clone()], "the jobs that carried on");
    ensure_eq!(stored.policies.retries, 2, "the new policies");
    ensure_eq!(stored.trigger, before.trigger, "the trigger");
    ensure_eq!(
        (stored.watermark, stored.next),
        (before.watermark, before.next),
        "watermark and next fire time"
    );

    // Neither pending fire times nor queued runs are lost.
    let run = node.claim_one(at(10)).await?;
    let claim = node.claim(at(20)).await?;
    ensure_eq!(claim.queued.len(), 1, "queued runs");
    replace(stage, draft(), 31).await?;
    let end = succeeded(&run, at(31));
    ensure!(node.finish_one(end).await?, "the end was not recorded");
    let claim = node.claim(at(31)).await?;
    let started: Vec<_> = claim.runs.iter().map(|run| run.scheduled_for).collect();
    ensure_eq!(started, [at(20)], "the queued run");
    ensure_eq!(claim.queued.len(), 1, "queued for the pending fire time");
    ensure!(
        stage.skipped_of("job").await?.is_empty(),
        "something was skipped"
    );
    Ok(())
}

pub(crate) async fn ended_job_makes_room_under_its_id(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    let once = |minute| job("once").trigger(format!("at {}", at(minute).to_rfc3339()));
    let again = |minute| once(minute + 5).added(at(minute)).record();
    let refused = async |minute| {
        let answer = insert(stage.store(), vec![again(minute)?], at(minute)).await?;
        ensure!(matches!(answer, Inserted::Exists(_)), "answered {answer:?}");
        Done::Ok(())
    };
    stage.add(once(1)).await?;
    refused(0).await?;
    let run = node.claim_one(at(1)).await?;
    ensure!(stage.job("once").await?.is_finished(), "it is not finished");
    // The job's run is live here, and queued below.
    refused(2).await?;
    node.release(&[run.run_id], at(2)).await?;
    refused(3).await?;
    let run = node.claim_one(at(4)).await?;
    let end = succeeded(&run, at(4));
    ensure!(node.finish_one(end).await?, "the end was not recorded");

    let record = again(4)?;
    let answer = insert(stage.store(), vec![record.clone()], at(4)).await?;
    ensure!(
        matches!(&answer, Inserted::All(all) if all.skipped.is_empty()),
        "answered {answer:?}"
    );
    ensure_eq!(stage.job("once").await?, record, "the job that took the id");
    node.claim_one(at(9)).await?;
    let states: Vec<_> = stage
        .runs_of("once")
        .await?
        .iter()
        .map(|run| run.state)
        .collect();
    ensure_eq!(
        states,
        [RunState::Succeeded, RunState::Running],
        "the runs under the id"
    );
    Ok(())
}
