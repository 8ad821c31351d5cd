//! The only module that reads the time and sleeps.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::Instant;

/// The source of the scheduler's time of day.
///
/// Use [`SystemClock`] in production and [`VirtualClock`](crate::testing::VirtualClock) in tests. Instants should be
/// whole microseconds, as stores keep them. Sleeping follows monotonic time rather than this clock, in steps of at
/// most 30 seconds.
///
/// ```
/// use chrono::{DateTime, TimeDelta, Utc};
/// use scheduler_core::{Clock, SystemClock};
///
/// /// The clock of a machine that is known to be five seconds slow.
/// #[derive(Debug)]
/// struct Corrected;
///
/// impl Clock for Corrected {
///     fn now(&self) -> DateTime<Utc> {
///         SystemClock.now() + TimeDelta::seconds(5)
///     }
/// }
///
/// let system = SystemClock.now();
/// assert!(Corrected.now() > system);
/// ```
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Returns the current instant.
    fn now(&self) -> DateTime<Utc>;

    /// Returns `true` if this is the machine's time of day, which passes by itself.
    ///
    /// A node then renews its lease from a dedicated thread, and decides about fire times by the clock of a shared
    /// store. `false` unless overridden, because time may be virtual.
    fn is_real(&self) -> bool {
        false
    }

    /// Returns `true` if a node renews its lease from a dedicated thread, which it does not in a simulation of real
    /// clocks.
    #[doc(hidden)]
    fn heartbeats_from_thread(&self) -> bool {
        self.is_real()
    }

    /// Returns a reading of a clock that is never set and that keeps running while the machine is suspended, counted
    /// from any fixed instant, or `None`, the default, if there is no such clock.
    ///
    /// It distinguishes a machine that slept from one whose time of day was set. [`SystemClock`] has such a clock on
    /// Linux (`CLOCK_BOOTTIME`).
    ///
    /// ```
    /// use scheduler_core::{Clock, SystemClock};
    ///
    /// if let (Some(earlier), Some(later)) = (SystemClock.boot_time(), SystemClock.boot_time()) {
    ///     assert!(earlier <= later);
    /// }
    /// assert_eq!(SystemClock.boot_time().is_some(), cfg!(target_os = "linux"));
    /// ```
    fn boot_time(&self) -> Option<Duration> {
        None
    }

    #[doc(hidden)]
    fn as_virtual(&self) -> Option<&crate::testing::VirtualClock> {
        None
    }
}

/// The machine's clock, in whole microseconds. This is the default.
///
/// ```
/// use scheduler_core::{Clock, SystemClock};
///
/// assert_eq!(SystemClock.now().timestamp_subsec_nanos() % 1_000, 0);
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods)] // this is the clock module
    fn now(&self) -> DateTime<Utc> {
        // Instants are whole microseconds everywhere, as stores keep them. This is read twice per run, so it converts
        // only once.
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let since = since.unwrap_or_default();
        let (seconds, micros) = (since.as_secs().cast_signed(), since.subsec_micros());
        DateTime::from_timestamp(seconds, micros * 1_000).unwrap_or_else(Utc::now)
    }

    fn is_real(&self) -> bool {
        true
    }

    #[cfg(target_os = "linux")]
    fn boot_time(&self) -> Option<Duration> {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        let seconds = u64::try_from(time.tv_sec).ok()?;
        Some(Duration::new(seconds, u32::try_from(time.tv_nsec).ok()?))
    }
}

/// The readings of all clocks of this process at one instant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    /// Does not advance while the machine is suspended.
    pub(crate) monotonic: Instant,
    /// Advances while the machine is suspended, if there is such a clock.
    pub(crate) boot: Option<Duration>,
    /// The time of day, which may be set.
    pub(crate) wall: DateTime<Utc>,
}

impl Reading {
    pub(crate) fn of(clock: &dyn Clock) -> Self {
        Self {
            monotonic: monotonic_now(),
            boot: clock.boot_time(),
            wall: clock.now(),
        }
    }
}

/// Returns a time that never goes back, for measuring durations and detecting jumps of the wall clock.
pub(crate) fn monotonic_now() -> Instant {
    Instant::now()
}

/// Returns real time, even where the runtime's time is virtual.
#[allow(clippy::disallowed_methods)]
pub(crate) fn real_now() -> std::time::Instant {
    std::time::Instant::now()
}

/// Returns `true` if tokio's clock is paused on this runtime, so that time passes only in jumps, once every task is
/// waiting.
#[allow(clippy::disallowed_methods)] // this is the clock module
pub(crate) fn is_paused() -> bool {
    let before = std::time::Instant::now();
    let tokios = Instant::now().into_std();
    let after = std::time::Instant::now();
    if (before..=after).contains(&tokios) {
        return false;
    }
    // The clock is paused, or was at some earlier time: a clock that runs again advances with the machine's.
    let paused_at = Instant::now();
    let real = std::time::Instant::now();
    while std::time::Instant::now() == real {
        std::hint::spin_loop();
    }
    Instant::now() == paused_at
}

/// Sleeps by monotonic time, unaffected by the wall clock.
#[allow(clippy::disallowed_methods)] // this is the clock module
pub(crate) fn sleep(duration: Duration) -> tokio::time::Sleep {
    tokio::time::sleep(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn paused_clock_is_distinguished_from_a_running_one() {
        assert!(!is_paused());
        tokio::time::pause();
        assert!(is_paused());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(is_paused());
        tokio::time::resume();
        assert!(!is_paused());
    }

    #[test]
    fn time_is_never_paused_outside_a_runtime() {
        assert!(!is_paused());
    }
}
