//! Logging the end of an attempt: its outcome as fields of the run's span, and a line inside that span.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tracing::Span;
use tracing::level_filters::LevelFilter;

use super::reporter::{ReportEvent, Times};
use crate::panic::panic_text;
use crate::plan::{Verdict, after_attempt};
use crate::run::{AttemptOutcome, RunState};
use crate::store::ClaimedRun;

/// The span field that says how the attempt ended.
const OUTCOME: &str = "outcome";

/// Records the outcome in the span, logs it there and drops the span. A subscriber may panic, which must not keep the
/// end of the attempt from being reported.
pub(super) fn ended(span: Span, run: &ClaimedRun, event: &ReportEvent, times: Times) {
    if LevelFilter::current() == LevelFilter::OFF {
        // Fast path: no subscriber is interested, so no subscriber code is called.
        return;
    }
    let log = move || {
        // A thread that returns after its timeout adds nothing, because the attempt had already ended.
        if let ReportEvent::Ended {
            outcome,
            is_asked,
            body_runs,
        } = event
        {
            log_end(&span, run, (outcome, *is_asked, *body_runs), times);
        }
        drop(span);
    };
    if let Err(payload) = catch_unwind(AssertUnwindSafe(log)) {
        panic_text(payload);
    }
}

fn log_end(
    span: &Span,
    run: &ClaimedRun,
    (outcome, is_asked, body_runs): (&AttemptOutcome, bool, bool),
    (started_at, finished_at): Times,
) {
    if let AttemptOutcome::Succeeded(_) = outcome {
        if !span.is_disabled() {
            span.record(OUTCOME, outcome.state().as_str());
        }
        let duration = || (finished_at - started_at).to_std().unwrap_or_default();
        tracing::debug!(parent: span, job_id = %run.job_id, run_id = %run.run_id, duration = ?duration(), "succeeded");
    } else {
        log_unsuccessful(span, run, (outcome, is_asked, body_runs));
    }
}

#[cold]
fn log_unsuccessful(
    span: &Span,
    run: &ClaimedRun,
    (outcome, is_asked, body_runs): (&AttemptOutcome, bool, bool),
) {
    let error = outcome.error().unwrap_or_default();
    span.record(OUTCOME, outcome.state().as_str());
    if !matches!(outcome, AttemptOutcome::Cancelled(_)) {
        span.record("error", &*error);
    }
    let (job_id, run_id, attempt) = (&run.job_id, run.run_id, run.attempt);
    let verdict = after_attempt(&run.policies, run.failures, is_asked, outcome);
    if let Verdict::Retry(delay) = verdict {
        tracing::warn!(parent: span, %job_id, %run_id, attempt, %error, retry_in = ?delay, "attempt failed");
        return;
    }
    match outcome.state() {
        RunState::TimedOut => {
            tracing::error!(parent: span, %job_id, %run_id, attempt, %error, body_runs, "timed out");
        }
        RunState::Cancelled => {
            tracing::info!(parent: span, %job_id, %run_id, attempt, "cancelled");
        }
        _ => tracing::error!(parent: span, %job_id, %run_id, attempt, %error, "failed"),
    }
}
