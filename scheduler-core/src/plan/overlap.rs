//! Counting the open runs of a job, and deciding about fire times and manual runs that find no slot.

use super::decision::Plan;
use crate::policy::{Overlap, Policies};
use crate::skipped::{SkipReason, SkippedTimes};

/// The number of runs of a job that hold a slot or wait for one, over all nodes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Occupancy {
    /// Runs that hold a slot, from the claim to the final outcome, including back-off.
    pub live: u32,
    /// Runs that wait for a slot.
    pub queued: u32,
    /// Queued runs that a pause of the job [holds](super::JobView::holds). They do not wait for a slot, so a manual
    /// run passes them. 0 if the job is not paused.
    pub held: u32,
}

impl Occupancy {
    /// Counts runs none of which a pause holds.
    #[inline]
    pub fn new(live: u32, queued: u32) -> Self {
        Self {
            live,
            queued,
            held: 0,
        }
    }

    /// Returns how many slots are free and not claimed by queued runs.
    pub(super) fn free(self, policies: &Policies) -> u32 {
        let waiting = self.queued.saturating_sub(self.held);
        let taken = self.live.saturating_add(waiting);
        policies.max_instances.saturating_sub(taken)
    }
}

/// The decision about several new runs of a job, from [`admit`].
///
/// In the order of the runs, the first `older` are skipped, the next `start` start, the next `queue` are queued, and
/// the rest are skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Admission {
    /// The number of runs skipped in favor of newer ones.
    pub(super) older: usize,
    /// The number of runs that start.
    pub(super) start: usize,
    /// The number of runs that are queued.
    pub(super) queue: usize,
    /// The reason why the others are not run.
    pub(super) reason: SkipReason,
    /// If `true`, the cancellation of the oldest live run is requested.
    pub(super) cancel_oldest: bool,
    /// If `true`, the runs already in the queue end.
    pub(super) replace_queued: bool,
}

/// Decides about `count` new runs of a job: fire times that have come, or a manual run.
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
        // The newest ones matter: a run that starts now must not be cancelled by the next fire time of the same
        // claim.
        Overlap::CancelRunning if start > 0 => Admission {
            older: rest,
            ..admission
        },
        Overlap::CancelRunning => Admission {
            older: rest - 1,
            queue: 1,
            // Not only for the first queued run: queued runs do not imply that a live run is being cancelled. They
            // may stem from another `overlap` or `max_instances`. Where a slot is free, they are what occupied it.
            cancel_oldest: occupancy.live >= policies.max_instances,
            replace_queued: occupancy.queued > 0,
            ..admission
        },
    }
}

/// Keeps in `plan.start` the fire times that find a slot; the rest are queued or skipped.
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
    fn live_run_at_the_limit_is_cancelled_whatever_is_queued() {
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
    fn held_runs_do_not_wait_for_a_slot_but_fill_the_queue() {
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
