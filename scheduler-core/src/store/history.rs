//! What has happened.

use chrono::{DateTime, Utc};

use super::StoreFuture;
use crate::id::RunId;
use crate::run::{Run, RunFilter};
use crate::skipped::Skipped;

/// Lists what a store remembers, and forgets what is old.
pub trait History: Send + Sync {
    /// Lists runs, newest first: by their ids, which are in the order of creation. A list that is
    /// shorter than the filter's [page](RunFilter::page_size) is the last one.
    fn list_runs<'a>(&'a self, filter: &'a RunFilter) -> StoreFuture<'a, Vec<Run>>;

    /// Returns one run.
    fn get_run(&self, id: RunId) -> StoreFuture<'_, Option<Run>>;

    /// Lists what was not run, newest first; of one job, or of all.
    fn list_skipped<'a>(
        &'a self,
        job: Option<&'a str>,
        limit: usize,
    ) -> StoreFuture<'a, Vec<Skipped>>;

    /// Forgets some of the history that is beyond the store's retention. Whether there is more.
    ///
    /// Called once a minute, and then again until there is nothing more. Runs whose fire time is ahead of now
    /// are kept: a clock was ahead when they ran, and their fire times are still to come.
    fn prune(&self, _now: DateTime<Utc>) -> StoreFuture<'_, bool> {
        Box::pin(std::future::ready(Ok(false)))
    }
}
