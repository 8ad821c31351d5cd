//! The scheduler: a handle to the running parts, built and started by [`Builder`].

mod add;
mod ask;
mod builder;
mod change;
mod edit;
mod find;
mod if_revision;
mod known;
mod of_run;
mod prepare;
mod preview;
mod run_now;
mod search;
mod shutdown;
mod start;
mod transfer;
mod upcoming;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use chrono::{DateTime, Utc};

use crate::engine::Engine;
use crate::event::{EventKind, EventStream};
use crate::health::{ExecutorHealth, Health};

pub use builder::Builder;
pub use if_revision::IfRevision;
pub use known::{ParameterInfo, TaskInfo};
pub use preview::TriggerPreview;
pub use run_now::RunNow;
pub use shutdown::Shutdown;
pub use transfer::{ExportedJobs, ImportConflict};
pub use upcoming::{UpcomingFire, UpcomingFires};

/// A handle to a running scheduler. Cheap to clone; every clone refers to the same scheduler.
///
/// Created by [`Scheduler::builder`]. It runs until it is [shut down](Scheduler::shutdown) or the tokio runtime ends;
/// dropping handles does not stop it. Every method takes `&self` and may be called from any task or thread, including
/// from within a job ([`JobContext::scheduler`](crate::JobContext::scheduler)).
///
/// | to | call |
/// | --- | --- |
/// | add and remove jobs | [`add_job`](Self::add_job), [`add_jobs`](Self::add_jobs), [`remove_job`](Self::remove_job), [`remove_orphans`](Self::remove_orphans) |
/// | change jobs | [`pause_job`](Self::pause_job), [`resume_job`](Self::resume_job), [`reschedule_job`](Self::reschedule_job), [`modify_job`](Self::modify_job) |
/// | see jobs and runs | [`get_job`](Self::get_job), [`find_job`](Self::find_job), [`get_jobs`](Self::get_jobs), [`list_jobs`](Self::list_jobs), [`upcoming`](Self::upcoming), [`list_upcoming`](Self::list_upcoming), [`list_runs`](Self::list_runs), [`get_run`](Self::get_run), [`list_skipped`](Self::list_skipped) |
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
pub struct Scheduler(pub(crate) Arc<Engine>);

impl Scheduler {
    /// Begins to configure a scheduler; see [`Builder`] for the defaults.
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
    /// Runs that have started continue, and [`run_job_now`](Self::run_job_now) still works. Fire times that come due
    /// meanwhile are handled afterwards, by the policies `misfire_grace_time` and `coalesce`. Other nodes of the
    /// store are not paused, and the pause does not survive a restart. To stop one job everywhere and permanently,
    /// use [`pause_job`](Self::pause_job). Pausing is idempotent.
    ///
    /// ```
    /// use chrono::TimeDelta;
    /// use scheduler_core::prelude::*;
    /// use scheduler_core::testing::VirtualClock;
    /// use scheduler_core::{RunFilter, SkippedFilter};
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
    /// assert!(scheduler.list_runs(&RunFilter::new()).await?.items.is_empty());
    ///
    /// scheduler.resume();
    /// clock.settle().await;
    /// // Ten fire times have come: `coalesce = "latest"` runs one and records nine.
    /// assert_eq!(scheduler.list_runs(&RunFilter::new()).await?.items.len(), 1);
    /// let skipped = scheduler.list_skipped(&SkippedFilter::new().job("inbox")).await?;
    /// assert_eq!(skipped.items[0].count, 9);
    /// # Ok(())
    /// # }
    /// ```
    pub fn pause(&self) {
        if !self.0.paused.swap(true, Ordering::AcqRel) {
            tracing::info!("the scheduler is paused");
            self.0.publish(|| EventKind::SchedulerPaused);
        }
    }

    /// Resumes claiming after [`pause`](Self::pause), which has an example. Otherwise does nothing.
    pub fn resume(&self) {
        if self.0.paused.swap(false, Ordering::AcqRel) {
            tracing::info!("the scheduler is resumed");
            self.0.publish(|| EventKind::SchedulerResumed);
            self.0.wake_all();
        }
    }

    /// Subscribes to the events from now on. The stream ends when the scheduler has stopped, after the last outcome
    /// that the shutdown waited for. A stream that must not delay a web server, or a run, ends earlier with
    /// [`until_shutdown`](crate::EventStream::until_shutdown).
    ///
    /// Each call creates a separate stream. A stream that falls behind by more than
    /// [`event_capacity`](Builder::event_capacity) events reports how many it missed
    /// ([`NextEvent::Lagged`](crate::NextEvent::Lagged)) and continues.
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

    /// Returns the health of the scheduler. Does not touch the stores and never blocks, so a health endpoint can call
    /// it.
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
        let (warnings, skipped) = inner.health.snapshot();
        Health {
            phase: self.0.phase(),
            stores: inner.stores.values().map(|port| port.health()).collect(),
            executors: inner
                .executors
                .iter()
                .map(|(name, executor)| ExecutorHealth {
                    name: name.clone(),
                    limit: executor.capacity(),
                    in_use: executor.in_use(),
                })
                .collect(),
            live_runs: inner.stores.values().map(|port| port.live()).sum(),
            skipped,
            warnings,
        }
    }

    /// Returns the current time by which everything is decided and recorded: by the clock of a store shared between
    /// processes if there is one (the first by name of several), and otherwise by the scheduler's own clock.
    ///
    /// Does not access the stores: heartbeats provide their time, and calls of this handle query it if a minute has
    /// passed without a heartbeat.
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
        self.0.store_now()
    }
}

impl fmt::Debug for Scheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scheduler")
            .field("phase", &self.0.phase())
            .field("stores", &self.0.stores.names().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
