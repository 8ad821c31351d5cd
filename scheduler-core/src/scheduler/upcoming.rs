//! Listing future fire times.

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
use crate::upcoming_filter::{UpcomingCursor, UpcomingFilter};

/// A future fire time.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UpcomingFire {
    /// The job.
    pub job_id: JobId,
    /// The nominal instant.
    pub scheduled_for: DateTime<Utc>,
    /// The same instant, delayed by the job's jitter.
    pub starts_at: DateTime<Utc>,
}

/// Future fire times, in order of their start; from [`Scheduler::upcoming`].
///
/// It dereferences to a slice of the fire times, and converts into an iterator over them.
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
    /// `false` if some were left out because finding them takes too much work: a quarter of a million search steps
    /// for one, or two million for all ([`Effort`]).
    pub is_complete: bool,
    /// The cursor of the next page of [`list_upcoming`](Scheduler::list_upcoming), or `None` if this is the last one.
    pub next: Option<UpcomingCursor>,
}

impl UpcomingFires {
    /// Creates a page of at most `limit` fire times from the result of a request for one more. At `cut_off` and
    /// later, jobs that were not examined may fire as well.
    fn cut(mut self, limit: usize, cut_off: Option<DateTime<Utc>>) -> Self {
        let goes_on = self.fires.len() > limit;
        self.fires.truncate(limit);
        let last = self.fires.last().filter(|_| goes_on);
        self.next = last.map(UpcomingCursor::at);
        let last = self.fires.last().filter(|_| goes_on);
        self.is_complete &= cut_off.is_none_or(|end| last.is_some_and(|last| last.starts_at < end));
        self
    }
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

/// The maximum length: most triggers have fire times until 2099, more than anyone would read.
const MAX_UPCOMING: usize = 10_000;

impl Scheduler {
    /// Lists the next `count` fire times of all jobs, in order of their start: at most 10,000, and none of paused
    /// jobs.
    ///
    /// A job may appear several times. Nothing is claimed; policies decide which fire times are actually run (see
    /// [`testing::simulate`](crate::testing::simulate)). If it takes too much work to find all of them,
    /// [`is_complete`](UpcomingFires::is_complete) is `false`.
    ///
    /// # Errors
    /// Returns [`Error::Store`] if a store fails.
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
        let (jobs, _) = self.next_jobs(count).await?;
        let span = DateTime::<Utc>::MIN_UTC..=DateTime::<Utc>::MAX_UTC;
        self.merge(jobs, span, None, count).await
    }

    /// Lists the fire times that start within a span, of all jobs or of one: in order of their start, a page at a
    /// time, and none of paused jobs. [`UpcomingFilter`] has an example.
    ///
    /// With more than 10,000 jobs in a store, the list ends where the first 10,000 do not determine the next fire
    /// time, and is not [complete](UpcomingFires::is_complete).
    ///
    /// # Errors
    /// Returns [`Error::Store`] if a store fails, or [`Error::JobNotFound`] if the job does not exist.
    pub async fn list_upcoming(&self, filter: &UpcomingFilter) -> Result<UpcomingFires, Error> {
        let (jobs, cut_off) = match &filter.job {
            Some(id) => {
                let (_, job) = self.find(id).await?;
                (Vec::from_iter(job.paused.is_none().then_some(job)), None)
            }
            None => self.next_jobs(MAX_UPCOMING).await?,
        };
        let after = filter.after.clone();
        let from = filter.from.unwrap_or_else(|| self.store_now());
        let from = after.as_ref().map_or(from, |last| last.starts_at.max(from));
        let cut_off = cut_off.filter(|end| *end <= filter.until);
        let until = cut_off.unwrap_or(filter.until);
        let limit = filter.limit.clamp(1, MAX_UPCOMING);
        let fires = self.merge(jobs, from..=until, after, limit + 1).await?;
        Ok(fires.cut(limit, cut_off))
    }

    /// Merges the fire times of jobs that start within a span, after one of them.
    async fn merge(
        &self,
        mut jobs: Vec<JobRecord>,
        span: RangeInclusive<DateTime<Utc>>,
        after: Option<UpcomingCursor>,
        count: usize,
    ) -> Result<UpcomingFires, Error> {
        // Paging requires the same order for each page.
        jobs.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        self.search(REQUEST, move |effort| {
            Ok(merge(&jobs, &span, after.as_ref(), count, effort))
        })
        .await
    }

    /// Returns the jobs that start first, and when the last of them starts if there may be others.
    async fn next_jobs(
        &self,
        count: usize,
    ) -> Result<(Vec<JobRecord>, Option<DateTime<Utc>>), Error> {
        let query = JobQuery::by_next_run(count);
        let (mut jobs, mut end) = (Vec::new(), None);
        for port in self.0.stores.values() {
            let part = port.reach()?.list_jobs(&query).await;
            let part = part.map_err(|error| store_error(port, error))?;
            if part.len() == count {
                let last = part.last().and_then(JobRecord::next_run_time);
                end = end.into_iter().chain(last).min();
            }
            jobs.extend(part);
        }
        Ok((jobs, end))
    }
}

/// Merges the fire times of jobs that start within a span. A job with a fire time that takes too much work to find is
/// left out from there on.
fn merge(
    jobs: &[JobRecord],
    span: &RangeInclusive<DateTime<Utc>>,
    after: Option<&UpcomingCursor>,
    count: usize,
    effort: &mut Effort,
) -> UpcomingFires {
    let mut heap: BinaryHeap<Reverse<(DateTime<Utc>, usize, NextFire)>> = BinaryHeap::new();
    let mut found = UpcomingFires {
        fires: Vec::new(),
        is_complete: true,
        next: None,
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
        let upcoming = UpcomingFire {
            job_id: job.id.clone(),
            scheduled_for: fire.nominal,
            starts_at: fire.at,
        };
        if after.is_none_or(|last| last.is_before(&upcoming)) {
            found.fires.push(upcoming);
        }
        match effort.at_most(FIRE_TIME, |effort| job.fire_after(fire.nominal, effort)) {
            Ok(Some(next)) => heap.push(Reverse((next.at, index, next))),
            Ok(None) => {}
            Err(_) => found.is_complete = false,
        }
        if effort.is_exhausted() {
            // Others may start before the rest of the heap.
            break;
        }
    }
    found
}

/// Returns the next fire time of a job that starts at `from` or later.
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
        // No delay extends past the following fire time, so only the last fire time before the span can start within
        // it.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_that_reaches_unexamined_jobs_is_not_complete() {
        let at = |second| DateTime::from_timestamp(second, 0).unwrap_or_default();
        let fires = |seconds: &[i64]| UpcomingFires {
            fires: seconds
                .iter()
                .map(|second| UpcomingFire {
                    job_id: JobId::new("job").unwrap(),
                    scheduled_for: at(*second),
                    starts_at: at(*second),
                })
                .collect(),
            is_complete: true,
            next: None,
        };
        for (seconds, cut_off, complete) in [
            (&[1, 2, 3][..], None, true),
            (&[1, 2, 3], Some(3), true),
            (&[1, 3, 3], Some(3), false),
            (&[1, 2], Some(3), false),
            (&[1, 2], None, true),
        ] {
            let page = fires(seconds).cut(2, cut_off.map(at));
            assert_eq!(page.is_complete, complete, "{seconds:?} {cut_off:?}");
        }
    }
}
