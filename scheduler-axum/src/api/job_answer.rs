//! Answering with one job.

use scheduler_core::{JobRecord, RunFilter, Scheduler};

use crate::model::job::{JobBody, Tasks};
use crate::model::run::RunSummary;
use crate::problem::{Answer, Problem};
use crate::reply::ok;
use crate::state::Web;

/// The newest runs that come with one job unless their number is given.
pub(super) const RECENT: usize = 10;

/// Returns a job with its newest runs.
pub(super) async fn with_recent(
    scheduler: &Scheduler,
    tasks: &Tasks,
    job: JobRecord,
    recent: usize,
) -> Result<JobBody, Problem> {
    let runs = match recent {
        0 => Vec::new(),
        limit => {
            let newest = RunFilter::new().job(job.id.as_str()).limit(limit);
            scheduler.list_runs(&newest).await?.items
        }
    };
    let mut body = JobBody::new(scheduler, tasks, job);
    body.recent = runs.into_iter().map(RunSummary::from).collect();
    Ok(body)
}

/// A job as it is after a change.
pub(super) async fn changed(web: &Web, job: JobRecord) -> Answer {
    let tasks = Tasks::of(&web.scheduler);
    Ok(ok(&with_recent(&web.scheduler, &tasks, job, RECENT).await?))
}
