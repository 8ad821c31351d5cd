//! What becomes of a run whose node is gone.

use crate::policy::Policies;

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
/// `policies` are those of its job; `None` when the job was removed. A run that had ended, and only
/// held its place for a body on a thread, is not asked about: it frees its place.
///
/// ```
/// use scheduler_core::Policies;
/// use scheduler_core::plan::{TakeOver, take_over};
///
/// let mut policies = Policies::default();
/// assert_eq!(take_over(Some(&policies), 2, false), TakeOver::Again);
/// assert_eq!(take_over(Some(&policies), 2, true), TakeOver::Cancelled);
/// assert_eq!(take_over(Some(&policies), 3, false), TakeOver::Lost);
/// policies.at_most_once = true;
/// assert_eq!(take_over(Some(&policies), 0, false), TakeOver::Lost);
/// assert_eq!(take_over(None, 0, false), TakeOver::Lost);
/// ```
pub fn take_over(
    policies: Option<&Policies>,
    lost_before: u32,
    is_asked_to_stop: bool,
) -> TakeOver {
    match policies {
        _ if is_asked_to_stop => TakeOver::Cancelled,
        Some(policies) if !policies.at_most_once && lost_before < MAX_LOST => TakeOver::Again,
        _ => TakeOver::Lost,
    }
}
