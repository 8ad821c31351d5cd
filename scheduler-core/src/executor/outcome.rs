//! How an attempt ended, as an executor reports it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::run::AttemptOutcome;
use crate::task::failure::TaskFailure;
use crate::task::output::RecordedValue;

/// How an attempt ended, reported by an [`Executor`](crate::Executor) to its [`Reporter`](crate::Reporter).
///
/// It is plain data that implements serde's traits in both directions, so a worker in another process can create it.
///
/// ```
/// use scheduler_core::Outcome;
///
/// let outcome = Outcome::failed("no such file").with_duration(std::time::Duration::from_secs(2));
/// let text = serde_json::to_string(&outcome)?;
/// assert_eq!(serde_json::from_str::<Outcome>(&text)?, outcome);
/// let short: Outcome = serde_json::from_str(r#"{"state": "succeeded", "value": 17}"#)?;
/// assert_eq!(short, Outcome::succeeded().with_value(17.into()));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    state: State,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    value: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    duration: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Succeeded,
    Failed,
    Cancelled,
    TimedOut,
}

impl Outcome {
    fn new(state: State, error: Option<String>) -> Self {
        Self {
            state,
            value: Value::Null,
            error,
            duration: None,
        }
    }

    /// The body completed its work.
    pub fn succeeded() -> Self {
        Self::new(State::Succeeded, None)
    }

    /// The body failed or was lost with its worker. The run is retried according to the job's `retries`.
    pub fn failed(error: impl Into<String>) -> Self {
        Self::new(State::Failed, Some(error.into()))
    }

    /// The body stopped early because it was cancelled. Contains its error, if it returned one.
    pub fn cancelled(error: Option<String>) -> Self {
        Self::new(State::Cancelled, error)
    }

    /// The executor ended the body because it exceeded the timeout.
    pub fn timed_out() -> Self {
        Self::new(State::TimedOut, None)
    }

    /// Adds the value that the body returned, which is kept with the run if it succeeded or was cancelled.
    #[must_use]
    pub fn with_value(mut self, value: Value) -> Self {
        self.value = value;
        self
    }

    /// Adds how long the body ran, up to now. Unless given, it counts from when the attempt was handed to the
    /// executor. A duration, since the clock of another machine may be wrong.
    #[must_use]
    pub fn with_duration(mut self, duration: Duration) -> Self {
        self.duration = Some(duration);
        self
    }

    /// Returns how long the body ran.
    pub(super) fn duration(&self) -> Option<Duration> {
        self.duration
    }

    /// Converts this into the crate's internal outcome.
    pub(super) fn into_attempt_outcome(self, timeout: Option<Duration>) -> AttemptOutcome {
        let text = |error: Option<String>| TaskFailure::new(error.unwrap_or_default()).into_text();
        let value = match self.value.record() {
            Ok(value) => value,
            Err(failure) => return AttemptOutcome::Failed(failure.into_text()),
        };
        match (self.state, self.error) {
            (State::Succeeded, _) => AttemptOutcome::Succeeded(value),
            (State::Failed, error) => AttemptOutcome::Failed(text(error)),
            (State::Cancelled, None) => AttemptOutcome::Cancelled(value),
            (State::Cancelled, error) => AttemptOutcome::GaveUp(text(error)),
            (State::TimedOut, _) => AttemptOutcome::TimedOut(timeout.unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::RunState;

    #[test]
    fn each_outcome_is_recorded_under_its_state() {
        let limit = Some(Duration::from_secs(3));
        let record = |outcome: Outcome| {
            let outcome = outcome.into_attempt_outcome(limit);
            let (error, value) = (outcome.error(), outcome.value());
            let owned = (error.map(Box::<str>::from), value.map(Box::<str>::from));
            (outcome.state(), owned)
        };
        let (state, (error, value)) = record(Outcome::succeeded().with_value(7.into()));
        assert_eq!(
            (state, error, value.as_deref()),
            (RunState::Succeeded, None, Some("7"))
        );
        let (state, (error, _)) = record(Outcome::failed("no disk"));
        assert_eq!(
            (state, error.as_deref()),
            (RunState::Failed, Some("no disk"))
        );
        let (state, (error, _)) = record(Outcome::cancelled(Some("half done".into())));
        assert_eq!(
            (state, error.as_deref()),
            (RunState::Cancelled, Some("asked to stop: half done"))
        );
        let (state, (error, _)) = record(Outcome::timed_out());
        assert_eq!(
            (state, error.as_deref()),
            (
                RunState::TimedOut,
                Some("took longer than its timeout of 3s")
            )
        );
    }

    #[test]
    fn a_value_that_is_too_large_fails_the_attempt() {
        let large = Outcome::succeeded().with_value("x".repeat(300 * 1024).into());
        let outcome = large.into_attempt_outcome(None);
        assert_eq!(outcome.state(), RunState::Failed);
    }
}
