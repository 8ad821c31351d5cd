//! How many runs of a job go on, and what happens to those that find no place.

use super::Plan;
use crate::dropped::{DropReason, DroppedTimes};
use crate::policy::{Overlap, Policies};

/// How many runs of a job hold a place, and how many wait for one, over all nodes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Occupancy {
    /// Runs that hold a place: from claim to final outcome, back-off included.
    pub live: u32,
    /// Runs that wait.
    pub queued: u32,
}

impl Occupancy {
    /// Places that are free and that nobody waits for.
    pub(super) fn free(self, policies: &Policies) -> u32 {
        policies
            .max_instances
            .saturating_sub(self.live.saturating_add(self.queued))
    }
}

/// Leaves in `plan.start` what finds a place; the rest is queued or dropped.
pub(super) fn fit(plan: &mut Plan, policies: &Policies, occupancy: Occupancy) {
    let free = occupancy.free(policies) as usize;
    if plan.start.len() <= free {
        return;
    }
    let rest = plan.start.split_off(free);
    match policies.overlap {
        Overlap::Skip => plan
            .dropped
            .extend(DroppedTimes::of(DropReason::Overlap, &rest)),
        Overlap::Queue(bound) => {
            let room = bound.saturating_sub(occupancy.queued) as usize;
            let (waiting, full) = rest.split_at(room.min(rest.len()));
            plan.queue.extend_from_slice(waiting);
            plan.dropped
                .extend(DroppedTimes::of(DropReason::QueueFull, full));
        }
        Overlap::CancelRunning => {
            let (older, newest) = rest.split_at(rest.len() - 1);
            plan.queue.extend_from_slice(newest);
            plan.dropped
                .extend(DroppedTimes::of(DropReason::Overlap, older));
            plan.replace_queued = occupancy.queued > 0;
            plan.cancel_oldest = occupancy.live > 0 && occupancy.queued == 0;
        }
    }
}

/// Whether another run finds no place.
pub(crate) fn at_limit(policies: &Policies, occupancy: Occupancy) -> bool {
    occupancy.free(policies) == 0
}
