//! What happens to the runs of a node that is gone.

use crate::run::RunState;

/// How often a run that is lost with its node is tried again. Failures have a separate budget.
pub(crate) const MAX_LOST: u32 = 3;

/// A run that holds a slot on a node that is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeftRun {
    /// The state of the run. A run that has ended still holds its slot for a body on a thread.
    pub state: RunState,
    /// How often the run was lost before.
    pub lost: u32,
    /// If `true`, its cancellation was requested.
    pub is_cancellation_requested: bool,
    /// The `at_most_once` policy of its job, or `None` if the job was removed. Nothing else of the job is needed, so
    /// a node can decide for a job whose record it cannot read as a whole, such as one written by a newer version.
    pub at_most_once: Option<bool>,
}

impl LeftRun {
    /// Creates a run whose cancellation was not requested.
    pub fn new(state: RunState, lost: u32, at_most_once: Option<bool>) -> Self {
        Self {
            state,
            lost,
            is_cancellation_requested: false,
            at_most_once,
        }
    }
}

/// What happens to a run whose node is gone, from [`take_over`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakeOver {
    /// The run had ended: only its slot is freed.
    Free,
    /// The run is queued for its next attempt, on any node.
    Again,
    /// The run ends as lost.
    Lost,
    /// The run ends as cancelled, because its cancellation had been requested.
    Cancelled,
}

/// Decides what happens to a run whose node is gone.
///
/// ```
/// use scheduler_core::RunState;
/// use scheduler_core::plan::{LeftRun, TakeOver, take_over};
///
/// let run = |lost, at_most_once| LeftRun::new(RunState::Running, lost, at_most_once);
/// assert_eq!(take_over(run(2, Some(false))), TakeOver::Again);
/// assert_eq!(take_over(run(3, Some(false))), TakeOver::Lost);
/// assert_eq!(take_over(run(2, Some(true))), TakeOver::Lost);
/// assert_eq!(take_over(run(2, None)), TakeOver::Lost);
/// let ended = LeftRun::new(RunState::TimedOut, 0, Some(false));
/// assert_eq!(take_over(ended), TakeOver::Free);
/// let mut asked = run(2, Some(false));
/// asked.is_cancellation_requested = true;
/// assert_eq!(take_over(asked), TakeOver::Cancelled);
/// ```
pub fn take_over(run: LeftRun) -> TakeOver {
    if run.state != RunState::Running {
        return TakeOver::Free;
    }
    match run.at_most_once {
        _ if run.is_cancellation_requested => TakeOver::Cancelled,
        Some(false) if run.lost < MAX_LOST => TakeOver::Again,
        _ => TakeOver::Lost,
    }
}

impl TakeOver {
    /// Returns the new state of the run, or `None` if it keeps its state.
    pub fn state(self) -> Option<RunState> {
        match self {
            Self::Free => None,
            Self::Again => Some(RunState::Queued),
            Self::Lost => Some(RunState::Lost),
            Self::Cancelled => Some(RunState::Cancelled),
        }
    }

    /// Returns the error of the run, or of the attempt if another one follows.
    pub fn error(self) -> Option<&'static str> {
        match self {
            Self::Free => None,
            Self::Again | Self::Lost => Some("lost with its node"),
            Self::Cancelled => Some("asked to stop, and lost with its node"),
        }
    }
}
