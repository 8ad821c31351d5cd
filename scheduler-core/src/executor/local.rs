//! The executor for this process.

use std::any::TypeId;
use std::sync::Arc;

use super::shared::SharedExecutor;
use super::task_pool::TaskPool;
use super::thread_pool::ThreadPool;
use super::{Assignment, Executor, Reporter};
use crate::cancel::Cancellation;
use crate::id::RunId;

/// Carries out runs in this process: async tasks on the runtime, and sync tasks on its own threads, which are started
/// on demand.
///
/// Two of them exist without any setup: `"default"` (10,000 async runs) and `"sync"` (32 threads, for sync tasks that
/// name no executor). A run whose executor is full waits; jobs of other executors continue.
///
/// ```
/// use scheduler_core::prelude::*;
/// use scheduler_core::LocalExecutor;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), scheduler_core::Error> {
/// // At most two of the heavy reports at once, whatever else goes on.
/// let scheduler = Scheduler::builder()
///     .executor("reports", LocalExecutor::with_limit(2))
/// #   .without_static_jobs()
///     .start()
///     .await?;
/// let health = scheduler.health();
/// let reports = health.executors.iter().find(|executor| &*executor.name == "reports");
/// assert_eq!(reports.map(|executor| executor.limit), Some(2));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct LocalExecutor {
    tasks: TaskPool,
    threads: ThreadPool,
}

impl LocalExecutor {
    /// Carries out at most this many runs at once (at least 1).
    pub fn with_limit(limit: usize) -> Self {
        let limit = limit.max(1);
        Self {
            tasks: TaskPool::new(limit),
            threads: ThreadPool::new(limit),
        }
    }

    pub(crate) fn default_async() -> Self {
        Self::with_limit(10_000)
    }

    pub(crate) fn default_sync() -> Self {
        Self::with_limit(32)
    }
}

/// Wraps an executor so that drivers can share it.
pub(crate) fn shared<E: Executor>(executor: E) -> Arc<SharedExecutor> {
    let is_local = TypeId::of::<E>() == TypeId::of::<LocalExecutor>();
    SharedExecutor::new(executor, is_local)
}

impl Executor for LocalExecutor {
    fn capacity(&self) -> usize {
        self.tasks.capacity()
    }

    fn submit(&self, assignment: Assignment, reporter: Reporter) {
        if assignment.task.is_sync {
            self.threads.submit(assignment, reporter);
        } else {
            self.tasks.submit(assignment, reporter);
        }
    }

    /// Does nothing, because a body in this process shares the cancellation flag with its driver.
    fn cancel(&self, _run: RunId, _attempt: u32, _cancellation: Cancellation) {}

    fn enforces_timeouts(&self) -> bool {
        true
    }

    fn trim(&self) {
        self.tasks.trim();
    }
}
