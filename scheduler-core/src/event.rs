//! A stream of events.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::{broadcast, watch};

use crate::health::Duty;
use crate::id::{JobId, RunId};
use crate::node::NodeId;
use crate::run::RunKind;
use crate::skipped::Skipped;

/// An event, from an [`EventStream`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Event {
    /// When it happened, in [store time](crate::Scheduler::store_now).
    pub at: DateTime<Utc>,
    /// What happened.
    pub kind: EventKind,
}

/// The run that an event concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunEvent {
    /// The job.
    pub job_id: JobId,
    /// The run.
    pub run_id: RunId,
    /// What caused it.
    pub kind: RunKind,
    /// The attempt, from 1.
    pub attempt: u32,
    /// The nominal fire time.
    pub scheduled_for: DateTime<Utc>,
}

/// What happened.
///
/// The events of one run come in the order `Queued`, `Started`, `Retrying`, `Started` …, followed by one of
/// `Succeeded`, `Failed`, `TimedOut`, `Cancelled`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum EventKind {
    /// A job was added.
    JobAdded(JobId),
    /// A job was changed: trigger, policies or arguments.
    JobChanged(JobId),
    /// A job was paused.
    JobPaused(JobId),
    /// A job was resumed.
    JobResumed(JobId),
    /// A job was removed.
    JobRemoved(JobId),
    /// A job's trigger has ended.
    JobFinished(JobId),
    /// A job's watermark was ahead of store time and was set to now, because a clock had been ahead.
    WatermarkReset(JobId),
    /// A run is queued for a slot.
    Queued {
        /// The job.
        job_id: JobId,
        /// The run.
        run_id: RunId,
    },
    /// An attempt has started.
    Started(RunEvent),
    /// A run has succeeded.
    Succeeded {
        /// The run.
        run: RunEvent,
        /// How long the attempt took.
        duration: Duration,
    },
    /// A run has failed, and is not tried again.
    Failed {
        /// The run.
        run: RunEvent,
        /// The error.
        error: Arc<str>,
    },
    /// An attempt has failed, and the run is tried again.
    Retrying {
        /// The run and the attempt that failed.
        run: RunEvent,
        /// The error.
        error: Arc<str>,
        /// How long the run waits.
        delay: Duration,
    },
    /// A run has exceeded its timeout and is not tried again.
    TimedOut {
        /// The run.
        run: RunEvent,
        /// The timeout.
        timeout: Duration,
        /// If `true`, this is a sync task whose thread is still running.
        body_runs: bool,
    },
    /// A run was cancelled and has stopped.
    Cancelled(RunEvent),
    /// An outcome arrived for a run that this scheduler no longer holds.
    LateOutcome {
        /// The job.
        job_id: JobId,
        /// The run.
        run_id: RunId,
    },
    /// A run was lost with its node and is queued for its next attempt.
    TakenOver {
        /// The job.
        job_id: JobId,
        /// The run.
        run_id: RunId,
    },
    /// A run was lost with its node and is not tried again.
    Lost {
        /// The job.
        job_id: JobId,
        /// The run.
        run_id: RunId,
    },
    /// The lease of this node ran out, and its runs were stopped.
    LeaseLost {
        /// The store.
        store: Arc<str>,
        /// The lost identity.
        node: NodeId,
    },
    /// A stored record cannot be read. It is left unchanged.
    Unreadable {
        /// The store.
        store: Arc<str>,
        /// The id of the job, as it is stored.
        record: Arc<str>,
        /// What is wrong.
        problem: Arc<str>,
    },
    /// Fire times were skipped.
    Skipped(Skipped),
    /// This scheduler stopped claiming until it is resumed.
    SchedulerPaused,
    /// This scheduler claims again.
    SchedulerResumed,
    /// The wall clock jumped against the monotonic one.
    ClockJumped(TimeDelta),
    /// A store failed; the scheduler tries again.
    StoreFailed {
        /// Its name.
        store: Arc<str>,
        /// The store's error.
        error: Arc<str>,
    },
    /// A store that failed works again.
    StoreRecovered {
        /// Its name.
        store: Arc<str>,
    },
    /// A secondary duty failed, which delays no job. It is retried within a minute.
    DutyFailed {
        /// The store.
        store: Arc<str>,
        /// The duty.
        duty: Duty,
        /// The store's error.
        error: Arc<str>,
    },
    /// A secondary duty that failed before has succeeded.
    DutyRecovered {
        /// The store.
        store: Arc<str>,
        /// The duty.
        duty: Duty,
    },
}

impl EventKind {
    /// Returns the job that the event concerns, or `None` for events of the scheduler or a store.
    ///
    /// ```
    /// use scheduler_core::{EventKind, JobId};
    ///
    /// let id = JobId::new("daily_report")?;
    /// assert_eq!(EventKind::JobPaused(id.clone()).job_id(), Some(&id));
    /// assert_eq!(EventKind::SchedulerPaused.job_id(), None);
    /// # Ok::<(), scheduler_core::Error>(())
    /// ```
    pub fn job_id(&self) -> Option<&JobId> {
        match self {
            Self::JobAdded(id)
            | Self::JobChanged(id)
            | Self::JobPaused(id)
            | Self::JobResumed(id)
            | Self::JobRemoved(id)
            | Self::JobFinished(id)
            | Self::WatermarkReset(id)
            | Self::Queued { job_id: id, .. }
            | Self::TakenOver { job_id: id, .. }
            | Self::Lost { job_id: id, .. }
            | Self::LateOutcome { job_id: id, .. } => Some(id),
            Self::Started(run)
            | Self::Cancelled(run)
            | Self::Succeeded { run, .. }
            | Self::Failed { run, .. }
            | Self::Retrying { run, .. }
            | Self::TimedOut { run, .. } => Some(&run.job_id),
            Self::Skipped(skipped) => Some(&skipped.job_id),
            Self::LeaseLost { .. }
            | Self::Unreadable { .. }
            | Self::SchedulerPaused
            | Self::SchedulerResumed
            | Self::ClockJumped(_)
            | Self::StoreFailed { .. }
            | Self::StoreRecovered { .. }
            | Self::DutyFailed { .. }
            | Self::DutyRecovered { .. } => None,
        }
    }
}

/// Publishes events, at no cost while there are no listeners.
pub(crate) struct EventBus {
    sender: broadcast::Sender<Event>,
    /// The number of streams, which is read for every event and so must not take a lock.
    listeners: Arc<AtomicUsize>,
    stage: watch::Sender<Stage>,
}

/// The progress of a shutdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    Running,
    /// The scheduler has begun to shut down.
    Stopping,
    /// No more outcomes will follow.
    Stopped,
}

impl EventBus {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            sender: broadcast::Sender::new(capacity.max(1)),
            listeners: Arc::default(),
            stage: watch::Sender::new(Stage::Running),
        }
    }

    /// Publishes an event, which is created only if there are listeners.
    pub(crate) fn publish(
        &self,
        now: impl FnOnce() -> DateTime<Utc>,
        kind: impl FnOnce() -> EventKind,
    ) {
        if self.has_listeners() {
            self.send(now, kind);
        }
    }

    /// Not inlined, so that code for events without listeners does not enlarge the callers.
    #[inline(never)]
    fn send(&self, now: impl FnOnce() -> DateTime<Utc>, kind: impl FnOnce() -> EventKind) {
        let event = Event {
            at: now(),
            kind: kind(),
        };
        // Sending fails only if the last listener has left meanwhile.
        let _ = self.sender.send(event);
    }

    pub(crate) fn has_listeners(&self) -> bool {
        self.listeners.load(Ordering::SeqCst) > 0
    }

    pub(crate) fn subscribe(&self) -> EventStream {
        let receiver = self.sender.subscribe();
        self.listeners.fetch_add(1, Ordering::SeqCst);
        EventStream {
            listeners: self.listeners.clone(),
            receiver,
            stage: self.stage.subscribe(),
            ends_at: Stage::Stopped,
        }
    }

    /// Ends the current and future streams that end at this stage.
    pub(crate) fn enter(&self, stage: Stage) {
        self.stage.send_if_modified(|present| {
            let is_later = stage > *present;
            *present = stage.max(*present);
            is_later
        });
    }
}

impl fmt::Debug for EventBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventBus")
            .field("listeners", &self.listeners)
            .finish_non_exhaustive()
    }
}

/// One item of an [`EventStream`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum NextEvent {
    /// The next event.
    Event(Event),
    /// The listener was too slow and has missed this many events. The stored records are complete.
    Lagged(u64),
}

/// A stream of events from now on, in order. It ends when the scheduler has stopped, after every outcome that a
/// shutdown waits for. Outcomes after that, because a thread could not be stopped or a run ordered the shutdown
/// itself, are not included.
///
/// Created by [`Scheduler::events`](crate::Scheduler::events). Events are a convenience, not a record: rely on
/// [`list_runs`](crate::Scheduler::list_runs) and [`list_skipped`](crate::Scheduler::list_skipped) instead. A stream
/// that is not read delays nothing.
pub struct EventStream {
    receiver: broadcast::Receiver<Event>,
    stage: watch::Receiver<Stage>,
    ends_at: Stage,
    listeners: Arc<AtomicUsize>,
}

impl Drop for EventStream {
    fn drop(&mut self) {
        self.listeners.fetch_sub(1, Ordering::SeqCst);
    }
}

impl EventStream {
    /// Ends the stream earlier: when the scheduler [begins](crate::Scheduler::begin_shutdown) to shut down.
    ///
    /// For streams that something else waits for: an open response of a web server that shuts down gracefully, or a
    /// run that follows events. Failures during the shutdown are not included.
    ///
    /// ```
    /// use scheduler_core::prelude::*;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), scheduler_core::Error> {
    /// # let scheduler = Scheduler::builder().without_static_jobs().start().await?;
    /// let mut for_a_browser = scheduler.events().until_shutdown();
    /// let mut for_alerts = scheduler.events();
    /// scheduler.begin_shutdown();
    /// assert!(for_a_browser.next().await.is_none());
    /// scheduler.shutdown(Shutdown::wait()).await;
    /// assert!(for_alerts.next().await.is_none());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use = "it returns the stream that ends earlier"]
    pub fn until_shutdown(mut self) -> Self {
        self.ends_at = Stage::Stopping;
        self
    }

    /// Waits for the next event. Returns `None` at the end of the stream.
    ///
    /// # Cancel safety
    /// Can be dropped and called again without losing an event.
    ///
    /// ```
    /// use scheduler_core::prelude::*;
    /// use scheduler_core::{EventKind, NextEvent};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), scheduler_core::Error> {
    /// # let scheduler = Scheduler::builder().without_static_jobs().start().await?;
    /// let mut events = scheduler.events();
    /// scheduler.pause();
    /// let Some(NextEvent::Event(event)) = events.next().await else {
    ///     panic!("the stream has ended");
    /// };
    /// assert!(matches!(event.kind, EventKind::SchedulerPaused));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn next(&mut self) -> Option<NextEvent> {
        let ends_at = self.ends_at;
        loop {
            match self.receiver.try_recv() {
                Ok(event) => return Some(NextEvent::Event(event)),
                Err(broadcast::error::TryRecvError::Lagged(count)) => {
                    return Some(NextEvent::Lagged(count));
                }
                Err(broadcast::error::TryRecvError::Closed) => return None,
                Err(broadcast::error::TryRecvError::Empty) if *self.stage.borrow() >= ends_at => {
                    return None;
                }
                Err(broadcast::error::TryRecvError::Empty) => {}
            }
            tokio::select! {
                received = self.receiver.recv() => return match received {
                    Ok(event) => Some(NextEvent::Event(event)),
                    Err(broadcast::error::RecvError::Lagged(count)) => Some(NextEvent::Lagged(count)),
                    Err(broadcast::error::RecvError::Closed) => None,
                },
                // Loops once more, to return the events that came before the end.
                _ = self.stage.wait_for(|stage| *stage >= ends_at) => {}
            }
        }
    }

    /// Returns an event if one is available, or `None` if there is none or the stream has ended.
    ///
    /// ```
    /// use scheduler_core::prelude::*;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), scheduler_core::Error> {
    /// # let scheduler = Scheduler::builder().without_static_jobs().start().await?;
    /// let mut events = scheduler.events();
    /// assert!(events.try_next().is_none());
    /// scheduler.pause();
    /// assert!(events.try_next().is_some());
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_next(&mut self) -> Option<NextEvent> {
        match self.receiver.try_recv() {
            Ok(event) => Some(NextEvent::Event(event)),
            Err(broadcast::error::TryRecvError::Lagged(count)) => Some(NextEvent::Lagged(count)),
            Err(_) => None,
        }
    }
}

impl fmt::Debug for EventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStream").finish_non_exhaustive()
    }
}
