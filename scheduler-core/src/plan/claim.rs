//! One claim: which queued runs and due fire times of which jobs a node gets.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::claimed::{BrokenTrigger, Claimable, Claimed, ClaimedRun, RunRef};
use super::decision::{CLAIM_STEPS, Plan, too_costly};
use super::due_job::NextFire;
use super::job_view::{JobView, QueuedView};
use super::overlap::Occupancy;
use super::promote::{Promotion, QueueHead, holds, promote};
use crate::id::{RunId, RunIds};
use crate::panic::catch_trigger;
use crate::run::RunKind;
use crate::skipped::{SkipReason, Skipped, SkippedTimes};

/// Decides about the jobs of one claim, one after another, while the node's executors have capacity.
///
/// A store presents jobs that have [queued](Self::queued) runs first, then jobs that are [due](Self::due), and writes
/// the changes that it gets back. [`claimed`](Self::claimed) collects what the node receives.
///
/// ```
/// use std::collections::{HashMap, HashSet};
///
/// use scheduler_core::plan::{Claim, Claimable, Due, Occupancy};
/// use scheduler_core::prelude::*;
/// use scheduler_core::RunIds;
///
/// #[task]
/// async fn collect_parcels() {}
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let scheduler = Scheduler::builder().client().start().await?;
/// let job = scheduler.add_job(collect_parcels::job().cron("*/10 * * * *")).await?;
/// let now = job.next_run_time().ok_or("it never fires")?;
///
/// let claimable = Claimable::new(HashSet::new(), HashSet::from(["collect_parcels".into()]));
/// let (capacity, run_ids) = (HashMap::from([("default".into(), 8)]), RunIds::new(1));
/// let mut claim = Claim::new(now, &claimable, &capacity, 100, &run_ids);
/// let Due::Advance(changes) = claim.due(&job.view(Occupancy::default())) else {
///     return Err("it is due".into());
/// };
/// assert_eq!((changes.watermark, changes.start.len()), (now, 1));
/// assert_eq!(claim.claimed.runs[0].scheduled_for, now);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Claim<'a> {
    now: DateTime<Utc>,
    claimable: &'a Claimable,
    run_ids: &'a RunIds,
    /// The capacity left in each executor. There are few executors, so a linear search is enough.
    capacity: Vec<(&'a str, usize)>,
    /// The number of jobs that may still be decided about.
    jobs_left: usize,
    /// The search steps used so far.
    steps: u64,
    /// The last task that was found claimable: jobs that are due together often share one.
    allowed: Option<Arc<str>>,
    /// If `true`, a run has left its queue.
    has_moved: bool,
    /// Queued runs of the current job that are too late.
    missed: Vec<RunId>,
    /// New queued runs of the current job.
    queue: Vec<(RunId, DateTime<Utc>)>,
    plan: Plan,
    /// The answer of the store call. A store adds records that it cannot read and removes runs that it could not
    /// write.
    pub claimed: Claimed,
}

/// What a claim passes on to the next one to save allocations.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    capacity: Vec<(&'static str, usize)>,
    missed: Vec<RunId>,
    queue: Vec<(RunId, DateTime<Utc>)>,
    plan: Plan,
    /// The number of runs that the last claim started.
    started: usize,
}

/// The decision about a job that may be due, from [`Claim::due`].
#[derive(Debug)]
pub enum Due<'c> {
    /// The job is not due, or it is paused.
    Not,
    /// The node cannot run the job.
    NotClaimable,
    /// The job's executor is full. The job stays due; the driver is woken when capacity is released.
    NoCapacity,
    /// The job's trigger takes too much work or panics. The job is to be paused with this note.
    Pause(&'c str),
    /// The job advances.
    Advance(JobChanges<'c>),
}

/// What a store writes about a due job, in this order.
#[derive(Debug)]
#[non_exhaustive]
pub struct JobChanges<'c> {
    /// The new watermark.
    pub watermark: DateTime<Utc>,
    /// The new next fire time, or `None` if the trigger has ended.
    pub next: Option<NextFire>,
    /// If `true`, the cancellation of the oldest live run is requested.
    pub cancel_oldest: bool,
    /// New runs, live on the node.
    pub start: &'c [ClaimedRun],
    /// If `true`, all runs already in the queue [end](super::end_queued) as superseded.
    pub replace_queued: bool,
    /// New queued runs, each with its id and fire time.
    pub queue: &'c [(RunId, DateTime<Utc>)],
}

/// What a store writes about the queued runs of a job.
#[derive(Debug)]
#[non_exhaustive]
pub struct QueueChanges<'c> {
    /// Runs that leave the queue and are live on the node.
    pub start: &'c [ClaimedRun],
    /// Runs that leave the queue and are deleted. Their fire times are recorded as missed.
    pub missed: &'c [RunId],
    /// The open runs of the job after these changes.
    pub occupancy: Occupancy,
    /// If `true`, more queued runs may start without any change to the job: once there is capacity, or on another
    /// node.
    pub may_start_later: bool,
}

impl<'a> Claim<'a> {
    /// Begins a claim that decides about at most `limit` jobs.
    #[inline]
    pub fn new(
        now: DateTime<Utc>,
        claimable: &'a Claimable,
        capacity: &'a HashMap<Arc<str>, usize>,
        limit: usize,
        run_ids: &'a RunIds,
    ) -> Self {
        Self::reusing(Buffers::default(), now, claimable, capacity, limit, run_ids)
    }

    /// Does the same as [`new`](Self::new), with the buffers of an earlier claim.
    #[inline]
    pub(crate) fn reusing(
        buffers: Buffers,
        now: DateTime<Utc>,
        claimable: &'a Claimable,
        capacity: &'a HashMap<Arc<str>, usize>,
        limit: usize,
        run_ids: &'a RunIds,
    ) -> Self {
        let mut left: Vec<(&'a str, usize)> = buffers.capacity;
        left.extend(capacity.iter().map(|(name, count)| (&**name, *count)));
        let claimed = Claimed {
            runs: Vec::with_capacity(buffers.started.min(limit)),
            ..Claimed::default()
        };
        Self {
            now,
            claimable,
            run_ids,
            capacity: left,
            jobs_left: limit,
            steps: 0,
            allowed: None,
            has_moved: false,
            missed: buffers.missed,
            queue: buffers.queue,
            plan: buffers.plan,
            claimed,
        }
    }

    /// Ends the claim. Returns its answer and its buffers for [another claim](Self::reusing).
    #[inline]
    pub(crate) fn into_parts(self) -> (Claimed, Buffers) {
        let mut capacity = self.capacity;
        capacity.clear();
        let buffers = Buffers {
            // Keeps the allocation without the borrowed names.
            capacity: capacity.into_iter().map(|(_, left)| ("", left)).collect(),
            missed: self.missed,
            queue: self.queue,
            plan: self.plan,
            started: self.claimed.runs.len(),
        };
        (self.claimed, buffers)
    }

    /// Returns how many jobs of each kind a store has to read at most. Each job decided about needs at least one unit
    /// of capacity.
    pub fn limit(&self) -> usize {
        let capacities = self.capacity.iter().map(|(_, left)| *left);
        capacities
            .fold(0, usize::saturating_add)
            .min(self.jobs_left)
    }

    /// Returns `true` if any executor has capacity left.
    pub fn has_capacity(&self) -> bool {
        self.capacity.iter().any(|(_, left)| *left > 0)
    }

    /// Returns how many more runs an executor accepts.
    #[inline]
    pub(crate) fn capacity_of(&self, executor: &str) -> usize {
        let left = self.capacity.iter().find(|(name, _)| *name == executor);
        left.map_or(0, |(_, left)| *left)
    }

    /// Returns the index of the executor with this name if it has capacity left.
    #[inline]
    fn find_capacity(&self, executor: &str) -> Option<usize> {
        let mut capacity = self.capacity.iter();
        capacity.position(|(name, left)| *left > 0 && *name == executor)
    }

    #[inline]
    fn take(&mut self, executor: &str, count: usize) {
        let mut left = self.capacity.iter_mut();
        if let Some((_, left)) = left.find(|(name, _)| *name == executor) {
            *left = left.saturating_sub(count);
        }
    }

    /// Returns `true` if the node can run the job.
    #[inline]
    pub fn allows(&mut self, job: &JobView<'_>) -> bool {
        if job.is_static {
            return self.claimable.has(job.task, Some(job.id));
        }
        if let Some(task) = &self.allowed
            && Arc::ptr_eq(task, job.task)
        {
            return true;
        }
        let is_allowed = self.claimable.has(job.task, None);
        if is_allowed {
            self.allowed = Some(job.task.clone());
        }
        is_allowed
    }

    /// Returns `true` if the remaining due jobs are left to the next claim, because this claim has reached its limit
    /// of jobs or of search [steps](CLAIM_STEPS).
    #[inline]
    pub fn is_spent(&self) -> bool {
        self.jobs_left == 0 || self.steps >= CLAIM_STEPS
    }

    /// Returns which queued runs of a job have to be read, or `None` if none of them can be promoted.
    pub fn queue_head(&self, job: &JobView<'_>) -> Option<QueueHead> {
        let capacity = self.capacity_of(&job.policies.executor);
        QueueHead::of(job.policies, holds(job), job.occupancy.live, capacity)
    }

    /// Decides about queued runs of a job, given in the order of their ids. `is_cut` says that they are only the
    /// [first](Self::queue_head) ones.
    ///
    /// Starts the runs that find a slot while there is capacity. Runs that are too late by now are missed.
    pub fn queued(
        &mut self,
        job: &JobView<'_>,
        queue: impl IntoIterator<Item = QueuedView>,
        is_cut: bool,
    ) -> QueueChanges<'_> {
        let before = self.claimed.runs.len();
        self.missed.clear();
        let mut occupancy = job.occupancy;
        let mut capacity = if self.allows(job) {
            self.capacity_of(&job.policies.executor)
        } else {
            0
        };
        let (mut may_start_later, mut is_stopped) = (false, false);
        for run in queue {
            if capacity == 0 {
                (may_start_later, is_stopped) = (true, true);
                break;
            }
            let decided = catch_trigger(|| {
                let promotion = promote(job, occupancy.live, run, self.now);
                let start = (promotion == Promotion::Start).then(|| run.start(job));
                (promotion, start)
            });
            // A trigger that panics is handled when the job is due. Until then its runs are held.
            may_start_later |= decided.is_err() && !job.is_paused;
            match decided.unwrap_or((Promotion::Held, None)) {
                (Promotion::Wait, _) => {
                    is_stopped = true;
                    break;
                }
                (Promotion::Held, _) => continue,
                (Promotion::Missed, _) => {
                    self.missed.push(run.run_id);
                    let times = SkippedTimes::one(SkipReason::Missed, run.scheduled_for);
                    let skipped = Skipped::new(job.id.clone(), times, self.now);
                    self.claimed.skipped.push(skipped);
                }
                (Promotion::Start, start) => {
                    self.claimed.runs.extend(start);
                    occupancy.live += 1;
                    capacity -= 1;
                }
            }
            occupancy.queued = occupancy.queued.saturating_sub(1);
        }
        let started = self.claimed.runs.len() - before;
        self.take(&job.policies.executor, started);
        self.has_moved |= started > 0 || !self.missed.is_empty();
        // All runs that were read are too late, but later ones in the queue may not be.
        self.claimed.more |= is_cut && !self.missed.is_empty() && !is_stopped;
        QueueChanges {
            start: &self.claimed.runs[before..],
            missed: &self.missed,
            occupancy,
            may_start_later,
        }
    }

    /// Records that there are more jobs with queued runs than were read. If nothing was moved, reading again would
    /// return the same ones.
    pub fn leave_queued_jobs(&mut self) {
        self.claimed.more |= self.has_moved && self.has_capacity();
    }

    /// Records that there are more due jobs than were decided about.
    #[inline]
    pub fn leave_due_jobs(&mut self) {
        self.claimed.more = true;
    }

    /// Decides about a job that may be due.
    #[inline]
    pub fn due(&mut self, job: &JobView<'_>) -> Due<'_> {
        let Some(due) = job.due(self.now) else {
            return Due::Not;
        };
        if !self.allows(job) {
            return Due::NotClaimable;
        }
        let Some(executor) = self.find_capacity(&job.policies.executor) else {
            return Due::NoCapacity;
        };
        self.jobs_left = self.jobs_left.saturating_sub(1);
        let before = self.claimed.runs.len();
        let (plan, now) = (&mut self.plan, self.now);
        // Covers every call of the trigger, which may panic at any point.
        let decided = catch_trigger(|| {
            plan.decide_unclaimed(due, job.occupancy, now, job.was_claimed)
                .map_err(too_costly)?;
            for fire in &plan.start {
                let run_id = self.run_ids.next(now);
                let run = ClaimedRun::first(job, run_id, RunKind::Scheduled, *fire);
                self.claimed.runs.push(run);
            }
            Ok(())
        });
        self.steps += self.plan.steps;
        if let Err(problem) = decided.flatten() {
            return self.pause(job, before, problem);
        }
        let plan = &mut self.plan;
        for times in plan.skipped.drain(..) {
            let skipped = Skipped::new(job.id.clone(), times, now);
            self.claimed.skipped.push(skipped);
        }
        if plan.next.is_none() {
            self.claimed.ended.push(job.id.clone());
        }
        self.queue.clear();
        for fire in &plan.queue {
            let run_id = self.run_ids.next(now);
            self.queue.push((run_id, *fire));
            self.claimed
                .queued
                .push(RunRef::new(job.id.clone(), run_id));
        }
        if let Some((_, left)) = self.capacity.get_mut(executor) {
            *left = left.saturating_sub(self.plan.start.len());
        }
        Due::Advance(JobChanges {
            watermark: self.plan.watermark,
            next: self.plan.next,
            cancel_oldest: self.plan.cancel_oldest,
            start: &self.claimed.runs[before..],
            replace_queued: self.plan.replace_queued,
            queue: &self.queue,
        })
    }

    #[cold]
    fn pause(&mut self, job: &JobView<'_>, before: usize, problem: String) -> Due<'_> {
        self.claimed.runs.truncate(before);
        self.claimed.broken.push(BrokenTrigger {
            job_id: job.id.clone(),
            problem,
        });
        let broken = self.claimed.broken.last();
        Due::Pause(broken.map_or("", |broken| &broken.problem))
    }
}
