//! What has happened.

use chrono::{DateTime, Utc};

use super::{SkippedQuery, StoreFuture};
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

    /// Lists records of skipped fire times, newest first, each with its number: the later a record was written, the
    /// greater, and no two records ever have the same. A list that is shorter than the query's limit is the last one.
    fn list_skipped<'a>(&'a self, query: &'a SkippedQuery) -> StoreFuture<'a, Vec<(u64, Skipped)>>;

    /// Forgets some of the history that is beyond the store's retention. Whether there is more.
    ///
    /// Called once a minute, and then again until there is nothing more. Runs whose fire time is ahead of now
    /// are kept: a clock was ahead when they ran, and their fire times are still to come.
    fn prune(&self, _now: DateTime<Utc>) -> StoreFuture<'_, bool> {
        Box::pin(std::future::ready(Ok(false)))
    }
}
