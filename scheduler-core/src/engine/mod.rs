//! What the handle and the drivers of a scheduler share: its clock, registry, stores, executors, run ids, events and
//! health. It imports neither the handle nor the drivers.

mod alone;
mod announcements;
mod guarded_store;
pub(crate) mod membership;
pub(crate) mod order;
pub(crate) mod port;
pub(crate) mod registry;
pub(crate) mod shutdown_report;
pub(crate) mod standing;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};
use scheduler_triggers::Zone;
use tokio::sync::{Semaphore, watch};

use crate::cancel::Cancellation;
use crate::clock::Clock;
use crate::event::{EventBus, EventKind, RunEvent};
use crate::executor::SharedExecutor;
use crate::health::{HealthLog, Phase};
use crate::id::RunIds;
use crate::metrics;
use crate::named::Named;
use crate::node::{Identities, NodeId};
use crate::policy::{Policies, SharedPolicies};
use crate::redaction::Redaction;
use crate::skipped::Skipped;
use crate::store::{CancelledRun, Claimable};
use crate::task::data::DataMap;
use crate::task::started_run::{Home, StartedRun};
pub(crate) use announcements::Announcements;
use port::StorePort;
use registry::Registry;
use shutdown_report::ShutdownReport;

/// See the module documentation.
pub(crate) struct Engine {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) zone: Zone,
    /// The built-in policies, overridden by the builder's defaults.
    pub(crate) defaults: Policies,
    pub(crate) policies: SharedPolicies,
    pub(crate) registry: Registry,
    /// The part of the scheduler that its runs can access.
    pub(crate) home: Arc<Home>,
    pub(crate) claimable: Claimable,
    pub(crate) stores: Named<Arc<StorePort>>,
    pub(crate) executors: Named<Arc<SharedExecutor>>,
    pub(crate) batch: usize,
    pub(crate) is_client: bool,
    pub(crate) node_name: Arc<str>,
    pub(crate) node_version: Arc<str>,
    pub(crate) identities: Identities,
    pub(crate) events: EventBus,
    pub(crate) announcements: Announcements,
    pub(crate) health: HealthLog,
    pub(crate) run_ids: RunIds,
    pub(crate) redaction: Redaction,
    pub(crate) paused: AtomicBool,
    pub(crate) stopping: AtomicBool,
    /// Permits for trigger searches outside the runtime.
    pub(crate) searches: Arc<Semaphore>,
    /// What the drivers left, once all of them have ended.
    pub(crate) report: watch::Receiver<Option<ShutdownReport>>,
}

impl Engine {
    /// Returns the current time by which everything is decided and recorded: by the clock of a store shared between
    /// processes if there is one (the first by name of several), and otherwise by the scheduler's own clock.
    pub(crate) fn store_now(&self) -> DateTime<Utc> {
        let mut stores = self.stores.values();
        let shared = stores.find(|port| port.clock().is_measured());
        shared.map_or_else(|| self.now(), |port| port.now())
    }

    /// Queries the stores' time if it was not measured within the last minute, as on a client.
    pub(crate) async fn measure_clocks(&self) {
        for port in self.stores.values() {
            self.measure_clock(port).await;
        }
    }

    /// Does the same for one store. If it does not answer, the offset measured at the start is accurate enough, and
    /// the call that follows reports the problem.
    pub(crate) async fn measure_clock(&self, port: &StorePort) {
        match port.measure_clock().await {
            Ok(Some(offset)) => self.warn(port.clocks_differ(offset)),
            Ok(None) => {}
            Err(error) => {
                tracing::debug!(store = %port.name(), %error, "the store's clock was not measured");
            }
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        if self.stopping.load(Ordering::Acquire) {
            if self.report.borrow().is_some() {
                Phase::Stopped
            } else {
                Phase::Stopping
            }
        } else if self.paused.load(Ordering::Acquire) {
            Phase::Paused
        } else {
            Phase::Running
        }
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub(crate) fn is_claiming(&self) -> bool {
        self.phase() == Phase::Running
    }

    /// Returns `true` if the scheduler has begun to shut down.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    pub(crate) fn registry(&self) -> &Registry {
        &self.registry
    }

    pub(crate) fn data(&self) -> &Arc<DataMap> {
        &self.home.data
    }

    pub(crate) fn claimable(&self) -> &Claimable {
        &self.claimable
    }

    pub(crate) fn batch(&self) -> usize {
        self.batch
    }

    pub(crate) fn run_ids(&self) -> &RunIds {
        &self.run_ids
    }

    pub(crate) fn executor(&self, name: &str) -> Option<&Arc<SharedExecutor>> {
        self.executors.get(name)
    }

    /// Cancels an attempt. A body that shares memory with this process sees it at once; otherwise the executor passes
    /// it on.
    pub(crate) fn cancel(&self, run: &StartedRun, cancellation: Cancellation) {
        run.cancel.raise(cancellation);
        if let Some(executor) = self.executor(&run.run.policies.executor) {
            executor.cancel(run.run.run_id, run.run.attempt, cancellation);
        }
    }

    /// Has the executors free resources that have not been used for a while.
    pub(crate) fn trim_executors(&self) {
        self.executors.values().for_each(|executor| executor.trim());
    }

    /// Returns how many runs each executor carries out or is about to.
    pub(crate) fn permits_in_use(&self) -> impl Iterator<Item = (&Arc<str>, usize)> {
        let executors = self.executors.iter();
        executors.map(|(name, executor)| (name, executor.in_use()))
    }

    /// Reserves capacity in every executor, up to `batch` permits in each.
    pub(crate) fn reserve_capacity(&self, batch: usize) -> HashMap<Arc<str>, usize> {
        self.executors
            .iter()
            .map(|(name, executor)| (name.clone(), executor.reserve(batch)))
            .collect()
    }

    /// Returns how many more runs each executor could take at present.
    pub(crate) fn free_capacity(&self) -> HashMap<Arc<str>, usize> {
        let executors = self.executors.iter();
        executors
            .map(|(name, executor)| {
                (
                    name.clone(),
                    executor.capacity().saturating_sub(executor.in_use()),
                )
            })
            .collect()
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    pub(crate) fn shared_clock(&self) -> Arc<dyn Clock> {
        self.clock.clone()
    }

    /// Returns a new identity for this process.
    pub(crate) fn new_identity(&self) -> NodeId {
        self.identities.next()
    }

    pub(crate) fn node_version(&self) -> &Arc<str> {
        &self.node_version
    }

    /// Releases reserved capacity.
    pub(crate) fn release_capacity<'a>(
        &self,
        capacity: impl Iterator<Item = &'a (Arc<str>, usize)>,
    ) {
        for (name, count) in capacity {
            if let Some(executor) = self.executor(name) {
                executor.release(*count);
            }
        }
    }

    pub(crate) fn publish(&self, kind: impl FnOnce() -> EventKind) {
        self.events.publish(|| self.store_now(), kind);
    }

    pub(crate) fn warn(&self, text: String) {
        self.health.warn(self.store_now(), text);
    }

    /// Reports fire times that were skipped.
    pub(crate) fn report_skipped(&self, skipped: &[Skipped]) {
        for one in skipped {
            tracing::info!(
                job_id = %one.job_id,
                reason = %one.reason,
                count = one.count,
                first = %one.first.to_rfc3339(),
                last = %one.last.to_rfc3339(),
                "not run"
            );
            self.health.count_skipped_record(one.reason, one.count);
            metrics::skipped(one.reason, one.count);
            self.publish(|| EventKind::Skipped(one.clone()));
        }
    }

    /// Reports runs that ended as cancelled without an executor.
    pub(crate) fn report_cancelled(&self, cancelled: &[CancelledRun]) {
        for run in cancelled {
            let (job_id, run_id) = (&run.job_id, run.run_id);
            tracing::info!(%job_id, %run_id, attempts = run.attempts, "cancelled while no executor had it");
            self.publish(|| {
                EventKind::Cancelled(RunEvent {
                    job_id: run.job_id.clone(),
                    run_id,
                    kind: run.kind,
                    attempt: run.attempts,
                    scheduled_for: run.scheduled_for,
                })
            });
        }
    }

    /// Wakes the drivers of other stores if one of them found an executor full that has capacity now.
    ///
    /// Only for executors where capacity was freed. Otherwise two drivers that find one full would wake each other
    /// forever.
    pub(crate) fn share_capacity<'a>(
        &self,
        own: &StorePort,
        executors: impl Iterator<Item = &'a str>,
    ) {
        if self.stores.len() < 2 {
            return;
        }
        let missed = executors
            .filter_map(|name| self.executor(name))
            .fold(false, |any, executor| any | executor.take_missed());
        if missed {
            let ports = self.stores.values();
            ports
                .filter(|port| port.name() != own.name())
                .for_each(|port| port.wake());
        }
    }

    pub(crate) fn wake_all(&self) {
        self.stores.values().for_each(|port| port.wake());
    }
}
