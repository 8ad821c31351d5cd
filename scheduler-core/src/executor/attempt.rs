//! One attempt of an async task: polled in its span, stopped when it takes too long or is cancelled, with panics
//! contained.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::task::unconstrained;
use tokio::time::Sleep;

use super::body::{make_body, outcome_of};
use super::cancel_grace::grace_is_over;
use super::current::enter;
use super::{Assignment, Reporter};
use crate::cancel::Cancellation;
use crate::clock::sleep;
use crate::panic::panic_text;
use crate::run::AttemptOutcome;
use crate::task::definition::TaskBody;
use crate::task::output::TaskOutput;

type Body = Pin<Box<dyn Future<Output = TaskOutput> + Send>>;

/// An attempt, with the reporter of its end.
pub(super) struct Attempt {
    progress: Progress,
    reporter: Reporter,
}

/// The progress of an attempt.
struct Progress {
    assignment: Assignment,
    started_at: Option<DateTime<Utc>>,
    /// Taken when the attempt ends, so that a stopped body is dropped at once.
    body: Option<Body>,
    timeout: Option<(Duration, Pin<Box<Sleep>>)>,
    /// Created when the body first waits, because most bodies never wait or are never cancelled.
    cancelled: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Attempt {
    pub(super) fn new(assignment: Assignment, reporter: Reporter) -> Self {
        let progress = Progress {
            assignment,
            started_at: None,
            body: None,
            timeout: None,
            cancelled: None,
        };
        Self { progress, reporter }
    }

    /// Reports the end.
    pub(super) fn report(&mut self, started_at: DateTime<Utc>, outcome: AttemptOutcome) {
        self.reporter.end(started_at, outcome);
    }

    /// Polls the attempt. When it has ended, returns when it started and how it ended. Must not be called again after
    /// that.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<(DateTime<Utc>, AttemptOutcome)> {
        let Self { progress, reporter } = self;
        reporter.in_span(|| progress.poll(reporter, cx))
    }
}

impl Progress {
    fn poll(
        &mut self,
        reporter: &Reporter,
        cx: &mut Context<'_>,
    ) -> Poll<(DateTime<Utc>, AttemptOutcome)> {
        let begun = self.started_at.map(Ok);
        let started_at = begun.unwrap_or_else(|| self.begin(reporter));
        let (started_at, outcome) = match started_at {
            Ok(started_at) => match self.poll_body(reporter, cx) {
                Poll::Ready(outcome) => (started_at, outcome),
                Poll::Pending => return Poll::Pending,
            },
            Err(early) => early,
        };
        let outcome = self.drop_body(outcome);
        Poll::Ready((started_at, outcome))
    }

    fn poll_body(&mut self, reporter: &Reporter, cx: &mut Context<'_>) -> Poll<AttemptOutcome> {
        let context = &self.assignment.context;
        let Some(body) = self.body.as_mut() else {
            return Poll::Ready(AttemptOutcome::Cancelled(None));
        };
        // Cancellation was forced before the first instruction. The node that took the run over must be the only one
        // to execute it.
        if self.cancelled.is_none() && context.0.cancel.is_forced() {
            return Poll::Ready(AttemptOutcome::Cancelled(None));
        }
        let polled = {
            let _inside = enter(context.run_id());
            catch_unwind(AssertUnwindSafe(|| body.as_mut().poll(cx)))
        };
        match polled {
            Ok(Poll::Pending) => {}
            Ok(Poll::Ready(output)) => return Poll::Ready(outcome_of(output, context)),
            Err(payload) => return Poll::Ready(AttemptOutcome::Panicked(panic_text(payload))),
        }
        // Unconstrained, because a body that used up the task's budget must not hide the timer.
        if let Some((limit, timer)) = self.timeout.as_mut()
            && Pin::new(&mut unconstrained(timer)).poll(cx).is_ready()
        {
            context.0.cancel.raise(Cancellation::TimedOut);
            return Poll::Ready(AttemptOutcome::TimedOut(*limit));
        }
        let cancelled = self.cancelled.get_or_insert_with(|| {
            Box::pin(grace_is_over(context.0.clone(), reporter.hold_for_run()))
        });
        let stopped = Pin::new(&mut unconstrained(cancelled)).poll(cx);
        stopped.map(|()| AttemptOutcome::Cancelled(None))
    }

    /// Creates the body and returns when that was, or how the attempt ended if there is no body.
    fn begin(
        &mut self,
        reporter: &Reporter,
    ) -> Result<DateTime<Utc>, (DateTime<Utc>, AttemptOutcome)> {
        let context = &self.assignment.context;
        let now = reporter.now();
        // Deserializing the arguments is user code too.
        if context.0.cancel.is_forced() {
            return Err((now, AttemptOutcome::Cancelled(None)));
        }
        match make_body(&self.assignment) {
            Ok(TaskBody::Async(body)) => self.body = Some(body),
            // The definition says that the task is async.
            Ok(TaskBody::Sync(body)) => return Err((now, outcome_of(body(), context))),
            Err(outcome) => return Err((now, outcome)),
        }
        let timeout = context.0.run.policies.timeout;
        self.timeout = timeout.map(|limit| (limit, Box::pin(sleep(limit))));
        self.started_at = Some(now);
        Ok(now)
    }

    /// Drops the rest of the body.
    fn drop_body(&mut self, outcome: AttemptOutcome) -> AttemptOutcome {
        let body = self.body.take();
        self.cancelled = None;
        // A destructor may panic too.
        match catch_unwind(AssertUnwindSafe(move || drop(body))) {
            Ok(()) => outcome,
            Err(payload) => AttemptOutcome::Panicked(panic_text(payload)),
        }
    }
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Attempt")
            .field(&self.progress.assignment)
            .finish()
    }
}

impl Drop for Attempt {
    /// Dropped before its end, together with the runtime, so there is no receiver for a report.
    fn drop(&mut self) {
        self.reporter.discard();
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;
    use crate::source_location::SourceLocation;
    use crate::task::definition::TaskDefinition;

    static NEVER_STARTED: TaskDefinition = TaskDefinition {
        name: "never_started",
        location: SourceLocation {
            package: "",
            module: "",
            file: "",
            line: 0,
        },
        is_sync: false,
        parameters: &[],
        jobs: &[],
        start: |_| panic!("it was started"),
    };

    #[tokio::test]
    async fn run_that_another_node_may_hold_is_not_begun() {
        let context = crate::testing::context("job").unwrap();
        context.0.cancel.raise(Cancellation::Forced);
        let (reporter, _reports) = Reporter::collecting(&context);
        let assignment = Assignment {
            context,
            task: &NEVER_STARTED,
        };
        let mut attempt = Attempt::new(assignment, reporter);
        let ended = attempt.poll(&mut Context::from_waker(Waker::noop()));
        let is_cancelled = matches!(ended, Poll::Ready((_, AttemptOutcome::Cancelled(None))));
        assert!(is_cancelled, "{ended:?}");
    }
}
