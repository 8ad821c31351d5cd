//! Searches of triggers that a call asks for: short ones at once, long ones off the runtime, each within
//! a budget of steps, and stopped when the caller has gone.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use scheduler_triggers::Effort;

use super::Scheduler;
use crate::effort::ON_RUNTIME;
use crate::error::Error;

/// Searches off the runtime at a time: others wait, so that a burst of them takes no more than two
/// processors.
pub(super) const AT_ONCE: usize = 2;

/// What a search off the runtime comes to.
pub(super) type Found<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

impl Scheduler {
    /// Searches within `limit` steps. A long search is begun anew on a thread of its own, and stops when the caller drops the future or the scheduler stops.
    ///
    /// # Errors
    /// What the search answers, which may be called twice; [`Error::Stopped`] when it was stopped.
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

    /// Boxed: hardly any search comes here, and each call that may would be as large.
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
            let _turn = self.0.searches.acquire().await;
            let thread = tokio::task::spawn_blocking(move || {
                let found = search(&mut effort);
                if effort.is_stopped() {
                    return Err(Error::Stopped);
                }
                found
            });
            match thread.await {
                Ok(found) => found,
                // A trigger of the user's own panicked: the caller hears of it as it would anywhere.
                Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                Err(_) => Err(Error::Stopped),
            }
        })
    }
}

/// The caller waits for a search until this is dropped.
#[derive(Default)]
struct Waiting(Arc<AtomicBool>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
