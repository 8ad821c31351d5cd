//! The time of a store, as known to this process.
//!
//! A store shared by several processes has its own clock, and everything that is decided or recorded uses that clock.
//! It is measured rather than queried each time: by every heartbeat, and otherwise at most once a minute. Between
//! measurements it follows a steady clock of this process, so that setting the time of day of a node has no effect.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

use crate::clock::{Clock, monotonic_now};
use crate::testing::VirtualClock;

/// How long a measurement is valid.
const GOOD_FOR: i64 = 60_000_000;

/// How far a clock may be off, or move, before that is worth reporting.
pub(crate) const NOTABLE: TimeDelta = TimeDelta::seconds(1);

/// The store's clock has not been measured yet.
const UNKNOWN: i64 = i64::MIN;

/// The store has reported that it has no clock, or time is virtual: the scheduler's clock applies.
const NONE: i64 = i64::MIN + 1;

/// See the module documentation.
pub(crate) struct StoreClock {
    clock: Arc<dyn Clock>,
    origin: Instant,
    /// How many microseconds the store's time of day is ahead of the steady clock.
    ahead: AtomicI64,
    /// When that was measured, or is being measured, by the steady clock.
    measured_at: AtomicI64,
    is_warned: AtomicBool,
    went_back: AtomicBool,
    went_forward: AtomicBool,
}

/// A query for the store's time that has not been answered yet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    steady: i64,
    previous: i64,
}

impl StoreClock {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        let ahead = if clock.is_real() { UNKNOWN } else { NONE };
        Self {
            clock,
            origin: monotonic_now(),
            ahead: AtomicI64::new(ahead),
            measured_at: AtomicI64::new(UNKNOWN),
            is_warned: AtomicBool::new(false),
            went_back: AtomicBool::new(false),
            went_forward: AtomicBool::new(false),
        }
    }

    /// Returns the store's time.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        match self.ahead.load(Ordering::Relaxed) {
            UNKNOWN | NONE => self.clock.now(),
            ahead => DateTime::from_timestamp_micros(self.steady().saturating_add(ahead))
                .unwrap_or_else(|| self.clock.now()),
        }
    }

    /// Returns how far the store's time is ahead of this process's time of day.
    pub(crate) fn offset(&self) -> TimeDelta {
        self.now() - self.clock.now()
    }

    /// Returns the scheduler's clock if its time is virtual.
    pub(crate) fn as_virtual(&self) -> Option<&VirtualClock> {
        self.clock.as_virtual()
    }

    /// Returns `true` if the time comes from a clock of the store.
    pub(crate) fn is_measured(&self) -> bool {
        !matches!(self.ahead.load(Ordering::Relaxed), UNKNOWN | NONE)
    }

    /// Begins a measurement, regardless of the age of the last one.
    pub(crate) fn ask(&self) -> Asked {
        let steady = self.steady();
        Asked {
            steady,
            previous: self.measured_at.swap(steady, Ordering::Relaxed),
        }
    }

    /// Begins a measurement if the last one is too old. Of several callers, one gets to measure.
    pub(crate) fn ask_if_old(&self) -> Option<Asked> {
        if self.ahead.load(Ordering::Relaxed) == NONE {
            return None;
        }
        let (steady, previous) = (self.steady(), self.measured_at.load(Ordering::Relaxed));
        if previous != UNKNOWN && steady.saturating_sub(previous) < GOOD_FOR {
            return None;
        }
        let order = Ordering::Relaxed;
        let taken = self
            .measured_at
            .compare_exchange(previous, steady, order, order);
        taken.is_ok().then_some(Asked { steady, previous })
    }

    /// Records that the store did not answer, so that it is queried again soon.
    pub(crate) fn not_answered(&self, asked: Asked) {
        let order = Ordering::Relaxed;
        let _ = self
            .measured_at
            .compare_exchange(asked.steady, asked.previous, order, order);
    }

    /// Records the answer of the store. Returns the offset if the clocks differ so much that it is worth a warning.
    pub(crate) fn answered(&self, asked: Asked, time: Option<DateTime<Utc>>) -> Option<TimeDelta> {
        if !self.clock.is_real() {
            return None;
        }
        let Some(time) = time.map(|time| time.timestamp_micros()) else {
            if !self.is_measured() {
                self.ahead.store(NONE, Ordering::Relaxed);
            }
            return None;
        };
        // The store read its clock at some point during the round trip.
        let bounds = (time - self.steady(), time - asked.steady);
        let known = self.ahead.load(Ordering::Relaxed);
        let known = (!matches!(known, UNKNOWN | NONE)).then_some(known);
        let ahead = adjusted(known, bounds);
        self.ahead.store(ahead, Ordering::Relaxed);
        if known.is_some_and(|known| known - ahead > micros(NOTABLE)) {
            self.went_back.store(true, Ordering::Relaxed);
        }
        if known.is_some_and(|known| ahead - known > micros(NOTABLE)) {
            self.went_forward.store(true, Ordering::Relaxed);
        }
        let offset = self.offset();
        let is_far = offset.abs() > NOTABLE;
        let was_warned = self.is_warned.swap(is_far, Ordering::Relaxed);
        (is_far && !was_warned).then_some(offset)
    }

    /// Returns `true` if the store's clock was set back and this has not been taken yet.
    pub(crate) fn went_back(&self) -> bool {
        self.went_back.load(Ordering::Relaxed)
    }

    /// Returns `true` once after the store's clock was found to have been set back.
    pub(crate) fn take_went_back(&self) -> bool {
        self.went_back.swap(false, Ordering::Relaxed)
    }

    /// Returns `true` once after the store's clock was found to have been set forward.
    pub(crate) fn take_went_forward(&self) -> bool {
        self.went_forward.swap(false, Ordering::Relaxed)
    }

    /// Returns the microseconds of a clock that is never set.
    fn steady(&self) -> i64 {
        let Some(boot) = self.clock.boot_time() else {
            let now = monotonic_now();
            return match now.checked_duration_since(self.origin) {
                Some(passed) => i64::try_from(passed.as_micros()).unwrap_or(i64::MAX),
                // The origin was taken in another runtime, which has its own time.
                None => -i64::try_from((self.origin - now).as_micros()).unwrap_or(i64::MAX),
            };
        };
        i64::try_from(boot.as_micros()).unwrap_or(i64::MAX)
    }
}

/// Returns how far ahead the store is, given the bounds of a new measurement.
///
/// A value already within the bounds is kept: a slow answer carries little information and must not make a correct
/// clock worse.
fn adjusted(known: Option<i64>, (low, high): (i64, i64)) -> i64 {
    match known {
        Some(known) => known.clamp(low, high.max(low)),
        None => low + (high - low) / 2,
    }
}

fn micros(delta: TimeDelta) -> i64 {
    delta.num_microseconds().unwrap_or(i64::MAX)
}

impl fmt::Debug for StoreClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreClock")
            .field("is_measured", &self.is_measured())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    /// The clocks of a machine, set by a test.
    #[derive(Debug, Default)]
    struct Machine {
        /// Seconds.
        set: Mutex<i64>,
        slept: Mutex<u64>,
        has_boot_time: bool,
    }

    impl Clock for Arc<Machine> {
        fn now(&self) -> DateTime<Utc> {
            let slept = i64::try_from(*self.slept.lock().unwrap()).unwrap();
            epoch() + TimeDelta::seconds(*self.set.lock().unwrap() + slept) + passed()
        }

        fn is_real(&self) -> bool {
            true
        }

        fn boot_time(&self) -> Option<Duration> {
            let slept = Duration::from_secs(*self.slept.lock().unwrap());
            self.has_boot_time
                .then(|| passed().to_std().unwrap() + slept)
        }
    }

    fn epoch() -> DateTime<Utc> {
        "2026-01-01T00:00:00Z".parse().unwrap()
    }

    thread_local! {
        static ORIGIN: Instant = monotonic_now();
    }

    /// Returns the time since the test began.
    fn passed() -> TimeDelta {
        TimeDelta::from_std(ORIGIN.with(|origin| monotonic_now() - *origin)).unwrap()
    }

    fn machine(has_boot_time: bool) -> (Arc<Machine>, StoreClock) {
        ORIGIN.with(|_| {});
        let machine = Arc::new(Machine {
            has_boot_time,
            ..Machine::default()
        });
        (machine.clone(), StoreClock::new(Arc::new(machine)))
    }

    fn seconds(count: i64) -> TimeDelta {
        TimeDelta::seconds(count)
    }

    /// Queries a store whose clock is this many seconds ahead of true time.
    fn measure(clock: &StoreClock, ahead: i64) -> Option<TimeDelta> {
        let asked = clock.ask();
        clock.answered(asked, Some(epoch() + passed() + seconds(ahead)))
    }

    #[tokio::test(start_paused = true)]
    async fn node_with_a_wrong_clock_uses_the_stores_time() {
        let (machine, clock) = machine(true);
        *machine.set.lock().unwrap() = 600;
        assert_eq!(clock.now(), epoch() + seconds(600));
        assert_eq!(measure(&clock, 0), Some(seconds(-600)));
        assert_eq!(clock.now(), epoch());
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(clock.now(), epoch() + seconds(5));
    }

    #[tokio::test(start_paused = true)]
    async fn setting_the_time_of_day_does_not_change_the_stores_time() {
        for has_boot_time in [true, false] {
            let (machine, clock) = machine(has_boot_time);
            measure(&clock, 0);
            let now = clock.now();
            *machine.set.lock().unwrap() = -3_600;
            assert_eq!(clock.now(), now);
            assert_eq!(clock.offset(), seconds(3_600));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn stores_time_survives_suspension_of_the_machine() {
        let (machine, clock) = machine(true);
        measure(&clock, 0);
        let now = clock.now();
        *machine.slept.lock().unwrap() = 3_600;
        assert_eq!(clock.now(), now + seconds(3_600));
    }

    #[tokio::test(start_paused = true)]
    async fn differing_clocks_are_reported_once() {
        let (_, clock) = machine(true);
        assert_eq!(measure(&clock, 1), None);
        assert_eq!(measure(&clock, 3), Some(seconds(3)));
        assert_eq!(measure(&clock, 3), None);
        assert_eq!(measure(&clock, 0), None);
        assert_eq!(measure(&clock, -3), Some(seconds(-3)));
    }

    #[tokio::test(start_paused = true)]
    async fn clock_set_back_is_noticed_once() {
        let (_, clock) = machine(true);
        for ahead in [3_000, 3_600, 3_599] {
            measure(&clock, ahead);
            assert!(!clock.take_went_back(), "{ahead}");
        }
        measure(&clock, 0);
        assert!(clock.take_went_back());
        assert!(!clock.take_went_back());
    }

    #[tokio::test(start_paused = true)]
    async fn clock_set_forward_is_noticed_once() {
        let (_, clock) = machine(true);
        for ahead in [3_600, 0, 1] {
            measure(&clock, ahead);
            assert!(!clock.take_went_forward(), "{ahead}");
        }
        measure(&clock, 3_600);
        assert!(clock.take_went_forward());
        assert!(!clock.take_went_forward());
    }

    #[tokio::test(start_paused = true)]
    async fn store_is_queried_once_a_minute() {
        let (_, clock) = machine(true);
        let asked = clock.ask_if_old().unwrap();
        assert!(clock.ask_if_old().is_none(), "it is being asked");
        clock.not_answered(asked);
        let asked = clock.ask_if_old().unwrap();
        clock.answered(asked, Some(epoch()));
        assert!(clock.ask_if_old().is_none());
        tokio::time::advance(Duration::from_secs(59)).await;
        assert!(clock.ask_if_old().is_none());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(clock.ask_if_old().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn store_without_a_clock_is_queried_once() {
        let (machine, clock) = machine(true);
        let asked = clock.ask_if_old().unwrap();
        clock.answered(asked, None);
        tokio::time::advance(Duration::from_secs(600)).await;
        assert!(clock.ask_if_old().is_none() && !clock.is_measured());
        assert_eq!(clock.now(), machine.now());
        // It may answer only heartbeats.
        measure(&clock, 600);
        assert_eq!(clock.now(), machine.now() + seconds(600));
    }

    #[tokio::test(start_paused = true)]
    async fn virtual_time_does_not_follow_the_store() {
        let virtual_clock = crate::testing::VirtualClock::starting(epoch());
        let clock = StoreClock::new(Arc::new(virtual_clock));
        assert!(clock.ask_if_old().is_none());
        clock.answered(clock.ask(), Some(epoch() + seconds(600)));
        assert_eq!(clock.now(), epoch());
    }

    proptest! {
        #[test]
        fn measurement_stays_within_its_bounds(
            known in proptest::option::of(-1_000_i64..1_000),
            low in -1_000_i64..1_000,
            width in 0_i64..1_000,
        ) {
            let high = low + width;
            let ahead = adjusted(known, (low, high));
            prop_assert!((low..=high).contains(&ahead));
            if let Some(known) = known.filter(|known| (low..=high).contains(known)) {
                prop_assert_eq!(ahead, known);
            }
        }
    }
}
