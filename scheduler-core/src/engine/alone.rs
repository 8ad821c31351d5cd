//! What goes on when the lease could have run out while no other node was there to take anything over.
//!
//! A store whose writers lock each other out, such as a SQLite file, may refuse every heartbeat for as
//! long as another program imports or vacuums, although nobody could take over a run meanwhile. So a node
//! whose heartbeat is refused looks, without a lock, whether it is still entered and no other node is
//! ([`Cluster::is_only_node`](crate::store::Cluster::is_only_node)).
//!
//! **The rule.** Every node waits for one heartbeat after it has joined before it takes anything over. A
//! look that finds no other node is therefore a lease in itself, as long as one heartbeat, counted from
//! before the look: whoever joins right after it takes nothing over until then, and the next look finds
//! them. While it lasts, bodies go on; nothing is claimed, started or recorded until a heartbeat has got
//! through, which fails if the runs were taken over after all. A process that stood still has not looked,
//! and stops what it runs as ever.

use std::time::Duration;

use tokio::time::Instant;

use super::standing::{Standing, standing};
use crate::clock::Reading;

/// See the module: what the looks of this node have found.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Alone {
    /// When the last look was begun that found no other node, and for how long it counts.
    look: Option<(Reading, Duration)>,
}

impl Alone {
    /// Notes a look that was begun at an instant and found no other node. Returns whether it is the first
    /// in a row.
    pub(crate) fn confirm(&mut self, begun: Reading, heartbeat: Duration) -> bool {
        self.look.replace((begun, heartbeat)).is_none()
    }

    /// Forgets the looks: a heartbeat got through, or another node is there.
    pub(crate) fn end(&mut self) {
        self.look = None;
    }

    /// Whether bodies go on by such a look at this instant. The time of day alone, which may have been set,
    /// does not end it.
    pub(crate) fn holds(&self, now: &Reading) -> bool {
        self.look
            .is_some_and(|(begun, length)| standing(length, &begun, now) != Standing::RanOut)
    }

    /// How long it goes on, by the monotonic clock.
    pub(crate) fn left(&self, now: Instant) -> Duration {
        self.look.map_or(Duration::ZERO, |(begun, length)| {
            length.saturating_sub(now.saturating_duration_since(begun.monotonic))
        })
    }
}

/// When a node that has been in without a gap since an instant may take over the runs of others.
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

    /// So many milliseconds later by each clock.
    fn later(at: &Reading, monotonic: u64, boot: u64, wall: i64) -> Reading {
        Reading {
            monotonic: at.monotonic + Duration::from_millis(monotonic),
            boot: at.boot.map(|at| at + Duration::from_millis(boot)),
            wall: at.wall + TimeDelta::milliseconds(wall),
        }
    }

    #[test]
    fn a_look_that_finds_no_other_node_lasts_for_one_heartbeat() {
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
    fn without_a_boot_time_clock_the_time_of_day_ends_a_look() {
        let start = Reading {
            boot: None,
            ..start()
        };
        let mut alone = Alone::default();
        alone.confirm(start, HEARTBEAT);
        assert!(!alone.holds(&later(&start, 1, 1, 5_000)));
    }

    #[test]
    fn whoever_joins_after_a_look_takes_nothing_over_while_the_look_lasts() {
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
