//! Stopping the scheduler.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::Scheduler;
use crate::clock::monotonic_now;
use crate::engine::order::Order;
use crate::engine::shutdown_report::{ShutdownReport, Stopped};
use crate::event::Stage;
use crate::executor::current_run;

/// How long a shutdown waits for running jobs.
///
/// ```
/// use std::time::Duration;
///
/// use scheduler_core::Shutdown;
///
/// let patient = Shutdown::wait_up_to(Duration::from_secs(30));
/// assert_ne!(patient, Shutdown::wait());
/// assert_eq!(Shutdown::abort(), Shutdown::wait_up_to(Duration::ZERO));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shutdown {
    limit: Option<Duration>,
}

impl Shutdown {
    /// Waits without a limit.
    pub fn wait() -> Self {
        Self { limit: None }
    }

    /// Waits up to this long. Then running jobs are cancelled, and dropped after another 500 ms.
    pub fn wait_up_to(limit: Duration) -> Self {
        Self { limit: Some(limit) }
    }

    /// Does not wait: running jobs are cancelled at once and dropped after 500 ms.
    pub fn abort() -> Self {
        Self {
            limit: Some(Duration::ZERO),
        }
    }
}

/// Waits for the drivers to end, regardless of who ordered it, and keeps their reports.
pub(super) async fn join(
    scheduler: Scheduler,
    drivers: Vec<JoinHandle<Stopped>>,
    report: watch::Sender<Option<ShutdownReport>>,
) {
    let mut sum = ShutdownReport::default();
    for driver in drivers {
        match driver.await {
            Ok(stopped) => sum.add(stopped),
            Err(error) => tracing::error!(%error, "a driver did not come to its end"),
        }
    }
    report.send_replace(Some(sum));
    if !scheduler.0.is_client {
        scheduler.0.events.enter(Stage::Stopped);
    }
}

impl Scheduler {
    /// Begins to stop: nothing more is claimed, and event streams that last only
    /// [`until_shutdown`](crate::EventStream::until_shutdown), such as those of the HTTP API, end. Idempotent.
    ///
    /// Call it inside the web server's own shutdown signal, so that open event streams cannot delay the server, and
    /// then call [`shutdown`](Self::shutdown). Runs that end between the two are in the report.
    ///
    /// ```
    /// use scheduler_core::Phase;
    /// use scheduler_core::prelude::*;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), scheduler_core::Error> {
    /// # let scheduler = Scheduler::builder().without_static_jobs().start().await?;
    /// let mut events = scheduler.events().until_shutdown();
    /// scheduler.begin_shutdown();
    /// assert!(events.next().await.is_none());
    /// assert_eq!(scheduler.health().phase, Phase::Stopping);
    /// # Ok(())
    /// # }
    /// ```
    pub fn begin_shutdown(&self) {
        if !self.0.stopping.swap(true, Ordering::AcqRel) {
            tracing::info!("the scheduler stops");
            // A client has no runs that could end later.
            let stage = if self.0.is_client {
                Stage::Stopped
            } else {
                Stage::Stopping
            };
            self.0.events.enter(stage);
        }
    }

    /// Stops: claims nothing more, waits for running jobs, and reports what it left.
    ///
    /// A second call, from anywhere, waits for the same end and returns the same report; the earliest deadline
    /// applies. A job may stop its own scheduler: it is not waited for, and is reported as running.
    ///
    /// # Cancel safety
    /// If the future is dropped, the scheduler still stops.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use scheduler_core::prelude::*;
    /// use scheduler_core::testing::VirtualClock;
    ///
    /// #[task]
    /// async fn reindex_everything() {
    ///     tokio::time::sleep(Duration::from_secs(3_600)).await;
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let clock = VirtualClock::at("2026-01-01T00:00:00Z")?;
    /// # let builder = Scheduler::builder().clock(clock.clone()).without_static_jobs();
    /// # let scheduler = builder.start().await?;
    /// scheduler.add_job(reindex_everything::job().id("reindex").trigger(Trigger::now())).await?;
    /// # clock.settle().await;
    /// let report = scheduler.shutdown(Shutdown::wait_up_to(Duration::from_secs(30))).await;
    /// assert_eq!(report.cancelled[0].job_id, "reindex");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn shutdown(&self, how: Shutdown) -> ShutdownReport {
        self.begin_shutdown();
        // A deadline beyond the range of the clock counts as none.
        let deadline = how
            .limit
            .and_then(|limit| monotonic_now().checked_add(limit));
        for port in self.0.stores.values() {
            let callers = current_run().into_iter().collect();
            port.order(Order { deadline, callers });
        }
        let mut report = self.0.report.clone();
        // Fails only if the runtime has dropped the drivers. Then nothing is running.
        let report = match report.wait_for(Option::is_some).await {
            Ok(report) => report.clone().unwrap_or_default(),
            Err(_) => ShutdownReport::default(),
        };
        tracing::info!(%report, "the scheduler has stopped");
        report
    }

    /// Runs until `signal` is ready, then [shuts down](Self::shutdown).
    ///
    /// For programs that do nothing else; a service passes `tokio::signal::ctrl_c()` as the signal.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use scheduler_core::prelude::*;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), scheduler_core::Error> {
    /// # let scheduler = Scheduler::builder().without_static_jobs().start().await?;
    /// let signal = tokio::time::sleep(Duration::from_millis(50));
    /// let how = Shutdown::wait_up_to(Duration::from_secs(30));
    /// let report = scheduler.run_until(signal, how).await;
    /// assert!(report.is_clean());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn run_until<F: IntoFuture>(&self, signal: F, how: Shutdown) -> ShutdownReport {
        signal.await;
        self.shutdown(how).await
    }
}
