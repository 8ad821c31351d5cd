//! One attempt of a sync task, on a thread of its executor.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use tokio::runtime::Handle;

use super::current::enter;
use super::{Assignment, LocalExecutor, ReportEvent, make_body, outcome_of, trace};
use crate::clock::sleep;
use crate::lock::lock;
use crate::panic::panic_text;
use crate::run::AttemptOutcome;
use crate::task::definition::TaskBody;

/// Starts the body on a thread. It cannot be stopped: when it takes too long, its token is cancelled
/// and `timed_out` is reported, and its slot stays held until the thread has returned.
pub(super) fn submit(executor: &LocalExecutor, assignment: Assignment) {
    let context = assignment.context.clone();
    let started_at = context.now();
    // Whoever sets it reports the end: the thread, or the timer. It is locked until that report is
    // sent, so that the return of the thread is never told before.
    let reported = Arc::new(Mutex::new(false));

    let watch = context.0.run.policies.timeout.map(|limit| {
        let (context, reported) = (context.clone(), reported.clone());
        let span = assignment.span.clone();
        executor.runtime.spawn(async move {
            sleep(limit).await;
            let mut reported = lock(&reported);
            if !std::mem::replace(&mut *reported, true) {
                context.0.cancel.time_out();
                let outcome = AttemptOutcome::TimedOut(limit);
                let event = ReportEvent::ended(&context, outcome, true);
                let times = (started_at, context.now());
                trace::ended(span, &context.0.run, &event, times);
                context.report(times, event, None);
            }
        })
    });

    let unreported = Arc::clone(&reported);
    let runtime = executor.runtime.clone();
    let is_virtual = executor.clock.as_virtual().is_some();
    let guard = is_virtual.then(crate::testing::hold_for_sync_task);
    let work = move || {
        let outcome = carry_out(&assignment, &runtime);
        if let Some(watch) = watch {
            watch.abort();
        }
        let event = if std::mem::replace(&mut *lock(&reported), true) {
            ReportEvent::BodyReturned
        } else {
            ReportEvent::ended(&assignment.context, outcome, false)
        };
        let Assignment { context, span, .. } = assignment;
        let times = (started_at, context.now());
        trace::ended(span, &context.0.run, &event, times);
        context.end(times, event, None);
        drop(guard);
    };
    if let Err(error) = executor.threads.run(Box::new(work)) {
        let event = if std::mem::replace(&mut *lock(&unreported), true) {
            ReportEvent::BodyReturned
        } else {
            let text = format!("no thread for a sync task: {error}").into_boxed_str();
            ReportEvent::ended(&context, AttemptOutcome::Failed(text), false)
        };
        let times = (started_at, context.now());
        trace::ended(tracing::Span::none(), &context.0.run, &event, times);
        context.end(times, event, None);
    }
}

fn carry_out(assignment: &Assignment, runtime: &Handle) -> AttemptOutcome {
    let context = &assignment.context;
    if context.0.cancel.is_forced() {
        return AttemptOutcome::Cancelled(None);
    }
    // As on a thread of `spawn_blocking`: the body finds the runtime, to block on the handle's calls.
    let _runtime = runtime.enter();
    let body = match make_body(assignment) {
        Ok(TaskBody::Sync(body)) => body,
        // The definition says that the task is sync.
        Ok(TaskBody::Async(_)) => {
            return AttemptOutcome::Failed("an async body in a sync task".into());
        }
        Err(outcome) => return outcome,
    };
    let _entered = assignment.span.enter();
    let _inside = enter(context.run_id());
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(output) => outcome_of(output, context),
        Err(payload) => AttemptOutcome::Panicked(panic_text(payload)),
    }
}
