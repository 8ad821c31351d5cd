//! Virtual time that stands still while something works in real time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use crate::clock::is_paused;

/// How long sync tasks may work in real time until virtual time goes on without them.
const SYNC_TASK_LIMIT: Duration = Duration::from_secs(1);

thread_local! {
    /// What holds virtual time on this thread, which is that of its runtime: only a current-thread runtime
    /// can be paused.
    static HOLDS: Arc<AtomicUsize> = Arc::default();
}

/// Keeps virtual time from passing until it is dropped; made by [`hold_virtual_time`].
#[derive(Debug)]
#[must_use = "virtual time passes again when it is dropped"]
pub struct Hold(
    #[expect(dead_code, reason = "dropped to let time go on")] Option<mpsc::Sender<()>>,
);

impl Hold {
    fn start(limit: Duration) -> Self {
        if tokio::runtime::Handle::try_current().is_err() {
            return Self(None);
        }
        let holds = HOLDS.with(Arc::clone);
        let (release, released) = mpsc::channel::<()>();
        holds.fetch_add(1, Ordering::AcqRel);
        // A paused runtime does not move its clock while one of its blocking tasks runs.
        tokio::task::spawn_blocking(move || {
            if released.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout) {
                tracing::warn!(
                    ?limit,
                    "virtual time goes on, since it was held for too long in real time"
                );
            }
            holds.fetch_sub(1, Ordering::AcqRel);
        });
        Self(Some(release))
    }
}

/// Keeps virtual time from passing until what it returns is dropped, for at most `limit` of real time. Does
/// nothing where time is not paused.
///
/// Tokio's paused clock jumps to the next timer as soon as every task waits, be it for a timer or for an
/// answer from outside: a database that answers within a millisecond is late by then, and a time-out of ten
/// seconds has passed. A [`Store`](crate::store::Store) that asks one holds virtual time for each of its calls; so
/// does the one of `scheduler-sqlx`. Tests use [`VirtualClock::hold`](super::VirtualClock::hold).
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

/// Keeps virtual time from passing while a sync task runs on its thread, which the runtime knows nothing of.
pub(crate) fn hold_for_sync_task() -> Hold {
    Hold::start(SYNC_TASK_LIMIT)
}

/// Returns `true` while something holds virtual time on this thread.
pub(super) fn is_held() -> bool {
    HOLDS.with(|holds| holds.load(Ordering::Acquire) > 0)
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

    /// Something outside of the runtime that answers after some real time.
    async fn answer_from_outside() {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            real_pause(Duration::from_millis(50));
            let _ = sender.send(());
        });
        receiver.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_from_outside_is_in_time_while_virtual_time_is_held() {
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

    #[tokio::test]
    async fn real_time_is_never_held() {
        let hold = hold_virtual_time(Duration::from_secs(60));
        assert!(!is_held());
        drop(hold);
    }
}
