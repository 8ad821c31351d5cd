//! What becomes of a run whose node is gone.

/// How often a run may be lost with its node and tried again; failures have a budget of their own.
pub(crate) const MAX_LOST: u32 = 3;

/// What becomes of a run whose node is gone, from [`take_over`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakeOver {
    /// It waits for its next attempt, on any node.
    Again,
    /// It ends as lost.
    Lost,
    /// It ends as cancelled: it had been asked to stop.
    Cancelled,
}

/// Decides what becomes of a run whose node is gone, after it was lost so many times before.
///
/// `at_most_once` is that policy of its job; `None` when the job was removed. Nothing else of the job is
/// needed, so that a node can decide for a job whose record it cannot read as a whole: one that a newer
/// version wrote. A run that had ended, and only held its slot for a body on a thread, is not decided
/// here: it frees its place.
///
/// ```
/// use scheduler_core::plan::{TakeOver, take_over};
///
/// assert_eq!(take_over(Some(false), 2, false), TakeOver::Again);
/// assert_eq!(take_over(Some(false), 2, true), TakeOver::Cancelled);
/// assert_eq!(take_over(Some(false), 3, false), TakeOver::Lost);
/// assert_eq!(take_over(Some(true), 0, false), TakeOver::Lost);
/// assert_eq!(take_over(None, 0, false), TakeOver::Lost);
/// ```
pub fn take_over(
    at_most_once: Option<bool>,
    lost_before: u32,
    is_cancellation_requested: bool,
) -> TakeOver {
    match at_most_once {
        _ if is_cancellation_requested => TakeOver::Cancelled,
        Some(false) if lost_before < MAX_LOST => TakeOver::Again,
        _ => TakeOver::Lost,
    }
}
