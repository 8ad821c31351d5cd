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

/// Where a job comes from; see [`JobRecord::is_static`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Origin {
    /// Added at run time.
    Dynamic,
    /// Written in the code.
    Static(DefinitionHash),
}

/// A job as a store keeps it, and as [`get_job`](crate::Scheduler::get_job) shows it.
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
    /// Its id.
    pub id: JobId,
    /// The name of its task.
    pub task: Arc<str>,
    /// The arguments.
    pub arguments: Arguments,
    /// The trigger, with its time zone and starting point filled in.
    pub trigger: Trigger,
    /// The policies, every one decided.
    pub policies: Arc<Policies>,
    /// Where it comes from.
    pub origin: Origin,
    /// Whether it was changed at run time since its code was last changed; policies and arguments that were,
    /// since more of the code than its trigger was.
    pub edited: bool,
    /// The note of whoever paused it, if it is paused.
    pub paused: Option<Box<str>>,
    /// Fire times up to here are dealt with.
    ///
    /// Set by creation, by an edit of the trigger, by a resume and by a claim; a manual run never
    /// moves it.
    pub watermark: DateTime<Utc>,
    /// The next fire time and when it starts; `None` when the trigger has ended.
    pub next: Option<NextFire>,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// Of a static job: what its present definition replaced at a start. A start that brings it back
    /// means that two versions of the program take turns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced: Option<Box<DefinitionHash>>,
}

impl JobRecord {
    /// Makes a job that counts from `now`; its next fire time is still to be
    /// [found](Self::recompute_next).
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

    /// Makes a job of what a store kept of it: not paused, without a next fire time, not edited. The
    /// fields are public, and the store fills in the rest.
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

    /// Returns what a decision about the job looks at; a store that decides has counted its open runs.
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
    /// `None` while paused, and when the trigger has ended.
    pub fn next_run_time(&self) -> Option<DateTime<Utc>> {
        if self.paused.is_some() {
            None
        } else {
            self.next.map(|next| next.at)
        }
    }

    /// Returns the next nominal fire time. `None` while paused, and when the trigger has ended.
    pub fn next_fire_time(&self) -> Option<DateTime<Utc>> {
        if self.paused.is_some() {
            None
        } else {
            self.next.map(|next| next.nominal)
        }
    }

    /// Whether the job is written in the code, and so cannot be removed while the code has it.
    pub fn is_static(&self) -> bool {
        matches!(self.origin, Origin::Static(_))
    }

    /// Returns whether the job will fire by itself, and why not. A job that is paused is that, even if its trigger has
    /// ended.
    pub fn state(&self) -> JobState {
        JobState::of(self.paused.is_some(), self.next.is_some())
    }

    /// Whether the trigger has ended: the job never fires again.
    ///
    /// Such a job is kept for a while, like ended runs; one of the code stays.
    pub fn is_finished(&self) -> bool {
        self.next.is_none()
    }

    /// Works out the next fire time anew, as after an upgrade of the time zone data. Whether it is
    /// another one.
    ///
    /// Where the search costs too much, the job keeps what it has.
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

    /// The first fire time after an instant.
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

    /// When a fire time starts: delayed by the job's jitter.
    pub(crate) fn due_at(&self, nominal: DateTime<Utc>) -> DateTime<Utc> {
        due_at(&self.id, &self.trigger, self.policies.jitter, nominal)
    }

    /// What came due and was not claimed yet, counted as far as that does not cost too much: skipped for this reason when the job is removed or
    /// replaced, or as `paused` when it is paused.
    pub fn pending(&self, now: DateTime<Utc>, reason: SkipReason) -> Option<SkippedTimes> {
        let reason = match self.paused {
            Some(_) => SkipReason::Paused,
            None => reason,
        };
        known_times_in(&self.trigger, self.next?.nominal, now, reason)
    }

    /// Pauses the job. Whether it was running before.
    pub fn pause(&mut self, note: Box<str>) -> bool {
        self.paused.replace(note).is_none()
    }
}

impl Claimable {
    /// Whether the node can run this job: it has the task, and defines the job if that is static.
    pub fn allows(&self, job: &JobRecord) -> bool {
        self.has(&job.task, job.is_static().then_some(&job.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A million jobs hold one each.
    #[test]
    fn a_record_stays_small() {
        assert!(size_of::<Trigger>() <= 40, "{}", size_of::<Trigger>());
        assert!(size_of::<JobRecord>() <= 200, "{}", size_of::<JobRecord>());
    }
}
