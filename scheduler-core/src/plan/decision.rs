//! The decision about a due job.

use chrono::{DateTime, Utc};
use scheduler_triggers::{Effort, Exhausted};

use super::due_job::{DueJob, NextFire};
use super::overlap::Occupancy;
use super::{due, overlap};
use crate::effort::DECISION;
use crate::skipped::SkippedTimes;

/// The search steps that one claim may use for all of its jobs together. A store that has used this many leaves the
/// remaining due jobs to its next claim.
pub const CLAIM_STEPS: u64 = DECISION;

/// The decision about a due job, before a [`Claim`](super::Claim) assigns ids to its runs. The [module](super) has an
/// example.
///
/// Buffers are reused from plan to plan: keep one plan per claim, not one per job.
#[derive(Debug, Default)]
pub struct Plan {
    /// Fire times to start now, oldest first.
    pub start: Vec<DateTime<Utc>>,
    /// Fire times that are queued for a slot, oldest first.
    pub queue: Vec<DateTime<Utc>>,
    /// If `true`, runs already in the queue end, because a newer fire time takes their slot.
    pub replace_queued: bool,
    /// If `true`, the cancellation of the oldest live run is requested.
    pub cancel_oldest: bool,
    /// The fire times that are skipped, and why.
    pub skipped: Vec<SkippedTimes>,
    /// The new watermark.
    pub watermark: DateTime<Utc>,
    /// The next fire time.
    pub next: Option<NextFire>,
    /// The search steps that the decision took; see [`CLAIM_STEPS`].
    pub steps: u64,
}

impl Plan {
    /// Decides what to do with a job whose next fire time has come. The [module](super) has an example.
    ///
    /// If nothing is due, the plan is empty and keeps the watermark and the next fire time. The result of an earlier
    /// call is replaced.
    ///
    /// # Errors
    /// Returns [`Exhausted`] if the trigger's searches take more than a million steps in total. The plan is then
    /// empty: the store pauses the job with [`too_costly`] as its note and reports it in
    /// [`Claimed::broken`](crate::store::Claimed::broken).
    pub fn decide(
        &mut self,
        job: DueJob<'_>,
        occupancy: Occupancy,
        now: DateTime<Utc>,
    ) -> Result<(), Exhausted> {
        self.decide_unclaimed(job, occupancy, now, None)
    }

    /// Does the same as [`decide`](Self::decide) where fire times may come again because a watermark was set back.
    /// Those that already have a run take no slot, are not skipped and cancel nothing.
    pub(super) fn decide_unclaimed(
        &mut self,
        job: DueJob<'_>,
        occupancy: Occupancy,
        now: DateTime<Utc>,
        was_claimed: Option<&dyn Fn(DateTime<Utc>) -> bool>,
    ) -> Result<(), Exhausted> {
        self.start.clear();
        self.queue.clear();
        self.skipped.clear();
        self.replace_queued = false;
        self.cancel_oldest = false;
        self.watermark = job.watermark;
        self.next = Some(job.next);
        self.steps = 0;
        if job.next.at > now {
            return Ok(());
        }
        let mut effort = Effort::steps(DECISION);
        let found = due::collect(job, now, &mut self.start, &mut self.skipped, &mut effort);
        self.steps = effort.used();
        match found {
            Ok(found) => (self.watermark, self.next) = found,
            Err(cut_off) => {
                self.start.clear();
                self.skipped.clear();
                return Err(cut_off);
            }
        }
        if let Some(was_claimed) = was_claimed {
            self.start.retain(|at| !was_claimed(*at));
        }
        overlap::fit(self, job.policies, occupancy);
        Ok(())
    }
}

/// Returns the note of a job that is paused because no [decision](Plan::decide) about it was reached.
///
/// ```
/// use chrono::DateTime;
/// use scheduler_core::Trigger;
/// use scheduler_core::plan::too_costly;
/// use scheduler_core::triggers::Effort;
///
/// let never: Trigger =
///     "and(every 10ms start=2026-01-01T00:00:00.001Z; every 10ms start=2026-01-01)".parse()?;
/// let cut_off = never.next_within(DateTime::UNIX_EPOCH, &mut Effort::steps(100)).unwrap_err();
/// assert_eq!(
///     too_costly(cut_off),
///     "its trigger needs more than 100 steps of search to find its fire times: simplify it, or resume \
///      the job to go on from then"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn too_costly(cut_off: Exhausted) -> String {
    format!(
        "its trigger needs more than {} steps of search to find its fire times: simplify it, or resume \
         the job to go on from then",
        cut_off.steps
    )
}
