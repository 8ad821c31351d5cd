//! Runs: the executions of a job, each for one fire time.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use scheduler_triggers::format_duration;
use serde::{Deserialize, Serialize};

use crate::id::{JobId, RunId};
use crate::task::failure::TaskFailure;

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

impl RunKind {
    /// Returns the number that stores save for it. The meaning of a number never changes.
    ///
    /// ```
    /// use scheduler_core::RunKind;
    ///
    /// assert_eq!(RunKind::from_code(RunKind::Manual.code()), Some(RunKind::Manual));
    /// assert_eq!(RunKind::from_code(99), None); // of a newer version
    /// ```
    pub fn code(self) -> i16 {
        match self {
            Self::Scheduled => 0,
            Self::Manual => 1,
            Self::Startup => 2,
        }
    }

    /// Returns the kind that a store saved as this number, or `None` if it is unknown to this version.
    pub fn from_code(code: i16) -> Option<Self> {
        [Self::Scheduled, Self::Manual, Self::Startup]
            .into_iter()
            .find(|kind| kind.code() == code)
    }
}

/// The state of a run. Serialized in snake case: `"timed_out"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunState {
    /// Queued for a slot (`overlap = "queue"` or `"cancel_running"`).
    Queued,
    /// Claimed and being carried out, or waiting for its next attempt.
    Running,
    /// Succeeded.
    Succeeded,
    /// The last attempt returned an error or panicked.
    Failed,
    /// The last attempt took longer than its `timeout`.
    TimedOut,
    /// Cancelled, and has stopped.
    Cancelled,
    /// Its node is gone, and it may not be tried again.
    Lost,
}

impl RunState {
    /// Returns the name used in JSON and metrics.
    ///
    /// ```
    /// assert_eq!(scheduler_core::RunState::TimedOut.as_str(), "timed_out");
    /// ```
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
            Self::Cancelled => "cancelled",
            Self::Lost => "lost",
        }
    }

    /// Returns the number that stores save for it. The meaning of a number never changes.
    ///
    /// ```
    /// use scheduler_core::RunState;
    ///
    /// assert_eq!(RunState::from_code(RunState::Lost.code()), Some(RunState::Lost));
    /// assert_eq!(RunState::from_code(99), None); // of a newer version
    /// ```
    pub fn code(self) -> i16 {
        match self {
            Self::Queued => 0,
            Self::Running => 1,
            Self::Succeeded => 2,
            Self::Failed => 3,
            Self::TimedOut => 4,
            Self::Cancelled => 5,
            Self::Lost => 6,
        }
    }

    /// Returns the state that a store saved as this number, or `None` if it is unknown to this version.
    pub fn from_code(code: i16) -> Option<Self> {
        [
            Self::Queued,
            Self::Running,
            Self::Succeeded,
            Self::Failed,
            Self::TimedOut,
            Self::Cancelled,
            Self::Lost,
        ]
        .into_iter()
        .find(|state| state.code() == code)
    }

    /// Returns `true` if the run has ended.
    ///
    /// ```
    /// use scheduler_core::RunState;
    ///
    /// assert!(RunState::TimedOut.is_final());
    /// assert!(!RunState::Queued.is_final() && !RunState::Running.is_final());
    /// ```
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}

/// The error of a run that ends as cancelled because that was requested.
pub const CANCELLED: &str = "asked to stop";

/// How one attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AttemptOutcome {
    Succeeded(Option<Box<str>>),
    Failed(Box<str>),
    Panicked(Box<str>),
    TimedOut(Duration),
    /// Cancelled, with the value if the body still returned one.
    Cancelled(Option<Box<str>>),
    /// Cancelled, with an error that the body returned after it had noticed.
    GaveUp(Box<str>),
}

impl AttemptOutcome {
    /// Returns the state of a run that ends with this outcome.
    pub(crate) fn state(&self) -> RunState {
        match self {
            Self::Succeeded(_) => RunState::Succeeded,
            Self::Failed(_) | Self::Panicked(_) => RunState::Failed,
            Self::TimedOut(_) => RunState::TimedOut,
            Self::Cancelled(_) | Self::GaveUp(_) => RunState::Cancelled,
        }
    }

    /// Returns the reason why it did not succeed.
    pub(crate) fn error(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Succeeded(_) => None,
            Self::Failed(error) => Some(Cow::Borrowed(error)),
            Self::Panicked(message) => {
                let text = TaskFailure::new(format!("panicked: {message}")).into_text();
                Some(Cow::Owned(text.into_string()))
            }
            Self::TimedOut(limit) => {
                let limit = format_duration(*limit);
                Some(format!("took longer than its timeout of {limit}").into())
            }
            Self::Cancelled(_) => Some(Cow::Borrowed(CANCELLED)),
            Self::GaveUp(error) => {
                let text = TaskFailure::new(format!("{CANCELLED}: {error}")).into_text();
                Some(Cow::Owned(text.into_string()))
            }
        }
    }

    /// Returns the value of the body, as JSON.
    pub(crate) fn value(&self) -> Option<&str> {
        match self {
            Self::Succeeded(value) | Self::Cancelled(value) => value.as_deref(),
            Self::Failed(_) | Self::Panicked(_) | Self::TimedOut(_) | Self::GaveUp(_) => None,
        }
    }
}

/// An attempt before the last one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Attempt {
    /// The number of the attempt, counted from 1.
    pub attempt: u32,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: DateTime<Utc>,
    /// How it ended: `Failed`, `TimedOut`, or `Lost` with its node.
    pub state: RunState,
    /// The error.
    pub error: Option<Box<str>>,
}

impl Attempt {
    /// The maximum number of earlier attempts kept per run: the last 10.
    pub const KEPT: usize = 10;

    /// Creates the record of an attempt that did not succeed, for stores.
    pub fn new(
        attempt: u32,
        (started_at, finished_at): (DateTime<Utc>, DateTime<Utc>),
        state: RunState,
        error: Option<Box<str>>,
    ) -> Self {
        Self {
            attempt,
            started_at,
            finished_at,
            state,
            error,
        }
    }
}

/// The record of a run: one execution of a job, for one fire time.
///
/// ```
/// use std::time::Duration;
///
/// use chrono::TimeDelta;
/// use scheduler_core::prelude::*;
/// use scheduler_core::testing::VirtualClock;
/// use scheduler_core::{RunFilter, RunKind, RunState};
///
/// #[task]
/// async fn flaky() -> Result<(), String> {
///     tokio::time::sleep(Duration::from_secs(2)).await;
///     Err("no route to host".into())
/// }
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let clock = VirtualClock::at("2026-01-01T00:00:00Z")?;
/// # let builder = Scheduler::builder().clock(clock.clone()).without_static_jobs();
/// # let scheduler = builder.start().await?;
/// scheduler.add_job(flaky::job().id("flaky").date("2026-01-01T00:01:00Z").retries(1)).await?;
/// clock.advance(TimeDelta::minutes(2)).await;
///
/// let run = &scheduler.list_runs(&RunFilter::new()).await?.items[0];
/// assert_eq!((run.kind, run.state, run.attempt), (RunKind::Scheduled, RunState::Failed, 2));
/// assert_eq!(run.error.as_deref(), Some("no route to host"));
/// assert_eq!(run.duration(), Some(Duration::from_secs(2)));
/// assert_eq!(run.earlier_attempts.len(), 1);
/// # Ok(())
/// # }
/// ```
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
    /// The nominal fire time, or for other kinds, when the run was requested.
    pub scheduled_for: DateTime<Utc>,
    /// The state.
    pub state: RunState,
    /// The name of the node that holds the run or carried it out last, if a store has several.
    pub node: Option<Arc<str>>,
    /// How many times it was started.
    pub attempt: u32,
    /// When the current attempt started.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// How much later than its due time, jitter included, the first attempt started.
    pub lateness: Option<Duration>,
    /// The reason why the last attempt did not succeed.
    pub error: Option<Box<str>>,
    /// The value that the task returned, as JSON.
    pub value: Option<Box<str>>,
    /// Earlier attempts, at most the last 10.
    pub earlier_attempts: Vec<Attempt>,
}

impl Run {
    /// Creates the record of a queued run that was not started yet, for stores. The fields are public, and the store
    /// fills in the rest.
    pub fn queued(
        id: RunId,
        job_id: JobId,
        task: Arc<str>,
        kind: RunKind,
        scheduled_for: DateTime<Utc>,
    ) -> Self {
        Self {
            id,
            job_id,
            task,
            kind,
            scheduled_for,
            state: RunState::Queued,
            node: None,
            attempt: 0,
            started_at: None,
            finished_at: None,
            lateness: None,
            error: None,
            value: None,
            earlier_attempts: Vec::new(),
        }
    }

    /// Returns how long the last attempt took, or `None` if it has not ended.
    pub fn duration(&self) -> Option<Duration> {
        (self.finished_at? - self.started_at?).to_std().ok()
    }
}

/// Selects the runs to list: by default all of them, newest first.
///
/// ```
/// use chrono::{DateTime, TimeDelta, Utc};
/// use scheduler_core::prelude::*;
/// use scheduler_core::testing::VirtualClock;
/// use scheduler_core::{RunFilter, RunState};
///
/// #[task]
/// async fn beat() {}
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let clock = VirtualClock::at("2026-01-01T00:00:00Z")?;
/// # let builder = Scheduler::builder().clock(clock.clone()).without_static_jobs();
/// # let scheduler = builder.start().await?;
/// scheduler.add_job(beat::job().id("beat").interval("1h")).await?;
/// clock.advance(TimeDelta::hours(5)).await;
///
/// let from: DateTime<Utc> = "2026-01-01T02:00:00Z".parse()?;
/// let filter = RunFilter::new()
///     .job("beat")
///     .state(RunState::Succeeded)
///     .since(from)
///     .until(from + TimeDelta::hours(3))
///     .limit(2);
/// let page = scheduler.list_runs(&filter).await?;
/// assert_eq!(page.items.len(), 2); // 04:00 and 03:00
/// let next = page.next.ok_or("there is one more")?;
/// let last = scheduler.list_runs(&filter.before(next)).await?;
/// assert_eq!((last.items[0].scheduled_for, last.next), (from, None));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct RunFilter {
    /// Only runs of this job.
    pub job: Option<String>,
    /// Only runs in one of these states; if empty, in any state.
    pub states: Vec<RunState>,
    /// Only runs with a fire time at or after this.
    pub since: Option<DateTime<Utc>>,
    /// Only runs with a fire time before this.
    pub until: Option<DateTime<Utc>>,
    /// Only runs older than this one.
    pub before: Option<RunId>,
    /// The maximum number of runs; see [`page_size`](Self::page_size).
    pub limit: Option<usize>,
}

impl RunFilter {
    /// Lists every run.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lists only runs of this job.
    #[must_use]
    pub fn job(mut self, id: impl Into<String>) -> Self {
        self.job = Some(id.into());
        self
    }

    /// Lists only runs in this state. Further calls allow further states.
    #[must_use]
    pub fn state(mut self, state: RunState) -> Self {
        self.states.push(state);
        self
    }

    /// Lists only runs with a fire time at or after this.
    #[must_use]
    pub fn since(mut self, instant: DateTime<Utc>) -> Self {
        self.since = Some(instant);
        self
    }

    /// Lists only runs with a fire time before this.
    #[must_use]
    pub fn until(mut self, instant: DateTime<Utc>) -> Self {
        self.until = Some(instant);
        self
    }

    /// Lists only runs older than this one, as the next page does.
    #[must_use]
    pub fn before(mut self, run: RunId) -> Self {
        self.before = Some(run);
        self
    }

    /// Sets the maximum number of runs per page: 100 by default, at least one; `usize::MAX` puts all runs into one
    /// page.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Returns the page length: 100 by default.
    pub fn page_size(&self) -> usize {
        self.limit.unwrap_or(100)
    }

    /// Returns `true` if the list contains a run, disregarding the limit.
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
