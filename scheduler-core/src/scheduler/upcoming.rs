//! What comes next.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use chrono::{DateTime, Utc};

use super::Scheduler;
use super::find::store_error;
use crate::error::Error;
use crate::id::JobId;
use crate::job_record::JobRecord;
use crate::plan::{NextFire, due_at};
use crate::store::{JobOrder, JobQuery};

/// A fire time to come.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UpcomingFire {
    /// The job.
    pub job_id: JobId,
    /// The nominal instant.
    pub scheduled_for: DateTime<Utc>,
    /// The same, delayed by the job's jitter.
    pub starts_at: DateTime<Utc>,
}

/// The longest list: most triggers have fire times until 2099, and nobody reads them all.
const MAX_UPCOMING: usize = 10_000;

impl Scheduler {
    /// Lists the next `count` fire times over all jobs, in order of their start: at most 10,000, and
    /// none of paused jobs.
    ///
    /// A job may appear several times. Nothing is claimed; what runs in the end is decided by
    /// policies (see [`testing::simulate`](crate::testing::simulate)).
    ///
    /// # Errors
    /// [`Error::Store`].
    ///
    /// ```
    /// use scheduler_core::prelude::*;
    /// use scheduler_core::testing::VirtualClock;
    ///
    /// #[task]
    /// async fn check_certificates() {}
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let clock = VirtualClock::at("2026-01-01T00:00:00Z")?;
    /// # let builder = Scheduler::builder().clock(clock).without_static_jobs();
    /// # let scheduler = builder.start().await?;
    /// scheduler.add_job(check_certificates::job().id("often").cron("0 */6 * * *")).await?;
    /// scheduler.add_job(check_certificates::job().id("nightly").cron("0 1 * * *")).await?;
    ///
    /// let fires = scheduler.upcoming(4).await?;
    /// let ids: Vec<_> = fires.into_iter().map(|fire| fire.job_id).collect();
    /// assert_eq!(ids, ["often", "nightly", "often", "often"]);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn upcoming(&self, count: usize) -> Result<Vec<UpcomingFire>, Error> {
        let count = count.min(MAX_UPCOMING);
        let query = JobQuery {
            order: JobOrder::NextRun,
            limit: count,
        };
        let mut jobs = Vec::new();
        for port in self.0.stores.values() {
            jobs.extend(
                port.store()
                    .list(&query)
                    .await
                    .map_err(|error| store_error(port, error))?,
            );
        }
        Ok(merge(&jobs, count))
    }
}

/// Merges the fire times of jobs.
fn merge(jobs: &[JobRecord], count: usize) -> Vec<UpcomingFire> {
    let mut heap: BinaryHeap<Reverse<(DateTime<Utc>, usize, NextFire)>> = jobs
        .iter()
        .enumerate()
        .filter_map(|(index, job)| job.next.map(|next| Reverse((next.at, index, next))))
        .collect();
    let mut fires = Vec::new();
    while fires.len() < count {
        let Some(Reverse((_, index, fire))) = heap.pop() else {
            break;
        };
        let job = &jobs[index];
        fires.push(UpcomingFire {
            job_id: job.id.clone(),
            scheduled_for: fire.nominal,
            starts_at: fire.at,
        });
        if let Some(nominal) = job.trigger.next_after(fire.nominal) {
            let at = due_at(&job.id, &job.trigger, job.policies.jitter, nominal);
            heap.push(Reverse((at, index, NextFire { nominal, at })));
        }
    }
    fires
}
