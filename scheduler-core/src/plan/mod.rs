//! The decision what to do with a due job: pure, and the same for every store, for the simulation
//! and for the live driver.

mod due;
mod jitter;
mod manual;
#[cfg(test)]
mod model;
mod occupancy;
mod promote;
mod retry;

use chrono::{DateTime, TimeDelta, Utc};
use scheduler_triggers::Trigger;
use serde::{Deserialize, Serialize};

use crate::dropped::DroppedTimes;
use crate::id::JobId;
use crate::policy::Policies;

pub(crate) use due::fire_times_in;
pub(crate) use jitter::due_at;
pub use manual::{ManualDecision, RefusedReason, plan_manual};
pub use occupancy::Occupancy;
pub use promote::{Promotion, promote};
pub use retry::Verdict;
pub(crate) use retry::after_attempt;

/// How far ahead of now a mark may be before it is taken for the work of a wrong clock.
pub(crate) const MARK_TOLERANCE: TimeDelta = TimeDelta::hours(1);

/// How many fire times are counted before a drop says "more than".
const COUNT_CAP: u64 = 1_000;

/// A fire time and when it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NextFire {
    /// The instant that the trigger names.
    pub nominal: DateTime<Utc>,
    /// The same, delayed by the job's jitter.
    pub at: DateTime<Utc>,
}

/// What a plan looks at.
#[derive(Debug, Clone, Copy)]
pub struct DueJob<'a> {
    /// The job's id; its jitter depends on it.
    pub id: &'a JobId,
    /// Its trigger.
    pub trigger: &'a Trigger,
    /// Its policies.
    pub policies: &'a Policies,
    /// Fire times up to here are dealt with.
    pub mark: DateTime<Utc>,
    /// The first fire time after the mark.
    pub next: NextFire,
}

/// What to do with a due job. Buffers are reused from plan to plan.
#[derive(Debug, Default)]
pub struct Plan {
    /// Fire times to start now, oldest first.
    pub start: Vec<DateTime<Utc>>,
    /// Fire times that wait for a place, oldest first.
    pub queue: Vec<DateTime<Utc>>,
    /// Whether what waits already makes room for what is queued here.
    pub replace_queued: bool,
    /// Whether the oldest live run is asked to stop.
    pub cancel_oldest: bool,
    /// What is not run, and why.
    pub dropped: Vec<DroppedTimes>,
    /// The new mark.
    pub mark: DateTime<Utc>,
    /// The next fire time.
    pub next: Option<NextFire>,
}

impl Plan {
    /// Decides what to do with a job whose next fire time has come.
    ///
    /// Nothing is due: the plan is empty and keeps mark and next fire time.
    pub fn decide(&mut self, job: DueJob<'_>, occupancy: Occupancy, now: DateTime<Utc>) {
        self.start.clear();
        self.queue.clear();
        self.dropped.clear();
        self.replace_queued = false;
        self.cancel_oldest = false;
        self.mark = job.mark;
        self.next = Some(job.next);
        if job.next.at > now {
            return;
        }
        (self.mark, self.next) = due::collect(job, now, &mut self.start, &mut self.dropped);
        occupancy::fit(self, job.policies, occupancy);
    }
}
