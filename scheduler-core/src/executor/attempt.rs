//! One attempt of an async task: polled in its span, stopped when it takes too long or was asked to
//! stop, and never taking its panic any further.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::task::unconstrained;
use tokio::time::Sleep;

use super::current::enter;
use super::{Assignment, CANCEL_GRACE, make_body, outcome_of, panic_text};
use crate::clock::sleep;
use crate::run::AttemptOutcome;
use crate::task::context::JobContext;
use crate::task::definition::TaskBody;
use crate::task::output::TaskOutput;

type Body = Pin<Box<dyn Future<Output = TaskOutput> + Send>>;

pub(super) struct Attempt {
    /// Taken when the attempt ends, so that a body that was stopped is dropped at once.
    body: Option<Body>,
    /// How the attempt ended before its body was ever polled.
    outcome: Option<AttemptOutcome>,
    span: tracing::Span,
    context: JobContext,
    timeout: Option<(Duration, Pin<Box<Sleep>>)>,
    /// Made when the body first waits: most bodies never do, or are never asked to stop.
    cancelled: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Attempt {
    pub(super) fn new(assignment: &Assignment) -> Self {
        let (body, outcome) = match make_body(assignment) {
            Ok(TaskBody::Async(body)) => (Some(body), None),
            // The definition says that the task is async.
            Ok(TaskBody::Sync(body)) => (None, Some(outcome_of(body(), &assignment.context))),
            Err(outcome) => (None, Some(outcome)),
        };
        let timeout = assignment.run.policies.timeout;
        Self {
            body,
            outcome,
            span: assignment.span.clone(),
            context: assignment.context.clone(),
            timeout: timeout.map(|limit| (limit, Box::pin(sleep(limit)))),
            cancelled: None,
        }
    }

    /// Ends the attempt and drops what is left of its body.
    fn end(&mut self, outcome: AttemptOutcome) -> Poll<AttemptOutcome> {
        let body = self.body.take();
        let _entered = self.span.enter();
        // A destructor may panic like everything else.
        let dropped = catch_unwind(AssertUnwindSafe(move || drop(body)));
        Poll::Ready(match dropped {
            Ok(()) => outcome,
            Err(payload) => AttemptOutcome::Panicked(panic_text(payload)),
        })
    }
}

/// Resolves when a run has to be dropped: forced, or asked to stop and still there after its grace.
async fn must_stop(context: JobContext) {
    let cancel = &context.0.cancel;
    cancel.asked().await;
    tokio::select! {
        biased;
        () = sleep(CANCEL_GRACE) => {}
        () = cancel.forced() => {}
    }
}

impl Future for Attempt {
    type Output = AttemptOutcome;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<AttemptOutcome> {
        let this = self.get_mut();
        let Some(body) = this.body.as_mut() else {
            return Poll::Ready(this.outcome.take().unwrap_or(AttemptOutcome::Cancelled));
        };
        // Forced before its first instruction: whoever took the run over has its effect to itself.
        if this.cancelled.is_none() && this.context.0.cancel.is_forced() {
            return this.end(AttemptOutcome::Cancelled);
        }
        let polled = {
            let _entered = this.span.enter();
            let _inside = enter(this.context.run_id());
            catch_unwind(AssertUnwindSafe(|| body.as_mut().poll(cx)))
        };
        let outcome = match polled {
            Ok(Poll::Pending) => None,
            Ok(Poll::Ready(output)) => Some(outcome_of(output, &this.context)),
            Err(payload) => Some(AttemptOutcome::Panicked(panic_text(payload))),
        };
        if let Some(outcome) = outcome {
            return this.end(outcome);
        }
        // Unconstrained: a body that used up the task's budget must not hide the timer.
        if let Some((limit, timer)) = this.timeout.as_mut()
            && Pin::new(&mut unconstrained(timer)).poll(cx).is_ready()
        {
            let limit = *limit;
            this.context.0.cancel.ask();
            return this.end(AttemptOutcome::TimedOut(limit));
        }
        let context = &this.context;
        let cancelled = this
            .cancelled
            .get_or_insert_with(|| Box::pin(must_stop(context.clone())));
        if Pin::new(&mut unconstrained(cancelled)).poll(cx).is_ready() {
            return this.end(AttemptOutcome::Cancelled);
        }
        Poll::Pending
    }
}
