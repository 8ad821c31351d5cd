//! The scheduler: a handle on what runs, built and started by [`Builder`].

mod add;
mod announce;
mod ask;
mod builder;
mod change;
mod edit;
mod find;
mod known;
mod prepare;
mod preview;
mod report;
mod run_now;
mod search;
mod shutdown;
mod start;
mod transfer;
mod upcoming;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};
use scheduler_triggers::Zone;
use tokio::sync::{Semaphore, watch};

use crate::clock::Clock;
use crate::driver::StorePort;
use crate::dropped::Dropped;
use crate::event::{EventBus, EventKind, EventStream};
use crate::executor::LocalExecutor;
use crate::health::{ExecutorHealth, Health, HealthLog, Phase};
use crate::id::RunIds;
use crate::metrics;
use crate::named::Named;
use crate::node::{Identities, NodeId};
use crate::policy::{Policies, SharedPolicies};
use crate::registry::Registry;
use crate::store::Claimable;
use crate::task::data::DataMap;

pub use builder::Builder;
pub use change::JobPatch;
pub use known::{ParameterInfo, TaskInfo};
pub use preview::TriggerPreview;
pub use report::ShutdownReport;
pub use run_now::RunNow;
pub use shutdown::Shutdown;
pub use transfer::{ExportedJobs, ImportConflict};
pub use upcoming::{UpcomingFire, UpcomingFires};

/// A handle on a running scheduler. Cheap to clone; every clone is the same scheduler.
///
/// Made by [`Scheduler::builder`]. It runs until it is [shut down](Scheduler::shutdown) or the
/// tokio runtime ends; dropping handles stops nothing. Every call takes `&self` and may be made
/// from any task or thread, also from within a job
/// ([`JobContext::scheduler`](crate::JobContext::scheduler)).
///
/// | to | call |
/// | --- | --- |
/// | add and remove jobs | [`add_job`](Self::add_job), [`add_jobs`](Self::add_jobs), [`remove_job`](Self::remove_job), [`remove_orphans`](Self::remove_orphans) |
/// | change jobs | [`pause_job`](Self::pause_job), [`resume_job`](Self::resume_job), [`reschedule_job`](Self::reschedule_job), [`modify_job`](Self::modify_job) |
/// | see jobs and runs | [`get_job`](Self::get_job), [`find_job`](Self::find_job), [`get_jobs`](Self::get_jobs), [`jobs`](Self::jobs), [`upcoming`](Self::upcoming), [`upcoming_between`](Self::upcoming_between), [`runs`](Self::runs), [`dropped`](Self::dropped) |
/// | run and cancel | [`run_job_now`](Self::run_job_now), [`cancel_run`](Self::cancel_run) |
/// | follow and watch | [`events`](Self::events), [`health`](Self::health) |
/// | try a trigger | [`preview_trigger`](Self::preview_trigger) |
/// | know the program | [`tasks`](Self::tasks), [`job_location`](Self::job_location), [`zone`](Self::zone), [`node_name`](Self::node_name) |
/// | hold and stop | [`pause`](Self::pause), [`resume`](Self::resume), [`begin_shutdown`](Self::begin_shutdown), [`shutdown`](Self::shutdown), [`run_until`](Self::run_until) |
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
    stores: Named<Arc<StorePort>>,
    executors: Named<Arc<LocalExecutor>>,
    batch: usize,
    is_client: bool,
    node_name: Arc<str>,
    node_version: Arc<str>,
    identities: Identities,
    events: EventBus,
    announcements: announce::Announcements,
    health: HealthLog,
    run_ids: RunIds,
    paused: AtomicBool,
    stopping: AtomicBool,
    /// Permits for searches off the runtime.
    searches: Arc<Semaphore>,
    /// What the drivers left, once all have come to their end.
    report: watch::Receiver<Option<ShutdownReport>>,
}

impl Scheduler {
    /// Starts to set up a scheduler; see [`Builder`] for what has which default.
    ///
    /// ```
    /// use scheduler_core::prelude::*;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), scheduler_core::Error> {
    /// let scheduler = Scheduler::builder()
    ///     .timezone(Tz::Europe__Berlin)
    /// #   .without_static_jobs()
    ///     .start()
    ///     .await?;
    /// assert!(scheduler.health().is_ok());
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// Stops claiming on this scheduler: nothing starts until [`resume`](Self::resume).
    ///
    /// Runs that have started go on, and [`run_job_now`](Self::run_job_now) still works. What comes
    /// due meanwhile is dealt with afterwards, by the policies `misfire_grace_time` and `coalesce`.
    /// Other nodes of the store are not paused, and a restart is not either; to stop one job
    /// everywhere and for good, use [`pause_job`](Self::pause_job). Pausing twice is pausing once.
    ///
    /// ```
    /// use chrono::TimeDelta;
    /// use scheduler_core::RunFilter;
    /// use scheduler_core::prelude::*;
    /// use scheduler_core::testing::VirtualClock;
    ///
    /// #[task]
    /// async fn poll_inbox() {}
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let clock = VirtualClock::at("2026-01-01T00:00:00Z")?;
    /// # let builder = Scheduler::builder().clock(clock.clone()).without_static_jobs();
    /// # let scheduler = builder.start().await?;
    /// scheduler.add_job(poll_inbox::job().id("inbox").interval("1m")).await?;
    ///
    /// scheduler.pause();
    /// clock.advance(TimeDelta::minutes(10)).await;
    /// assert!(scheduler.runs(&RunFilter::new()).await?.is_empty());
    ///
    /// scheduler.resume();
    /// clock.settle().await;
    /// // Ten fire times have come: `coalesce = "latest"` runs one and records nine.
    /// assert_eq!(scheduler.runs(&RunFilter::new()).await?.len(), 1);
    /// assert_eq!(scheduler.dropped(Some("inbox"), 10).await?[0].count, 9);
    /// # Ok(())
    /// # }
    /// ```
    pub fn pause(&self) {
        if !self.0.paused.swap(true, Ordering::AcqRel) {
            tracing::info!("the scheduler is paused");
            self.publish(|| EventKind::SchedulerPaused);
        }
    }

    /// Claims again after [`pause`](Self::pause), where an example is; otherwise does nothing.
    pub fn resume(&self) {
        if self.0.paused.swap(false, Ordering::AcqRel) {
            tracing::info!("the scheduler is resumed");
            self.publish(|| EventKind::SchedulerResumed);
            self.wake_all();
        }
    }

    /// Subscribes to the events from now on; the stream ends when the scheduler has stopped, after the
    /// last outcome that the shutdown waited for. One that must not hold up a web server, or a run, ends
    /// earlier with [`until_shutdown`](crate::EventStream::until_shutdown).
    ///
    /// Each call makes a stream of its own. One that falls behind by more than
    /// [`event_capacity`](Builder::event_capacity) events is told how many it lost
    /// ([`NextEvent::Lagged`](crate::NextEvent::Lagged)) and goes on.
    ///
    /// ```
    /// use scheduler_core::prelude::*;
    /// use scheduler_core::{EventKind, NextEvent};
    ///
    /// #[task]
    /// async fn sync_contacts() {}
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), scheduler_core::Error> {
    /// let scheduler = Scheduler::builder().without_static_jobs().start().await?;
    /// let mut events = scheduler.events();
    /// scheduler.add_job(sync_contacts::job().id("contacts").interval("1h")).await?;
    /// scheduler.shutdown(Shutdown::wait()).await; // ends the stream
    ///
    /// let mut added = 0;
    /// while let Some(next) = events.next().await {
    ///     match next {
    ///         NextEvent::Event(event) if matches!(event.kind, EventKind::JobAdded(_)) => added += 1,
    ///         NextEvent::Lagged(lost) => tracing::warn!(lost, "too slow: read the records again"),
    ///         _ => {}
    ///     }
    /// }
    /// assert_eq!(added, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn events(&self) -> EventStream {
        self.0.events.subscribe()
    }

    /// Tells how the scheduler is doing. Asks no store, waits for nothing: fit for a health
    /// endpoint.
    ///
    /// ```
    /// use scheduler_core::Phase;
    /// use scheduler_core::prelude::*;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), scheduler_core::Error> {
    /// # let scheduler = Scheduler::builder().without_static_jobs().start().await?;
    /// let health = scheduler.health();
    /// assert!(health.is_ok() && health.phase == Phase::Running);
    /// assert_eq!(health.live_runs, 0);
    /// # Ok(())
    /// # }
    /// ```
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

    /// Returns now, as everything is judged and recorded by it: by the clock of the store that processes
    /// share, where there is one (the first by name of several), and by the scheduler's own otherwise.
    ///
    /// Asks no store: heartbeats bring its time, and calls of this handle ask for it when a minute has
    /// passed without one.
    ///
    /// ```
    /// use scheduler_core::prelude::*;
    /// use scheduler_core::testing::VirtualClock;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let clock = VirtualClock::at("2026-01-01T00:00:00Z")?;
    /// # let builder = Scheduler::builder().without_static_jobs();
    /// let scheduler = builder.clock(clock).start().await?;
    /// assert_eq!(scheduler.store_now().to_rfc3339(), "2026-01-01T00:00:00+00:00");
    /// # Ok(())
    /// # }
    /// ```
    pub fn store_now(&self) -> DateTime<Utc> {
        let mut stores = self.0.stores.values();
        let shared = stores.find(|port| port.clock().is_measured());
        shared.map_or_else(|| self.now(), |port| port.now())
    }

    /// Asks the stores for their time where it was not measured for a minute, as on a client.
    pub(crate) async fn measure_clocks(&self) {
        for port in self.0.stores.values() {
            self.measure_clock(port).await;
        }
    }

    /// The same for one store. One that does not answer has been measured before, at the start, and its
    /// clock is known well enough; the call that follows says what is wrong.
    pub(crate) async fn measure_clock(&self, port: &StorePort) {
        match port.measure_clock().await {
            Ok(Some(offset)) => self.warn(port.clocks_differ(offset)),
            Ok(None) => {}
            Err(error) => {
                tracing::debug!(store = %port.name(), %error, "the store's clock was not measured");
            }
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

    /// Whether the scheduler has begun to shut down.
    pub(crate) fn is_stopping(&self) -> bool {
        self.0.stopping.load(Ordering::Acquire)
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

    /// How many runs each executor carries out, or is about to.
    pub(crate) fn places_taken(&self) -> impl Iterator<Item = (&Arc<str>, usize)> {
        let executors = self.0.executors.iter();
        executors.map(|(name, executor)| (name, executor.in_use()))
    }

    /// Reserves capacity in every executor, up to `batch` places in each.
    pub(crate) fn reserve_capacity(&self, batch: usize) -> HashMap<Arc<str>, usize> {
        self.0
            .executors
            .iter()
            .map(|(name, executor)| (name.clone(), executor.reserve(batch)))
            .collect()
    }

    /// How many runs each executor could take at present.
    pub(crate) fn free_capacity(&self) -> HashMap<Arc<str>, usize> {
        let executors = self.0.executors.iter();
        executors
            .map(|(name, executor)| {
                (
                    name.clone(),
                    executor.limit().saturating_sub(executor.in_use()),
                )
            })
            .collect()
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }

    pub(crate) fn shared_clock(&self) -> Arc<dyn Clock> {
        self.0.clock.clone()
    }

    /// The identity that this process takes on next.
    pub(crate) fn new_identity(&self) -> NodeId {
        self.0.identities.next()
    }

    pub(crate) fn node_version(&self) -> &Arc<str> {
        &self.0.node_version
    }

    /// Gives reserved capacity back.
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
        self.0.events.publish(|| self.store_now(), kind);
    }

    pub(crate) fn warn(&self, text: String) {
        self.0.health.warn(self.store_now(), text);
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
            metrics::dropped(one.reason, one.count);
            self.publish(|| EventKind::Dropped(one.clone()));
        }
    }

    /// Wakes the drivers of other stores, if one of them missed capacity in executors that have it now.
    ///
    /// Only for executors where capacity was made: two drivers that find one full would wake each other
    /// for ever.
    pub(crate) fn share_capacity<'a>(
        &self,
        own: &StorePort,
        executors: impl Iterator<Item = &'a str>,
    ) {
        if self.0.stores.len() < 2 {
            return;
        }
        let missed = executors
            .filter_map(|name| self.executor(name))
            .fold(false, |any, executor| any | executor.take_missed());
        if missed {
            let ports = self.0.stores.values();
            ports
                .filter(|port| port.name() != own.name())
                .for_each(|port| port.wake());
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
            .field("stores", &self.0.stores.names().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
