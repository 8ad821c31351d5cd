//! Continuing to run when the lease may have expired while no other node was there to take anything over.
//!
//! A store whose writers lock each other out, such as a SQLite file, may refuse every heartbeat while another program
//! imports data or vacuums, although no node could take over a run meanwhile. So a node whose heartbeat is refused
//! checks, without a lock, that it is still registered and that no other node is
//! ([`Cluster::is_only_node`](crate::store::Cluster::is_only_node)).
//!
//! **The rule.** After joining, every node waits for one heartbeat interval before it takes anything over. A check
//! that finds no other node is therefore a lease in itself, lasting one heartbeat interval from before the check: a
//! node that joins right after it takes nothing over until then, and the next check finds that node. During this
//! time, bodies continue. Nothing is claimed, started or recorded until a heartbeat succeeds, which it does not if
//! the runs were taken over after all. A process that was suspended has not checked, and stops its runs as usual.

use std::time::Duration;

use tokio::time::Instant;

use super::standing::{Standing, standing};
use crate::clock::Reading;

/// The results of this node's checks; see the module documentation.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Alone {
    /// When the last check began that found no other node, and how long it counts.
    look: Option<(Reading, Duration)>,
}

impl Alone {
    /// Records a check that began at this instant and found no other node. Returns `true` if it is the first in a
    /// row.
    pub(crate) fn confirm(&mut self, begun: Reading, heartbeat: Duration) -> bool {
        self.look.replace((begun, heartbeat)).is_none()
    }

    /// Discards the checks, because a heartbeat succeeded or there is another node.
    pub(crate) fn end(&mut self) {
        self.look = None;
    }

    /// Returns `true` if such a check lets bodies continue at this instant. The time of day alone, which may have
    /// been set, does not end it.
    pub(crate) fn holds(&self, now: &Reading) -> bool {
        self.look
            .is_some_and(|(begun, length)| standing(length, &begun, now) != Standing::RanOut)
    }

    /// Returns how long the check still counts, by the monotonic clock.
    pub(crate) fn left(&self, now: Instant) -> Duration {
        self.look.map_or(Duration::ZERO, |(begun, length)| {
            length.saturating_sub(now.saturating_duration_since(begun.monotonic))
        })
    }
}

/// Returns when a node that has been a member without a gap since `in_since` may take over the runs of others.
pub(crate) fn first_take_over(in_since: Instant, heartbeat: Duration) -> Instant {
    in_since + heartbeat
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::*;
    use crate::clock::monotonic_now;

    const HEARTBEAT: Duration = Duration::from_secs(5);

    fn start() -> Reading {
        Reading {
            monotonic: monotonic_now(),
            boot: Some(Duration::from_secs(1_000)),
            wall: DateTime::UNIX_EPOCH,
        }
    }

    /// Returns a reading that is later by this many milliseconds on each clock.
    fn later(at: &Reading, monotonic: u64, boot: u64, wall: i64) -> Reading {
        Reading {
            monotonic: at.monotonic + Duration::from_millis(monotonic),
            boot: at.boot.map(|at| at + Duration::from_millis(boot)),
            wall: at.wall + TimeDelta::milliseconds(wall),
        }
    }

    #[test]
    fn check_that_finds_no_other_node_lasts_for_one_heartbeat() {
        let start = start();
        let mut alone = Alone::default();
        assert!(!alone.holds(&start));
        assert!(alone.confirm(start, HEARTBEAT), "the first");
        assert!(alone.holds(&later(&start, 4_999, 4_999, 4_999)));
        assert!(!alone.holds(&later(&start, 5_000, 5_000, 5_000)));
        assert!(
            !alone.holds(&later(&start, 0, 5_000, 0)),
            "a suspended machine"
        );
        assert!(
            alone.holds(&later(&start, 1, 1, 3_600_000)),
            "a clock that was set"
        );
        assert!(!alone.confirm(later(&start, 4_000, 4_000, 4_000), HEARTBEAT));
        assert!(alone.holds(&later(&start, 8_999, 8_999, 8_999)));
        alone.end();
        assert!(!alone.holds(&start));
    }

    #[test]
    fn without_a_boot_time_clock_the_time_of_day_ends_a_check() {
        let start = Reading {
            boot: None,
            ..start()
        };
        let mut alone = Alone::default();
        alone.confirm(start, HEARTBEAT);
        assert!(!alone.holds(&later(&start, 1, 1, 5_000)));
    }

    #[test]
    fn node_that_joins_after_a_check_takes_nothing_over_while_it_lasts() {
        let begun = start();
        let mut alone = Alone::default();
        alone.confirm(begun, HEARTBEAT);
        for joined_after in [0, 1, 2_500, 4_999] {
            let joined = later(&begun, joined_after, joined_after, 0);
            let monotonic = first_take_over(joined.monotonic, HEARTBEAT);
            assert!(
                !alone.holds(&Reading {
                    monotonic,
                    ..joined
                }),
                "{joined_after}"
            );
        }
    }
}
