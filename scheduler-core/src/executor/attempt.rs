//! One attempt of an async task: polled in its span, stopped when it takes too long or was asked to
//! stop, and never taking its panic any further.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::task::unconstrained;
use tokio::time::Sleep;

use super::current::enter;
use super::{Assignment, CANCEL_GRACE, ReportEvent, Times, make_body, outcome_of};
use crate::clock::sleep;
use crate::panic::panic_text;
use crate::run::AttemptOutcome;
use crate::task::context::JobContext;
use crate::task::definition::TaskBody;
use crate::task::output::TaskOutput;
use crate::testing::Hold;

type Body = Pin<Box<dyn Future<Output = TaskOutput> + Send>>;

/// An attempt and how far it has come.
pub(super) struct Attempt {
    pub(super) assignment: Assignment,
    started_at: Option<DateTime<Utc>>,
    /// Taken when the attempt ends, so that a body that was stopped is dropped at once.
    body: Option<Body>,
    timeout: Option<(Duration, Pin<Box<Sleep>>)>,
    /// Made when the body first waits: most bodies never do, or are never asked to stop.
    cancelled: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

/// How an attempt ended.
pub(super) struct End {
    pub(super) times: Times,
    pub(super) event: ReportEvent,
}

impl Attempt {
    pub(super) fn new(assignment: Assignment) -> Self {
        Self {
            assignment,
            started_at: None,
            body: None,
            timeout: None,
            cancelled: None,
        }
    }

    /// Goes on with it. Not to be called again once it has ended.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        let begun = self.started_at.map(Ok);
        let started_at = begun.unwrap_or_else(|| self.begin());
        let (started_at, outcome) = match started_at {
            Ok(started_at) => match self.poll_body(cx) {
                Poll::Ready(outcome) => (started_at, outcome),
                Poll::Pending => return Poll::Pending,
            },
            Err(early) => early,
        };
        let outcome = self.drop_body(outcome);
        let event = ReportEvent::ended(&self.assignment.context, outcome, false);
        Poll::Ready(End {
            times: (started_at, self.assignment.context.now()),
            event,
        })
    }

    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<AttemptOutcome> {
        let context = &self.assignment.context;
        let Some(body) = self.body.as_mut() else {
            return Poll::Ready(AttemptOutcome::Cancelled(None));
        };
        // Forced before its first instruction: whoever took the run over has its effect to itself.
        if self.cancelled.is_none() && context.0.cancel.is_forced() {
            return Poll::Ready(AttemptOutcome::Cancelled(None));
        }
        let polled = {
            let _entered = self.assignment.span.enter();
            let _inside = enter(context.run_id());
            catch_unwind(AssertUnwindSafe(|| body.as_mut().poll(cx)))
        };
        match polled {
            Ok(Poll::Pending) => {}
            Ok(Poll::Ready(output)) => return Poll::Ready(outcome_of(output, context)),
            Err(payload) => return Poll::Ready(AttemptOutcome::Panicked(panic_text(payload))),
        }
        // Unconstrained: a body that used up the task's budget must not hide the timer.
        if let Some((limit, timer)) = self.timeout.as_mut()
            && Pin::new(&mut unconstrained(timer)).poll(cx).is_ready()
        {
            context.0.cancel.time_out();
            return Poll::Ready(AttemptOutcome::TimedOut(*limit));
        }
        let cancelled = self.cancelled.get_or_insert_with(|| {
            Box::pin(must_stop(context.clone(), context.hold_virtual_time()))
        });
        let stopped = Pin::new(&mut unconstrained(cancelled)).poll(cx);
        stopped.map(|()| AttemptOutcome::Cancelled(None))
    }

    /// Makes the body, and says when that was; how the attempt ended if there is none.
    fn begin(&mut self) -> Result<DateTime<Utc>, (DateTime<Utc>, AttemptOutcome)> {
        let context = &self.assignment.context;
        let now = context.now();
        // Reading its arguments is the user's code as well.
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

    /// Drops what is left of the body.
    fn drop_body(&mut self, outcome: AttemptOutcome) -> AttemptOutcome {
        let body = self.body.take();
        self.cancelled = None;
        let _entered = self.assignment.span.enter();
        // A destructor may panic like everything else.
        match catch_unwind(AssertUnwindSafe(move || drop(body))) {
            Ok(()) => outcome,
            Err(payload) => AttemptOutcome::Panicked(panic_text(payload)),
        }
    }
}

/// Resolves when a run has to be dropped: forced, or asked to stop and still there after its grace. Until the run
/// has ended, virtual time stands still if it is to.
async fn must_stop(context: JobContext, _hold: Option<Hold>) {
    let cancel = &context.0.cancel;
    cancel.asked().await;
    tokio::select! {
        biased;
        () = sleep(CANCEL_GRACE) => {}
        () = cancel.forced() => {}
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
        start: |_| panic!("it was started"),
    };

    #[test]
    fn nothing_is_begun_of_a_run_that_another_node_may_have() {
        let context = crate::testing::context("job").unwrap();
        context.0.cancel.force();
        let mut attempt = Attempt::new(Assignment {
            context,
            task: &NEVER_STARTED,
            span: tracing::Span::none(),
        });
        let Poll::Ready(end) = attempt.poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("it has nothing to wait for");
        };
        let is_cancelled = matches!(
            end.event,
            ReportEvent::Ended {
                outcome: AttemptOutcome::Cancelled(None),
                ..
            }
        );
        assert!(is_cancelled, "{:?}", end.event);
    }
}
