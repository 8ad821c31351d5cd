//! What comes next.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::RangeInclusive;

use chrono::{DateTime, TimeDelta, Utc};

use super::Scheduler;
use super::find::store_error;
use crate::error::Error;
use crate::id::JobId;
use crate::job_record::JobRecord;
use crate::plan::NextFire;
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
        let jobs = self.next_jobs(count).await?;
        let span = DateTime::<Utc>::MIN_UTC..=DateTime::<Utc>::MAX_UTC;
        Ok(merge(&jobs, span, count).await)
    }

    /// Lists the fire times that start within a span, its ends included, over all jobs or of one: in
    /// order of their start, at most `limit` and at most 10,000, and none of paused jobs.
    ///
    /// # Errors
    /// [`Error::Store`]; [`Error::JobNotFound`] when the one job is none.
    ///
    /// ```
    /// use chrono::TimeDelta;
    /// use scheduler_core::prelude::*;
    /// use scheduler_core::testing::VirtualClock;
    ///
    /// #[task]
    /// async fn collect_bins() {}
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let clock = VirtualClock::at("2026-01-01T00:00:00Z")?;
    /// # let builder = Scheduler::builder().clock(clock).without_static_jobs();
    /// # let scheduler = builder.start().await?;
    /// scheduler.add_job(collect_bins::job().id("bins").cron("0 7 * * *")).await?;
    /// let from = scheduler.store_now() + TimeDelta::days(1);
    /// let fires = scheduler.upcoming_between(from, from + TimeDelta::days(2), None, 100).await?;
    /// let days: Vec<_> = fires.iter().map(|fire| fire.starts_at.to_rfc3339()).collect();
    /// assert_eq!(days, ["2026-01-02T07:00:00+00:00", "2026-01-03T07:00:00+00:00"]);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn upcoming_between(
        &self,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
        job: Option<&str>,
        limit: usize,
    ) -> Result<Vec<UpcomingFire>, Error> {
        let jobs = match job {
            Some(id) => {
                let (_, job) = self.find(id).await?;
                Vec::from_iter(job.paused.is_none().then_some(job))
            }
            None => self.next_jobs(MAX_UPCOMING).await?,
        };
        Ok(merge(&jobs, from..=until, limit.min(MAX_UPCOMING)).await)
    }

    /// The jobs that start first.
    async fn next_jobs(&self, count: usize) -> Result<Vec<JobRecord>, Error> {
        let query = JobQuery {
            order: JobOrder::NextRun,
            limit: count,
        };
        let mut jobs = Vec::new();
        for port in self.0.stores.values() {
            let part = port.reach()?.list(&query).await;
            jobs.extend(part.map_err(|error| store_error(port, error))?);
        }
        Ok(jobs)
    }
}

/// Fire times to find before other tasks have their turn: those of an odd trigger take milliseconds
/// each.
const AT_ONCE: usize = 64;

/// Merges the fire times of jobs that start within a span.
async fn merge(
    jobs: &[JobRecord],
    span: RangeInclusive<DateTime<Utc>>,
    count: usize,
) -> Vec<UpcomingFire> {
    let mut heap: BinaryHeap<Reverse<(DateTime<Utc>, usize, NextFire)>> = BinaryHeap::new();
    for (index, job) in jobs.iter().enumerate() {
        if index % AT_ONCE == AT_ONCE - 1 {
            tokio::task::yield_now().await;
        }
        if let Some(fire) = first_within(job, *span.start()) {
            heap.push(Reverse((fire.at, index, fire)));
        }
    }
    let mut fires = Vec::new();
    while fires.len() < count {
        if fires.len() % AT_ONCE == AT_ONCE - 1 {
            tokio::task::yield_now().await;
        }
        let Some(Reverse((at, index, fire))) = heap.pop() else {
            break;
        };
        if at > *span.end() {
            break;
        }
        let job = &jobs[index];
        fires.push(UpcomingFire {
            job_id: job.id.clone(),
            scheduled_for: fire.nominal,
            starts_at: fire.at,
        });
        if let Some(next) = after(job, fire.nominal) {
            heap.push(Reverse((next.at, index, next)));
        }
    }
    fires
}

/// The next fire time of a job that starts at `from` or later.
fn first_within(job: &JobRecord, from: DateTime<Utc>) -> Option<NextFire> {
    let mut fire = job.next?;
    if fire.at < from {
        // No delay goes beyond the fire time that follows: of those before the span, the last alone
        // can start within it.
        let before = from.checked_sub_signed(TimeDelta::microseconds(1))?;
        if let Some(nominal) = job.trigger.latest_in(fire.nominal, before) {
            fire = NextFire {
                nominal,
                at: job.due_at(nominal),
            };
        }
    }
    while fire.at < from {
        fire = after(job, fire.nominal)?;
    }
    Some(fire)
}

fn after(job: &JobRecord, nominal: DateTime<Utc>) -> Option<NextFire> {
    let nominal = job.trigger.next_after(nominal)?;
    Some(NextFire {
        nominal,
        at: job.due_at(nominal),
    })
}
