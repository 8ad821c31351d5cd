//! Manual runs.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::claimed::ClaimedRun;
use super::job_view::JobView;
use super::overlap::{Occupancy, admit};
use crate::id::RunId;
use crate::policy::Policies;
use crate::run::RunKind;
use crate::skipped::SkipReason;

/// The reason why a manual run is refused; part of [`RunNow::Refused`](crate::RunNow::Refused).
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

/// The decision about a manual run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ManualDecision {
    /// A slot is free: the run starts.
    Start,
    /// The run is queued for a slot.
    Queue {
        /// If `true`, the cancellation of the oldest live run is requested.
        cancel_oldest: bool,
        /// If `true`, the runs already in the queue end.
        replace_queued: bool,
    },
    /// The run is refused.
    Refuse(RefusedReason),
}

/// Decides what to do with a manual run.
///
/// The same limits and overlap apply as for a fire time, and nothing else. Queued runs that a pause
/// [holds](Occupancy::held) do not block it.
///
/// ```
/// use scheduler_core::plan::{ManualDecision, Occupancy, plan_manual};
/// use scheduler_core::{Overlap, Policies, RefusedReason};
///
/// let mut policies = Policies::default();
/// assert_eq!(plan_manual(&policies, Occupancy::default()), ManualDecision::Start);
///
/// let full = Occupancy::new(1, 0);
/// let refused = ManualDecision::Refuse(RefusedReason::Overlap);
/// assert_eq!(plan_manual(&policies, full), refused);
///
/// policies.overlap = Overlap::CancelRunning;
/// let waits = ManualDecision::Queue { cancel_oldest: true, replace_queued: false };
/// assert_eq!(plan_manual(&policies, full), waits);
/// ```
pub fn plan_manual(policies: &Policies, occupancy: Occupancy) -> ManualDecision {
    let admission = admit(policies, occupancy, 1);
    if admission.start > 0 {
        ManualDecision::Start
    } else if admission.queue > 0 {
        ManualDecision::Queue {
            cancel_oldest: admission.cancel_oldest,
            replace_queued: admission.replace_queued,
        }
    } else if admission.reason == SkipReason::QueueFull {
        ManualDecision::Refuse(RefusedReason::QueueFull)
    } else {
        ManualDecision::Refuse(RefusedReason::Overlap)
    }
}

/// A manual run that has not been decided about yet.
///
/// ```
/// use chrono::DateTime;
/// use scheduler_core::plan::{Manual, ManualDecision, Occupancy};
/// use scheduler_core::prelude::*;
/// use scheduler_core::{RunId, RunKind};
///
/// #[task]
/// async fn weigh_parcels() {}
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let scheduler = Scheduler::builder().client().start().await?;
/// let job = scheduler.add_job(weigh_parcels::job().cron("*/10 * * * *")).await?;
/// let now = DateTime::UNIX_EPOCH;
/// let asked = Manual::new(RunId::from_u128(1), RunKind::Manual, true, now);
/// let changes = asked.decide(&job.view(Occupancy::default()));
/// assert_eq!(changes.decision, ManualDecision::Start);
/// assert_eq!(changes.start.map(|run| run.attempt), Some(1));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Manual {
    /// The id of the new run.
    pub run_id: RunId,
    /// `Manual` or `Startup`.
    pub kind: RunKind,
    /// If `true`, the requesting node itself starts the run when a slot is free. Otherwise the run is queued for any
    /// node.
    pub has_holder: bool,
    /// The current time, which becomes the fire time of the run.
    pub now: DateTime<Utc>,
}

/// What a store writes about a manual run, in this order; from [`Manual::decide`].
#[derive(Debug)]
#[non_exhaustive]
pub struct ManualChanges {
    /// The answer.
    pub decision: ManualDecision,
    /// If `true`, all runs already in the queue [end](super::end_queued) as superseded.
    pub replace_queued: bool,
    /// If `true`, the cancellation of the oldest live run is requested.
    pub cancel_oldest: bool,
    /// The run, live on the requesting node.
    pub start: Option<ClaimedRun>,
    /// If `true`, the run is queued instead.
    pub queue: bool,
}

impl Manual {
    /// Creates a run that is requested now. With `has_holder`, the requesting node itself starts it when a slot is
    /// free.
    pub fn new(run_id: RunId, kind: RunKind, has_holder: bool, now: DateTime<Utc>) -> Self {
        Self {
            run_id,
            kind,
            has_holder,
            now,
        }
    }

    /// Decides what to do with the run.
    pub fn decide(&self, job: &JobView<'_>) -> ManualChanges {
        let decision = plan_manual(job.policies, job.occupancy);
        let mut changes = ManualChanges {
            decision,
            replace_queued: false,
            cancel_oldest: false,
            start: None,
            queue: false,
        };
        match decision {
            ManualDecision::Start if self.has_holder => {
                let run = ClaimedRun::first(job, self.run_id, self.kind, self.now);
                changes.start = Some(run);
            }
            ManualDecision::Start => changes.queue = true,
            ManualDecision::Queue {
                cancel_oldest,
                replace_queued,
            } => {
                changes.queue = true;
                changes.cancel_oldest = cancel_oldest;
                changes.replace_queued = replace_queued;
            }
            ManualDecision::Refuse(_) => {}
        }
        changes
    }
}
