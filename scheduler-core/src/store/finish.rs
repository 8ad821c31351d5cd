//! The ends of attempts.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::id::RunId;
use crate::plan::{Ending, Verdict};
use crate::run::RunState;

/// How an attempt ended, as reported to the store.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Finished {
    /// The run.
    pub run_id: RunId,
    /// The attempt.
    pub attempt: u32,
    /// What ended.
    pub end: End,
}

impl Finished {
    /// Creates a report of the end of an attempt, or of its body.
    pub fn new(run_id: RunId, attempt: u32, end: End) -> Self {
        Self {
            run_id,
            attempt,
            end,
        }
    }
}

/// What ended.
#[derive(Debug, Clone)]
pub enum End {
    /// The attempt.
    Attempt(AttemptEnd),
    /// The body of an attempt that was recorded before.
    Body,
}

/// The end of an attempt.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct AttemptEnd {
    /// What follows.
    pub verdict: Verdict,
    /// How it ended.
    pub state: RunState,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: DateTime<Utc>,
    /// How much later than its due time the attempt started.
    pub lateness: Duration,
    /// The reason why it did not succeed.
    pub error: Option<Box<str>>,
    /// The value that the task returned.
    pub value: Option<Box<str>>,
    /// If `true`, its body still runs on a thread, and the slot stays held until `Body`.
    pub body_runs: bool,
}

impl AttemptEnd {
    /// Creates the end of an attempt that started on time, with no error or value and no body still running.
    pub fn new(
        verdict: Verdict,
        state: RunState,
        started_at: DateTime<Utc>,
        finished_at: DateTime<Utc>,
    ) -> Self {
        Self {
            verdict,
            state,
            started_at,
            finished_at,
            lateness: Duration::ZERO,
            error: None,
            value: None,
            body_runs: false,
        }
    }
}

impl End {
    /// Returns what a decision about it depends on.
    pub fn ending(&self) -> Ending {
        match self {
            Self::Attempt(end) => Ending::Attempt {
                verdict: end.verdict,
                state: end.state,
                body_runs: end.body_runs,
            },
            Self::Body => Ending::Body,
        }
    }

    /// Returns when the attempt ended, or `None` for the end of a body.
    pub fn finished_at(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Attempt(end) => Some(end.finished_at),
            Self::Body => None,
        }
    }
}
