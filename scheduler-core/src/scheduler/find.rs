//! Finding a job in the stores, and the error if there is none.

use std::sync::Arc;

use super::Scheduler;
use super::prepare::{Rules, StoreRules};
use crate::engine::port::StorePort;
use crate::error::Error;
use crate::id::JobId;
use crate::job_record::JobRecord;
use crate::revision::Revision;
use crate::store::{JobAnswer, JobQuery, StoreError};

impl Scheduler {
    /// Returns the job and the store that contains it.
    pub(super) async fn find(&self, id: &str) -> Result<(Arc<StorePort>, JobRecord), Error> {
        match self.look_up(id).await? {
            Some(found) => Ok(found),
            None => Err(Error::JobNotFound {
                job: id.chars().take(255).collect(),
                suggestion: self.nearest_id(id).await,
            }),
        }
    }

    /// Looks up a job. A failing store matters only if no other store has the job.
    pub(super) async fn look_up(
        &self,
        id: &str,
    ) -> Result<Option<(Arc<StorePort>, JobRecord)>, Error> {
        let mut failure = None;
        for port in self.0.stores.values() {
            let store = match port.reach() {
                Ok(store) => store,
                Err(error) => {
                    failure = Some(error);
                    continue;
                }
            };
            match store.get_job(id).await {
                Ok(Some(job)) => return Ok(Some((port.clone(), job))),
                Ok(None) => {}
                Err(error) => failure = Some(store_error(port, error)),
            }
        }
        failure.map_or(Ok(None), Err)
    }

    /// Returns the closest existing id among the first jobs of each store: a typing error justifies comparing some
    /// ids, but not a million.
    async fn nearest_id(&self, id: &str) -> Option<String> {
        let query = JobQuery::by_id(None, 1_000);
        let mut jobs = Vec::new();
        for port in self.0.stores.values() {
            if let Ok(store) = port.reach() {
                jobs.extend(store.list_jobs(&query).await.unwrap_or_default());
            }
        }
        scheduler_triggers::nearest(id, jobs.iter().map(|job| job.id.as_str())).map(str::to_owned)
    }

    pub(super) fn with_rules<T>(&self, check: impl FnOnce(Rules<'_>) -> T) -> T {
        let stores = self.0.stores.map(|_, port| StoreRules {
            is_persistent: port.store().is_persistent(),
            now: port.now(),
        });
        let executors: Vec<Arc<str>> = self.0.executors.names().cloned().collect();
        check(Rules {
            registry: self.0.registry(),
            zone: self.0.zone,
            defaults: &self.0.defaults,
            stores: &stores,
            executors: (!self.0.is_client).then_some(&*executors),
        })
    }

    /// Creates the error for a job that disappeared between two calls of one operation.
    pub(super) fn not_found(id: &str) -> Error {
        Error::JobNotFound {
            job: id.chars().take(255).collect(),
            suggestion: None,
        }
    }

    pub(super) fn is_static(&self, id: &JobId, problem: &'static str) -> Error {
        let place = self.0.registry().job(id.as_str());
        Error::StaticJob {
            job: id.to_string(),
            location: place.map_or_else(
                || "an unknown place".to_owned(),
                |job| job.location.to_string(),
            ),
            problem,
        }
    }

    pub(super) fn check_running(&self) -> Result<(), Error> {
        if self.0.stopping.load(std::sync::atomic::Ordering::Acquire) {
            return Err(Error::Stopped);
        }
        Ok(())
    }
}

/// Returns what a store answered about a job that may have had to be as the caller has seen it.
pub(super) fn done<T>(id: &str, seen: Option<Revision>, answer: JobAnswer<T>) -> Result<T, Error> {
    match (answer, seen) {
        (JobAnswer::Done(answer), _) => Ok(answer),
        (JobAnswer::Stale(current), Some(expected)) => Err(Error::stale(*current, expected)),
        (JobAnswer::Stale(_), None) | (JobAnswer::NoJob, _) => Err(Scheduler::not_found(id)),
    }
}

pub(super) fn store_error(port: &StorePort, error: StoreError) -> Error {
    Error::Store {
        store: port.name().to_string(),
        source: error.into_source(),
    }
}
