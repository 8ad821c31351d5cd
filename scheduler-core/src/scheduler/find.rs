//! Finding a job among the stores, and saying that there is none.

use std::sync::Arc;

use super::Scheduler;
use super::prepare::Rules;
use crate::driver::StorePort;
use crate::error::Error;
use crate::id::JobId;
use crate::job_record::JobRecord;
use crate::store::StoreError;

impl Scheduler {
    pub(super) async fn find(&self, id: &str) -> Result<(Arc<StorePort>, JobRecord), Error> {
        for port in self.0.stores.values() {
            if let Some(job) = port
                .store()
                .get(id)
                .await
                .map_err(|error| store_error(port, error))?
            {
                return Ok((port.clone(), job));
            }
        }
        Err(self.not_found(id))
    }

    pub(super) fn with_rules<T>(&self, check: impl FnOnce(Rules<'_>) -> T) -> T {
        let stores = self
            .0
            .stores
            .iter()
            .map(|(name, port)| (name.clone(), port.store().is_persistent()))
            .collect();
        let executors: Vec<Arc<str>> = self.0.executors.keys().cloned().collect();
        check(Rules {
            registry: self.registry(),
            zone: self.0.zone,
            defaults: &self.0.defaults,
            stores: &stores,
            executors: &executors,
            now: self.now(),
        })
    }

    pub(super) fn not_found(&self, id: &str) -> Error {
        Error::JobNotFound {
            job: id.chars().take(255).collect(),
            suggestion: self.registry().nearest_job(id),
        }
    }

    pub(super) fn is_static(&self, id: &JobId, problem: &'static str) -> Error {
        let place = self.registry().jobs().iter().find(|job| *id == job.id);
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

pub(super) fn store_error(port: &StorePort, error: StoreError) -> Error {
    Error::Store {
        store: port.name().to_string(),
        source: error.into_source(),
    }
}
