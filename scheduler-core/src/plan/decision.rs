//! What to do with a due job.

use chrono::{DateTime, Utc};
use scheduler_triggers::{Effort, Exhausted};

use super::due_job::{DueJob, NextFire};
use super::overlap::Occupancy;
use super::{due, overlap};
use crate::effort::DECISION;
use crate::skipped::SkippedTimes;

/// The steps of search that one claim may take, all of its jobs together: a store that finds this many
/// behind it leaves the other due jobs to its next claim.
pub const CLAIM_STEPS: u64 = DECISION;

/// What to do with a due job, before a [`Claim`](super::Claim) gives its runs their ids; the [module](super) has an example.
///
/// Buffers are reused from plan to plan: keep one per claim, not one per job.
#[derive(Debug, Default)]
pub struct Plan {
    /// Fire times to start now, oldest first.
    pub start: Vec<DateTime<Utc>>,
    /// Fire times that wait for a slot, oldest first.
    pub queue: Vec<DateTime<Utc>>,
    /// `true` if the runs that are queued already end: a newer fire time takes their slot.
    pub replace_queued: bool,
    /// `true` if the cancellation of the oldest live run is requested.
    pub cancel_oldest: bool,
    /// What is not run, and why.
    pub skipped: Vec<SkippedTimes>,
    /// The new watermark.
    pub watermark: DateTime<Utc>,
    /// The next fire time.
    pub next: Option<NextFire>,
    /// The steps of search that the decision took; see [`CLAIM_STEPS`].
    pub steps: u64,
}

impl Plan {
    /// Decides what to do with a job whose next fire time has come; shown in the [module](super).
    ///
    /// When nothing is due, the plan is empty and keeps watermark and next fire time. What an earlier
    /// call left is replaced.
    ///
    /// # Errors
    /// [`Exhausted`] when the trigger's searches cost too much, a million steps in all. The plan is
    /// empty then: the store pauses the job, with [`too_costly`] as its note, and reports it in
    /// [`Claimed::broken`](crate::store::Claimed::broken).
    pub fn decide(
        &mut self,
        job: DueJob<'_>,
        occupancy: Occupancy,
        now: DateTime<Utc>,
    ) -> Result<(), Exhausted> {
        self.decide_unclaimed(job, occupancy, now, None)
    }

    /// [`decide`](Self::decide), where fire times may come again after a watermark was set back: those have a run, so that
    /// they take no slot, are not skipped, and stop nothing.
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

/// The note of a job that is paused because there is no [decision](Plan::decide) about it.
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
