//! A job and its queued runs, reduced to what a decision depends on.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use scheduler_triggers::Trigger;

use super::due_job::{DueJob, NextFire};
use super::overlap::Occupancy;
use super::promote::holds;
use crate::id::{JobId, RunId};
use crate::policy::{Coalesce, Policies};
use crate::run::RunKind;
use crate::task::arguments::Arguments;

/// A borrowed view of a stored job with its open runs counted, which a store passes to a decider.
///
/// It is created by [`JobRecord::view`](crate::JobRecord::view), or from whatever a store keeps.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct JobView<'a> {
    /// Its id.
    pub id: &'a JobId,
    /// The name of its task.
    pub task: &'a Arc<str>,
    /// The arguments of its runs.
    pub arguments: &'a Arguments,
    /// Its trigger.
    pub trigger: &'a Trigger,
    /// Its policies.
    pub policies: &'a Arc<Policies>,
    /// If `true`, the job is defined in code.
    pub is_static: bool,
    /// If `true`, the job is paused.
    pub is_paused: bool,
    /// The watermark: fire times up to this instant have been decided.
    pub watermark: DateTime<Utc>,
    /// The first fire time after the watermark, or `None` if the trigger has ended.
    pub next: Option<NextFire>,
    /// The job's open runs on all nodes.
    pub occupancy: Occupancy,
    /// Returns `true` for fire times that already have a run although they are after the watermark, because it was
    /// set back. `None` if there are none. A store that refuses to insert a second run needs this only where fire
    /// times [may overlap](Self::may_overlap).
    pub was_claimed: Option<&'a dyn Fn(DateTime<Utc>) -> bool>,
}

impl fmt::Debug for JobView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobView")
            .field("id", self.id)
            .field("is_paused", &self.is_paused)
            .field("watermark", &self.watermark)
            .field("next", &self.next)
            .field("occupancy", &self.occupancy)
            .finish_non_exhaustive()
    }
}

impl<'a> JobView<'a> {
    /// Returns the input of a plan if the job is due.
    #[inline]
    pub(super) fn due(&self, now: DateTime<Utc>) -> Option<DueJob<'a>> {
        let next = self.next.filter(|next| next.at <= now)?;
        (!self.is_paused).then_some(DueJob {
            id: self.id,
            trigger: self.trigger,
            policies: self.policies,
            watermark: self.watermark,
            next,
        })
    }

    /// Returns `true` if fire times may find no slot. One that already has a run must then be neither skipped nor
    /// cancel that run, so the decision depends on [`was_claimed`](Self::was_claimed).
    pub fn may_overlap(&self) -> bool {
        let at_once = match self.policies.coalesce {
            Coalesce::Latest | Coalesce::Earliest => 1,
            Coalesce::All(limit) => limit,
        };
        self.occupancy.free(self.policies) < at_once
    }

    /// Returns `true` if this queued run waits for the job to be resumed rather than for a slot.
    ///
    /// A store counts such runs as [`Occupancy::held`] when a manual run of a paused job is requested.
    pub fn holds(&self, run: &QueuedView) -> bool {
        holds(self) && !run.is_exempt()
    }
}

/// A queued run, reduced to what a decision depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueuedView {
    /// The run.
    pub run_id: RunId,
    /// What caused it.
    pub kind: RunKind,
    /// The nominal fire time.
    pub scheduled_for: DateTime<Utc>,
    /// The number of attempts already made, above zero if the run was released or taken over.
    pub attempts: u32,
    /// The number of those attempts that failed.
    pub failures: u32,
}

impl QueuedView {
    /// Creates a queued run that was not started before.
    pub fn new(run_id: RunId, kind: RunKind, scheduled_for: DateTime<Utc>) -> Self {
        Self {
            run_id,
            kind,
            scheduled_for,
            attempts: 0,
            failures: 0,
        }
    }

    /// Sets the number of attempts already made, and how many of them failed.
    #[must_use]
    pub fn tried(mut self, attempts: u32, failures: u32) -> Self {
        (self.attempts, self.failures) = (attempts, failures);
        self
    }

    /// Returns `true` if neither a pause nor a grace time applies. A manual run is still wanted, however late it is
    /// and even if the job is paused, and nothing delays an attempt after the first.
    pub(super) fn is_exempt(&self) -> bool {
        self.kind != RunKind::Scheduled || self.attempts > 0
    }
}
