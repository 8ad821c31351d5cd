//! A time of day that follows tokio's paused clock.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

use crate::clock::{Clock, monotonic_now, sleep};

/// A time of day that follows tokio's clock. A clone is the same clock.
///
/// Under `#[tokio::test(start_paused = true)]` it is virtual.
///
/// Needs a current-thread runtime with tokio's `test-util` for that; under a running clock it
/// simply starts elsewhere. See [`testing`](crate::testing) for a scheduler driven by it.
#[derive(Debug, Clone)]
pub struct VirtualClock {
    base: DateTime<Utc>,
    origin: Instant,
    /// How far the wall clock was set, in microseconds.
    offset: Arc<AtomicI64>,
    /// How long the machine was suspended, in microseconds.
    suspended: Arc<AtomicI64>,
    /// Sync tasks at work.
    holds: Arc<AtomicUsize>,
}

/// How often every task that can go on is polled before all that is due counts as done.
const SETTLE_ROUNDS: usize = 1_000;

/// How long sync tasks may work in real time until virtual time goes on without them.
const HOLD_LIMIT: Duration = Duration::from_secs(1);

impl VirtualClock {
    /// Starts at an RFC 3339 instant.
    ///
    /// # Errors
    /// The text is none.
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

    /// Starts at an instant.
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
            base: start,
            origin: monotonic_now(),
            offset: Arc::default(),
            suspended: Arc::default(),
            holds: Arc::default(),
        }
    }

    /// Lets so much time pass: everything that comes due happens, in order, each at its instant.
    ///
    /// Does nothing but [`settle`](Self::settle) when `by` is zero or less.
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
    /// assert_eq!(scheduler.runs(&RunFilter::new()).await?.len(), 24);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn advance(&self, by: TimeDelta) {
        let end = self.now() + by;
        loop {
            let left = (end - self.now()).to_std().unwrap_or_default();
            if left.is_zero() {
                break;
            }
            sleep(left).await;
        }
        self.settle().await;
    }

    /// Lets time pass until an instant; does nothing but [`settle`](Self::settle) when it is past.
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

    /// Lets everything happen that is due by now, while time stands still.
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
    /// assert_eq!(scheduler.runs(&RunFilter::new()).await?.len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn settle(&self) {
        let holds = || self.holds.load(Ordering::Acquire) > 0;
        loop {
            for _ in 0..SETTLE_ROUNDS {
                tokio::task::yield_now().await;
            }
            if !holds() {
                return;
            }
            while holds() {
                // Sync tasks are on their threads: these need real time, of which the runtime counts
                // none while one of its blocking tasks runs. Every hold ends by itself.
                let _ = tokio::task::spawn_blocking(real_millisecond).await;
            }
        }
    }

    /// Sets the wall clock forward or back without time passing, as an operator or a time server does.
    ///
    /// The scheduler notices at its next wake-up, after 30 seconds at most. For a machine that sleeps, see
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
    }

    /// Suspends the machine for this long: timers stand still, and the time of day goes on.
    ///
    /// The scheduler notices at its next wake-up, after 30 seconds at most.
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
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> DateTime<Utc> {
        let elapsed = TimeDelta::from_std(monotonic_now() - self.origin).unwrap_or_default();
        let micros = elapsed.num_microseconds().unwrap_or_default();
        let suspended = self.suspended.load(Ordering::Acquire);
        let offset =
            TimeDelta::microseconds(micros + self.offset.load(Ordering::Acquire) + suspended);
        self.base.checked_add_signed(offset).unwrap_or(self.base)
    }

    fn boot_time(&self) -> Option<Duration> {
        let suspended = self.suspended.load(Ordering::Acquire).unsigned_abs();
        Some(monotonic_now() - self.origin + Duration::from_micros(suspended))
    }

    fn as_virtual(&self) -> Option<&VirtualClock> {
        Some(self)
    }
}

/// Keeps virtual time from passing until it is dropped.
#[derive(Debug)]
pub(crate) struct Hold {
    _release: mpsc::Sender<()>,
}

/// Keeps virtual time from passing while a sync task runs on its thread, which the runtime knows
/// nothing of; for at most one second.
pub(crate) fn hold_virtual_time(clock: &dyn Clock) -> Option<Hold> {
    let holds = clock.as_virtual()?.holds.clone();
    let (release, released) = mpsc::channel::<()>();
    holds.fetch_add(1, Ordering::AcqRel);
    // A paused runtime does not move its clock while one of its blocking tasks runs.
    tokio::task::spawn_blocking(move || {
        let _ = released.recv_timeout(HOLD_LIMIT);
        holds.fetch_sub(1, Ordering::AcqRel);
    });
    Some(Hold { _release: release })
}

#[allow(clippy::disallowed_methods)] // real time, on purpose
fn real_millisecond() {
    std::thread::sleep(Duration::from_millis(1));
}
