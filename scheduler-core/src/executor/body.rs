//! The body of an attempt in this process, and its result.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::Assignment;
use crate::panic::panic_text;
use crate::run::AttemptOutcome;
use crate::task::context::JobContext;
use crate::task::definition::TaskBody;
use crate::task::output::TaskOutput;

/// Creates the body of an attempt. Deserializing its arguments and resolving injected values is user code too and may
/// panic.
pub(super) fn make_body(assignment: &Assignment) -> Result<TaskBody, AttemptOutcome> {
    let start = AssertUnwindSafe(|| (assignment.task.start)(&assignment.context));
    match catch_unwind(start) {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(failure)) => Err(AttemptOutcome::Failed(failure.into_text())),
        Err(payload) => Err(AttemptOutcome::Panicked(panic_text(payload))),
    }
}

/// Returns the outcome of a finished body. It counts as stopped early if it noticed the cancellation; only an `Ok`
/// shows by itself that it did not.
pub(super) fn outcome_of(output: TaskOutput, context: &JobContext) -> AttemptOutcome {
    let cancel = &context.0.cancel;
    match output {
        TaskOutput::Returned(value) if cancel.is_seen() => AttemptOutcome::Cancelled(value),
        TaskOutput::Returned(value) | TaskOutput::Succeeded(value) => {
            AttemptOutcome::Succeeded(value)
        }
        TaskOutput::Failed(failure) if cancel.is_seen() => {
            AttemptOutcome::GaveUp(failure.into_text())
        }
        TaskOutput::Failed(failure) => AttemptOutcome::Failed(failure.into_text()),
    }
}
