//! Jobs that change the schedule that they are part of.

use scheduler_core::prelude::*;
use scheduler_core::{Error, RunFilter, RunState};
use tokio::runtime::Handle;

use crate::world::{World, minutes, work};

/// Adds, reschedules and removes another job, and pauses and removes itself.
async fn edit(ctx: &JobContext) -> Result<(), Error> {
    let scheduler = ctx.scheduler().ok_or(Error::Stopped)?;
    let other = format!("{}-other", ctx.job_id());
    let job = work::job(0).id(&*other).interval("1h");
    scheduler.add_job(job).await?;
    scheduler
        .reschedule_job(&other, "every 2m".parse().map_err(|_| Error::Stopped)?)
        .await?;
    scheduler.pause_job(&other).await?;
    scheduler.resume_job(&other).await?;
    scheduler.pause_job(ctx.job_id()).await?;
    scheduler.resume_job(ctx.job_id()).await?;
    scheduler.remove_job(ctx.job_id()).await?;
    Ok(())
}

#[task]
async fn edits(ctx: JobContext) -> Result<(), Error> {
    edit(&ctx).await
}

#[task]
fn edits_on_a_thread(ctx: JobContext) -> Result<(), Error> {
    Handle::current().block_on(edit(&ctx))
}

/// apscheduler#409, apscheduler#672, apscheduler#192: editing the schedule from inside of a job came to a
/// deadlock.
#[tokio::test(start_paused = true)]
async fn schedule_is_edited_from_inside_of_async_and_sync_jobs() {
    let world = World::new().await;
    world.add(edits::job().id("async").interval("1m")).await;
    world
        .add(edits_on_a_thread::job().id("sync").interval("1m"))
        .await;
    world.advance(minutes(10)).await;
    let jobs = world.scheduler.get_jobs().await.unwrap();
    let mut ids: Vec<_> = jobs.iter().map(|job| job.id.as_str()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["async-other", "sync-other"]);
    for id in ["async", "sync"] {
        let runs = world.scheduler.runs(&RunFilter::new().job(id)).await;
        let runs = runs.unwrap();
        assert_eq!(runs.len(), 1);
        assert_eq!(runs[0].state, RunState::Succeeded, "{:?}", runs[0]);
    }
    assert!(world.journal.count() >= 8, "{:?}", world.starts());
}
