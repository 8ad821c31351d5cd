//! This process as a node of a store that several share: its identity, its lease, and the beats that
//! renew it.
//!
//! Beats come from a thread of their own, so that no load of jobs can hold them up; only where time is
//! virtual do they come from a task. A node fences itself: once its lease could have run out, counted
//! from when the last good beat was *sent*, by the clock that says it is later, it claims nothing and
//! stops what it runs.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;
use tokio::time::Instant;

use super::port::StorePort;
use super::{JUMP, jump_between};
use crate::clock::{Clock, monotonic_now, sleep};
use crate::metrics;
use crate::node::{Lease, NodeId};

/// How far the clocks of node and store may be apart before it is a warning.
const OFFSET_WARNING: TimeDelta = TimeDelta::seconds(1);

/// What the driver and the thread that beats share.
#[derive(Debug, Default)]
pub(crate) struct Membership(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    held: Option<Held>,
    /// The store's clock minus the node's.
    offset: TimeDelta,
    /// When the offset was measured: a clock that is set after that has another.
    measured_at: Option<(Instant, DateTime<Utc>)>,
    /// Whether the present offset was warned of.
    is_warned: bool,
    /// Whether there are runs of others to be taken over.
    has_lost: bool,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    node: NodeId,
    lease: Lease,
    valid_until: (Instant, DateTime<Utc>),
}

/// What [`LeaseHealth`](crate::LeaseHealth) is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LeaseState {
    pub(crate) node: NodeId,
    pub(crate) valid_until: DateTime<Utc>,
    pub(crate) offset: TimeDelta,
}

impl State {
    fn offset_at(&self, now: (Instant, DateTime<Utc>)) -> TimeDelta {
        let Some(measured_at) = self.measured_at else {
            return TimeDelta::zero();
        };
        // Small differences are a clock that is put right slowly, and no reason to disbelieve it.
        let jump = jump_between(measured_at, now);
        if jump.abs() > JUMP {
            self.offset - jump
        } else {
            self.offset
        }
    }
}

impl Membership {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters the lease of a beat that was sent at this instant.
    pub(super) fn hold(&self, node: NodeId, lease: Lease, sent: (Instant, DateTime<Utc>)) {
        let valid_until = (sent.0 + lease.length, sent.1 + lease.length);
        self.lock().held = Some(Held {
            node,
            lease,
            valid_until,
        });
    }

    /// Enters a good beat of this identity, unless the node has another one by now.
    fn renew(&self, node: NodeId, sent: (Instant, DateTime<Utc>)) {
        if let Some(held) = self.lock().held.as_mut().filter(|held| held.node == node) {
            held.valid_until = (sent.0 + held.lease.length, sent.1 + held.lease.length);
        }
    }

    /// Gives the lease of this identity up, or notes that it is gone.
    pub(super) fn lose(&self, node: NodeId) {
        self.lock().held.take_if(|held| held.node == node);
    }

    /// Whether the lease goes on, at this instant.
    pub(super) fn is_valid(&self, now: (Instant, DateTime<Utc>)) -> bool {
        let held = self.lock().held;
        held.is_some_and(|held| now.0 < held.valid_until.0 && now.1 < held.valid_until.1)
    }

    /// How long ago the beat was sent that was answered last; `None` without a lease.
    pub(super) fn beat_age(&self) -> Option<Duration> {
        let held = self.lock().held?;
        let sent = held.valid_until.0.checked_sub(held.lease.length)?;
        Some(monotonic_now().saturating_duration_since(sent))
    }

    /// Ends when the lease does.
    pub(super) async fn expired(&self, clock: &dyn Clock) {
        loop {
            let Some(held) = self.lock().held else {
                return;
            };
            let left = held
                .valid_until
                .0
                .saturating_duration_since(monotonic_now());
            if left.is_zero() || clock.now() >= held.valid_until.1 {
                return;
            }
            sleep(left.min(held.lease.beat_every)).await;
        }
    }

    /// How long a step of the driver may take, until a call of the store counts as lost.
    pub(super) fn patience(&self) -> Duration {
        let held = self.lock().held;
        held.map_or(Duration::from_secs(30), |held| 2 * held.lease.length)
    }

    /// How far the store's clock is ahead of the node's, at this instant.
    pub(super) fn offset(&self, now: (Instant, DateTime<Utc>)) -> TimeDelta {
        self.lock().offset_at(now)
    }

    pub(crate) fn state(&self) -> Option<LeaseState> {
        let state = self.lock();
        state.held.map(|held| LeaseState {
            node: held.node,
            valid_until: held.valid_until.1,
            offset: state.offset,
        })
    }

    pub(super) fn take_lost(&self) -> bool {
        std::mem::take(&mut self.lock().has_lost)
    }

    pub(super) fn note_lost(&self) {
        self.lock().has_lost = true;
    }

    /// Notes within which bounds the clocks differ. The offset, when it is to be warned of.
    ///
    /// What is within the bounds already stays: a beat that took long says little, and must not make
    /// a clock worse that is right.
    fn note_offset(
        &self,
        (low, high): (TimeDelta, TimeDelta),
        now: (Instant, DateTime<Utc>),
    ) -> Option<TimeDelta> {
        let mut state = self.lock();
        let known = state.offset_at(now);
        let offset = if (low..=high).contains(&known) {
            known
        } else if state.measured_at.is_some() {
            known.clamp(low, high.max(low))
        } else {
            low + (high - low) / 2
        };
        state.offset = offset;
        state.measured_at = Some(now);
        let far = offset.abs() > OFFSET_WARNING;
        let is_new = far && !std::mem::replace(&mut state.is_warned, far);
        state.is_warned = far;
        is_new.then_some(offset)
    }
}

/// Beats while it lives.
#[derive(Debug)]
pub(super) struct Keeper(
    #[expect(dead_code, reason = "dropped to end the beats")] watch::Sender<()>,
);

impl Keeper {
    pub(super) fn start(port: Arc<StorePort>, clock: Arc<dyn Clock>, warn: Warn) -> Self {
        let (sender, end) = watch::channel(());
        let from_thread = clock.beats_from_thread();
        let beats = beat_until(end, port, clock, warn);
        if !from_thread {
            tokio::spawn(beats);
        } else if let Err(error) = std::thread::Builder::new()
            .name("scheduler-beat".into())
            .spawn(move || match runtime() {
                Ok(runtime) => runtime.block_on(beats),
                // The lease runs out, and the driver says so.
                Err(error) => tracing::error!(%error, "no runtime for the beats of this node"),
            })
        {
            tracing::error!(%error, "no thread for the beats of this node");
        }
        Self(sender)
    }
}

/// Tells of a problem that `health()` is to show.
pub(super) type Warn = Box<dyn Fn(String) + Send + Sync>;

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}

async fn beat_until(
    mut end: watch::Receiver<()>,
    port: Arc<StorePort>,
    clock: Arc<dyn Clock>,
    warn: Warn,
) {
    let mut wait = Duration::ZERO;
    loop {
        tokio::select! {
            biased;
            _ = end.changed() => return,
            () = sleep(wait) => {}
        }
        let Some(held) = port.membership().lock().held else {
            // The driver joins again.
            wait = Duration::from_millis(100);
            continue;
        };
        wait = held.lease.beat_every;
        let is_renewed = beat(held, &port, &*clock, &warn).await;
        metrics::lease_age(port.name(), port.membership().beat_age());
        if !is_renewed {
            // As long as the lease lasts there is no hurry to give up, and every reason to try again.
            wait = (held.lease.beat_every / 5).min(Duration::from_secs(1));
        }
    }
}

/// Beats once, to learn the store's time before the first claim goes by it. Whether that worked.
pub(super) async fn beat_at_once(port: &StorePort, clock: &dyn Clock, warn: &Warn) -> bool {
    let held = port.membership().lock().held;
    match held {
        Some(held) => beat(held, port, clock, warn).await,
        None => false,
    }
}

/// Renews the lease. Whether that worked.
async fn beat(held: Held, port: &StorePort, clock: &dyn Clock, warn: &Warn) -> bool {
    let sent = (monotonic_now(), clock.now());
    let answer = tokio::time::timeout(held.lease.length / 2, port.store().beat(held.node)).await;
    let beat = match answer {
        Ok(Ok(beat)) => beat,
        Ok(Err(error)) => {
            tracing::warn!(node = %held.node, store = %port.name(), %error, "the lease was not renewed");
            return false;
        }
        Err(_) => {
            tracing::warn!(node = %held.node, store = %port.name(), "the lease was not renewed: no answer");
            return false;
        }
    };
    if !beat.is_alive {
        port.membership().lose(held.node);
        port.wake();
        return false;
    }
    port.membership().renew(held.node, sent);
    if let Some(store_time) = beat.store_time.filter(|_| clock.is_real()) {
        // The store looked at its clock at some time on the way there and back.
        let now = (monotonic_now(), clock.now());
        let bounds = (store_time - now.1, store_time - sent.1);
        if let Some(offset) = port.membership().note_offset(bounds, now) {
            let text = format!(
                "the clock of this node and that of store `{}` are {} ms apart; the store's holds",
                port.name(),
                offset.num_milliseconds()
            );
            tracing::warn!(store = %port.name(), offset_ms = offset.num_milliseconds(), "clocks differ");
            warn(text);
        }
    }
    if beat.has_lost {
        port.membership().note_lost();
        port.wake();
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_lease_ends_by_the_clock_that_is_later() {
        let membership = Membership::default();
        let lease = Lease {
            length: Duration::from_secs(15),
            beat_every: Duration::from_secs(5),
        };
        let (start, wall) = (monotonic_now(), DateTime::UNIX_EPOCH);
        let after = |monotonic, wall_seconds| {
            (
                start + Duration::from_secs(monotonic),
                wall + TimeDelta::seconds(wall_seconds),
            )
        };
        assert!(!membership.is_valid((start, wall)));
        membership.hold(NodeId::new(1), lease, (start, wall));
        assert!(membership.is_valid(after(14, 14)));
        assert!(!membership.is_valid(after(15, 0)));
        assert!(!membership.is_valid(after(0, 15)), "a machine that slept");
        membership.lose(NodeId::new(2));
        assert!(membership.is_valid(after(0, 0)));
        membership.lose(NodeId::new(1));
        assert!(!membership.is_valid(after(0, 0)));
    }

    #[tokio::test(start_paused = true)]
    async fn clocks_that_differ_are_warned_of_once() {
        let membership = Membership::default();
        let far = TimeDelta::seconds(3);
        let now = (monotonic_now(), DateTime::UNIX_EPOCH);
        let exactly = |offset| membership.note_offset((offset, offset), now);
        assert_eq!(exactly(TimeDelta::milliseconds(900)), None);
        assert_eq!(exactly(far), Some(far));
        assert_eq!(exactly(far), None);
        assert_eq!(exactly(TimeDelta::zero()), None);
        assert_eq!(exactly(-far), Some(-far));
    }

    #[tokio::test(start_paused = true)]
    async fn a_beat_that_took_long_leaves_a_clock_alone_that_may_be_right() {
        let membership = Membership::default();
        let now = (monotonic_now(), DateTime::UNIX_EPOCH);
        let seconds = TimeDelta::seconds;
        membership.note_offset((seconds(-1), seconds(5)), now);
        assert_eq!(membership.offset(now), TimeDelta::zero());
        membership.note_offset((seconds(2), seconds(8)), now);
        assert_eq!(membership.offset(now), seconds(2));
        membership.note_offset((seconds(-9), seconds(-7)), now);
        assert_eq!(membership.offset(now), seconds(-7));
        let set = (now.0, now.1 + seconds(60));
        assert_eq!(membership.offset(set), seconds(-67), "the clock was set");
        let slewed = (now.0, now.1 + TimeDelta::milliseconds(30));
        assert_eq!(membership.offset(slewed), seconds(-7));
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_beat_of_a_clock_that_is_wrong_says_the_middle() {
        let membership = Membership::default();
        let now = (monotonic_now(), DateTime::UNIX_EPOCH);
        membership.note_offset((TimeDelta::seconds(60), TimeDelta::seconds(62)), now);
        assert_eq!(membership.offset(now), TimeDelta::seconds(61));
    }
}
