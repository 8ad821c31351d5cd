//! Queries of a handle: jobs, runs, and skipped fire times.

use super::Scheduler;
use super::find::store_error;
use crate::engine::port::StorePort;
use crate::error::Error;
use crate::id::{JobId, RunId};
use crate::job_filter::JobFilter;
use crate::job_record::JobRecord;
use crate::node::Node;
use crate::page::Page;
use crate::run::{Run, RunFilter};
use crate::skipped::Skipped;
use crate::skipped_filter::{self, Part, SkippedCursor, SkippedFilter};
use crate::store::{JobOrder, JobQuery, SkippedQuery};

/// The number of jobs or runs that are read at once.
const LONG_PAGE: usize = 10_000;

/// Lists the first `limit` jobs of one store that a query selects, page by page.
async fn first(
    port: &StorePort,
    mut query: JobQuery,
    limit: usize,
) -> Result<Vec<JobRecord>, Error> {
    let mut jobs: Vec<JobRecord> = Vec::new();
    loop {
        query.limit = (limit - jobs.len()).min(LONG_PAGE);
        let page = port.reach()?.list_jobs(&query).await;
        let page = page.map_err(|error| store_error(port, error))?;
        let is_last = page.len() < query.limit;
        let after = page.last().map(|job| job.id.clone());
        query.order = JobOrder::Id { after };
        jobs.extend(page);
        if is_last || jobs.len() >= limit {
            return Ok(jobs);
        }
    }
}

/// Returns the newest runs of one store, read page by page.
async fn newest(port: &StorePort, filter: &RunFilter, limit: usize) -> Result<Vec<Run>, Error> {
    let mut filter = filter.clone();
    let mut runs: Vec<Run> = Vec::new();
    loop {
        let size = (limit - runs.len()).min(LONG_PAGE);
        filter.limit = Some(size);
        let page = port.reach()?.list_runs(&filter).await;
        let page = page.map_err(|error| store_error(port, error))?;
        let is_last = page.len() < size;
        filter.before = page.last().map(|run| run.id);
        runs.extend(page);
        if is_last || runs.len() >= limit {
            return Ok(runs);
        }
    }
}

impl Scheduler {
    /// Returns a job, or `None` if it does not exist.
    ///
    /// # Errors
    /// Returns [`Error::Store`] if a store fails.
    ///
    /// ```
    /// use scheduler_core::prelude::*;
    ///
    /// #[task]
    /// async fn scan_uploads() {}
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), scheduler_core::Error> {
    /// # let scheduler = Scheduler::builder().without_static_jobs().start().await?;
    /// scheduler.add_job(scan_uploads::job().id("scan").interval("1h")).await?;
    /// let job = scheduler.get_job("scan").await?;
    /// assert_eq!(job.map(|job| job.task), Some("scan_uploads".into()));
    /// assert!(scheduler.get_job("scam").await?.is_none());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_job(&self, id: &str) -> Result<Option<JobRecord>, Error> {
        Ok(self.look_up(id).await?.map(|(_, job)| job))
    }

    /// Returns a job that must exist.
    ///
    /// # Errors
    /// Returns [`Error::JobNotFound`] with the closest id if there is no such job, or [`Error::Store`] if a store
    /// fails.
    ///
    /// ```
    /// use scheduler_core::Error;
    /// use scheduler_core::prelude::*;
    ///
    /// #[task]
    /// async fn scan_downloads() {}
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), scheduler_core::Error> {
    /// # let scheduler = Scheduler::builder().without_static_jobs().start().await?;
    /// scheduler.add_job(scan_downloads::job().id("scan").interval("1h")).await?;
    /// match scheduler.find_job("scam").await {
    ///     Err(Error::JobNotFound { suggestion, .. }) => assert_eq!(suggestion.as_deref(), Some("scan")),
    ///     other => panic!("not what was expected: {other:?}"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn find_job(&self, id: &str) -> Result<JobRecord, Error> {
        Ok(self.find(id).await?.1)
    }

    /// Returns all jobs of all stores, ordered by id.
    ///
    /// # Errors
    /// Returns [`Error::Store`] if a store fails.
    ///
    /// ```
    /// use scheduler_core::prelude::*;
    ///
    /// #[task]
    /// async fn ping_region(region: String) {}
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), scheduler_core::Error> {
    /// # let scheduler = Scheduler::builder().without_static_jobs().start().await?;
    /// for region in ["us", "eu"] {
    ///     scheduler.add_job(ping_region::job(region.into()).id(region).interval("1m")).await?;
    /// }
    /// let ids: Vec<_> = scheduler.get_jobs().await?.into_iter().map(|job| job.id).collect();
    /// assert_eq!(ids, ["eu", "us"]);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_jobs(&self) -> Result<Vec<JobRecord>, Error> {
        let mut jobs: Vec<JobRecord> = Vec::new();
        for port in self.0.stores.values() {
            jobs.extend(first(port, JobQuery::by_id(None, LONG_PAGE), usize::MAX).await?);
        }
        jobs.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        Ok(jobs)
    }

    /// Lists jobs ordered by id, a page at a time: 100 by default, and at least one.
    ///
    /// [`JobFilter`] has an example of selecting jobs, and [`Page`] of reading page after page.
    ///
    /// # Errors
    /// Returns [`Error::Store`] if a store fails, or [`Error::InvalidName`] if the filter continues
    /// [after](JobFilter::after) a text that cannot be an id.
    pub async fn list_jobs(&self, filter: &JobFilter) -> Result<Page<JobRecord, JobId>, Error> {
        // A page without any items would have no cursor from which to continue.
        let limit = filter.page_size().max(1);
        let one_more = limit.saturating_add(1);
        let after = filter.after.as_deref().map(JobId::new).transpose()?;
        let mut jobs: Vec<JobRecord> = Vec::new();
        for port in self.0.stores.values() {
            jobs.extend(first(port, filter.query(after.clone()), one_more).await?);
        }
        jobs.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        Ok(Page::cut(jobs, limit, |job| job.id.clone()))
    }

    /// Lists runs, newest first, a page at a time: 100 by default, and at least one.
    ///
    /// [`RunFilter`] has an example of reading page after page.
    ///
    /// # Errors
    /// Returns [`Error::Store`] if a store fails.
    ///
    /// ```
    /// use chrono::TimeDelta;
    /// use scheduler_core::prelude::*;
    /// use scheduler_core::testing::VirtualClock;
    /// use scheduler_core::{RunFilter, RunState};
    ///
    /// #[task]
    /// async fn count_users() -> u32 {
    ///     3
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let clock = VirtualClock::at("2026-01-01T00:00:00Z")?;
    /// # let builder = Scheduler::builder().clock(clock.clone()).without_static_jobs();
    /// # let scheduler = builder.start().await?;
    /// scheduler.add_job(count_users::job().id("users").interval("1h")).await?;
    /// clock.advance(TimeDelta::hours(2)).await;
    ///
    /// let filter = RunFilter::new().job("users").state(RunState::Succeeded);
    /// let runs = scheduler.list_runs(&filter).await?.items;
    /// assert_eq!(runs.len(), 2);
    /// assert_eq!(runs[0].value.as_deref(), Some("3")); // what the task returned, as JSON
    /// # Ok(())
    /// # }
    /// ```
    pub async fn list_runs(&self, filter: &RunFilter) -> Result<Page<Run, RunId>, Error> {
        let limit = filter.page_size().max(1);
        let mut runs = Vec::new();
        for port in self.0.stores.values() {
            runs.extend(newest(port, filter, limit.saturating_add(1)).await?);
        }
        runs.sort_unstable_by_key(|run| std::cmp::Reverse(run.id));
        Ok(Page::cut(runs, limit, |run| run.id))
    }

    /// Returns one run, or `None` if it does not exist or is no longer kept.
    ///
    /// # Errors
    /// Returns [`Error::Store`] if a store fails.
    ///
    /// ```
    /// use scheduler_core::prelude::*;
    /// use scheduler_core::{RunId, RunNow};
    ///
    /// #[task]
    /// async fn warm_caches() {}
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), scheduler_core::Error> {
    /// # let scheduler = Scheduler::builder().without_static_jobs().start().await?;
    /// scheduler.add_job(warm_caches::job().id("warm").interval("1h")).await?;
    /// if let RunNow::Started(id) = scheduler.run_job_now("warm").await? {
    ///     let run = scheduler.get_run(id).await?;
    ///     assert_eq!(run.map(|run| run.task), Some("warm_caches".into()));
    /// }
    /// assert!(scheduler.get_run(RunId::from_u128(1)).await?.is_none());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_run(&self, id: RunId) -> Result<Option<Run>, Error> {
        let mut failure = None;
        for port in self.0.stores.values() {
            let store = match port.reach() {
                Ok(store) => store,
                Err(error) => {
                    failure = Some(error);
                    continue;
                }
            };
            match store.get_run(id).await {
                Ok(Some(run)) => return Ok(Some(run)),
                Ok(None) => {}
                Err(error) => failure = Some(store_error(port, error)),
            }
        }
        failure.map_or(Ok(None), Err)
    }

    /// Lists the processes that share the stores of this scheduler, those that are alive first. The list is empty if
    /// its stores are for a single process.
    ///
    /// # Errors
    /// Returns [`Error::Store`] if a store fails.
    pub async fn list_nodes(&self) -> Result<Vec<Node>, Error> {
        let mut nodes = Vec::new();
        for port in self.0.stores.values() {
            let part = port.reach()?.list_nodes().await;
            nodes.extend(part.map_err(|error| store_error(port, error))?);
        }
        nodes.sort_by_key(|node| !node.is_alive);
        Ok(nodes)
    }

    /// Lists skipped fire times and the reasons, newest first, a page at a time: 100 records by default. Each record
    /// may represent many fire times.
    ///
    /// [`SkippedFilter`] has an example of reading page after page.
    ///
    /// # Errors
    /// Returns [`Error::Store`] if a store fails.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use chrono::TimeDelta;
    /// use scheduler_core::prelude::*;
    /// use scheduler_core::testing::VirtualClock;
    /// use scheduler_core::{SkipReason, SkippedFilter};
    ///
    /// #[task]
    /// async fn crawl() {
    ///     tokio::time::sleep(Duration::from_secs(90)).await;
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let clock = VirtualClock::at("2026-01-01T00:00:00Z")?;
    /// # let builder = Scheduler::builder().clock(clock.clone()).without_static_jobs();
    /// # let scheduler = builder.start().await?;
    /// // A run takes longer than the interval, and one at once is allowed.
    /// scheduler.add_job(crawl::job().id("crawl").interval("1m")).await?;
    /// clock.advance(TimeDelta::minutes(2)).await;
    /// let skipped = scheduler.list_skipped(&SkippedFilter::new().job("crawl")).await?;
    /// assert_eq!(skipped.items[0].reason, SkipReason::Overlap);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn list_skipped(
        &self,
        filter: &SkippedFilter,
    ) -> Result<Page<Skipped, SkippedCursor>, Error> {
        let mut parts = Vec::new();
        for (name, port) in self.0.stores.iter() {
            let below = filter.before.as_ref().and_then(|cursor| cursor.below(name));
            let query = SkippedQuery {
                job: filter.job.clone(),
                below,
                limit: filter.needed(),
            };
            let records = port.reach()?.list_skipped(&query).await;
            let records = records.map_err(|error| store_error(port, error))?;
            parts.push(Part::new(name, below, records));
        }
        Ok(skipped_filter::page(filter, parts))
    }
}
