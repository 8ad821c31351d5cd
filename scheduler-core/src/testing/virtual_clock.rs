//! A time of day that follows tokio's paused clock.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

use crate::clock::{Clock, monotonic_now, sleep};

/// A time of day that follows tokio's clock: under `#[tokio::test(start_paused = true)]` it is
/// virtual. A clone is the same clock.
///
/// See [`testing`](crate::testing) for an example.
#[derive(Debug, Clone)]
pub struct VirtualClock {
    base: DateTime<Utc>,
    origin: Instant,
    /// How far the wall clock was set, in microseconds.
    offset: Arc<AtomicI64>,
}

/// How long the runtime's clock needs to go on for everything that is due to have happened.
const SETTLE: Duration = Duration::from_millis(1);

impl VirtualClock {
    /// Starts at an RFC 3339 instant.
    ///
    /// # Errors
    /// The text is none.
    pub fn at(start: &str) -> Result<Self, chrono::ParseError> {
        Ok(Self::starting(
            DateTime::parse_from_rfc3339(start)?.to_utc(),
        ))
    }

    /// Starts at an instant.
    pub fn starting(start: DateTime<Utc>) -> Self {
        Self {
            base: start,
            origin: monotonic_now(),
            offset: Arc::default(),
        }
    }

    /// Lets so much time pass: everything that comes due happens, in order, each at its instant.
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

    /// Lets time pass until an instant; does nothing when it is past.
    pub async fn advance_to(&self, instant: DateTime<Utc>) {
        self.advance(instant - self.now()).await;
    }

    /// Lets everything happen that is due by now, while the time of day stands still.
    pub async fn settle(&self) {
        // A paused runtime moves its clock only when no task can go on: once this sleep is over, all
        // that was due has happened.
        sleep(SETTLE).await;
        self.jump(-TimeDelta::from_std(SETTLE).unwrap_or_default());
    }

    /// Sets the wall clock forward or back without time passing, as an operator or a time server
    /// does, or as a machine that was suspended finds it.
    pub fn jump(&self, by: TimeDelta) {
        let micros = by.num_microseconds().unwrap_or_default();
        self.offset.fetch_add(micros, Ordering::AcqRel);
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> DateTime<Utc> {
        let elapsed = TimeDelta::from_std(monotonic_now() - self.origin).unwrap_or_default();
        let micros = elapsed.num_microseconds().unwrap_or_default();
        let offset = TimeDelta::microseconds(micros + self.offset.load(Ordering::Acquire));
        self.base.checked_add_signed(offset).unwrap_or(self.base)
    }

    fn is_virtual(&self) -> bool {
        true
    }
}

/// Keeps virtual time from passing while a sync task runs on its thread, which the runtime knows
/// nothing of: until it is dropped, at most two seconds.
pub(crate) fn hold_virtual_time(clock: &dyn Clock) -> Option<mpsc::Sender<()>> {
    const LIMIT: Duration = Duration::from_secs(2);
    if !clock.is_virtual() {
        return None;
    }
    let (guard, dropped) = mpsc::channel();
    // A paused runtime does not move its clock while one of its blocking tasks runs.
    tokio::task::spawn_blocking(move || {
        let _ = dropped.recv_timeout(LIMIT);
    });
    Some(guard)
}
