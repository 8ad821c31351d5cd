//! Runs.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use scheduler_core::{Attempt, JobId, Run, RunId, RunKind, RunState};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::millis;

/// What caused a run.
#[derive(ToSchema)]
#[schema(as = RunKind, rename_all = "snake_case")]
#[allow(dead_code)] // describes what the core writes
pub(crate) enum RunKindShape {
    Scheduled,
    Manual,
    Startup,
}

/// The state of a run.
#[derive(ToSchema)]
#[schema(as = RunState, rename_all = "snake_case")]
#[allow(dead_code)] // describes what the core writes
pub(crate) enum RunStateShape {
    Queued,
    Running,
    Succeeded,
    Failed,
    TimedOut,
    Cancelled,
    Lost,
}

/// The states by name.
pub(crate) const STATES: [(&str, RunState); 7] = [
    ("queued", RunState::Queued),
    ("running", RunState::Running),
    ("succeeded", RunState::Succeeded),
    ("failed", RunState::Failed),
    ("timed_out", RunState::TimedOut),
    ("cancelled", RunState::Cancelled),
    ("lost", RunState::Lost),
];

/// One execution of a job for one fire time.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Run)]
pub(crate) struct RunBody {
    /// The id of the run, a UUID.
    #[schema(value_type = String, format = "uuid")]
    id: RunId,
    /// The job.
    #[schema(value_type = String)]
    job_id: JobId,
    /// The task of the job.
    #[schema(value_type = String)]
    task: Arc<str>,
    /// What caused it.
    #[schema(value_type = RunKindShape)]
    kind: RunKind,
    /// Its state.
    #[schema(value_type = RunStateShape)]
    state: RunState,
    /// The nominal fire time; for other kinds, when the run was requested.
    scheduled_for: DateTime<Utc>,
    /// When the current attempt started.
    #[schema(required = true)]
    started_at: Option<DateTime<Utc>>,
    /// When it ended.
    #[schema(required = true)]
    finished_at: Option<DateTime<Utc>>,
    /// How long the last attempt took, in milliseconds.
    #[schema(required = true)]
    duration_ms: Option<u64>,
    /// How long after its instant the first attempt started, in milliseconds.
    #[schema(required = true)]
    lateness_ms: Option<u64>,
    /// The name of the node that holds it, or that carried it out last.
    #[schema(value_type = Option<String>, required = true)]
    node: Option<Arc<str>>,
    /// How many times it was started.
    attempt: u32,
    /// Why the last attempt did not succeed.
    #[schema(value_type = Option<String>, required = true)]
    error: Option<Box<str>>,
    /// What the task returned: any JSON.
    #[schema(required = true)]
    value: Option<Value>,
    /// The attempts before the last one, at most ten.
    earlier_attempts: Vec<AttemptBody>,
}

/// An attempt before the last one.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Attempt)]
pub(crate) struct AttemptBody {
    /// Its number, from 1.
    attempt: u32,
    /// When it started.
    started_at: DateTime<Utc>,
    /// When it ended.
    finished_at: DateTime<Utc>,
    /// How it ended.
    #[schema(value_type = RunStateShape)]
    state: RunState,
    /// Why.
    #[schema(value_type = Option<String>, required = true)]
    error: Option<Box<str>>,
}

impl From<Attempt> for AttemptBody {
    fn from(attempt: Attempt) -> Self {
        Self {
            attempt: attempt.attempt,
            started_at: attempt.started_at,
            finished_at: attempt.finished_at,
            state: attempt.state,
            error: attempt.error,
        }
    }
}

impl From<Run> for RunBody {
    fn from(run: Run) -> Self {
        Self {
            duration_ms: run.duration().map(millis),
            lateness_ms: run.lateness.map(millis),
            value: run.value.map(read),
            earlier_attempts: run.earlier_attempts.into_iter().map(Into::into).collect(),
            id: run.id,
            job_id: run.job_id,
            task: run.task,
            kind: run.kind,
            state: run.state,
            scheduled_for: run.scheduled_for,
            started_at: run.started_at,
            finished_at: run.finished_at,
            node: run.node,
            attempt: run.attempt,
            error: run.error,
        }
    }
}

/// The value is stored as text; if it is not JSON, because another program wrote it, it is shown as text.
fn read(value: Box<str>) -> Value {
    serde_json::from_str(&value).unwrap_or_else(|_| Value::String(value.into()))
}

/// A summary of a run, for lists of jobs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RunSummary {
    /// The id of the run, a UUID.
    #[schema(value_type = String, format = "uuid")]
    id: RunId,
    /// Its state.
    #[schema(value_type = RunStateShape)]
    state: RunState,
    /// What caused it.
    #[schema(value_type = RunKindShape)]
    kind: RunKind,
    /// How many times it was started.
    attempt: u32,
    /// The nominal fire time.
    scheduled_for: DateTime<Utc>,
    /// When the current attempt started.
    #[schema(required = true)]
    started_at: Option<DateTime<Utc>>,
    /// When it ended.
    #[schema(required = true)]
    finished_at: Option<DateTime<Utc>>,
    /// How long the last attempt took, in milliseconds.
    #[schema(required = true)]
    duration_ms: Option<u64>,
    /// How long after its instant the first attempt started, in milliseconds.
    #[schema(required = true)]
    lateness_ms: Option<u64>,
    /// The beginning of the error, up to 200 characters.
    #[schema(required = true)]
    error: Option<String>,
}

const SUMMARY_ERROR: usize = 200;

impl From<Run> for RunSummary {
    fn from(run: Run) -> Self {
        let error = run.error.as_deref();
        Self {
            duration_ms: run.duration().map(millis),
            lateness_ms: run.lateness.map(millis),
            error: error.map(|text| text.chars().take(SUMMARY_ERROR).collect()),
            id: run.id,
            state: run.state,
            kind: run.kind,
            attempt: run.attempt,
            scheduled_for: run.scheduled_for,
            started_at: run.started_at,
            finished_at: run.finished_at,
        }
    }
}

/// A page of runs, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RunPage {
    /// The runs.
    pub(crate) items: Vec<RunBody>,
    /// The value of `before` for the next page; null on the last one.
    #[schema(value_type = Option<String>, format = "uuid", required = true)]
    pub(crate) next: Option<RunId>,
}

/// The result of a requested run.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RunNowBody {
    /// The outcome: started or queued.
    pub(crate) result: RunNowResult,
    /// The run.
    #[schema(value_type = String, format = "uuid")]
    pub(crate) run_id: RunId,
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RunNowResult {
    /// It has started.
    Started,
    /// It is queued until a slot is free.
    Queued,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_states_are_those_of_the_core() {
        for (name, state) in STATES {
            assert_eq!(serde_json::to_value(state).unwrap(), name);
        }
    }
}
