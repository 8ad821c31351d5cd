//! What happens to a run that its node releases.

use crate::run::CANCELLED;

/// What happens to a run that its node releases without carrying out the attempt, from [`release`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// The run is queued, with this number of attempts already made.
    Queue(u32),
    /// The run ends as cancelled at the instant of the call.
    Cancel {
        /// The number of attempts already made.
        attempts: u32,
        /// The error of the run.
        error: &'static str,
    },
}

/// Decides what happens to a run that its node releases at this attempt, which does not count.
///
/// ```
/// use scheduler_core::plan::{Release, release};
///
/// assert_eq!(release(2, true, false), Release::Queue(1));
/// assert!(matches!(release(2, false, false), Release::Cancel { attempts: 1, .. }));
/// assert!(matches!(release(1, true, true), Release::Cancel { attempts: 0, .. }));
/// ```
pub fn release(attempt: u32, has_job: bool, is_cancellation_requested: bool) -> Release {
    let attempts = attempt.saturating_sub(1);
    let error = match (is_cancellation_requested, has_job) {
        (true, _) => CANCELLED,
        (false, false) => "its job was removed",
        (false, true) => return Release::Queue(attempts),
    };
    Release::Cancel { attempts, error }
}
