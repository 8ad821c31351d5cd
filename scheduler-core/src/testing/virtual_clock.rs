//! A time of day that follows tokio's paused clock.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
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
            holds: Arc::default(),
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

    /// Lets everything happen that is due by now, while time stands still.
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
