//! What comes next.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::{Deref, RangeInclusive};

use chrono::{DateTime, TimeDelta, Utc};
use scheduler_triggers::{Effort, Exhausted};

use super::Scheduler;
use super::find::store_error;
use crate::effort::{FIRE_TIME, REQUEST};
use crate::error::Error;
use crate::id::JobId;
use crate::job_record::JobRecord;
use crate::plan::NextFire;
use crate::store::JobQuery;

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

/// Fire times to come, in order of their start; from [`Scheduler::upcoming`].
///
/// It is a list: look at it as at a slice, or take the fire times out.
///
/// ```
/// use scheduler_core::prelude::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), scheduler_core::Error> {
/// # let scheduler = Scheduler::builder().without_static_jobs().start().await?;
/// let upcoming = scheduler.upcoming(10).await?;
/// assert!(upcoming.is_empty() && upcoming.is_complete);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UpcomingFires {
    /// The fire times.
    pub fires: Vec<UpcomingFire>,
    /// `false` if some were left out because it takes too much work to find them: a quarter of a million
    /// steps of search for one, or two millions for all ([`Effort`]).
    pub is_complete: bool,
}

impl Deref for UpcomingFires {
    type Target = [UpcomingFire];

    fn deref(&self) -> &[UpcomingFire] {
        &self.fires
    }
}

impl IntoIterator for UpcomingFires {
    type Item = UpcomingFire;
    type IntoIter = std::vec::IntoIter<UpcomingFire>;

    fn into_iter(self) -> Self::IntoIter {
        self.fires.into_iter()
    }
}

impl<'a> IntoIterator for &'a UpcomingFires {
    type Item = &'a UpcomingFire;
    type IntoIter = std::slice::Iter<'a, UpcomingFire>;

    fn into_iter(self) -> Self::IntoIter {
        self.fires.iter()
    }
}

/// The longest list: most triggers have fire times until 2099, and nobody reads them all.
const MAX_UPCOMING: usize = 10_000;

impl Scheduler {
    /// Lists the next `count` fire times over all jobs, in order of their start: at most 10,000, and
    /// none of paused jobs.
    ///
    /// A job may appear several times. Nothing is claimed; what runs in the end is decided by
    /// policies (see [`testing::simulate`](crate::testing::simulate)). Where it takes too much work to
    /// find all, [`is_complete`](UpcomingFires::is_complete) is `false`.
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
    pub async fn upcoming(&self, count: usize) -> Result<UpcomingFires, Error> {
        let count = count.min(MAX_UPCOMING);
        let jobs = self.next_jobs(count).await?;
        let span = DateTime::<Utc>::MIN_UTC..=DateTime::<Utc>::MAX_UTC;
        self.merge(jobs, span, count).await
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
    ) -> Result<UpcomingFires, Error> {
        let jobs = match job {
            Some(id) => {
                let (_, job) = self.find(id).await?;
                Vec::from_iter(job.paused.is_none().then_some(job))
            }
            None => self.next_jobs(MAX_UPCOMING).await?,
        };
        self.merge(jobs, from..=until, limit.min(MAX_UPCOMING))
            .await
    }

    /// Merges the fire times of jobs that start within a span.
    async fn merge(
        &self,
        jobs: Vec<JobRecord>,
        span: RangeInclusive<DateTime<Utc>>,
        count: usize,
    ) -> Result<UpcomingFires, Error> {
        self.search(REQUEST, move |effort| {
            Ok(merge(&jobs, &span, count, effort))
        })
        .await
    }

    /// The jobs that start first.
    async fn next_jobs(&self, count: usize) -> Result<Vec<JobRecord>, Error> {
        let query = JobQuery::by_next_run(count);
        let mut jobs = Vec::new();
        for port in self.0.stores.values() {
            let part = port.reach()?.list_jobs(&query).await;
            jobs.extend(part.map_err(|error| store_error(port, error))?);
        }
        Ok(jobs)
    }
}

/// Merges the fire times of jobs that start within a span. A job of which one costs too much to find is left
/// out from there on.
fn merge(
    jobs: &[JobRecord],
    span: &RangeInclusive<DateTime<Utc>>,
    count: usize,
    effort: &mut Effort,
) -> UpcomingFires {
    let mut heap: BinaryHeap<Reverse<(DateTime<Utc>, usize, NextFire)>> = BinaryHeap::new();
    let mut found = UpcomingFires {
        fires: Vec::new(),
        is_complete: true,
    };
    for (index, job) in jobs.iter().enumerate() {
        match effort.at_most(FIRE_TIME, |effort| first_within(job, *span.start(), effort)) {
            Ok(Some(fire)) => heap.push(Reverse((fire.at, index, fire))),
            Ok(None) => {}
            Err(_) => found.is_complete = false,
        }
    }
    while found.fires.len() < count {
        let Some(Reverse((at, index, fire))) = heap.pop() else {
            break;
        };
        if at > *span.end() {
            break;
        }
        let job = &jobs[index];
        found.fires.push(UpcomingFire {
            job_id: job.id.clone(),
            scheduled_for: fire.nominal,
            starts_at: fire.at,
        });
        match effort.at_most(FIRE_TIME, |effort| job.fire_after(fire.nominal, effort)) {
            Ok(Some(next)) => heap.push(Reverse((next.at, index, next))),
            Ok(None) => {}
            Err(_) => found.is_complete = false,
        }
        if effort.is_exhausted() {
            // Others may start before what is left in the heap.
            break;
        }
    }
    found
}

/// The next fire time of a job that starts at `from` or later.
fn first_within(
    job: &JobRecord,
    from: DateTime<Utc>,
    effort: &mut Effort,
) -> Result<Option<NextFire>, Exhausted> {
    let Some(mut fire) = job.next else {
        return Ok(None);
    };
    let Some(before) = from.checked_sub_signed(TimeDelta::microseconds(1)) else {
        return Ok(Some(fire));
    };
    if fire.at < from && job.policies.jitter.is_zero() {
        return job.fire_after(before, effort);
    }
    if fire.at < from {
        // No delay goes beyond the fire time that follows: of those before the span, the last alone
        // can start within it.
        let latest = job.trigger.latest_within(fire.nominal, before, effort)?;
        if let Some(nominal) = latest {
            fire = NextFire {
                nominal,
                at: job.due_at(nominal),
            };
        }
    }
    while fire.at < from {
        match job.fire_after(fire.nominal, effort)? {
            Some(next) => fire = next,
            None => return Ok(None),
        }
    }
    Ok(Some(fire))
}
