//! What a shutdown left.

use std::fmt;

use crate::driver::{Stopped, UnfinishedRun};

/// What a shutdown left, from [`Scheduler::shutdown`](crate::Scheduler::shutdown).
///
/// Its text (`Display`) is one line for the log. The lists hold every run; the text names the first
/// ten jobs of each.
///
/// ```
/// use scheduler_core::prelude::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), scheduler_core::Error> {
/// # let scheduler = Scheduler::builder().without_static_jobs().start().await?;
/// let report = scheduler.shutdown(Shutdown::wait()).await;
/// assert!(report.is_clean());
/// assert_eq!(report.to_string(), "nothing was running");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// Runs that came to their end while they were waited for.
    pub completed: usize,
    /// Runs that were stopped at the deadline, and recorded as cancelled.
    pub cancelled: Vec<UnfinishedRun>,
    /// Runs that go on: of sync tasks, whose threads cannot be stopped, and those that ordered the
    /// shutdown themselves. They end with the process.
    pub running: Vec<UnfinishedRun>,
    /// Runs that had failed and were waiting for their next attempt.
    pub waiting: Vec<UnfinishedRun>,
    /// Runs that had been claimed and not started; they are given back to the store.
    pub released: usize,
}

impl ShutdownReport {
    /// Whether every run had come to its end: none cancelled, still running or waiting to be
    /// retried.
    ///
    /// Runs that were given back unstarted do not count: they lost nothing.
    pub fn is_clean(&self) -> bool {
        self.cancelled.is_empty() && self.running.is_empty() && self.waiting.is_empty()
    }

    pub(super) fn add(&mut self, stopped: Stopped) {
        self.completed += stopped.completed;
        self.cancelled.extend(stopped.cancelled);
        self.running.extend(stopped.running);
        self.waiting.extend(stopped.waiting);
        self.released += stopped.released;
    }
}

impl fmt::Display for ShutdownReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        match self.completed {
            0 => {}
            1 => parts.push("1 run completed".to_owned()),
            count => parts.push(format!("{count} runs completed")),
        }
        for (what, runs) in [
            ("stopped at the deadline", &self.cancelled),
            ("still running", &self.running),
            ("waiting for another attempt", &self.waiting),
        ] {
            if !runs.is_empty() {
                let jobs: Vec<&str> = runs
                    .iter()
                    .take(10)
                    .map(|run| run.job_id.as_str())
                    .collect();
                let more = if runs.len() > 10 { ", …" } else { "" };
                parts.push(format!("{} {what} ({}{more})", runs.len(), jobs.join(", ")));
            }
        }
        if self.released > 0 {
            parts.push(format!("{} given back", self.released));
        }
        if parts.is_empty() {
            return f.write_str("nothing was running");
        }
        f.write_str(&parts.join(", "))
    }
}
