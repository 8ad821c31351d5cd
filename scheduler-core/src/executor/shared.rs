//! An executor that the drivers of all stores share, with the capacity that they use.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::{Assignment, Executor, Reporter};
use crate::cancel::Cancellation;
use crate::id::RunId;
use crate::panic::panic_text;
use crate::store_clock::StoreClock;
use crate::task::started_run::Handover;

/// See the module documentation.
#[derive(Debug)]
pub(crate) struct SharedExecutor {
    executor: Arc<dyn Executor>,
    /// If `true`, the executor is one of this crate, which does not panic.
    is_local: bool,
    /// If `true`, the scheduler watches its timeouts.
    is_watched: bool,
    in_use: AtomicUsize,
    /// If `true`, a driver found no capacity since this was last read.
    missed: AtomicBool,
}

impl SharedExecutor {
    /// Wraps an executor; `is_local` if it is one of this crate.
    pub(crate) fn new(executor: impl Executor, is_local: bool) -> Arc<Self> {
        Arc::new(Self {
            is_local,
            is_watched: !executor.enforces_timeouts(),
            executor: Arc::new(executor),
            in_use: AtomicUsize::new(0),
            missed: AtomicBool::new(false),
        })
    }

    /// Returns how many runs it carries out at once.
    pub(crate) fn capacity(&self) -> usize {
        guarded(|| self.executor.capacity()).unwrap_or(0)
    }

    /// Returns the time to record for an attempt that is handed over now, or `None` for the built-in executor, which
    /// reads the clock when the body starts.
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

    /// Reserves up to `wanted` permits. Returns how many it reserved.
    pub(crate) fn reserve(&self, wanted: usize) -> usize {
        let capacity = self.capacity();
        match self.try_reserve(wanted, capacity) {
            0 if self.miss_of(capacity) => self.try_reserve(wanted, capacity),
            reserved => reserved,
        }
    }

    /// Records that a driver found no capacity. Returns `true` if there is some by now: capacity is released before
    /// this flag is checked, so one of the two always sees the other.
    pub(crate) fn miss(&self) -> bool {
        self.miss_of(self.capacity())
    }

    fn miss_of(&self, capacity: usize) -> bool {
        self.missed.swap(true, Ordering::SeqCst);
        self.in_use.load(Ordering::SeqCst) < capacity
    }

    /// Returns `true` if a driver found no capacity since the last call.
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

    /// Releases reserved permits.
    pub(crate) fn release(&self, count: usize) {
        self.in_use.fetch_sub(count, Ordering::SeqCst);
    }

    /// Hands over one attempt under a reserved permit, which is released before the attempt's end is reported.
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

/// Calls an executor that may be user code and may panic. The panic must not end a driver.
fn guarded<T>(call: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(answer) => Some(answer),
        Err(payload) => {
            tracing::error!(problem = %panic_text(payload), "an executor panicked");
            None
        }
    }
}
