//! The effect that the end of an attempt, or of its body, has on a live run.

use chrono::{DateTime, Utc};

use super::retry::Verdict;
use crate::run::RunState;

/// A live run, reduced to what the end of an attempt depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct LiveView {
    /// The current attempt.
    pub attempt: u32,
    /// The number of failed attempts.
    pub failures: u32,
    /// What follows an attempt whose end is recorded while its body still runs on a thread.
    pub after_body: Option<AfterBody>,
}

impl LiveView {
    /// Creates a run at this attempt, after this many failures.
    #[inline]
    pub fn new(attempt: u32, failures: u32, after_body: Option<AfterBody>) -> Self {
        Self {
            attempt,
            failures,
            after_body,
        }
    }
}

/// What follows when a body returns whose attempt is already recorded as ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterBody {
    /// The next attempt.
    Retry,
    /// Nothing: the run has ended and frees its slot.
    End,
}

/// What has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// An attempt.
    Attempt {
        /// What follows.
        verdict: Verdict,
        /// How it ended.
        state: RunState,
        /// If `true`, the body still runs on a thread and keeps the slot.
        body_runs: bool,
    },
    /// The body of an attempt whose end is already recorded.
    Body,
}

/// What a store writes about a live run whose attempt has ended, from [`finish`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinishChanges {
    /// Nothing: the run is at another attempt, or this end cannot follow what was recorded. This [very
    /// end](was_recorded) may have been recorded before.
    Refuse,
    /// The run has ended in this state and frees its slot, unless the body keeps it.
    End {
        /// The state.
        state: RunState,
        /// If `true`, the slot is held until the body returns.
        body_runs: bool,
    },
    /// The attempt is added to the earlier ones, and the run continues in this state.
    Retry(LiveView),
    /// The body has returned, and the run continues with its next attempt.
    Next(LiveView),
    /// The body of a run that has ended has returned, so the slot is free.
    Free,
}

/// Decides what the end of an attempt does to a run that a node holds.
///
/// ```
/// use std::time::Duration;
///
/// use scheduler_core::RunState;
/// use scheduler_core::plan::{AfterBody, Ending, FinishChanges, LiveView, Verdict, finish};
///
/// let run = LiveView::new(1, 0, None);
/// let (verdict, state) = (Verdict::Retry(Duration::ZERO), RunState::Failed);
/// let failed = Ending::Attempt { verdict, state, body_runs: false };
/// let next = LiveView::new(2, 1, None);
/// assert_eq!(finish(run, 1, failed), FinishChanges::Retry(next));
/// assert_eq!(finish(next, 1, failed), FinishChanges::Refuse);
///
/// let timed_out = Ending::Attempt { verdict, state: RunState::TimedOut, body_runs: true };
/// let waits = LiveView::new(2, 2, Some(AfterBody::Retry));
/// assert_eq!(finish(next, 2, timed_out), FinishChanges::Retry(waits));
/// let third = LiveView::new(3, 2, None);
/// assert_eq!(finish(waits, 2, Ending::Body), FinishChanges::Next(third));
/// ```
#[inline]
pub fn finish(run: LiveView, attempt: u32, ending: Ending) -> FinishChanges {
    // An attempt whose body still runs has ended once. A second report may only say that it is not tried again.
    let is_known = match (ending, run.after_body) {
        (Ending::Body, after_body) => after_body.is_none(),
        (Ending::Attempt { .. }, None) => false,
        (Ending::Attempt { .. }, Some(AfterBody::End)) => true,
        (Ending::Attempt { verdict, .. }, Some(AfterBody::Retry)) => {
            matches!(verdict, Verdict::Retry(_))
        }
    };
    if run.attempt != attempt || is_known {
        return FinishChanges::Refuse;
    }
    let next = LiveView {
        attempt: attempt + 1,
        after_body: None,
        ..run
    };
    match ending {
        Ending::Body if run.after_body == Some(AfterBody::Retry) => FinishChanges::Next(next),
        Ending::Body => FinishChanges::Free,
        Ending::Attempt {
            verdict: Verdict::Final(state),
            body_runs,
            ..
        } => FinishChanges::End { state, body_runs },
        Ending::Attempt {
            verdict: Verdict::Retry(_),
            state,
            body_runs,
        } => {
            let goes_on = if body_runs {
                let after_body = Some(AfterBody::Retry);
                LiveView { after_body, ..run }
            } else {
                next
            };
            // Attempts lost with their node have a separate budget.
            let failures = run.failures + u32::from(state != RunState::Lost);
            FinishChanges::Retry(LiveView {
                failures,
                ..goes_on
            })
        }
    }
}

/// A stored run of a node, reduced to what shows which end was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordedView {
    /// The current or last attempt.
    pub attempt: u32,
    /// The state.
    pub state: RunState,
    /// If `true`, the run holds a slot.
    pub is_live: bool,
    /// When the run ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// The last of the earlier attempts, and when it ended.
    pub last_attempt: Option<(u32, DateTime<Utc>)>,
}

impl RecordedView {
    /// Describes a run with neither an end nor an earlier attempt in the store.
    pub fn new(attempt: u32, state: RunState, is_live: bool) -> Self {
        Self {
            attempt,
            state,
            is_live,
            finished_at: None,
            last_attempt: None,
        }
    }
}

/// Returns `true` if this very end was recorded before and only the answer was lost. `finished_at` is when the
/// attempt ended.
pub fn was_recorded(
    run: RecordedView,
    attempt: u32,
    ending: Ending,
    finished_at: Option<DateTime<Utc>>,
) -> bool {
    match ending {
        Ending::Body => run.attempt == attempt + 1 || (run.attempt == attempt && !run.is_live),
        Ending::Attempt {
            verdict: Verdict::Final(state),
            ..
        } => (run.attempt, run.state, run.finished_at) == (attempt, state, finished_at),
        Ending::Attempt {
            verdict: Verdict::Retry(_),
            ..
        } => run.is_live && run.last_attempt == finished_at.map(|at| (attempt, at)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const RETRY: Verdict = Verdict::Retry(Duration::ZERO);

    fn attempt(verdict: Verdict, body_runs: bool) -> Ending {
        let state = RunState::TimedOut;
        Ending::Attempt {
            verdict,
            state,
            body_runs,
        }
    }

    #[test]
    fn attempt_ends_once_while_its_body_runs() {
        let timed_out = Verdict::Final(RunState::TimedOut);
        let run = LiveView {
            attempt: 2,
            failures: 1,
            after_body: None,
        };
        let ended = FinishChanges::End {
            state: RunState::TimedOut,
            body_runs: true,
        };
        assert_eq!(finish(run, 2, attempt(timed_out, true)), ended);
        assert_eq!(finish(run, 2, Ending::Body), FinishChanges::Refuse);
        for (after_body, verdict, is_refused) in [
            (AfterBody::End, timed_out, true),
            (AfterBody::End, RETRY, true),
            (AfterBody::Retry, RETRY, true),
            (AfterBody::Retry, Verdict::Final(RunState::Cancelled), false),
        ] {
            let run = LiveView {
                after_body: Some(after_body),
                ..run
            };
            let changes = finish(run, 2, attempt(verdict, true));
            assert_eq!(changes == FinishChanges::Refuse, is_refused);
        }
        let ended = LiveView {
            after_body: Some(AfterBody::End),
            ..run
        };
        assert_eq!(finish(ended, 2, Ending::Body), FinishChanges::Free);
        assert_eq!(finish(ended, 1, Ending::Body), FinishChanges::Refuse);
    }

    #[test]
    fn only_the_recorded_end_is_recognized() {
        let at = DateTime::UNIX_EPOCH;
        let retried = RecordedView {
            attempt: 2,
            state: RunState::Running,
            is_live: true,
            finished_at: None,
            last_attempt: Some((1, at)),
        };
        assert!(was_recorded(retried, 1, attempt(RETRY, false), Some(at)));
        assert!(!was_recorded(retried, 2, attempt(RETRY, false), Some(at)));
        assert!(was_recorded(retried, 1, Ending::Body, None));
        assert!(!was_recorded(retried, 2, Ending::Body, None));
        let success = Verdict::Final(RunState::Succeeded);
        let ended = RecordedView {
            state: RunState::Succeeded,
            is_live: false,
            finished_at: Some(at),
            ..retried
        };
        assert!(was_recorded(ended, 2, attempt(success, false), Some(at)));
        assert!(!was_recorded(ended, 1, attempt(success, false), Some(at)));
        let failure = Verdict::Final(RunState::Failed);
        assert!(!was_recorded(ended, 2, attempt(failure, false), Some(at)));
        assert!(was_recorded(ended, 2, Ending::Body, None));
    }
}
