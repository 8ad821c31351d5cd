//! A job and its queued runs, as far as a decision depends on them.

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

/// A stored job in borrowed parts, with its open runs counted: what a store shows to a decider.
///
/// Made by [`JobRecord::view`](crate::JobRecord::view), or from whatever a store keeps.
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
    /// `true` if the job is defined in code.
    pub is_static: bool,
    /// `true` if it is paused.
    pub is_paused: bool,
    /// Fire times up to here are dealt with.
    pub watermark: DateTime<Utc>,
    /// The first fire time after the watermark; `None` if its trigger has ended.
    pub next: Option<NextFire>,
    /// Its open runs, over all nodes.
    pub occupancy: Occupancy,
    /// Returns `true` for fire times that have a run already, although they are after the watermark: it was set
    /// back. `None` if there are none. A store that itself refuses to insert a second run needs it only where fire times
    /// [may overlap](Self::may_overlap).
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
    /// Returns what a plan looks at, if the job is due.
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

    /// Returns `true` if fire times that come may find no slot. One that has a run already must not be skipped then, nor
    /// stop that run: so the decision depends on [`was_claimed`](Self::was_claimed).
    pub fn may_overlap(&self) -> bool {
        let at_once = match self.policies.coalesce {
            Coalesce::Latest | Coalesce::Earliest => 1,
            Coalesce::All(limit) => limit,
        };
        self.occupancy.free(self.policies) < at_once
    }

    /// Returns `true` if this queued run waits for the end of a pause of the job, and so for no slot.
    ///
    /// A store counts these as [`Occupancy::held`] when a manual run of a paused job is requested.
    pub fn holds(&self, run: &QueuedView) -> bool {
        holds(self) && !run.is_exempt()
    }
}

/// A queued run, as far as a decision depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueuedView {
    /// The run.
    pub run_id: RunId,
    /// What caused it.
    pub kind: RunKind,
    /// Its nominal fire time.
    pub scheduled_for: DateTime<Utc>,
    /// How many attempts it has behind it: more than none if it was released or taken over.
    pub attempts: u32,
    /// How many of them failed.
    pub failures: u32,
}

impl QueuedView {
    /// A queued run that was not started before.
    pub fn new(run_id: RunId, kind: RunKind, scheduled_for: DateTime<Utc>) -> Self {
        Self {
            run_id,
            kind,
            scheduled_for,
            attempts: 0,
            failures: 0,
        }
    }

    /// Adds the attempts that the run has behind it, and how many of them failed.
    #[must_use]
    pub fn tried(mut self, attempts: u32, failures: u32) -> Self {
        (self.attempts, self.failures) = (attempts, failures);
        self
    }

    /// Returns `true` if neither a pause nor a grace time keeps it from its start: whoever requested a manual run still
    /// wants it, however late, and also of a paused job; and an attempt that is not the first is held up by nothing.
    pub(super) fn is_exempt(&self) -> bool {
        self.kind != RunKind::Scheduled || self.attempts > 0
    }
}
