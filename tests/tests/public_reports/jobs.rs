//! Jobs that change the schedule to which they belong.

use std::sync::Arc;

use scheduler_core::prelude::*;
use scheduler_core::store::Store;
use scheduler_core::testing::VirtualClock;
use scheduler_core::{Error, MemoryStore, RunFilter, RunState};
use tokio::runtime::Handle;

use crate::support::{Log, Place, plain};
use crate::world::{EPOCH, minutes};

/// Adds, reschedules, pauses, resumes and removes other jobs, and does the same to itself.
async fn edit(ctx: &JobContext) -> Result<(), Error> {
    let scheduler = ctx.scheduler().ok_or(Error::Stopped)?;
    let [stays, goes] = ["stays", "goes"].map(|end| format!("{}-{end}", ctx.job_id()));
    let trigger: Trigger = "every 2m".parse().map_err(|_| Error::Stopped)?;
    for id in [&stays, &goes] {
        let job = plain().id(&**id).interval("1h");
        scheduler.add_job(job).await?;
    }
    for id in [&stays, &goes, ctx.job_id()] {
        scheduler.reschedule_job(id, trigger.clone()).await?;
        scheduler.pause_job(id).await?;
        scheduler.resume_job(id).await?;
    }
    for id in [&goes, ctx.job_id()] {
        scheduler.remove_job(id).await?;
    }
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

async fn is_edited_from_inside(store: impl Store) {
    let clock = VirtualClock::at(EPOCH).unwrap().hold_during_runs();
    let log = Arc::new(Log::default());
    let scheduler = Scheduler::builder()
        .clock(clock.clone())
        .store(store)
        .shared_data(log.clone())
        .without_static_jobs()
        .start()
        .await
        .unwrap();
    for job in [
        edits::job().id("async"),
        edits_on_a_thread::job().id("sync"),
    ] {
        scheduler.add_job(job.interval("1m")).await.unwrap();
    }
    clock.advance(minutes(10)).await;
    let jobs = scheduler.get_jobs().await.unwrap();
    let mut ids: Vec<_> = jobs.iter().map(|job| job.id.as_str()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["async-stays", "sync-stays"]);
    for id in ["async", "sync"] {
        let runs = scheduler.list_runs(&RunFilter::new().job(id)).await;
        let runs = runs.unwrap().items;
        assert_eq!(runs.len(), 1);
        assert_eq!(runs[0].state, RunState::Succeeded, "{:?}", runs[0]);
        assert!(log.count(&format!("{id}-stays")) >= 4);
        assert_eq!(log.count(&format!("{id}-goes")), 0);
    }
    scheduler.shutdown(Shutdown::wait()).await;
}

/// apscheduler#409, apscheduler#672, apscheduler#192: editing the schedule from inside a job caused a deadlock.
#[tokio::test(start_paused = true)]
async fn schedule_is_edited_from_inside_of_async_and_sync_jobs() {
    is_edited_from_inside(MemoryStore::new()).await;
    for place in Place::each() {
        is_edited_from_inside(place.store().await).await;
    }
}
