//! How many runs of a job are open, and what happens to fire times and manual runs that find no slot.

use super::decision::Plan;
use crate::policy::{Overlap, Policies};
use crate::skipped::{SkipReason, SkippedTimes};

/// How many runs of a job hold a slot, and how many wait for one, over all nodes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Occupancy {
    /// Runs that hold a slot: from claim to final outcome, back-off included.
    pub live: u32,
    /// Runs that wait.
    pub queued: u32,
    /// Those among the queued runs that a pause of the job [holds](super::JobView::holds). They wait for no slot, so that
    /// a manual run passes them. 0 if the job is not paused.
    pub held: u32,
}

impl Occupancy {
    /// That many runs, of which no pause holds any.
    #[inline]
    pub fn new(live: u32, queued: u32) -> Self {
        Self {
            live,
            queued,
            held: 0,
        }
    }

    /// Returns how many slots are free and not waited for by queued runs.
    pub(super) fn free(self, policies: &Policies) -> u32 {
        let waiting = self.queued.saturating_sub(self.held);
        let taken = self.live.saturating_add(waiting);
        policies.max_instances.saturating_sub(taken)
    }
}

/// What becomes of some new runs of a job, from [`admit`].
///
/// Of the runs in their order, the first `older` are skipped, the next ones start, the next ones are queued, and what is
/// left is skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Admission {
    /// How many are skipped because there are newer ones.
    pub(super) older: usize,
    /// How many start.
    pub(super) start: usize,
    /// How many are queued.
    pub(super) queue: usize,
    /// Why the others are not run.
    pub(super) reason: SkipReason,
    /// `true` if the cancellation of the oldest live run is requested.
    pub(super) cancel_oldest: bool,
    /// `true` if the runs that are queued already end.
    pub(super) replace_queued: bool,
}

/// Decides about that many new runs of a job: fire times that have come, or a manual run.
pub(super) fn admit(policies: &Policies, occupancy: Occupancy, count: usize) -> Admission {
    let start = count.min(occupancy.free(policies) as usize);
    let rest = count - start;
    let admission = Admission {
        older: 0,
        start,
        queue: 0,
        reason: SkipReason::Overlap,
        cancel_oldest: false,
        replace_queued: false,
    };
    if rest == 0 {
        return admission;
    }
    match policies.overlap {
        Overlap::Skip => admission,
        Overlap::Queue(bound) => {
            let left = bound.saturating_sub(occupancy.queued) as usize;
            Admission {
                queue: rest.min(left),
                reason: SkipReason::QueueFull,
                ..admission
            }
        }
        // The newest ones matter: what starts now is not to be stopped by the next fire time of the same claim.
        Overlap::CancelRunning if start > 0 => Admission {
            older: rest,
            ..admission
        },
        Overlap::CancelRunning => Admission {
            older: rest - 1,
            queue: 1,
            // Not only for the first one that waits: queued runs do not mean that a live run was asked to stop. They may
            // come from another `overlap` or `max_instances`. Where a slot is free, they are what occupied it.
            cancel_oldest: occupancy.live >= policies.max_instances,
            replace_queued: occupancy.queued > 0,
            ..admission
        },
    }
}

/// Leaves in `plan.start` what finds a slot; the rest is queued or skipped.
pub(super) fn fit(plan: &mut Plan, policies: &Policies, occupancy: Occupancy) {
    let count = plan.start.len();
    if count <= occupancy.free(policies) as usize {
        return;
    }
    let admission = admit(policies, occupancy, count);
    let (older, reason) = (admission.older, admission.reason);
    let queue = older + admission.start;
    let newer = queue + admission.queue;
    for skipped in [&plan.start[..older], &plan.start[newer..]] {
        plan.skipped.extend(SkippedTimes::of(reason, skipped));
    }
    plan.queue.extend_from_slice(&plan.start[queue..newer]);
    plan.start.truncate(queue);
    plan.start.drain(..older);
    plan.cancel_oldest = admission.cancel_oldest;
    plan.replace_queued = admission.replace_queued;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policies(overlap: Overlap, max_instances: u32) -> Policies {
        Policies {
            max_instances,
            overlap,
            ..Policies::default()
        }
    }

    #[test]
    fn live_run_at_the_limit_is_asked_to_stop_whatever_is_queued() {
        let policies = policies(Overlap::CancelRunning, 2);
        for live in 0..4 {
            for queued in 0..4 {
                let occupancy = Occupancy {
                    live,
                    queued,
                    held: 0,
                };
                for count in 1..4 {
                    let admission = admit(&policies, occupancy, count);
                    let waits = live + queued >= 2;
                    assert_eq!(admission.queue, usize::from(waits), "{occupancy:?}");
                    assert_eq!(admission.replace_queued, waits && queued > 0);
                    assert_eq!(admission.cancel_oldest, live >= 2, "{occupancy:?}");
                    let all = admission.older + admission.start + admission.queue;
                    assert_eq!(all, count, "none is skipped as newer than another");
                }
            }
        }
    }

    #[test]
    fn held_runs_wait_for_no_slot_and_fill_the_queue() {
        let occupancy = |live, queued, held| Occupancy { live, queued, held };
        for overlap in [Overlap::Skip, Overlap::Queue(2), Overlap::CancelRunning] {
            let policies = policies(overlap, 1);
            assert_eq!(admit(&policies, occupancy(0, 2, 2), 1).start, 1);
            assert_eq!(admit(&policies, occupancy(0, 2, 1), 1).start, 0);
            assert_eq!(admit(&policies, occupancy(1, 2, 2), 1).start, 0);
        }
        let policies = policies(Overlap::Queue(2), 1);
        assert_eq!(admit(&policies, occupancy(1, 2, 2), 1).queue, 0);
        assert_eq!(admit(&policies, occupancy(1, 1, 1), 1).queue, 1);
    }
}
