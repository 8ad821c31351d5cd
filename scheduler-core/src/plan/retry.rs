//! What follows the end of an attempt.

use std::time::Duration;

use crate::policy::Policies;
use crate::run::{AttemptOutcome, RunState};

/// What follows the end of an attempt: decided by the driver, carried out by the store.
///
/// A run that is tried again keeps its place while it waits; the wait itself is the driver's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The run has ended.
    Final(RunState),
    /// It is tried again after so long.
    Retry(Duration),
}

/// Decides what follows the end of an attempt, after so many failures before it.
pub(crate) fn after_attempt(
    policies: &Policies,
    failures: u32,
    outcome: &AttemptOutcome,
) -> Verdict {
    let state = outcome.state();
    match outcome {
        AttemptOutcome::Succeeded(_) | AttemptOutcome::Cancelled(_) => Verdict::Final(state),
        AttemptOutcome::Failed(_) | AttemptOutcome::Panicked(_) | AttemptOutcome::TimedOut(_) => {
            if failures < policies.retries {
                Verdict::Retry(policies.backoff.delay(failures + 1))
            } else {
                Verdict::Final(state)
            }
        }
    }
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
        let seconds = |failures| after_attempt(&policies, failures, &failed);
        assert_eq!(seconds(0), Verdict::Retry(Duration::from_secs(1)));
        assert_eq!(seconds(1), Verdict::Retry(Duration::from_secs(2)));
        assert_eq!(seconds(2), Verdict::Final(RunState::Failed));
        for (outcome, state) in [
            (AttemptOutcome::Cancelled(None), RunState::Cancelled),
            (AttemptOutcome::Succeeded(None), RunState::Succeeded),
        ] {
            assert_eq!(after_attempt(&policies, 0, &outcome), Verdict::Final(state));
        }
    }
}
