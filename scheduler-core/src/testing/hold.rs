//! Keeping virtual time still while something works in real time.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::{Handle, Id};

use crate::clock::{is_paused, real_now};
use crate::lock::lock;

/// How long sync tasks may work in real time before virtual time continues without them.
const SYNC_TASK_LIMIT: Duration = Duration::from_secs(1);

/// Short enough to be added to any instant.
const LONGEST: Duration = Duration::from_secs(365 * 86_400);

thread_local! {
    /// The holds of virtual time, by runtime. Only a current-thread runtime can be paused, so these are the runtimes
    /// of this thread, usually one after another.
    static HOLDS: RefCell<Vec<(Id, Arc<Holds>)>> = const { RefCell::new(Vec::new()) };
}

/// Keeps virtual time from passing until it is dropped; created by [`hold_virtual_time`].
#[derive(Debug)]
#[must_use = "virtual time passes again when it is dropped"]
pub struct Hold(Option<(Arc<Holds>, u64)>);

/// All holds of one runtime's virtual time.
#[derive(Debug, Default)]
struct Holds {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// When each hold expires, in real time.
    until: BTreeMap<u64, Instant>,
    next: u64,
    /// If `true`, a blocking task waits for the holds to end. There is one for all, because a runtime has few threads
    /// for blocking tasks.
    has_waiter: bool,
}

impl Hold {
    fn start(limit: Duration) -> Self {
        let Some(holds) = Holds::here() else {
            return Self(None);
        };
        let until = real_now() + limit.min(LONGEST);
        let mut state = holds.lock();
        let is_earliest = state.until.values().all(|other| until < *other);
        let id = state.next;
        state.next += 1;
        state.until.insert(id, until);
        let has_waiter = std::mem::replace(&mut state.has_waiter, true);
        drop(state);
        if !has_waiter {
            let holds = holds.clone();
            // A paused runtime does not advance its clock while one of its blocking tasks runs.
            tokio::task::spawn_blocking(move || holds.wait());
        } else if is_earliest {
            holds.changed.notify_one();
        }
        Self(Some((holds, id)))
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if let Some((holds, id)) = self.0.take() {
            let mut state = holds.lock();
            state.until.remove(&id);
            if state.until.is_empty() {
                holds.changed.notify_one();
            }
        }
    }
}

impl Holds {
    /// Returns the holds of the current runtime.
    fn here() -> Option<Arc<Self>> {
        let runtime = Handle::try_current().ok()?.id();
        HOLDS.with_borrow_mut(|all| {
            if let Some((_, holds)) = all.iter().find(|(id, _)| *id == runtime) {
                return Some(holds.clone());
            }
            // Discards the holds of runtimes that have ended.
            all.retain(|(_, holds)| holds.is_held());
            let holds = Arc::new(Self::default());
            all.push((runtime, holds.clone()));
            Some(holds)
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn is_held(&self) -> bool {
        !self.lock().until.is_empty()
    }

    /// Waits until there are no more holds, or all have reached their limits.
    fn wait(&self) {
        let mut state = self.lock();
        loop {
            let now = real_now();
            let count = state.until.len();
            state.until.retain(|_, until| *until > now);
            if state.until.len() < count {
                tracing::warn!("virtual time goes on, since it was held for too long in real time");
            }
            let Some(next) = state.until.values().min().copied() else {
                break;
            };
            let waited = self.changed.wait_timeout(state, next - now);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.has_waiter = false;
    }
}

/// Keeps virtual time from passing until the returned guard is dropped, for at most `limit` of real time. Does
/// nothing if time is not paused.
///
/// Tokio's paused clock jumps to the next timer as soon as every task is waiting, whether for a timer or for an
/// answer from outside. A database that answers within a millisecond is late by then, because a timeout of ten
/// seconds has passed. A [`Store`](crate::store::Store) that uses a database should hold virtual time during each of
/// its calls, as the store of `scheduler-sqlx` does. Tests use [`VirtualClock::hold`](super::VirtualClock::hold).
///
/// ```
/// use std::time::Duration;
///
/// use scheduler_core::testing::hold_virtual_time;
///
/// # async fn answer() -> u32 { 7 }
/// /// Asks a server, which takes as long as it takes.
/// async fn ask() -> Option<u32> {
///     let limit = Duration::from_secs(10);
///     let hold = hold_virtual_time(limit);
///     let answer = tokio::time::timeout(limit, answer()).await.ok();
///     drop(hold);
///     answer
/// }
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// assert_eq!(ask().await, Some(7));
/// # }
/// ```
pub fn hold_virtual_time(limit: Duration) -> Hold {
    if is_paused() {
        Hold::start(limit)
    } else {
        Hold(None)
    }
}

/// Returns `true` if tokio's clock is paused here, so that time is virtual.
///
/// ```
/// use scheduler_core::testing::is_time_virtual;
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// assert!(is_time_virtual());
/// # }
/// ```
pub fn is_time_virtual() -> bool {
    is_paused()
}

/// Keeps virtual time from passing while a sync task runs on its thread, which is unknown to the runtime.
pub(crate) fn hold_for_sync_task() -> Hold {
    Hold::start(SYNC_TASK_LIMIT)
}

/// Returns `true` if virtual time is held here.
pub(super) fn is_held() -> bool {
    Holds::here().is_some_and(|holds| holds.is_held())
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;
    use crate::clock::sleep;

    #[allow(clippy::disallowed_methods)] // real time, on purpose
    fn real_pause(duration: Duration) {
        std::thread::sleep(duration);
    }

    /// Simulates something outside the runtime that answers after some real time.
    async fn answer_from_outside() {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            real_pause(Duration::from_millis(50));
            let _ = sender.send(());
        });
        receiver.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn answer_from_outside_is_in_time_while_virtual_time_is_held() {
        let limit = Duration::from_secs(10);
        let started_at = Instant::now();
        let hold = hold_virtual_time(Duration::from_secs(60));
        let held = tokio::time::timeout(limit, answer_from_outside()).await;
        assert!(held.is_ok());
        assert_eq!(started_at.elapsed(), Duration::ZERO);
        drop(hold);
    }

    #[tokio::test(start_paused = true)]
    async fn a_hold_ends_after_its_limit_of_real_time() {
        let hold = hold_virtual_time(Duration::from_millis(20));
        sleep(Duration::from_secs(86_400)).await;
        drop(hold);
        assert!(!is_held());
    }

    fn paused(blocking_threads: usize) -> tokio::runtime::Runtime {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let builder = builder.enable_all().start_paused(true);
        let builder = builder.max_blocking_threads(blocking_threads);
        builder.build().unwrap()
    }

    #[test]
    fn holds_share_one_blocking_thread() {
        paused(2).block_on(async {
            let limit = Duration::from_secs(20);
            let holds = [hold_virtual_time(limit), hold_virtual_time(limit)];
            tokio::task::spawn_blocking(|| {}).await.unwrap();
            assert!(is_held(), "a thread was free meanwhile");
            let [first, second] = holds;
            drop(first);
            assert!(is_held());
            drop(second);
            assert!(!is_held());
        });
    }

    #[test]
    fn holds_of_another_runtime_do_not_affect_this_one() {
        let first = paused(1);
        let (busy, until_free) = std::sync::mpsc::channel::<()>();
        let hold = first.block_on(async {
            tokio::task::spawn_blocking(move || until_free.recv());
            // There is no thread for it, so it never begins to wait.
            let hold = hold_virtual_time(Duration::from_secs(60));
            assert!(is_held());
            hold
        });
        first.shutdown_background();
        drop((busy, hold));
        paused(1).block_on(async {
            assert!(!is_held());
            sleep(Duration::from_secs(86_400)).await;
        });
    }

    #[tokio::test]
    async fn real_time_is_never_held() {
        let hold = hold_virtual_time(Duration::from_secs(60));
        assert!(!is_held());
        drop(hold);
    }
}
