//! The scheduler: a handle on what runs, built and started by [`Builder`].

mod builder;
mod calls;
mod prepare;
mod report;
mod shutdown;
mod start;
mod upcoming;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};
use scheduler_triggers::Zone;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::driver::StorePort;
use crate::dropped::Dropped;
use crate::event::{EventBus, EventKind, EventStream};
use crate::executor::LocalExecutor;
use crate::health::{ExecutorHealth, Health, HealthLog, Phase};
use crate::id::RunIds;
use crate::policy::{Policies, SharedPolicies};
use crate::registry::Registry;
use crate::store::Claimable;
use crate::task::data::DataMap;

pub use builder::Builder;
pub use calls::{JobPatch, RunNow};
pub use report::ShutdownReport;
pub use shutdown::Shutdown;
pub use upcoming::UpcomingFire;

/// A handle on a running scheduler. Cheap to clone; every clone is the same scheduler.
///
/// It runs until it is [shut down](Scheduler::shutdown) or the tokio runtime ends.
///
/// ```
/// use scheduler_core::prelude::*;
///
/// #[task]
/// async fn greet(name: String) {
///     tracing::info!(name, "hello");
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), scheduler_core::Error> {
/// let scheduler = Scheduler::builder().without_static_jobs().start().await?;
/// let job = scheduler.add_job(greet::job("Ada".into()).id("hello").interval("1h")).await?;
/// assert!(job.next_run_time().is_some());
/// let report = scheduler.shutdown(Shutdown::wait()).await;
/// assert!(report.is_clean());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Scheduler(Arc<Inner>);

struct Inner {
    clock: Arc<dyn Clock>,
    zone: Zone,
    /// Built-in policies with the builder's defaults over them.
    defaults: Policies,
    policies: SharedPolicies,
    registry: Registry,
    data: Arc<DataMap>,
    claimable: Claimable,
    stores: BTreeMap<Arc<str>, Arc<StorePort>>,
    executors: BTreeMap<Arc<str>, Arc<LocalExecutor>>,
    batch: usize,
    is_client: bool,
    events: EventBus,
    health: HealthLog,
    run_ids: RunIds,
    paused: AtomicBool,
    stopping: AtomicBool,
    /// What the drivers left, once all have come to their end.
    report: watch::Receiver<Option<ShutdownReport>>,
}

impl Scheduler {
    /// Starts to set up a scheduler.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// Stops claiming on this scheduler: nothing starts until [`resume`](Self::resume). Runs that
    /// have started go on. What comes due meanwhile is dealt with afterwards, by the policies
    /// `misfire_grace_time` and `coalesce`.
    pub fn pause(&self) {
        if !self.0.paused.swap(true, Ordering::AcqRel) {
            tracing::info!("the scheduler is paused");
            self.publish(|| EventKind::SchedulerPaused);
        }
    }

    /// Claims again after [`pause`](Self::pause).
    pub fn resume(&self) {
        if self.0.paused.swap(false, Ordering::AcqRel) {
            tracing::info!("the scheduler is resumed");
            self.publish(|| EventKind::SchedulerResumed);
            self.wake_all();
        }
    }

    /// Events from now on.
    ///
    /// ```
    /// # use scheduler_core::prelude::*;
    /// use scheduler_core::Next;
    ///
    /// # async fn follow(scheduler: Scheduler) {
    /// let mut events = scheduler.events();
    /// while let Some(next) = events.next().await {
    ///     match next {
    ///         Next::Event(event) => tracing::info!(?event.kind),
    ///         Next::Lagged(lost) => tracing::warn!(lost, "too slow: read the records again"),
    ///         _ => {}
    ///     }
    /// }
    /// # }
    /// ```
    pub fn events(&self) -> EventStream {
        self.0.events.subscribe()
    }

    /// How the scheduler is doing.
    pub fn health(&self) -> Health {
        let inner = &self.0;
        let (warnings, dropped) = inner.health.snapshot();
        Health {
            phase: self.phase(),
            stores: inner.stores.values().map(|port| port.health()).collect(),
            executors: inner
                .executors
                .iter()
                .map(|(name, executor)| ExecutorHealth {
                    name: name.clone(),
                    limit: executor.limit(),
                    in_use: executor.in_use(),
                })
                .collect(),
            live_runs: inner.stores.values().map(|port| port.live()).sum(),
            dropped,
            warnings,
        }
    }

    fn phase(&self) -> Phase {
        if self.0.stopping.load(Ordering::Acquire) {
            if self.0.report.borrow().is_some() {
                Phase::Stopped
            } else {
                Phase::Stopping
            }
        } else if self.0.paused.load(Ordering::Acquire) {
            Phase::Paused
        } else {
            Phase::Running
        }
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.0.clock.now()
    }

    pub(crate) fn is_claiming(&self) -> bool {
        self.phase() == Phase::Running
    }

    pub(crate) fn registry(&self) -> &Registry {
        &self.0.registry
    }

    pub(crate) fn data(&self) -> &Arc<DataMap> {
        &self.0.data
    }

    pub(crate) fn claimable(&self) -> &Claimable {
        &self.0.claimable
    }

    pub(crate) fn batch(&self) -> usize {
        self.0.batch
    }

    pub(crate) fn run_ids(&self) -> &RunIds {
        &self.0.run_ids
    }

    pub(crate) fn executor(&self, name: &str) -> Option<&Arc<LocalExecutor>> {
        self.0.executors.get(name)
    }

    /// Reserves room in every executor, up to `batch` places in each.
    pub(crate) fn reserve_room(&self, batch: usize) -> HashMap<Arc<str>, usize> {
        self.0
            .executors
            .iter()
            .map(|(name, executor)| (name.clone(), executor.reserve(batch)))
            .collect()
    }

    /// Gives reserved room back.
    pub(crate) fn give_back(&self, room: HashMap<Arc<str>, usize>) {
        for (name, count) in room {
            if let Some(executor) = self.executor(&name) {
                executor.release(count);
            }
        }
    }

    pub(crate) fn publish(&self, kind: impl FnOnce() -> EventKind) {
        self.0.events.publish(self.now(), kind);
    }

    pub(crate) fn warn(&self, text: String) {
        self.0.health.warn(self.now(), text);
    }

    /// Tells of fire times that were not run.
    pub(crate) fn report_drops(&self, dropped: &[Dropped]) {
        for one in dropped {
            tracing::info!(
                job_id = %one.job_id,
                reason = %one.reason,
                count = one.count,
                first = %one.first.to_rfc3339(),
                last = %one.last.to_rfc3339(),
                "not run"
            );
            self.0.health.count_drop(one.reason, one.count);
            self.publish(|| EventKind::Dropped(one.clone()));
        }
    }

    fn wake_all(&self) {
        self.0.stores.values().for_each(|port| port.wake());
    }
}

impl fmt::Debug for Scheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scheduler")
            .field("phase", &self.phase())
            .field("stores", &self.0.stores.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
