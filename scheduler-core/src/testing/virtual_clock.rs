//! A time of day that follows tokio's paused clock.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::runtime::Handle;
use tokio::time::Instant;

use super::hold::{Hold, hold_virtual_time, is_held};
use crate::clock::{Clock, monotonic_now, sleep};
use crate::lock::lock;
use crate::store::Wake;

/// A time of day that follows tokio's clock. A clone refers to the same clock.
///
/// Under `#[tokio::test(start_paused = true)]` the time is virtual. That requires a current-thread runtime and
/// tokio's `test-util`. Under a running clock, time just begins at another instant. See [`testing`](crate::testing)
/// for a scheduler driven by it.
#[derive(Debug, Clone)]
pub struct VirtualClock {
    /// The instant of its origin, in microseconds since the epoch.
    base: i64,
    origin: Instant,
    /// The runtime whose time it follows, also on threads that are unknown to the runtime.
    runtime: Option<Handle>,
    /// How far the wall clock was set, in microseconds.
    offset: Arc<AtomicI64>,
    /// How long the machine was suspended, in microseconds.
    suspended: Arc<AtomicI64>,
    /// If `true`, virtual time does not pass while async runs wait.
    holds_during_runs: bool,
    /// The drivers that check their stores before time passes.
    wakes: Arc<Mutex<Vec<Wake>>>,
}

/// How often every ready task is polled before everything due counts as done.
const SETTLE_ROUNDS: usize = 1_000;

/// How long `hold` keeps virtual time from passing, in real time.
const HOLD_LIMIT: Duration = Duration::from_secs(60);

/// How long an async run keeps virtual time from passing, in real time.
const RUN_LIMIT: Duration = Duration::from_secs(10);

impl VirtualClock {
    /// Creates a clock that starts at an RFC 3339 instant.
    ///
    /// # Errors
    /// Returns an error if the text is not such an instant.
    ///
    /// ```
    /// use scheduler_core::Clock;
    /// use scheduler_core::testing::VirtualClock;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), chrono::ParseError> {
    /// let clock = VirtualClock::at("2026-03-01T08:00:00+08:00")?;
    /// assert_eq!(clock.now().to_rfc3339(), "2026-03-01T00:00:00+00:00");
    /// assert!(VirtualClock::at("tomorrow").is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub fn at(start: &str) -> Result<Self, chrono::ParseError> {
        Ok(Self::starting(
            DateTime::parse_from_rfc3339(start)?.to_utc(),
        ))
    }

    /// Creates a clock that starts at an instant.
    ///
    /// ```
    /// use chrono::DateTime;
    /// use scheduler_core::Clock;
    /// use scheduler_core::testing::VirtualClock;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let clock = VirtualClock::starting(DateTime::UNIX_EPOCH);
    /// assert_eq!(clock.now(), DateTime::UNIX_EPOCH);
    /// # }
    /// ```
    pub fn starting(start: DateTime<Utc>) -> Self {
        Self {
            base: start.timestamp_micros(),
            origin: monotonic_now(),
            runtime: Handle::try_current().ok(),
            offset: Arc::default(),
            suspended: Arc::default(),
            holds_during_runs: false,
            wakes: Arc::default(),
        }
    }

    /// Keeps virtual time from passing while async runs are executing, as it always does for sync ones.
    ///
    /// For tasks that call a database or a server. Otherwise virtual time jumps to the next timer before the answer
    /// arrives, so that a timeout of the run or of the connection pool passes. Not for tasks that wait for timers:
    /// each of those takes ten seconds of real time, after which virtual time continues.
    ///
    /// ```
    /// use chrono::TimeDelta;
    /// use scheduler_core::RunFilter;
    /// use scheduler_core::prelude::*;
    /// use scheduler_core::testing::VirtualClock;
    ///
    /// /// Calls something that answers from outside the runtime.
    /// #[task]
    /// async fn ask_server() -> Option<u32> {
    ///     let (sender, receiver) = tokio::sync::oneshot::channel();
    ///     std::thread::spawn(|| sender.send(7));
    ///     receiver.await.ok()
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let clock = VirtualClock::at("2026-01-01T00:00:00Z")?.hold_during_runs();
    /// let scheduler =
    ///     Scheduler::builder().clock(clock.clone()).without_static_jobs().start().await?;
    /// scheduler.add_job(ask_server::job().interval("1h").timeout(std::time::Duration::from_secs(1))).await?;
    /// clock.advance(TimeDelta::hours(1)).await;
    /// let runs = scheduler.list_runs(&RunFilter::new()).await?.items;
    /// assert_eq!(runs[0].finished_at, Some(runs[0].scheduled_for));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn hold_during_runs(mut self) -> Self {
        self.holds_during_runs = true;
        self
    }

    /// Lets this much time pass. Everything that comes due happens in order, each event at its instant.
    ///
    /// Only [settles](Self::settle) if `by` is zero or negative.
    ///
    /// ```
    /// use chrono::TimeDelta;
    /// use scheduler_core::RunFilter;
    /// use scheduler_core::prelude::*;
    /// use scheduler_core::testing::VirtualClock;
    ///
    /// #[task]
    /// async fn chime() {}
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let clock = VirtualClock::at("2026-01-01T00:00:00Z")?;
    /// let scheduler =
    ///     Scheduler::builder().clock(clock.clone()).without_static_jobs().start().await?;
    /// scheduler.add_job(chime::job().interval("1h")).await?;
    /// clock.advance(TimeDelta::days(1)).await;
    /// assert_eq!(scheduler.list_runs(&RunFilter::new()).await?.items.len(), 24);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn advance(&self, by: TimeDelta) {
        let end = self.now() + by;
        if self.wake_drivers() {
            // Changes committed on other connections become known before time passes.
            self.settle().await;
        }
        loop {
            let left = (end - self.now()).to_std().unwrap_or_default();
            if left.is_zero() {
                break;
            }
            sleep(left).await;
        }
        self.settle().await;
    }

    /// Lets time pass until an instant. Only [settles](Self::settle) if that is in the past.
    ///
    /// ```
    /// use scheduler_core::Clock;
    /// use scheduler_core::testing::VirtualClock;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), chrono::ParseError> {
    /// let clock = VirtualClock::at("2026-01-01T00:00:00Z")?;
    /// let noon = "2026-01-01T12:00:00Z".parse()?;
    /// clock.advance_to(noon).await;
    /// assert_eq!(clock.now(), noon);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn advance_to(&self, instant: DateTime<Utc>) {
        self.advance(instant - self.now()).await;
    }

    /// Lets everything happen that is due by now, without letting time pass.
    ///
    /// ```
    /// use scheduler_core::RunFilter;
    /// use scheduler_core::prelude::*;
    /// use scheduler_core::testing::VirtualClock;
    ///
    /// #[task]
    /// async fn register_node() {}
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let clock = VirtualClock::at("2026-01-01T00:00:00Z")?;
    /// let scheduler =
    ///     Scheduler::builder().clock(clock.clone()).without_static_jobs().start().await?;
    /// scheduler.add_job(register_node::job().trigger(Trigger::now())).await?;
    /// clock.settle().await;
    /// assert_eq!(scheduler.list_runs(&RunFilter::new()).await?.items.len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn settle(&self) {
        self.wake_drivers();
        loop {
            for _ in 0..SETTLE_ROUNDS {
                tokio::task::yield_now().await;
            }
            if !is_held() {
                return;
            }
            while is_held() {
                // Sync tasks run on their threads and databases elsewhere. These need real time, which the runtime
                // does not count while one of its blocking tasks runs. Every hold ends by itself.
                let _ = tokio::task::spawn_blocking(real_millisecond).await;
            }
        }
    }

    /// Carries out work in real time, without letting virtual time pass.
    ///
    /// Tokio's paused clock jumps to the next timer as soon as every task is waiting, even for something other than a
    /// timer, such as the answer of a database: the test then fails with "pool timed out". The scheduler's own store
    /// calls hold time by themselves. Hold it for the calls of the test and of the code under test. A timer in there
    /// passes only after 60 seconds of real time, when virtual time continues.
    ///
    /// ```
    /// use scheduler_core::Clock;
    /// use scheduler_core::testing::VirtualClock;
    ///
    /// /// Answers from outside the runtime.
    /// async fn ask_server() -> u32 {
    ///     let (sender, receiver) = tokio::sync::oneshot::channel();
    ///     std::thread::spawn(|| sender.send(7));
    ///     receiver.await.unwrap_or_default()
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), chrono::ParseError> {
    /// let clock = VirtualClock::at("2026-01-01T00:00:00Z")?;
    /// assert_eq!(clock.hold(ask_server()).await, 7);
    /// assert_eq!(clock.now().to_rfc3339(), "2026-01-01T00:00:00+00:00");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn hold<F: Future>(&self, work: F) -> F::Output {
        let hold = hold_virtual_time(HOLD_LIMIT);
        let output = work.await;
        drop(hold);
        output
    }

    /// Returns how much time has passed.
    #[inline]
    fn elapsed(&self) -> Duration {
        // A task has a runtime. Outside of one, finding out requires cloning the handle.
        if tokio::task::try_id().is_some() {
            return monotonic_now() - self.origin;
        }
        self.elapsed_outside_of_tasks()
    }

    /// A thread without a runtime, such as that of a sync task, would read the machine's time, which is not paused.
    #[cold]
    fn elapsed_outside_of_tasks(&self) -> Duration {
        let has_none = Handle::try_current().is_err_and(|error| error.is_missing_context());
        let runtime = self.runtime.as_ref().filter(|_| has_none);
        let _entered = runtime.map(Handle::enter);
        monotonic_now() - self.origin
    }

    /// Holds time for an async run that waits, if that is enabled.
    pub(crate) fn hold_for_run(&self) -> Option<Hold> {
        self.holds_during_runs.then(|| hold_virtual_time(RUN_LIMIT))
    }

    /// Registers a driver whose store others may change without notice.
    pub(crate) fn enter_driver(&self, wake: Wake) {
        self.lock_wakes().push(wake);
    }

    /// Wakes the registered drivers. Returns `true` if there are any.
    fn wake_drivers(&self) -> bool {
        let mut wakes = self.lock_wakes();
        wakes.retain(Wake::wake);
        !wakes.is_empty()
    }

    fn lock_wakes(&self) -> std::sync::MutexGuard<'_, Vec<Wake>> {
        lock(&self.wakes)
    }

    /// Sets the wall clock forward or back without time passing, as an operator or a time server does.
    ///
    /// The scheduler notices at its next wake-up, after at most 30 seconds. To simulate a machine that sleeps, see
    /// [`suspend`](Self::suspend).
    ///
    /// ```
    /// use chrono::TimeDelta;
    /// use scheduler_core::Clock;
    /// use scheduler_core::testing::VirtualClock;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), chrono::ParseError> {
    /// let clock = VirtualClock::at("2026-01-01T00:00:00Z")?;
    /// clock.jump(TimeDelta::hours(-1));
    /// assert_eq!(clock.now().to_rfc3339(), "2025-12-31T23:00:00+00:00");
    /// # Ok(())
    /// # }
    /// ```
    pub fn jump(&self, by: TimeDelta) {
        let micros = by.num_microseconds().unwrap_or_default();
        self.offset.fetch_add(micros, Ordering::AcqRel);
        self.wake_drivers();
    }

    /// Suspends the machine for this long: timers stop, but the time of day advances.
    ///
    /// The scheduler notices at its next wake-up, after at most 30 seconds.
    ///
    /// ```
    /// use chrono::TimeDelta;
    /// use scheduler_core::Clock;
    /// use scheduler_core::testing::VirtualClock;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), chrono::ParseError> {
    /// let clock = VirtualClock::at("2026-01-01T00:00:00Z")?;
    /// let up_before = clock.boot_time();
    /// clock.suspend(std::time::Duration::from_secs(3600));
    /// assert_eq!(clock.now().to_rfc3339(), "2026-01-01T01:00:00+00:00");
    /// assert!(clock.boot_time() > up_before);
    /// # Ok(())
    /// # }
    /// ```
    pub fn suspend(&self, span: Duration) {
        let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        self.suspended.fetch_add(micros, Ordering::AcqRel);
        self.wake_drivers();
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> DateTime<Utc> {
        let elapsed = self.elapsed();
        let seconds = i64::try_from(elapsed.as_secs()).unwrap_or_default();
        let micros = seconds * 1_000_000 + i64::from(elapsed.subsec_micros());
        let set = self.offset.load(Ordering::Acquire) + self.suspended.load(Ordering::Acquire);
        DateTime::from_timestamp_micros(self.base + micros + set).unwrap_or_default()
    }

    fn boot_time(&self) -> Option<Duration> {
        let suspended = self.suspended.load(Ordering::Acquire).unsigned_abs();
        Some(self.elapsed() + Duration::from_micros(suspended))
    }

    fn as_virtual(&self) -> Option<&VirtualClock> {
        Some(self)
    }
}

#[allow(clippy::disallowed_methods)] // real time, on purpose
fn real_millisecond() {
    std::thread::sleep(Duration::from_millis(1));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn every_thread_reads_the_same_time() {
        let clock = VirtualClock::at("2026-03-01T00:00:00Z").unwrap();
        clock.advance(TimeDelta::days(1)).await;
        let here = (clock.now(), clock.boot_time());
        let there = std::thread::spawn(move || (clock.now(), clock.boot_time()));
        assert_eq!(there.join().unwrap(), here);
    }
}
