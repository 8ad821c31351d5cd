//! Runs and skipped fire times of the past.

use chrono::{DateTime, Utc};

use super::{SkippedQuery, StoreFuture};
use crate::id::RunId;
use crate::run::{Run, RunFilter};
use crate::skipped::Skipped;

/// Lists the history of a store, and prunes it.
pub trait History: Send + Sync {
    /// Lists runs, newest first, ordered by id, which is the order of creation. A list shorter than the filter's
    /// [page](RunFilter::page_size) is the last one.
    fn list_runs<'a>(&'a self, filter: &'a RunFilter) -> StoreFuture<'a, Vec<Run>>;

    /// Returns one run.
    fn get_run(&self, id: RunId) -> StoreFuture<'_, Option<Run>>;

    /// Lists records of skipped fire times, newest first, each with its number. Later records have greater numbers,
    /// and no two records ever share one. A list shorter than the query's limit is the last one.
    fn list_skipped<'a>(&'a self, query: &'a SkippedQuery) -> StoreFuture<'a, Vec<(u64, Skipped)>>;

    /// Deletes some of the history that exceeds the store's retention. Returns `true` if more history remains to be
    /// pruned.
    ///
    /// Called once a minute, and then repeatedly until nothing remains. Runs whose fire time is in the future are
    /// kept: a clock was ahead when they ran, and their fire times are still to come.
    fn prune(&self, _now: DateTime<Utc>) -> StoreFuture<'_, bool> {
        Box::pin(std::future::ready(Ok(false)))
    }
}
