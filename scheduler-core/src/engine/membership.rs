//! This process as a node of a shared store: its identity and its lease.
//!
//! A node fences itself: once its lease has run out, counted from when the last successful heartbeat was *sent*, it
//! claims nothing and stops its runs. If only the time of day says so, which may have been set, it has a heartbeat
//! sent at once and starts nothing before the answer.

use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::alone::{Alone, first_take_over};
use super::standing::{Standing, standing};
use crate::clock::{Clock, Reading, monotonic_now, sleep};
use crate::lock::lock;
use crate::node::{Lease, NodeId};

/// A longer lease is cut to this length, so that it can be added to any instant. A node that stops earlier than
/// necessary does no harm.
const LONGEST_LEASE: Duration = Duration::from_secs(24 * 3_600);

/// The shortest interval between heartbeats, whatever a store asks for.
const SHORTEST_PAUSE: Duration = Duration::from_millis(10);

/// State shared by the driver and the heartbeat thread.
#[derive(Debug, Default)]
pub(crate) struct Membership {
    state: Mutex<State>,
    /// Requests a heartbeat at once.
    confirm: Notify,
    /// Notified when a heartbeat was answered or has failed.
    answered: Notify,
}

#[derive(Debug, Default)]
struct State {
    held: Option<Held>,
    /// If `true`, there are runs of other nodes to be taken over.
    has_lost: bool,
    /// If `true`, there are watermarks ahead of the store's clock.
    needs_repair: bool,
}

/// A lease that this node holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Held {
    pub(crate) node: NodeId,
    pub(crate) lease: Lease,
    /// When the last successful heartbeat was sent.
    sent: Reading,
    /// The instant since which the lease has been held without a gap.
    in_since: Instant,
    alone: Alone,
}

/// The data of [`LeaseHealth`](crate::LeaseHealth).
#[derive(Debug, Clone, Copy)]
pub(crate) struct LeaseState {
    pub(crate) node: NodeId,
    /// The time that is left of the lease.
    pub(crate) left: Duration,
}

impl Membership {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Records the lease of a heartbeat that was sent at this instant.
    pub(crate) fn hold(&self, node: NodeId, lease: Lease, sent: Reading) {
        let lease = Lease {
            length: lease.length.min(LONGEST_LEASE),
            heartbeat_every: lease.heartbeat_every.clamp(SHORTEST_PAUSE, LONGEST_LEASE),
        };
        self.lock().held = Some(Held {
            node,
            lease,
            sent,
            in_since: monotonic_now(),
            alone: Alone::default(),
        });
    }

    /// Records a successful heartbeat of this identity, unless the node has another identity by now.
    pub(crate) fn renew(&self, node: NodeId, sent: Reading) {
        if let Some(held) = self.lock().held.as_mut().filter(|held| held.node == node) {
            if standing(held.lease.length, &held.sent, &sent) != Standing::Holds {
                held.in_since = monotonic_now();
            }
            held.alone.end();
            held.sent = sent;
        }
    }

    /// Records that the store's clock was set forward. By that clock, the leases of healthy nodes may be over, so
    /// they get one heartbeat interval to renew them before anything is taken over.
    pub(crate) fn begin_anew(&self, node: NodeId) {
        if let Some(held) = self.lock().held.as_mut().filter(|held| held.node == node) {
            held.in_since = monotonic_now();
        }
    }

    /// Gives up the lease of this identity, or records that it is lost.
    pub(crate) fn lose(&self, node: NodeId) {
        self.lock().held.take_if(|held| held.node == node);
    }

    /// Returns what is known about the lease at this instant.
    pub(crate) fn standing(&self, now: &Reading) -> Standing {
        let held = self.lock().held;
        held.map_or(Standing::RanOut, |held| {
            standing(held.lease.length, &held.sent, now)
        })
    }

    /// Waits until the lease is known to hold or to have run out. Returns `true` if it holds.
    pub(crate) async fn confirmed(&self, clock: &dyn Clock) -> bool {
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

    /// Records that this node checked at this instant and found no other node. Returns `true` if that is new.
    pub(crate) fn note_alone(&self, node: NodeId, begun: Reading) -> bool {
        let mut state = self.lock();
        let held = state.held.as_mut().filter(|held| held.node == node);
        held.is_some_and(|held| held.alone.confirm(begun, held.lease.heartbeat_every))
    }

    /// Records that there is another node.
    pub(crate) fn note_others(&self, node: NodeId) {
        if let Some(held) = self.lock().held.as_mut().filter(|held| held.node == node) {
            held.alone.end();
        }
    }

    /// Returns `true` if, by the last check, there is no other node that could take anything over.
    pub(crate) fn is_alone(&self, now: &Reading) -> bool {
        let held = self.lock().held;
        held.is_some_and(|held| held.alone.holds(now))
    }

    /// Returns `true` if running attempts may continue at this instant.
    pub(crate) fn may_go_on(&self, now: &Reading) -> bool {
        self.standing(now) != Standing::RanOut || self.is_alone(now)
    }

    /// Returns the age of the last heartbeat that was answered, counted from when it was sent, or `None` without a
    /// lease.
    pub(crate) fn heartbeat_age(&self) -> Option<Duration> {
        let held = self.lock().held?;
        Some(monotonic_now().saturating_duration_since(held.sent.monotonic))
    }

    /// Completes when running attempts may no longer continue.
    pub(crate) async fn expired(&self, clock: &dyn Clock) {
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
            sleep(left.min(held.lease.heartbeat_every)).await;
        }
    }

    /// Returns how long a step of the driver may take before its store call counts as lost.
    pub(crate) fn patience(&self) -> Duration {
        let held = self.lock().held;
        held.map_or(Duration::from_secs(30), |held| 2 * held.lease.length)
    }

    /// Returns the lease that this node currently holds.
    pub(crate) fn held(&self) -> Option<Held> {
        self.lock().held
    }

    /// Waits until a heartbeat is requested at once.
    pub(crate) async fn confirmation_wanted(&self) {
        self.confirm.notified().await;
    }

    /// Records that a heartbeat was answered or has failed.
    pub(crate) fn note_answered(&self) {
        self.answered.notify_waiters();
    }

    pub(crate) fn state(&self) -> Option<LeaseState> {
        let held = self.lock().held?;
        Some(LeaseState {
            node: held.node,
            left: held.left(),
        })
    }

    /// Processes a notice that runs of other nodes are to be taken over. Returns the instant from which this node may
    /// do so.
    pub(crate) fn take_lost(&self) -> Option<Instant> {
        let mut state = self.lock();
        let held = state.held.filter(|_| state.has_lost)?;
        state.has_lost = false;
        Some(first_take_over(held.in_since, held.lease.heartbeat_every))
    }

    pub(crate) fn take_needs_repair(&self) -> bool {
        std::mem::take(&mut self.lock().needs_repair)
    }

    pub(crate) fn note_lost(&self) {
        self.lock().has_lost = true;
    }

    pub(crate) fn note_needs_repair(&self) {
        self.lock().needs_repair = true;
    }
}

impl Held {
    /// Returns the time left of the lease, by the monotonic clock.
    fn left(&self) -> Duration {
        let passed = monotonic_now().saturating_duration_since(self.sent.monotonic);
        self.lease.length.saturating_sub(passed)
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::*;
    use crate::testing::VirtualClock;

    fn lease() -> Lease {
        Lease {
            length: Duration::from_secs(15),
            heartbeat_every: Duration::from_secs(5),
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
    async fn lease_of_any_length_is_held_for_a_while() {
        let clock = VirtualClock::starting(DateTime::UNIX_EPOCH);
        let membership = Membership::default();
        let lease = Lease {
            length: Duration::MAX,
            heartbeat_every: Duration::ZERO,
        };
        membership.hold(NodeId::new(1), lease, Reading::of(&clock));
        assert!(membership.patience() > LONGEST_LEASE);
        let held = membership.held().unwrap();
        assert_eq!(held.left(), LONGEST_LEASE);
        assert_eq!(held.lease.heartbeat_every, SHORTEST_PAUSE);
    }

    #[tokio::test(start_paused = true)]
    async fn unconfirmed_lease_is_confirmed_by_the_next_heartbeat() {
        let clock = VirtualClock::starting(DateTime::UNIX_EPOCH);
        let membership = Membership::default();
        membership.hold(NodeId::new(1), lease(), Reading::of(&clock));
        clock.jump(TimeDelta::hours(1));
        let heartbeats = async {
            membership.confirm.notified().await;
            membership.renew(NodeId::new(1), Reading::of(&clock));
            membership.answered.notify_waiters();
        };
        let (holds, ()) = tokio::join!(membership.confirmed(&clock), heartbeats);
        assert!(holds);
    }

    #[tokio::test(start_paused = true)]
    async fn unconfirmed_lease_ends_when_the_heartbeat_is_refused() {
        let clock = VirtualClock::starting(DateTime::UNIX_EPOCH);
        let membership = Membership::default();
        membership.hold(NodeId::new(1), lease(), Reading::of(&clock));
        clock.jump(TimeDelta::hours(1));
        let heartbeats = async {
            membership.confirm.notified().await;
            membership.lose(NodeId::new(1));
            membership.answered.notify_waiters();
        };
        let (holds, ()) = tokio::join!(membership.confirmed(&clock), heartbeats);
        assert!(!holds);
    }

    #[tokio::test(start_paused = true)]
    async fn unconfirmed_lease_runs_out_without_an_answer() {
        let clock = VirtualClock::starting(DateTime::UNIX_EPOCH);
        let membership = Membership::default();
        membership.hold(NodeId::new(1), lease(), Reading::of(&clock));
        clock.jump(TimeDelta::hours(1));
        let begun = monotonic_now();
        membership.expired(&clock).await;
        assert_eq!(begun.elapsed(), lease().length);
    }
}
