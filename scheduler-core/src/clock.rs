//! The one place that reads the time and sleeps.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::Instant;

/// Where the scheduler reads the time of day.
///
/// [`SystemClock`] in production; [`VirtualClock`](crate::testing::VirtualClock) in tests. Instants
/// should be whole microseconds, as stores keep them. Sleeping goes by monotonic time and not by
/// this clock, in steps of at most 30 seconds.
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
    /// Returns the present instant.
    fn now(&self) -> DateTime<Utc>;

    /// Whether this is the time of day of the machine, which passes by itself.
    ///
    /// Then a node renews its lease from a thread of its own, and judges fire times by the clock of a
    /// store that it shares with others. `false` unless overridden: time may be virtual.
    fn is_real(&self) -> bool {
        false
    }

    /// Whether a node renews its lease from a thread of its own; not in a simulation of real clocks.
    #[doc(hidden)]
    fn heartbeats_from_thread(&self) -> bool {
        self.is_real()
    }

    /// Returns a reading of a clock that nobody sets and that goes on while the machine is suspended,
    /// counted from any fixed instant; `None`, the default, where there is none.
    ///
    /// It tells a machine that slept from one whose time of day was set. [`SystemClock`] has one on
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

/// The clock of the machine, in whole microseconds. The default.
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
        // Instants are whole microseconds everywhere, as stores keep them. One conversion is enough:
        // this is read twice for every run.
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

/// All clocks of this process at one instant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    /// Stands still while the machine is suspended.
    pub(crate) monotonic: Instant,
    /// Goes on while the machine is suspended, where there is such a clock.
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

/// Time that only goes forward, to measure how long something took and to see the wall clock jump.
pub(crate) fn monotonic_now() -> Instant {
    Instant::now()
}

/// Real time, also where the runtime's time is virtual.
#[allow(clippy::disallowed_methods)]
pub(crate) fn real_now() -> std::time::Instant {
    std::time::Instant::now()
}

/// Returns `true` if tokio's clock is paused on this runtime, so that time passes only in jumps, once every
/// task waits.
#[allow(clippy::disallowed_methods)] // this is the clock module
pub(crate) fn is_paused() -> bool {
    let before = std::time::Instant::now();
    let tokios = Instant::now().into_std();
    let after = std::time::Instant::now();
    if (before..=after).contains(&tokios) {
        return false;
    }
    // Paused, or paused at some time before: a clock that runs again moves with the machine's.
    let paused_at = Instant::now();
    let real = std::time::Instant::now();
    while std::time::Instant::now() == real {
        std::hint::spin_loop();
    }
    Instant::now() == paused_at
}

/// Sleeps by monotonic time: the wall clock may do what it likes meanwhile.
#[allow(clippy::disallowed_methods)] // this is the clock module
pub(crate) fn sleep(duration: Duration) -> tokio::time::Sleep {
    tokio::time::sleep(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_paused_clock_is_told_from_one_that_runs() {
        assert!(!is_paused());
        tokio::time::pause();
        assert!(is_paused());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(is_paused());
        tokio::time::resume();
        assert!(!is_paused());
    }

    #[test]
    fn outside_of_a_runtime_time_is_never_paused() {
        assert!(!is_paused());
    }
}
