//! Decisions about jobs and runs: pure, and identical for every store, for simulation and for the live driver.
//!
//! For authors of stores. A store passes jobs to a decider and writes the changes that it gets back; it decides
//! nothing itself. A [`JobView`] contains what a decision depends on: the job with its *watermark* (fire times up to
//! it have been decided), its next fire time, and its [`Occupancy`] (how many runs hold a slot or wait for one).
//! Nothing here reads a clock or a random number, so two nodes never decide differently.
//!
//! | when | call | gives |
//! | --- | --- | --- |
//! | a node asks for work | [`Claim`]: [`queued`](Claim::queued), then [`due`](Claim::due) | [`QueueChanges`], [`JobChanges`] |
//! | a manual run is requested | [`Manual::decide`] | [`ManualChanges`] |
//! | queued runs are superseded, or their job is removed | [`end_queued`] | [`EndedQueued`] |
//! | an attempt has ended | [`finish()`], with the driver's [`Verdict`] | [`FinishChanges`] |
//! | a node releases a run | [`release()`] | [`Release`] |
//! | a run's node is gone | [`take_over()`] | [`TakeOver`] |
//!
//! # A claim
//!
//! Jobs with queued runs come first; their oldest runs start while there are slots and capacity. Then come due jobs,
//! each of which needs a unit of capacity. A [`Plan`] holds the decision about a due job: it takes queued runs into
//! account, so that none is overtaken.
//!
//! # The order of a plan
//!
//! 1. Collects the fire times after the watermark whose instant, jitter included, has come.
//! 2. Skips as `missed` those that are later than `misfire_grace_time`.
//! 3. Lets `coalesce` choose among the rest: the others are `coalesced`, or `catch_up_limit`.
//! 4. Leaves out fire times that already have a run because the watermark was set back.
//! 5. Starts the fire times that find a slot under `max_instances`; `overlap` decides about the rest: skipped as
//!    `overlap`, queued (`queue_full` beyond the limit), or queued while the oldest run is cancelled. With
//!    `cancel_running`, the newest fire times take the free slots, and the others are skipped.
//!
//! The work is bounded however far back the watermark is: missed fire times are counted, not listed. If the search of
//! a trigger takes more than a million steps ([`Effort`](scheduler_triggers::Effort)), there is no decision: the
//! store pauses that job and continues with the others.
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
//! plan.decide(job, Occupancy::new(1, 0), now)?;
//! assert!(plan.start.is_empty());
//! assert!(plan.skipped.iter().any(|skipped| skipped.reason == SkipReason::Overlap));
//! assert_eq!(plan.watermark, watermark + TimeDelta::minutes(30));
//! # Ok(())
//! # }
//! ```

mod cancelled_run;
mod claim;
mod claimed;
mod coalesce;
mod decision;
mod due;
mod due_job;
mod finish;
mod jitter;
mod job_view;
mod manual;
mod misfire;
#[cfg(test)]
mod model;
mod overlap;
mod promote;
mod release;
mod retry;
mod skipped_span;
mod take_over;

pub use crate::run::CANCELLED;
pub use cancelled_run::CancelledRun;
pub(crate) use claim::Buffers;
pub use claim::{Claim, Due, JobChanges, QueueChanges};
pub use claimed::{BrokenTrigger, Claimable, Claimed, ClaimedRun, RunRef, Unreadable};
pub use decision::{CLAIM_STEPS, Plan, too_costly};
pub use due_job::{DueJob, NextFire};
pub use finish::{AfterBody, Ending, FinishChanges, LiveView, RecordedView, finish, was_recorded};
pub(crate) use jitter::{due_at, due_within};
pub use job_view::{JobView, QueuedView};
pub use manual::{Manual, ManualChanges, ManualDecision, RefusedReason, plan_manual};
pub use overlap::Occupancy;
pub use promote::{EndedQueued, QueueHead, end_queued};
pub use release::{Release, release};
pub(crate) use retry::after_attempt;
pub use retry::{Verdict, verdict};
pub(crate) use skipped_span::known_times_in;
pub use take_over::{LeftRun, TakeOver, take_over};
