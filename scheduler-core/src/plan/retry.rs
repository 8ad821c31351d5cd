//! What follows the end of an attempt.

use std::time::Duration;

use crate::policy::Policies;
use crate::run::{AttemptOutcome, RunState};

/// What follows the end of an attempt; decided by the driver, carried out by the store.
///
/// A run that is retried keeps its slot while it waits. The driver does the waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The run has ended.
    Final(RunState),
    /// The run is tried again after this delay.
    Retry(Duration),
}

/// Decides what follows an attempt that ended in this state after `failures` earlier failures. A run whose
/// cancellation was requested is never tried again.
///
/// ```
/// use std::time::Duration;
///
/// use scheduler_core::plan::{Verdict, verdict};
/// use scheduler_core::{Policies, RunState};
///
/// let mut policies = Policies::default();
/// policies.retries = 1;
/// let retry = Verdict::Retry(Duration::from_secs(1));
/// assert_eq!(verdict(&policies, 0, false, RunState::Failed), retry);
/// assert_eq!(verdict(&policies, 1, false, RunState::Failed), Verdict::Final(RunState::Failed));
/// ```
pub fn verdict(
    policies: &Policies,
    failures: u32,
    is_cancellation_requested: bool,
    state: RunState,
) -> Verdict {
    match state {
        RunState::Failed | RunState::TimedOut
            if failures < policies.retries && !is_cancellation_requested =>
        {
            Verdict::Retry(policies.backoff.delay(failures + 1))
        }
        _ => Verdict::Final(state),
    }
}

/// Does the same as [`verdict`] for an attempt that this process has carried out.
pub(crate) fn after_attempt(
    policies: &Policies,
    failures: u32,
    is_cancellation_requested: bool,
    outcome: &AttemptOutcome,
) -> Verdict {
    let state = outcome.state();
    verdict(policies, failures, is_cancellation_requested, state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_tried_again_with_back_off_and_cancelled_runs_never() {
        let policies = Policies {
            retries: 2,
            ..Policies::default()
        };
        let failed = AttemptOutcome::Failed("no".into());
        let seconds = |failures| after_attempt(&policies, failures, false, &failed);
        assert_eq!(seconds(0), Verdict::Retry(Duration::from_secs(1)));
        assert_eq!(seconds(1), Verdict::Retry(Duration::from_secs(2)));
        assert_eq!(seconds(2), Verdict::Final(RunState::Failed));
        let asked = after_attempt(&policies, 0, true, &failed);
        assert_eq!(asked, Verdict::Final(RunState::Failed));
        for (outcome, state) in [
            (AttemptOutcome::Cancelled(None), RunState::Cancelled),
            (AttemptOutcome::GaveUp("no".into()), RunState::Cancelled),
            (AttemptOutcome::Succeeded(None), RunState::Succeeded),
        ] {
            let after = after_attempt(&policies, 0, false, &outcome);
            assert_eq!(after, Verdict::Final(state));
        }
    }
}
