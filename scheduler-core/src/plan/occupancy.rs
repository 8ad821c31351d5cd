//! How many runs of a job are open, and what happens to fire times that find no slot.

use super::decision::Plan;
use crate::policy::{Overlap, Policies};
use crate::skipped::{SkipReason, SkippedTimes};

/// How many runs of a job hold a slot, and how many wait for one, over all nodes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Occupancy {
    /// Runs that hold a slot: from claim to final outcome, back-off included.
    pub live: u32,
    /// Runs that wait.
    pub queued: u32,
}

impl Occupancy {
    /// Returns how many slots are free and not waited for by queued runs.
    pub(super) fn free(self, policies: &Policies) -> u32 {
        policies
            .max_instances
            .saturating_sub(self.live.saturating_add(self.queued))
    }
}

/// Leaves in `plan.start` what finds a slot; the rest is queued or skipped.
pub(super) fn fit(plan: &mut Plan, policies: &Policies, occupancy: Occupancy) {
    let free = occupancy.free(policies) as usize;
    if plan.start.len() <= free {
        return;
    }
    let rest = plan.start.split_off(free);
    match policies.overlap {
        Overlap::Skip => plan
            .skipped
            .extend(SkippedTimes::of(SkipReason::Overlap, &rest)),
        Overlap::Queue(bound) => {
            let room = bound.saturating_sub(occupancy.queued) as usize;
            let (waiting, full) = rest.split_at(room.min(rest.len()));
            plan.queue.extend_from_slice(waiting);
            plan.skipped
                .extend(SkippedTimes::of(SkipReason::QueueFull, full));
        }
        Overlap::CancelRunning => {
            let (older, newest) = rest.split_at(rest.len() - 1);
            plan.queue.extend_from_slice(newest);
            plan.skipped
                .extend(SkippedTimes::of(SkipReason::Overlap, older));
            plan.replace_queued = occupancy.queued > 0;
            plan.cancel_oldest = occupancy.live > 0 && occupancy.queued == 0;
        }
    }
}

/// Returns `true` if another run finds no slot.
pub(crate) fn at_limit(policies: &Policies, occupancy: Occupancy) -> bool {
    occupancy.free(policies) == 0
}
