//! Threads for sync tasks, started on demand and ended when idle.
//!
//! They are not tokio's: a runtime waits for its blocking threads when it shuts down, and a stuck task must not delay
//! the end of the process.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::body::{make_body, outcome_of};
use super::current::enter;
use super::{Assignment, Executor, Reporter};
use crate::cancel::Cancellation;
use crate::id::RunId;
use crate::lock::lock;
use crate::panic::panic_text;
use crate::run::AttemptOutcome;
use crate::task::definition::TaskBody;
use crate::testing::Hold;

const IDLE: Duration = Duration::from_secs(10);

/// Carries out sync tasks on its own threads.
pub(super) struct ThreadPool {
    limit: usize,
    shared: Arc<Shared>,
}

struct Shared {
    queue: Mutex<Queue>,
    ready: Condvar,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<SyncAttempt>,
    threads: usize,
    idle: usize,
}

/// An attempt of a sync task. Its body cannot be stopped: if it exceeds the timeout, it is cancelled and the timeout
/// is reported, and its permit stays taken until the thread has returned.
struct SyncAttempt {
    assignment: Assignment,
    reporter: Reporter,
    started_at: DateTime<Utc>,
    /// Dropped when the end is reported.
    hold: Option<Hold>,
}

impl ThreadPool {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            shared: Arc::new(Shared {
                queue: Mutex::default(),
                ready: Condvar::new(),
            }),
        }
    }

    /// Carries out an attempt on a thread. Returns the attempt and the reason if the system could not create a thread
    /// and there is none that could take it.
    fn run(&self, attempt: SyncAttempt) -> Option<(std::io::Error, SyncAttempt)> {
        let name = format!("job-{}", attempt.assignment.executor());
        let mut queue = lock(&self.shared.queue);
        queue.waiting.push_back(attempt);
        if queue.waiting.len() <= queue.idle || queue.threads >= self.limit {
            self.shared.ready.notify_one();
            return None;
        }
        let shared = self.shared.clone();
        let spawned = std::thread::Builder::new()
            .name(name)
            .spawn(move || serve(&shared));
        match spawned {
            Ok(_) => queue.threads += 1,
            Err(error) if queue.threads == 0 => {
                return Some(error).zip(queue.waiting.pop_back());
            }
            // One of the existing threads will take it.
            Err(_) => {}
        }
        None
    }
}

impl Executor for ThreadPool {
    fn capacity(&self) -> usize {
        self.limit
    }

    fn submit(&self, assignment: Assignment, mut reporter: Reporter) {
        let started_at = reporter.now();
        reporter.watch_timeout(started_at);
        let attempt = SyncAttempt {
            assignment,
            hold: reporter.hold_for_sync_task(),
            reporter,
            started_at,
        };
        if let Some((error, attempt)) = self.run(attempt) {
            let text = format!("no thread for a sync task: {error}").into_boxed_str();
            attempt.end(AttemptOutcome::Failed(text));
        }
    }

    /// Does nothing, because the body sees a flag that its run shares with the driver.
    fn cancel(&self, _run: RunId, _attempt: u32, _cancellation: Cancellation) {}

    fn enforces_timeouts(&self) -> bool {
        true
    }
}

impl SyncAttempt {
    fn carry_out(self) {
        let outcome = self.outcome();
        self.end(outcome);
    }

    fn outcome(&self) -> AttemptOutcome {
        let context = &self.assignment.context;
        if context.0.cancel.is_forced() {
            return AttemptOutcome::Cancelled(None);
        }
        // As on a `spawn_blocking` thread, the body can find the runtime, to block on calls of the handle.
        let _runtime = self.reporter.runtime().map(|runtime| runtime.enter());
        self.reporter.in_span(|| {
            let body = match make_body(&self.assignment) {
                Ok(TaskBody::Sync(body)) => body,
                // The definition says that the task is sync.
                Ok(TaskBody::Async(_)) => {
                    return AttemptOutcome::Failed("an async body in a sync task".into());
                }
                Err(outcome) => return outcome,
            };
            let _inside = enter(context.run_id());
            match catch_unwind(AssertUnwindSafe(body)) {
                Ok(output) => outcome_of(output, context),
                Err(payload) => AttemptOutcome::Panicked(panic_text(payload)),
            }
        })
    }

    fn end(self, outcome: AttemptOutcome) {
        let Self {
            assignment,
            mut reporter,
            started_at,
            hold,
        } = self;
        drop(assignment);
        reporter.end(started_at, outcome);
        drop(hold);
    }
}

fn serve(shared: &Shared) {
    let mut queue = lock(&shared.queue);
    loop {
        if let Some(attempt) = queue.waiting.pop_front() {
            drop(queue);
            // A panic of the body is caught where it is reported. This one comes from what the body leaves behind.
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| attempt.carry_out())) {
                panic_text(payload);
            }
            queue = lock(&shared.queue);
            continue;
        }
        queue.idle += 1;
        let (guard, waited) = shared
            .ready
            .wait_timeout(queue, IDLE)
            .unwrap_or_else(PoisonError::into_inner);
        queue = guard;
        queue.idle -= 1;
        if waited.timed_out() && queue.waiting.is_empty() {
            queue.threads -= 1;
            return;
        }
    }
}

impl fmt::Debug for ThreadPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let queue = lock(&self.shared.queue);
        f.debug_struct("ThreadPool")
            .field("limit", &self.limit)
            .field("threads", &queue.threads)
            .field("idle", &queue.idle)
            .finish_non_exhaustive()
    }
}
