//! Stopping.

use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;

use super::{Scheduler, ShutdownReport};
use crate::clock::monotonic_now;
use crate::driver::{Order, Stopped};

/// How long a shutdown waits for what runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shutdown {
    limit: Option<Duration>,
}

impl Shutdown {
    /// As long as it takes.
    pub fn wait() -> Self {
        Self { limit: None }
    }

    /// Up to this long; then what runs is asked to stop, and half a second later dropped.
    pub fn wait_up_to(limit: Duration) -> Self {
        Self { limit: Some(limit) }
    }

    /// Not at all: what runs is asked to stop at once, and half a second later dropped.
    pub fn abort() -> Self {
        Self {
            limit: Some(Duration::ZERO),
        }
    }
}

/// The drivers' tasks.
#[derive(Debug, Default)]
pub(super) struct Drivers {
    tasks: Mutex<Vec<JoinHandle<Stopped>>>,
}

impl Drivers {
    pub(super) fn add(&self, task: JoinHandle<Stopped>) {
        self.tasks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(task);
    }

    fn take(&self) -> Vec<JoinHandle<Stopped>> {
        std::mem::take(&mut self.tasks.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Scheduler {
    /// Begins to stop: nothing more is claimed, and all event streams end. Idempotent.
    ///
    /// Call it inside the web server's own shutdown signal, so that open event streams cannot hold
    /// the server up; then [`shutdown`](Self::shutdown).
    pub fn begin_shutdown(&self) {
        if !self.0.stopping.swap(true, Ordering::AcqRel) {
            tracing::info!("the scheduler stops");
            self.0.events.close();
        }
    }

    /// Stops: claims nothing more, waits for what runs, and says what it left.
    ///
    /// A second call, from anywhere, waits for the same end and returns an empty report; an earlier
    /// deadline of it counts. A job that calls this waits for itself: use
    /// [`begin_shutdown`](Self::begin_shutdown) there, or a deadline.
    pub async fn shutdown(&self, how: Shutdown) -> ShutdownReport {
        self.begin_shutdown();
        let deadline = how.limit.map(|limit| monotonic_now() + limit);
        for port in self.0.stores.values() {
            port.order(Order { deadline });
        }
        let mut report = ShutdownReport::default();
        let drivers = self.0.drivers.take();
        if drivers.is_empty() {
            let mut stopped = self.0.stopped.subscribe();
            // Only fails when the scheduler is gone, and `self` holds it.
            let _ = stopped.wait_for(|stopped| *stopped).await;
            return report;
        }
        for driver in drivers {
            match driver.await {
                Ok(stopped) => report.add(stopped),
                Err(error) => tracing::error!(%error, "a driver did not come to its end"),
            }
        }
        self.0.stopped.send_replace(true);
        tracing::info!(%report, "the scheduler has stopped");
        report
    }

    /// Runs until `signal` is ready, then [shuts down](Self::shutdown).
    ///
    /// ```no_run
    /// # use scheduler_core::prelude::*;
    /// # use std::time::Duration;
    /// # async fn example(scheduler: Scheduler) {
    /// let report = scheduler
    ///     .run_until(tokio::signal::ctrl_c(), Shutdown::wait_up_to(Duration::from_secs(30)))
    ///     .await;
    /// println!("{report}");
    /// # }
    /// ```
    pub async fn run_until<F: IntoFuture>(&self, signal: F, how: Shutdown) -> ShutdownReport {
        signal.await;
        self.shutdown(how).await
    }
}
