//! An executor that the drivers of all stores share, and how much of its capacity they use.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::{Assignment, Executor, Reporter};
use crate::cancel::Cancellation;
use crate::id::RunId;
use crate::panic::panic_text;
use crate::store_clock::StoreClock;
use crate::task::started_run::Handover;

/// See the module.
#[derive(Debug)]
pub(crate) struct SharedExecutor {
    executor: Arc<dyn Executor>,
    /// It is one of this crate, which does not panic.
    is_local: bool,
    /// The scheduler watches its time-outs.
    is_watched: bool,
    in_use: AtomicUsize,
    /// Whether somebody found no capacity since it was last asked.
    missed: AtomicBool,
}

impl SharedExecutor {
    /// `is_local`: it is one of this crate.
    pub(crate) fn new(executor: impl Executor, is_local: bool) -> Arc<Self> {
        Arc::new(Self {
            is_local,
            is_watched: !executor.enforces_timeouts(),
            executor: Arc::new(executor),
            in_use: AtomicUsize::new(0),
            missed: AtomicBool::new(false),
        })
    }

    /// How many runs it carries out at once.
    pub(crate) fn capacity(&self) -> usize {
        guarded(|| self.executor.capacity()).unwrap_or(0)
    }

    /// Returns what is noted of an attempt that is handed over now. `None` for the built-in executor, which reads
    /// the clock when the body starts.
    #[inline]
    pub(crate) fn handover(&self, clock: &StoreClock) -> Option<Handover> {
        (!self.is_local).then(|| Handover {
            at: clock.now(),
            is_watched: self.is_watched,
        })
    }

    pub(crate) fn in_use(&self) -> usize {
        self.in_use.load(Ordering::Acquire)
    }

    /// Reserves up to `wanted` places; the answer says how many.
    pub(crate) fn reserve(&self, wanted: usize) -> usize {
        let capacity = self.capacity();
        match self.try_reserve(wanted, capacity) {
            0 if self.miss_of(capacity) => self.try_reserve(wanted, capacity),
            reserved => reserved,
        }
    }

    /// Notes that somebody found no capacity. Whether there is some by now: who frees it looks at the
    /// note after that, so that one of the two always sees the other.
    pub(crate) fn miss(&self) -> bool {
        self.miss_of(self.capacity())
    }

    fn miss_of(&self, capacity: usize) -> bool {
        self.missed.swap(true, Ordering::SeqCst);
        self.in_use.load(Ordering::SeqCst) < capacity
    }

    /// Returns `true` if somebody found no capacity since this was last asked.
    pub(crate) fn take_missed(&self) -> bool {
        self.missed.swap(false, Ordering::SeqCst)
    }

    fn try_reserve(&self, wanted: usize, capacity: usize) -> usize {
        let mut reserved = 0;
        let update = self
            .in_use
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |in_use| {
                reserved = wanted.min(capacity.saturating_sub(in_use));
                (reserved > 0).then_some(in_use + reserved)
            });
        if update.is_ok() { reserved } else { 0 }
    }

    /// Gives reserved places back.
    pub(crate) fn release(&self, count: usize) {
        self.in_use.fetch_sub(count, Ordering::SeqCst);
    }

    /// Hands over one attempt, in a place that was reserved; the place is released before the attempt's end is
    /// reported.
    pub(crate) fn submit(&self, assignment: Assignment, mut reporter: Reporter) {
        if self.is_local {
            return self.executor.submit(assignment, reporter);
        }
        if self.is_watched
            && let Some(handed_over_at) = assignment.context.0.handed_over_at()
        {
            reporter.watch_timeout(handed_over_at);
        }
        // A panic drops the reporter, which reports that the attempt failed.
        guarded(|| self.executor.submit(assignment, reporter));
    }

    pub(crate) fn cancel(&self, run: RunId, attempt: u32, cancellation: Cancellation) {
        guarded(|| self.executor.cancel(run, attempt, cancellation));
    }

    pub(crate) fn trim(&self) {
        guarded(|| self.executor.trim());
    }
}

/// Calls an executor, which may be the user's own and panic: no panic of it ends a driver.
fn guarded<T>(call: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(answer) => Some(answer),
        Err(payload) => {
            tracing::error!(problem = %panic_text(payload), "an executor panicked");
            None
        }
    }
}
