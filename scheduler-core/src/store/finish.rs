//! How attempts end.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::id::RunId;
use crate::plan::{Ending, Verdict};

/// How an attempt ended.
#[derive(Debug, Clone)]
pub struct Finished {
    /// The run.
    pub run_id: RunId,
    /// The attempt.
    pub attempt: u32,
    /// What ended.
    pub end: End,
}

/// What ended.
#[derive(Debug, Clone)]
pub enum End {
    /// The attempt.
    Attempt {
        /// What follows.
        verdict: Verdict,
        /// When it started.
        started_at: DateTime<Utc>,
        /// When it ended.
        finished_at: DateTime<Utc>,
        /// How long after its instant the attempt started.
        lateness: Duration,
        /// Why it did not succeed.
        error: Option<Box<str>>,
        /// What the task returned.
        value: Option<Box<str>>,
        /// Whether its body still runs on a thread: the slot stays held until `Body`.
        body_runs: bool,
        /// How it ended.
        state: crate::run::RunState,
    },
    /// The body of an attempt that was recorded before.
    Body,
}

impl End {
    /// Returns what a decision about it looks at.
    pub fn ending(&self) -> Ending {
        match self {
            Self::Attempt {
                verdict,
                state,
                body_runs,
                ..
            } => Ending::Attempt {
                verdict: *verdict,
                state: *state,
                body_runs: *body_runs,
            },
            Self::Body => Ending::Body,
        }
    }

    /// Returns when the attempt ended, if it is one.
    pub fn finished_at(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Attempt { finished_at, .. } => Some(*finished_at),
            Self::Body => None,
        }
    }
}
