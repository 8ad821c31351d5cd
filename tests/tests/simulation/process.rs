//! One process as the others see it: its clocks, the state of its connection to the store, and the gates at which its
//! calls wait for their turn.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use scheduler_core::{Clock, NodeId};
use tokio::time::Instant;

use crate::dice::Dice;
use crate::faults::Weather;

/// True time, which no process can read: milliseconds since the simulation began.
pub(crate) type Millis = i64;

/// Returns the time of day at a true time.
pub(crate) fn time_of_day(at: Millis) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::milliseconds(at)
}

/// See the module documentation.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) ordinal: u32,
    /// The zero of the monotonic clock.
    origin: Instant,
    /// True time at that zero; later after a suspension, during which the monotonic clock was stopped.
    base: AtomicI64,
    /// The error of the time of day, in milliseconds.
    clock_error: AtomicI64,
    ended_at: AtomicI64,
    gates: Mutex<Gates>,
    state: Mutex<State>,
}

/// The dice of a process, and what is noted about it.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) dice: Dice,
    pub(crate) weather: Weather,
    /// When the last successful heartbeat of each identity was sent, on the monotonic clock.
    pub(crate) heartbeats: BTreeMap<NodeId, Millis>,
    /// Spans of the monotonic clock in which nothing could run; empty spans if the clock itself was stopped.
    pub(crate) frozen: Vec<(Millis, Millis)>,
}

impl Process {
    /// Must be called inside its runtime.
    pub(crate) fn new(ordinal: u32, now: Millis, clock_error: Millis, dice: Dice) -> Arc<Self> {
        Arc::new(Self {
            ordinal,
            origin: Instant::now(),
            base: AtomicI64::new(now),
            clock_error: AtomicI64::new(clock_error),
            ended_at: AtomicI64::new(i64::MAX),
            gates: Mutex::default(),
            state: Mutex::new(State {
                dice,
                weather: Weather::default(),
                heartbeats: BTreeMap::new(),
                frozen: Vec::new(),
            }),
        })
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the milliseconds of the monotonic clock. Must be called inside its runtime.
    pub(crate) fn monotonic(&self) -> Millis {
        let ended = self.ended_at.load(Ordering::Relaxed);
        if ended != i64::MAX {
            return ended - self.base.load(Ordering::Relaxed);
        }
        Millis::try_from((Instant::now() - self.origin).as_millis()).unwrap_or(Millis::MAX)
    }

    /// Returns the true time that this process has reached. Must be called inside its runtime.
    pub(crate) fn now(&self) -> Millis {
        self.base.load(Ordering::Relaxed) + self.monotonic()
    }

    /// Returns the instant of the monotonic clock at a true time.
    pub(crate) fn instant_at(&self, at: Millis) -> Instant {
        let passed = (at - self.base.load(Ordering::Relaxed)).max(0);
        self.origin + Duration::from_millis(passed.unsigned_abs())
    }

    /// Notes time that passed while the monotonic clock was stopped.
    pub(crate) fn slept_through(&self, span: Millis) {
        self.base.fetch_add(span, Ordering::Relaxed);
        // The time of day follows true time.
    }

    pub(crate) fn clock_error(&self) -> Millis {
        self.clock_error.load(Ordering::Relaxed)
    }

    pub(crate) fn set_clock_error(&self, error: Millis) {
        self.clock_error.store(error, Ordering::Relaxed);
    }

    /// Stops time: whatever is dropped from now on was cut off at this instant.
    pub(crate) fn end(&self, at: Millis) {
        self.ended_at.store(at, Ordering::Relaxed);
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended_at.load(Ordering::Relaxed) != i64::MAX
    }

    /// Waits for its turn: the code that follows, up to the next `await`, happens at one instant of true time.
    pub(crate) fn gate(self: &Arc<Self>) -> Gate {
        Gate {
            process: self.clone(),
            number: None,
        }
    }

    fn gates(&self) -> MutexGuard<'_, Gates> {
        self.gates.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the number of calls that wait for their turn.
    pub(crate) fn waiting(&self) -> usize {
        self.gates().waiting.len()
    }

    /// Lets one of the waiting calls proceed.
    pub(crate) fn open(&self, index: usize) {
        let mut gates = self.gates();
        let (number, waker) = gates.waiting.remove(index);
        gates.opened.push(number);
        drop(gates);
        waker.wake();
    }

    /// Returns `true` if a call has arrived at a gate since the last time; the next arrival wakes the waker.
    pub(crate) fn take_arrived(&self, waker: &Waker) -> bool {
        let mut gates = self.gates();
        gates.heartbeats = Some(waker.clone());
        std::mem::take(&mut gates.arrived)
    }
}

#[derive(Debug, Default)]
struct Gates {
    waiting: Vec<(u64, Waker)>,
    opened: Vec<u64>,
    count: u64,
    arrived: bool,
    heartbeats: Option<Waker>,
}

/// See [`Process::gate`].
#[derive(Debug)]
pub(crate) struct Gate {
    process: Arc<Process>,
    number: Option<u64>,
}

impl Future for Gate {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let process = self.process.clone();
        let mut gates = process.gates();
        let Some(number) = self.number else {
            gates.count += 1;
            let number = gates.count;
            self.number = Some(number);
            gates.waiting.push((number, cx.waker().clone()));
            gates.arrived = true;
            let heartbeats = gates.heartbeats.take();
            drop(gates);
            if let Some(heartbeats) = heartbeats {
                heartbeats.wake();
            }
            return Poll::Pending;
        };
        if let Some(index) = gates.opened.iter().position(|opened| *opened == number) {
            gates.opened.swap_remove(index);
            self.number = None;
            return Poll::Ready(());
        }
        if let Some(waiting) = gates.waiting.iter_mut().find(|(one, _)| *one == number) {
            waiting.1.clone_from(cx.waker());
        }
        Poll::Pending
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            let mut gates = self.process.gates();
            gates.waiting.retain(|(one, _)| *one != number);
            gates.opened.retain(|one| *one != number);
        }
    }
}

/// The time of day of one process.
#[derive(Clone)]
pub(crate) struct ProcessClock {
    pub(crate) process: Arc<Process>,
    /// If `true`, fire times are judged by the clock of the store, as in production.
    pub(crate) is_real: bool,
}

impl Clock for ProcessClock {
    fn now(&self) -> DateTime<Utc> {
        time_of_day(self.process.now() + self.process.clock_error())
    }

    fn is_real(&self) -> bool {
        self.is_real
    }

    fn heartbeats_from_thread(&self) -> bool {
        false
    }

    fn boot_time(&self) -> Option<Duration> {
        let up = self.process.now().unsigned_abs();
        Some(Duration::from_millis(up))
    }
}

impl fmt::Debug for ProcessClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessClock")
            .field("process", &self.process.ordinal)
            .finish_non_exhaustive()
    }
}
