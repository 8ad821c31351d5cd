//! Trigger searches on behalf of a call: short ones run immediately, long ones outside the runtime. Each has a budget
//! of steps and stops when the caller is gone.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use scheduler_triggers::Effort;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::Scheduler;
use crate::effort::ON_RUNTIME;
use crate::error::Error;

/// The maximum number of concurrent searches outside the runtime. Others wait, so that a burst of searches uses at
/// most two processors.
pub(super) const AT_ONCE: usize = 2;

tokio::task_local! {
    /// How long calls of a handle wait for their turn; unlimited if not set.
    static PATIENCE: Duration;
}

/// The result of a search outside the runtime.
pub(super) type Found<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

impl Scheduler {
    /// Limits how long the calls made by `calls` wait for their turn to search.
    ///
    /// A search for fire times that takes long, as in [`preview_trigger`](Self::preview_trigger),
    /// [`upcoming`](Self::upcoming) or [`add_job`](Self::add_job), leaves the runtime, where at most two run at a
    /// time. A call waits for its turn; within `calls` it fails with [`Error::Busy`] after `patience`. This suits a
    /// service with many clients: the HTTP API does so after a second, with status 429. The limit applies to the task
    /// that polls `calls`, not to tasks that it spawns.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use scheduler_core::prelude::*;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), scheduler_core::Error> {
    /// # let scheduler = Scheduler::builder().without_static_jobs().start().await?;
    /// let upcoming = scheduler.upcoming(10);
    /// match Scheduler::with_search_patience(Duration::from_secs(1), upcoming).await {
    ///     Err(scheduler_core::Error::Busy) => println!("try again in a second"),
    ///     upcoming => println!("{} fire times", upcoming?.len()),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn with_search_patience<F: Future>(patience: Duration, calls: F) -> F::Output {
        PATIENCE.scope(patience, calls).await
    }

    /// Waits for the turn of a search outside the runtime.
    async fn search_turn(&self) -> Result<OwnedSemaphorePermit, Error> {
        let turn = self.0.searches.clone().acquire_owned();
        let turn = match PATIENCE.try_get() {
            Ok(patience) => timeout(patience, turn).await.map_err(|_| Error::Busy)?,
            Err(_) => turn.await,
        };
        // The semaphore is never closed.
        turn.map_err(|_| Error::Stopped)
    }

    /// Searches within `limit` steps. A long search is restarted on a separate thread, and stops when the caller
    /// drops the future or the scheduler stops.
    ///
    /// # Errors
    /// Returns the error of the search, which may be called twice, [`Error::Stopped`] if it was stopped, or
    /// [`Error::Busy`] if its turn did not come in time.
    pub(super) async fn search<T: Send + 'static>(
        &self,
        limit: u64,
        mut search: impl FnMut(&mut Effort) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let mut effort = Effort::steps(limit.min(ON_RUNTIME));
        let found = search(&mut effort);
        if !effort.is_exhausted() || limit <= ON_RUNTIME {
            return found;
        }
        self.search_elsewhere(limit, search).await
    }

    /// Boxed, because few searches get here, and every call that might would otherwise be as large.
    #[inline(never)]
    pub(super) fn search_elsewhere<T: Send + 'static>(
        &self,
        limit: u64,
        mut search: impl FnMut(&mut Effort) -> Result<T, Error> + Send + 'static,
    ) -> Found<'_, T> {
        let waiting = Waiting::default();
        let (given_up, scheduler) = (waiting.0.clone(), self.clone());
        let is_unwanted = move || {
            given_up.load(Ordering::Relaxed) || scheduler.0.stopping.load(Ordering::Relaxed)
        };
        let mut effort = Effort::steps(limit).until(is_unwanted);
        Box::pin(async move {
            let _waiting = waiting;
            let turn = self.search_turn().await?;
            let thread = tokio::task::spawn_blocking(move || {
                // Held until the search has ended, which continues briefly after the caller has gone.
                let _turn = turn;
                let found = search(&mut effort);
                if effort.is_stopped() {
                    return Err(Error::Stopped);
                }
                found
            });
            match thread.await {
                Ok(found) => found,
                // A custom trigger panicked: the panic is passed on to the caller, as if it had occurred there.
                Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                Err(_) => Err(Error::Stopped),
            }
        })
    }
}

/// Keeps a search running until it is dropped, which means that the caller has gone.
#[derive(Default)]
struct Waiting(Arc<AtomicBool>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
