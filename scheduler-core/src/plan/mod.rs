//! Decisions about jobs and runs: pure, and the same for every store, for the simulation and for the live driver.
//!
//! For authors of stores. A store shows jobs to a decider and writes the changes that it returns; it decides nothing
//! itself. A [`JobView`] has what a decision depends on: the job with its *watermark* (fire times up to here are dealt
//! with) and its next fire time, and its [`Occupancy`] (how many runs hold a slot or wait for one). Nothing here
//! reads a clock or a random number, so that two nodes never decide differently.
//!
//! | when | call | gives |
//! | --- | --- | --- |
//! | a node asks for work | [`Claim`]: [`queued`](Claim::queued), then [`due`](Claim::due) | [`QueueChanges`], [`JobChanges`] |
//! | somebody asks for a run | [`Manual::decide`] | [`ManualChanges`] |
//! | queued runs are superseded, or their job is removed | [`end_queued`] | [`EndedQueued`] |
//! | an attempt has ended | [`finish()`], with the driver's [`Verdict`] | [`FinishChanges`] |
//! | a node releases a run | [`release()`] | [`Release`] |
//! | a run's node is gone | [`take_over()`] | [`TakeOver`] |
//!
//! # A claim
//!
//! First come jobs that have queued runs, of which the oldest start as long as there are slots and capacity; then jobs
//! that are due, each of which needs a permit of capacity. What is to be done with a due job is a [`Plan`]:
//! queued runs count for it, so that none is overtaken.
//!
//! # The order of a plan
//!
//! 1. Collects the fire times after the watermark whose instant, jitter included, has come.
//! 2. Skips as `missed` those that are later than `misfire_grace_time`.
//! 3. Lets `coalesce` choose among the rest: the others are `coalesced`, or `catch_up_limit`.
//! 4. Starts what finds a slot under `max_instances`; `overlap` decides about the rest: skipped as
//!    `overlap`, queued (beyond the bound `queue_full`), or queued while the oldest run is asked to stop.
//!
//! The work is bounded however long ago the watermark is: missed fire times are counted, not listed. Where the
//! search of a trigger takes more than a million steps ([`Effort`]), there is no
//! decision: the store pauses the job, and the others go on.
//!
//! # Example of a plan
//!
//! A node was down from midnight to 00:35, with a job every ten minutes:
//!
//! ```
//! use chrono::{DateTime, TimeDelta, Utc};
//! use scheduler_core::plan::{DueJob, NextFire, Occupancy, Plan};
//! use scheduler_core::{SkipReason, JobId, Policies, Trigger};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let id = JobId::new("import")?;
//! let trigger = Trigger::cron("*/10 * * * *")?;
//! let policies = Policies::default(); // `coalesce = "latest"`, `max_instances = 1`
//! let watermark: DateTime<Utc> = "2026-01-01T00:00:00Z".parse()?;
//! let nominal = trigger.next_after(watermark).ok_or("it never fires")?;
//! let job = DueJob {
//!     id: &id,
//!     trigger: &trigger,
//!     policies: &policies,
//!     watermark,
//!     next: NextFire { nominal, at: nominal },
//! };
//! let now = watermark + TimeDelta::minutes(35);
//!
//! // No run is live: the latest fire time starts, two are coalesced into it.
//! let mut plan = Plan::default();
//! plan.decide(job, Occupancy::default(), now)?;
//! assert_eq!(plan.start, [watermark + TimeDelta::minutes(30)]);
//! assert_eq!(plan.skipped[0].reason, SkipReason::Coalesced);
//! assert_eq!(plan.skipped[0].count.value, 2);
//! assert_eq!(plan.watermark, watermark + TimeDelta::minutes(30));
//! assert_eq!(plan.next.map(|next| next.nominal), Some(watermark + TimeDelta::minutes(40)));
//!
//! // A run is live: there is no slot for another, and the watermark moves all the same.
//! plan.decide(job, Occupancy { live: 1, queued: 0 }, now)?;
//! assert!(plan.start.is_empty());
//! assert!(plan.skipped.iter().any(|skipped| skipped.reason == SkipReason::Overlap));
//! assert_eq!(plan.watermark, watermark + TimeDelta::minutes(30));
//! # Ok(())
//! # }
//! ```

mod claim;
mod claimed;
mod due;
mod finish;
mod jitter;
mod job_view;
mod manual;
#[cfg(test)]
mod model;
mod occupancy;
mod promote;
mod retry;
mod take_over;

use chrono::{DateTime, TimeDelta, Utc};
use scheduler_triggers::{Effort, Exhausted, Trigger};
use serde::{Deserialize, Serialize};

use crate::effort::DECISION;
use crate::id::JobId;
use crate::policy::Policies;
use crate::skipped::SkippedTimes;

pub(crate) use claim::Buffers;
pub use claim::{Claim, Due, JobChanges, QueueChanges};
pub use claimed::{Claimable, Claimed, ClaimedRun, Unreadable};
pub(crate) use due::known_times_in;
pub use finish::{AfterBody, Ending, FinishChanges, LiveView, RecordedView, finish, was_recorded};
pub(crate) use jitter::{due_at, due_within};
pub use job_view::{JobView, QueuedView};
pub use manual::{Manual, ManualChanges, ManualDecision, RefusedReason, plan_manual};
pub use occupancy::Occupancy;
pub use promote::{EndedQueued, QueueHead, end_queued};
pub(crate) use retry::after_attempt;
pub use retry::{Verdict, verdict};
pub use take_over::{LeftRun, Release, TakeOver, release, take_over};

/// How far ahead of now a watermark may be before it is taken for the work of a wrong clock: five seconds.
///
/// A claim never decides beyond its own now, so a watermark is ahead by the error of that now alone. Nodes
/// measure the store's clock by heartbeats, whose answer counts for half the lease at most: with the lease
/// of 15 s that is an error of less than 4 s, and of milliseconds as a rule.
pub const WATERMARK_TOLERANCE: TimeDelta = TimeDelta::seconds(5);

/// The steps of search that one claim may take, all of its jobs together: a store that finds this many
/// behind it leaves the other due jobs to its next claim.
pub const CLAIM_STEPS: u64 = DECISION;

/// How many fire times are counted before a skipped fire time says "more than".
const COUNT_CAP: u64 = 1_000;

/// A fire time and when it starts. The two differ by the job's jitter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NextFire {
    /// The instant that the trigger names.
    pub nominal: DateTime<Utc>,
    /// The same, delayed by the job's jitter.
    pub at: DateTime<Utc>,
}

/// What a plan looks at; the [module](self) has an example.
#[derive(Debug, Clone, Copy)]
pub struct DueJob<'a> {
    /// The job's id; its jitter depends on it.
    pub id: &'a JobId,
    /// Its trigger.
    pub trigger: &'a Trigger,
    /// Its policies.
    pub policies: &'a Policies,
    /// Fire times up to here are dealt with.
    pub watermark: DateTime<Utc>,
    /// The first fire time after the watermark.
    pub next: NextFire,
}

/// What to do with a due job, before a [`Claim`] gives its runs their ids; the [module](self) has an example.
///
/// Buffers are reused from plan to plan: keep one per claim, not one per job.
#[derive(Debug, Default)]
pub struct Plan {
    /// Fire times to start now, oldest first.
    pub start: Vec<DateTime<Utc>>,
    /// Fire times that wait for a slot, oldest first.
    pub queue: Vec<DateTime<Utc>>,
    /// Whether what waits already makes room for what is queued here.
    pub replace_queued: bool,
    /// Whether the oldest live run is asked to stop.
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
    /// Decides what to do with a job whose next fire time has come; shown in the [module](self).
    ///
    /// When nothing is due, the plan is empty and keeps watermark and next fire time. What an earlier
    /// call left is replaced.
    ///
    /// # Errors
    /// [`Exhausted`] when the trigger's searches cost too much, a million steps in all. The plan is
    /// empty then: the store pauses the job, with [`too_costly`] as its note, and reports it in
    /// [`Claim::broken`](crate::store::Claim::broken).
    pub fn decide(
        &mut self,
        job: DueJob<'_>,
        occupancy: Occupancy,
        now: DateTime<Utc>,
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
        occupancy::fit(self, job.policies, occupancy);
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
