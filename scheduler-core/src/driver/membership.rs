//! This process as a node of a store that several share: its identity, its lease, and the beats that
//! renew it.
//!
//! Beats come from a thread of their own, so that no load of jobs can hold them up; only where time is
//! virtual do they come from a task. A node fences itself: once its lease has run out, counted from when
//! the last good beat was *sent*, it claims nothing and stops what it runs. Where the time of day alone
//! says so, which may have been set, it sends a heartbeat at once and starts nothing before the answer.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::alone::{Alone, first_take_over};
use super::port::StorePort;
use super::standing::{Standing, standing};
use crate::clock::{Clock, Reading, monotonic_now, sleep};
use crate::lock::lock;
use crate::metrics;
use crate::node::{Lease, NodeId};
use crate::store::StoreError;

/// What the driver and the thread that beats share.
#[derive(Debug, Default)]
pub(crate) struct Membership {
    state: Mutex<State>,
    /// Asks for a heartbeat at once.
    confirm: Notify,
    /// A heartbeat was answered, or failed.
    answered: Notify,
}

#[derive(Debug, Default)]
struct State {
    held: Option<Held>,
    /// Whether there are runs of others to be taken over.
    has_lost: bool,
    /// Whether there are marks ahead of the store's clock.
    needs_repair: bool,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    node: NodeId,
    lease: Lease,
    /// When the last good beat was sent.
    sent: Reading,
    /// Since when the lease has gone on without a gap.
    in_since: Instant,
    alone: Alone,
}

/// What [`LeaseHealth`](crate::LeaseHealth) is made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct LeaseState {
    pub(super) node: NodeId,
    /// How much of it is left.
    pub(super) left: Duration,
}

impl Membership {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Enters the lease of a beat that was sent at this instant.
    pub(super) fn hold(&self, node: NodeId, lease: Lease, sent: Reading) {
        self.lock().held = Some(Held {
            node,
            lease,
            sent,
            in_since: monotonic_now(),
            alone: Alone::default(),
        });
    }

    /// Enters a good beat of this identity, unless the node has another one by now.
    fn renew(&self, node: NodeId, sent: Reading) {
        if let Some(held) = self.lock().held.as_mut().filter(|held| held.node == node) {
            if standing(held.lease.length, &held.sent, &sent) != Standing::Holds {
                held.in_since = monotonic_now();
            }
            held.alone.end();
            held.sent = sent;
        }
    }

    /// Notes that the store's clock was set forward: by it, the leases of nodes that are well may be over,
    /// and they have one heartbeat to renew them before anything is taken over.
    fn begin_anew(&self, node: NodeId) {
        if let Some(held) = self.lock().held.as_mut().filter(|held| held.node == node) {
            held.in_since = monotonic_now();
        }
    }

    /// Gives the lease of this identity up, or notes that it is gone.
    pub(super) fn lose(&self, node: NodeId) {
        self.lock().held.take_if(|held| held.node == node);
    }

    /// What is known about the lease at this instant.
    pub(super) fn standing(&self, now: &Reading) -> Standing {
        let held = self.lock().held;
        held.map_or(Standing::RanOut, |held| {
            standing(held.lease.length, &held.sent, now)
        })
    }

    /// Waits until the lease is known to hold, or to have run out. Returns `true` if it holds.
    pub(super) async fn confirmed(&self, clock: &dyn Clock) -> bool {
        loop {
            let mut answered = std::pin::pin!(self.answered.notified());
            answered.as_mut().enable();
            match self.standing(&Reading::of(clock)) {
                Standing::Holds => return true,
                Standing::RanOut => return false,
                Standing::Unconfirmed => self.confirm.notify_one(),
            }
            answered.await;
        }
    }

    /// Notes that this node looked, from this instant on, and found no other one. Returns whether that is
    /// news.
    fn note_alone(&self, node: NodeId, begun: Reading) -> bool {
        let mut state = self.lock();
        let held = state.held.as_mut().filter(|held| held.node == node);
        held.is_some_and(|held| held.alone.confirm(begun, held.lease.beat_every))
    }

    /// Notes that another node is there.
    fn note_others(&self, node: NodeId) {
        if let Some(held) = self.lock().held.as_mut().filter(|held| held.node == node) {
            held.alone.end();
        }
    }

    /// Whether no other node is there that could take anything over, by the last look.
    pub(super) fn is_alone(&self, now: &Reading) -> bool {
        let held = self.lock().held;
        held.is_some_and(|held| held.alone.holds(now))
    }

    /// Whether what runs may go on at this instant.
    pub(super) fn may_go_on(&self, now: &Reading) -> bool {
        self.standing(now) != Standing::RanOut || self.is_alone(now)
    }

    /// How long ago the beat was sent that was answered last; `None` without a lease.
    pub(super) fn beat_age(&self) -> Option<Duration> {
        let held = self.lock().held?;
        Some(monotonic_now().saturating_duration_since(held.sent.monotonic))
    }

    /// Ends when what runs may not go on.
    pub(super) async fn expired(&self, clock: &dyn Clock) {
        loop {
            let Some(held) = self.lock().held else {
                return;
            };
            let now = Reading::of(clock);
            let left = match standing(held.lease.length, &held.sent, &now) {
                Standing::RanOut if !held.alone.holds(&now) => return,
                Standing::RanOut => held.alone.left(now.monotonic),
                Standing::Unconfirmed => {
                    self.confirm.notify_one();
                    held.left()
                }
                Standing::Holds => held.left(),
            };
            sleep(left.min(held.lease.beat_every)).await;
        }
    }

    /// How long a step of the driver may take, until a call of the store counts as lost.
    pub(super) fn patience(&self) -> Duration {
        let held = self.lock().held;
        held.map_or(Duration::from_secs(30), |held| 2 * held.lease.length)
    }

    pub(super) fn state(&self) -> Option<LeaseState> {
        let held = self.lock().held?;
        Some(LeaseState {
            node: held.node,
            left: held.left(),
        })
    }

    /// Takes note that there are runs of others to be taken over. Returns from when on this node may.
    pub(super) fn take_lost(&self) -> Option<Instant> {
        let mut state = self.lock();
        let held = state.held.filter(|_| state.has_lost)?;
        state.has_lost = false;
        Some(first_take_over(held.in_since, held.lease.beat_every))
    }

    pub(super) fn take_needs_repair(&self) -> bool {
        std::mem::take(&mut self.lock().needs_repair)
    }

    pub(super) fn note_lost(&self) {
        self.lock().has_lost = true;
    }
}

impl Held {
    /// How much of the lease is left, by the monotonic clock.
    fn left(&self) -> Duration {
        let passed = monotonic_now().saturating_duration_since(self.sent.monotonic);
        self.lease.length.saturating_sub(passed)
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
    let mut is_renewed = true;
    loop {
        tokio::select! {
            biased;
            _ = end.changed() => return,
            // A heartbeat that has just failed is tried again in a moment anyway.
            () = port.membership().confirm.notified(), if is_renewed => {}
            () = sleep(wait) => {}
        }
        let Some(held) = port.membership().lock().held else {
            // The driver joins again.
            wait = Duration::from_millis(100);
            continue;
        };
        wait = held.lease.beat_every;
        let was_renewed = is_renewed;
        is_renewed = beat(held, &port, &*clock, &warn).await.is_ok();
        port.membership().answered.notify_waiters();
        metrics::lease_age(port.name(), port.membership().beat_age());
        if !is_renewed {
            if was_renewed {
                // It is about to notice that the store fails, and may as well notice at once.
                port.wake();
            }
            look_around(held, &port, &*clock).await;
            // As long as the lease lasts there is no hurry to give up, and every reason to try again.
            wait = (held.lease.beat_every / 5).min(Duration::from_secs(1));
        }
    }
}

/// Looks whether another node is there, after a beat that did not get through.
async fn look_around(held: Held, port: &StorePort, clock: &dyn Clock) {
    let begun = Reading::of(clock);
    let look = port.store().is_only_node(held.node);
    let answer = tokio::time::timeout(held.lease.beat_every, look).await;
    match answer {
        Ok(Ok(true)) => {
            if port.membership().note_alone(held.node, begun) {
                tracing::warn!(node = %held.node, store = %port.name(), "the lease cannot be renewed, and no other node is there: what runs goes on");
            }
        }
        Ok(Ok(false)) => port.membership().note_others(held.node),
        // It says nothing of other nodes. The look before it counts for as long as it would have.
        Ok(Err(_)) | Err(_) => {}
    }
}

/// Sends one heartbeat, to learn the store's time before the first claim depends on it.
pub(super) async fn beat_at_once(
    port: &StorePort,
    clock: &dyn Clock,
    warn: &Warn,
) -> Result<(), StoreError> {
    let held = port.membership().lock().held;
    match held {
        Some(held) => beat(held, port, clock, warn).await,
        None => Err(StoreError::fenced()),
    }
}

/// Renews the lease, or returns why it was not renewed.
async fn beat(
    held: Held,
    port: &StorePort,
    clock: &dyn Clock,
    warn: &Warn,
) -> Result<(), StoreError> {
    let (sent, asked) = (Reading::of(clock), port.clock().ask());
    let answer = tokio::time::timeout(held.lease.length / 2, port.store().beat(held.node)).await;
    let beat = match answer {
        Ok(Ok(beat)) => beat,
        Ok(Err(error)) => {
            port.clock().not_answered(asked);
            tracing::warn!(node = %held.node, store = %port.name(), %error, "the lease was not renewed");
            return Err(error);
        }
        Err(_) => {
            port.clock().not_answered(asked);
            tracing::warn!(node = %held.node, store = %port.name(), "the lease was not renewed: no answer");
            return Err(StoreError::new("a heartbeat was not answered"));
        }
    };
    if !beat.is_alive {
        port.membership().lose(held.node);
        port.wake();
        return Err(StoreError::fenced());
    }
    port.membership().renew(held.node, sent);
    if let Some(offset) = port.clock().answered(asked, beat.store_time) {
        warn(port.clocks_differ(offset));
    }
    if port.clock().went_back() {
        port.wake();
    }
    if port.clock().take_went_forward() {
        port.membership().begin_anew(held.node);
        // What has come due with that.
        port.wake();
    }
    // Virtual time has nothing to do with the store's.
    if beat.needs_repair && clock.is_real() {
        port.membership().lock().needs_repair = true;
        port.wake();
    }
    if beat.has_lost {
        port.membership().note_lost();
        port.wake();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::*;
    use crate::testing::VirtualClock;

    fn lease() -> Lease {
        Lease {
            length: Duration::from_secs(15),
            beat_every: Duration::from_secs(5),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_identity_that_holds_a_lease_loses_it() {
        let clock = VirtualClock::starting(DateTime::UNIX_EPOCH);
        let membership = Membership::default();
        let now = || Reading::of(&clock);
        assert_eq!(membership.standing(&now()), Standing::RanOut);
        membership.hold(NodeId::new(1), lease(), now());
        assert_eq!(membership.standing(&now()), Standing::Holds);
        membership.lose(NodeId::new(2));
        assert_eq!(membership.standing(&now()), Standing::Holds);
        membership.lose(NodeId::new(1));
        assert_eq!(membership.standing(&now()), Standing::RanOut);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_in_question_is_confirmed_by_the_next_heartbeat() {
        let clock = VirtualClock::starting(DateTime::UNIX_EPOCH);
        let membership = Membership::default();
        membership.hold(NodeId::new(1), lease(), Reading::of(&clock));
        clock.jump(TimeDelta::hours(1));
        let keeper = async {
            membership.confirm.notified().await;
            membership.renew(NodeId::new(1), Reading::of(&clock));
            membership.answered.notify_waiters();
        };
        let (holds, ()) = tokio::join!(membership.confirmed(&clock), keeper);
        assert!(holds);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_in_question_ends_when_the_heartbeat_is_refused() {
        let clock = VirtualClock::starting(DateTime::UNIX_EPOCH);
        let membership = Membership::default();
        membership.hold(NodeId::new(1), lease(), Reading::of(&clock));
        clock.jump(TimeDelta::hours(1));
        let keeper = async {
            membership.confirm.notified().await;
            membership.lose(NodeId::new(1));
            membership.answered.notify_waiters();
        };
        let (holds, ()) = tokio::join!(membership.confirmed(&clock), keeper);
        assert!(!holds);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_in_question_runs_out_when_nobody_answers() {
        let clock = VirtualClock::starting(DateTime::UNIX_EPOCH);
        let membership = Membership::default();
        membership.hold(NodeId::new(1), lease(), Reading::of(&clock));
        clock.jump(TimeDelta::hours(1));
        let begun = monotonic_now();
        membership.expired(&clock).await;
        assert_eq!(begun.elapsed(), lease().length);
    }
}
