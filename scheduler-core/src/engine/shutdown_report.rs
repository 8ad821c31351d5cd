//! The report of a shutdown.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::id::{JobId, RunId};
use crate::plan::Verdict;
use crate::run::RunState;
use crate::store::ClaimedRun;

/// The maximum number of jobs of each kind that the text names.
const NAMED: usize = 10;

/// The report of a shutdown, from [`Scheduler::shutdown`](crate::Scheduler::shutdown).
///
/// Its text (`Display`) is one line for the log. The lists contain every run; the text names the first ten jobs of
/// each.
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
    /// Runs that succeeded since the scheduler [began](crate::Scheduler::begin_shutdown) to stop.
    pub completed: usize,
    /// Runs that failed or timed out meanwhile and are not tried again. The thread of a sync task that timed out may
    /// still be running.
    pub failed: Vec<EndedRun>,
    /// Runs that were cancelled, at the deadline or by a request.
    pub cancelled: Vec<UnfinishedRun>,
    /// Runs that continue and are in none of the other lists: runs of sync tasks, whose threads cannot be stopped,
    /// and runs that ordered the shutdown themselves. They end with the process.
    pub running: Vec<UnfinishedRun>,
    /// Runs that had failed and were waiting for their next attempt. They are released to the store.
    pub waiting: Vec<UnfinishedRun>,
    /// Runs whose end the store has not recorded, because it failed or the lease of this node ran out. Other nodes
    /// consider them running until the lease expires, and then they are tried again. The same applies to runs that
    /// could not be released, before their first attempt or between two.
    pub unwritten: Vec<EndedRun>,
    /// Runs that had been claimed and not started. They are released to the store.
    pub released: usize,
}

impl ShutdownReport {
    /// Returns `true` if nothing needs attention: every run ended, succeeded and is recorded as such. None failed,
    /// was cancelled, still runs, waits for another attempt or could not be recorded.
    ///
    /// Runs that were released unstarted do not count, because nothing was lost.
    pub fn is_clean(&self) -> bool {
        self.failed.is_empty()
            && self.cancelled.is_empty()
            && self.running.is_empty()
            && self.waiting.is_empty()
            && self.unwritten.is_empty()
    }

    pub(crate) fn add(&mut self, stopped: Stopped) {
        self.completed += stopped.completed;
        self.failed.extend(stopped.failed);
        self.unwritten.extend(stopped.unwritten);
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
        let unfinished = |runs: &[UnfinishedRun]| -> Vec<JobId> {
            runs.iter().map(|run| run.job_id.clone()).collect()
        };
        let ended = |runs: &[EndedRun]| -> Vec<JobId> {
            runs.iter().map(|run| run.job_id.clone()).collect()
        };
        for (what, jobs) in [
            ("failed", ended(&self.failed)),
            ("cancelled", unfinished(&self.cancelled)),
            ("still running", unfinished(&self.running)),
            ("waiting for another attempt", unfinished(&self.waiting)),
            ("whose end is not recorded", ended(&self.unwritten)),
        ] {
            if !jobs.is_empty() {
                let more = if jobs.len() > NAMED { ", …" } else { "" };
                let named: Vec<&str> = jobs.iter().take(NAMED).map(JobId::as_str).collect();
                parts.push(format!(
                    "{} {what} ({}{more})",
                    jobs.len(),
                    named.join(", ")
                ));
            }
        }
        if self.released > 0 {
            parts.push(format!("{} released", self.released));
        }
        if parts.is_empty() {
            return f.write_str("nothing was running");
        }
        f.write_str(&parts.join(", "))
    }
}

/// A run that had not ended when the scheduler stopped; part of a [`ShutdownReport`](crate::ShutdownReport).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnfinishedRun {
    /// Its job.
    pub job_id: JobId,
    /// The run.
    pub run_id: RunId,
    /// The current attempt.
    pub attempt: u32,
    /// The nominal fire time.
    pub scheduled_for: DateTime<Utc>,
}

impl UnfinishedRun {
    pub(crate) fn of(run: &ClaimedRun) -> Self {
        Self {
            job_id: run.job_id.clone(),
            run_id: run.run_id,
            attempt: run.attempt,
            scheduled_for: run.scheduled_for,
        }
    }
}

/// A run that ended while the scheduler was stopping; part of a [`ShutdownReport`](crate::ShutdownReport).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EndedRun {
    /// Its job.
    pub job_id: JobId,
    /// The run.
    pub run_id: RunId,
    /// The last attempt.
    pub attempt: u32,
    /// The nominal fire time.
    pub scheduled_for: DateTime<Utc>,
    /// How the attempt ended; [`RunState::Queued`] if this attempt was never started.
    pub state: RunState,
    /// The reason why it did not succeed.
    pub error: Option<Arc<str>>,
}

impl EndedRun {
    pub(crate) fn of(run: &ClaimedRun, state: RunState, error: Option<Arc<str>>) -> Self {
        Self {
            job_id: run.job_id.clone(),
            run_id: run.run_id,
            attempt: run.attempt,
            scheduled_for: run.scheduled_for,
            state,
            error,
        }
    }
}

/// The part of a shutdown report that one driver contributes.
#[derive(Debug, Default)]
pub(crate) struct Stopped {
    /// The number of runs that succeeded after the order, and are recorded.
    pub(crate) completed: usize,
    /// Runs that failed or timed out, and are recorded.
    pub(crate) failed: Vec<EndedRun>,
    /// Runs that were cancelled, and are recorded.
    pub(crate) cancelled: Vec<UnfinishedRun>,
    /// Runs that continue: on threads that cannot be stopped, and those that ordered the stop themselves.
    pub(crate) running: Vec<UnfinishedRun>,
    /// Runs that were waiting for their next attempt, released to the store.
    pub(crate) waiting: Vec<UnfinishedRun>,
    /// Runs that ended or were to be released, without the store having recorded it.
    pub(crate) unwritten: Vec<EndedRun>,
    /// The number of claimed runs that were never started, released to the store.
    pub(crate) released: usize,
}

impl Stopped {
    /// Counts an attempt whose end is recorded. Does nothing if the run is tried again.
    pub(crate) fn count(
        &mut self,
        run: &ClaimedRun,
        verdict: Verdict,
        error: impl FnOnce() -> Option<Arc<str>>,
    ) {
        match verdict {
            Verdict::Retry(_) => {}
            Verdict::Final(state @ (RunState::Failed | RunState::TimedOut)) => {
                self.failed.push(EndedRun::of(run, state, error()));
            }
            Verdict::Final(RunState::Cancelled) => self.cancelled.push(UnfinishedRun::of(run)),
            Verdict::Final(_) => self.completed += 1,
        }
    }

    /// Counts a run that the store has taken back.
    pub(crate) fn count_released(&mut self, run: &ClaimedRun) {
        if run.attempt == 1 {
            self.released += 1;
        } else {
            self.waiting.push(UnfinishedRun::of(run));
        }
    }

    /// Returns the runs that did not succeed, or whose end is not recorded.
    pub(crate) fn named(&self) -> impl Iterator<Item = RunId> {
        let ended = self.unwritten.iter().chain(&self.failed);
        let ended = ended.map(|run| run.run_id);
        ended.chain(self.cancelled.iter().map(|run| run.run_id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(job: &str, state: RunState) -> EndedRun {
        let context = crate::testing::context(job).unwrap();
        EndedRun {
            job_id: context.0.run.job_id.clone(),
            run_id: RunId::from_u128(1),
            attempt: 1,
            scheduled_for: DateTime::UNIX_EPOCH,
            state,
            error: None,
        }
    }

    #[test]
    fn text_distinguishes_failed_and_unrecorded_runs_from_completed_ones() {
        let report = ShutdownReport {
            completed: 2,
            failed: vec![ended("a", RunState::Failed)],
            unwritten: vec![
                ended("b", RunState::Succeeded),
                ended("c", RunState::Succeeded),
            ],
            ..ShutdownReport::default()
        };
        assert!(!report.is_clean());
        let text = report.to_string();
        let jobs = |runs: &[EndedRun]| {
            let ids: Vec<_> = runs.iter().map(|run| run.job_id.to_string()).collect();
            ids.join(", ")
        };
        let expected = format!(
            "2 runs completed, 1 failed ({}), 2 whose end is not recorded ({})",
            jobs(&report.failed),
            jobs(&report.unwritten)
        );
        assert_eq!(text, expected);
    }
}
