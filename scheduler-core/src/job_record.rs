//! A job as a store keeps it.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use scheduler_triggers::{Effort, Exhausted, Trigger};
use serde::{Deserialize, Serialize};

use crate::definition_hash::DefinitionHash;
use crate::effort::FIRE_TIME;
use crate::id::JobId;
use crate::job_filter::JobState;
use crate::plan::{Claimable, JobView, NextFire, Occupancy, due_at, due_within, known_times_in};
use crate::policy::Policies;
use crate::skipped::{SkipReason, SkippedTimes};
use crate::task::arguments::Arguments;

/// The origin of a job; see [`JobRecord::is_static`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Origin {
    /// Added at run time.
    Dynamic,
    /// Defined in code.
    Static(DefinitionHash),
}

/// A job as a store keeps it, and as [`get_job`](crate::Scheduler::get_job) returns it.
///
/// ```
/// use std::time::Duration;
///
/// use scheduler_core::prelude::*;
/// use scheduler_core::testing::VirtualClock;
///
/// #[task]
/// async fn gather_metrics() {}
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let clock = VirtualClock::at("2026-01-01T00:00:00Z")?;
/// # let builder = Scheduler::builder().clock(clock).without_static_jobs();
/// # let scheduler = builder.start().await?;
/// let metrics = gather_metrics::job().cron("0 * * * *").start("2026-01-01T00:30:00Z");
/// let job = scheduler.add_job(metrics.jitter(Duration::from_secs(60))).await?;
///
/// assert!(!job.is_static() && !job.is_finished());
/// // The trigger names 01:00; the job starts up to a minute later, the same on every node.
/// assert_eq!(job.next_fire_time(), Some("2026-01-01T01:00:00Z".parse()?));
/// assert!(job.next_run_time() >= job.next_fire_time());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct JobRecord {
    /// The job's id.
    pub id: JobId,
    /// The name of its task.
    pub task: Arc<str>,
    /// The arguments.
    pub arguments: Arguments,
    /// The trigger, with its time zone and starting point filled in.
    pub trigger: Trigger,
    /// The complete policies.
    pub policies: Arc<Policies>,
    /// The origin of the job.
    pub origin: Origin,
    /// If `true`, it was changed at run time since its code was last changed. For changes to policies and arguments,
    /// a code change of the trigger alone does not count.
    pub edited: bool,
    /// The note of the pause, if the job is paused.
    pub paused: Option<Box<str>>,
    /// The watermark: fire times up to this instant have been decided.
    ///
    /// Set when the job is created, when its trigger is edited, when it is resumed and by a claim; a manual run never
    /// moves it.
    pub watermark: DateTime<Utc>,
    /// The next fire time and when it starts, or `None` if the trigger has ended.
    pub next: Option<NextFire>,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// For a static job, the definition that the current one replaced at a start. A start that restores it means that
    /// two versions of the program alternate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced: Option<Box<DefinitionHash>>,
}

impl JobRecord {
    /// Creates a job that counts from `now`. Its next fire time is still to be [found](Self::recompute_next).
    pub fn new(
        id: JobId,
        task: Arc<str>,
        arguments: Arguments,
        trigger: Trigger,
        policies: Arc<Policies>,
        origin: Origin,
        now: DateTime<Utc>,
    ) -> Self {
        // A fire time at this very instant counts: a date without `at` means now.
        let watermark = now - chrono::TimeDelta::microseconds(1);
        Self::restored(
            id,
            task,
            arguments,
            (trigger, watermark),
            policies,
            origin,
            now,
        )
    }

    /// Creates a job from stored values: not paused, without a next fire time, not edited. The fields are public, and
    /// the store fills in the rest.
    pub fn restored(
        id: JobId,
        task: Arc<str>,
        arguments: Arguments,
        (trigger, watermark): (Trigger, DateTime<Utc>),
        policies: Arc<Policies>,
        origin: Origin,
        created_at: DateTime<Utc>,
    ) -> Self {
        Self {
            id,
            task,
            arguments,
            trigger,
            policies,
            origin,
            edited: false,
            paused: None,
            watermark,
            next: None,
            created_at,
            replaced: None,
        }
    }

    /// Returns what a decision about the job depends on. A store that needs a decision has counted its open runs.
    pub fn view(&self, occupancy: Occupancy) -> JobView<'_> {
        JobView {
            id: &self.id,
            task: &self.task,
            arguments: &self.arguments,
            trigger: &self.trigger,
            policies: &self.policies,
            is_static: self.is_static(),
            is_paused: self.paused.is_some(),
            watermark: self.watermark,
            next: self.next,
            occupancy,
            was_claimed: None,
        }
    }

    /// Returns when the job starts next: the next fire time, delayed by its jitter.
    ///
    /// Returns `None` if the job is paused or its trigger has ended.
    pub fn next_run_time(&self) -> Option<DateTime<Utc>> {
        if self.paused.is_some() {
            None
        } else {
            self.next.map(|next| next.at)
        }
    }

    /// Returns the next nominal fire time, or `None` if the job is paused or its trigger has ended.
    pub fn next_fire_time(&self) -> Option<DateTime<Utc>> {
        if self.paused.is_some() {
            None
        } else {
            self.next.map(|next| next.nominal)
        }
    }

    /// Returns `true` if the job is defined in code, so that it cannot be removed while the code contains it.
    pub fn is_static(&self) -> bool {
        matches!(self.origin, Origin::Static(_))
    }

    /// Returns the state of the job, which says if it will fire by itself, and if not, why. A paused job counts as
    /// paused even if its trigger has ended.
    pub fn state(&self) -> JobState {
        JobState::of(self.paused.is_some(), self.next.is_some())
    }

    /// Returns `true` if the trigger has ended, so that the job never fires again.
    ///
    /// Such a job is kept for a while, like ended runs. A job defined in code is kept permanently.
    pub fn is_finished(&self) -> bool {
        self.next.is_none()
    }

    /// Recomputes the next fire time, as after an upgrade of the time zone data. Returns `true` if it has changed.
    ///
    /// If the search takes too much work, the job keeps its next fire time.
    pub fn recompute_next(&mut self) -> bool {
        let before = self.next;
        let found = self.find_next(&mut Effort::steps(FIRE_TIME));
        found.is_ok() && self.next != before
    }

    /// Finds the next fire time after the watermark.
    #[inline]
    pub(crate) fn find_next(&mut self, effort: &mut Effort) -> Result<(), Exhausted> {
        self.next = self.fire_after(self.watermark, effort)?;
        Ok(())
    }

    /// Returns the first fire time after an instant.
    #[inline]
    pub(crate) fn fire_after(
        &self,
        after: DateTime<Utc>,
        effort: &mut Effort,
    ) -> Result<Option<NextFire>, Exhausted> {
        let Some(nominal) = self.trigger.next_within(after, effort)? else {
            return Ok(None);
        };
        let jitter = self.policies.jitter;
        let at = due_within(&self.id, &self.trigger, jitter, nominal, effort)?;
        Ok(Some(NextFire { nominal, at }))
    }

    /// Returns when a fire time starts: delayed by the job's jitter.
    pub(crate) fn due_at(&self, nominal: DateTime<Utc>) -> DateTime<Utc> {
        due_at(&self.id, &self.trigger, self.policies.jitter, nominal)
    }

    /// Returns the fire times that came due and were not claimed yet, counted as far as the budget allows. They are
    /// skipped for this reason if the job is removed or replaced, or as `paused` if it is paused.
    pub fn pending(&self, now: DateTime<Utc>, reason: SkipReason) -> Option<SkippedTimes> {
        let reason = match self.paused {
            Some(_) => SkipReason::Paused,
            None => reason,
        };
        known_times_in(&self.trigger, self.next?.nominal, now, reason)
    }

    /// Pauses the job. Returns `true` if it was not paused before.
    pub fn pause(&mut self, note: Box<str>) -> bool {
        self.paused.replace(note).is_none()
    }
}

impl Claimable {
    /// Returns `true` if the node can run this job: it has the task, and defines the job if that is static.
    pub fn allows(&self, job: &JobRecord) -> bool {
        self.has(&job.task, job.is_static().then_some(&job.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With a million jobs, a million of these are in memory.
    #[test]
    fn a_record_stays_small() {
        assert!(size_of::<Trigger>() <= 40, "{}", size_of::<Trigger>());
        assert!(size_of::<JobRecord>() <= 200, "{}", size_of::<JobRecord>());
    }
}
