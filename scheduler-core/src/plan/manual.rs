//! What happens to a run that somebody asks for.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::occupancy::{Occupancy, at_limit};
use crate::policy::{Overlap, Policies};

/// Why a manual run is refused; part of [`RunNow::Refused`](crate::RunNow::Refused).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RefusedReason {
    /// The job is at `max_instances`.
    Overlap,
    /// The job is at `max_instances`, and its queue is full.
    QueueFull,
}

impl fmt::Display for RefusedReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Overlap => "the job is at `max_instances`",
            Self::QueueFull => "the job is at `max_instances` and its queue is full",
        })
    }
}

/// What to do with a run that somebody asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ManualDecision {
    /// There is a place.
    Start,
    /// It waits for one.
    Queue {
        /// Whether the oldest live run is asked to stop.
        cancel_oldest: bool,
        /// Whether it takes the place of what waits already.
        replace_queued: bool,
    },
    /// There is none.
    Refuse(RefusedReason),
}

/// Decides what to do with a run that somebody asks for.
///
/// The same limits and overlap hold as for a fire time, and nothing else.
///
/// ```
/// use scheduler_core::plan::{ManualDecision, Occupancy, plan_manual};
/// use scheduler_core::{Overlap, Policies, RefusedReason};
///
/// let mut policies = Policies::default();
/// assert_eq!(plan_manual(&policies, Occupancy::default()), ManualDecision::Start);
///
/// let full = Occupancy { live: 1, queued: 0 };
/// let refused = ManualDecision::Refuse(RefusedReason::Overlap);
/// assert_eq!(plan_manual(&policies, full), refused);
///
/// policies.overlap = Overlap::CancelRunning;
/// let waits = ManualDecision::Queue { cancel_oldest: true, replace_queued: false };
/// assert_eq!(plan_manual(&policies, full), waits);
/// ```
pub fn plan_manual(policies: &Policies, occupancy: Occupancy) -> ManualDecision {
    if !at_limit(policies, occupancy) {
        return ManualDecision::Start;
    }
    match policies.overlap {
        Overlap::Skip => ManualDecision::Refuse(RefusedReason::Overlap),
        Overlap::Queue(bound) if occupancy.queued < bound => ManualDecision::Queue {
            cancel_oldest: false,
            replace_queued: false,
        },
        Overlap::Queue(_) => ManualDecision::Refuse(RefusedReason::QueueFull),
        Overlap::CancelRunning => ManualDecision::Queue {
            cancel_oldest: occupancy.live > 0 && occupancy.queued == 0,
            replace_queued: occupancy.queued > 0,
        },
    }
}
