//! Runs: one job carried out for one fire time.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use scheduler_triggers::format_duration;
use serde::{Deserialize, Serialize};

use crate::id::{JobId, RunId};

/// What caused a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunKind {
    /// A fire time of the job's trigger.
    Scheduled,
    /// [`run_job_now`](crate::Scheduler::run_job_now).
    Manual,
    /// `run_on_start`.
    Startup,
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunState {
    /// Waits for a free place (`overlap = "queue"` or `"cancel_running"`).
    Queued,
    /// Claimed and carried out, or waiting for its next attempt.
    Running,
    /// Ended well.
    Succeeded,
    /// The last attempt returned an error or panicked.
    Failed,
    /// The last attempt took longer than its `timeout`.
    TimedOut,
    /// Asked to stop, and stopped.
    Cancelled,
    /// Its node is gone, and it may not be tried again.
    Lost,
}

impl RunState {
    /// Whether the run has ended.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}

/// How one attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AttemptOutcome {
    Succeeded(Option<Box<str>>),
    Failed(Box<str>),
    Panicked(Box<str>),
    TimedOut(Duration),
    Cancelled,
}

impl AttemptOutcome {
    /// The state of a run that ends so.
    pub(crate) fn state(&self) -> RunState {
        match self {
            Self::Succeeded(_) => RunState::Succeeded,
            Self::Failed(_) | Self::Panicked(_) => RunState::Failed,
            Self::TimedOut(_) => RunState::TimedOut,
            Self::Cancelled => RunState::Cancelled,
        }
    }

    /// The text and the value to record.
    pub(crate) fn into_record(self) -> (Option<Box<str>>, Option<Box<str>>) {
        match self {
            Self::Succeeded(value) => (None, value),
            Self::Failed(error) => (Some(error), None),
            Self::Panicked(message) => (Some(format!("panicked: {message}").into()), None),
            Self::TimedOut(limit) => (
                Some(format!("took longer than its timeout of {}", format_duration(limit)).into()),
                None,
            ),
            Self::Cancelled => (Some("asked to stop".into()), None),
        }
    }
}

/// A failed attempt before the last one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Attempt {
    /// Its number, from 1.
    pub attempt: u32,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: DateTime<Utc>,
    /// How it ended: `Failed` or `TimedOut`.
    pub state: RunState,
    /// Why.
    pub error: Option<Box<str>>,
}

/// The record of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Run {
    /// The run's id.
    pub id: RunId,
    /// Its job.
    pub job_id: JobId,
    /// The job's task.
    pub task: Arc<str>,
    /// What caused it.
    pub kind: RunKind,
    /// The nominal fire time.
    pub scheduled_for: DateTime<Utc>,
    /// Where it stands.
    pub state: RunState,
    /// How many times it was started.
    pub attempt: u32,
    /// When the present attempt started.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// How long after its fire time the first attempt started.
    pub lateness: Option<Duration>,
    /// Why the last attempt did not succeed.
    pub error: Option<Box<str>>,
    /// What the task returned, as JSON.
    pub value: Option<Box<str>>,
    /// Earlier attempts, at most the last 10.
    pub earlier_attempts: Vec<Attempt>,
}

impl Run {
    /// How long the last attempt took.
    pub fn duration(&self) -> Option<Duration> {
        (self.finished_at? - self.started_at?).to_std().ok()
    }
}

/// Which runs to list; everything, newest first, unless narrowed.
///
/// ```
/// use scheduler_core::{RunFilter, RunState};
///
/// let failed = RunFilter::new().job("daily_report").state(RunState::Failed).limit(10);
/// # let _ = failed;
/// ```
#[derive(Debug, Clone, Default)]
pub struct RunFilter {
    pub(crate) job: Option<String>,
    pub(crate) states: Vec<RunState>,
    pub(crate) since: Option<DateTime<Utc>>,
    pub(crate) until: Option<DateTime<Utc>>,
    pub(crate) before: Option<RunId>,
    pub(crate) limit: Option<usize>,
}

impl RunFilter {
    /// Every run.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only of this job.
    #[must_use]
    pub fn job(mut self, id: impl Into<String>) -> Self {
        self.job = Some(id.into());
        self
    }

    /// Only in this state; more calls allow more states.
    #[must_use]
    pub fn state(mut self, state: RunState) -> Self {
        self.states.push(state);
        self
    }

    /// Only with a fire time at or after this.
    #[must_use]
    pub fn since(mut self, instant: DateTime<Utc>) -> Self {
        self.since = Some(instant);
        self
    }

    /// Only with a fire time before this.
    #[must_use]
    pub fn until(mut self, instant: DateTime<Utc>) -> Self {
        self.until = Some(instant);
        self
    }

    /// Only runs older than this one: the next page after it.
    #[must_use]
    pub fn before(mut self, run: RunId) -> Self {
        self.before = Some(run);
        self
    }

    /// At most so many (100 unless given).
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = Some(limit);
        self
    }

    /// How many to list.
    pub(crate) fn page_size(&self) -> usize {
        self.limit.unwrap_or(100)
    }

    /// Whether a run belongs to the list.
    pub fn matches(&self, run: &Run) -> bool {
        self.job
            .as_ref()
            .is_none_or(|job| run.job_id == job.as_str())
            && (self.states.is_empty() || self.states.contains(&run.state))
            && self.since.is_none_or(|since| run.scheduled_for >= since)
            && self.until.is_none_or(|until| run.scheduled_for < until)
            && self.before.is_none_or(|before| run.id < before)
    }
}
