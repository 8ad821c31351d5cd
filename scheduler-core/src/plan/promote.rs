//! Queued runs: which of them start, and what happens to the others.
//!
//! The oldest run of a job starts first. Run ids grow with time, so a queue ordered by id, as every store keeps it,
//! begins with the oldest.

use chrono::{DateTime, Utc};

use super::claimed::ClaimedRun;
use super::jitter::due_at;
use super::job_view::{JobView, QueuedView};
use super::misfire::is_too_late;
use crate::id::JobId;
use crate::policy::Policies;
use crate::skipped::{SkipReason, Skipped, SkippedTimes};

/// The decision about the run at the head of a queue, from [`promote`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Promotion {
    /// No slot is free.
    Wait,
    /// The job is paused, and the run belongs to one of its fire times. A manual run may still start.
    Held,
    /// The run starts.
    Start,
    /// The run has waited longer than the grace time allows.
    Missed,
}

/// Which queued runs of a job a claim has to read, from [`QueueHead::of`]. Runs behind them cannot be promoted by the
/// same claim, however many there are.
///
/// ```
/// use scheduler_core::Policies;
/// use scheduler_core::plan::QueueHead;
///
/// let mut policies = Policies::default();
/// policies.max_instances = 3;
/// let head = QueueHead::of(&policies, false, 1, 100).unwrap();
/// assert_eq!((head.limit, head.skips_held), (2, false));
/// assert_eq!(QueueHead::of(&policies, false, 3, 100), None); // no slot is free
/// assert_eq!(QueueHead::of(&policies, false, 0, 0), None); // no capacity
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueHead {
    /// The maximum number of runs to read, oldest first.
    pub limit: u32,
    /// If `true`, leaves out runs that wait for the end of a pause: scheduled runs that were not started before.
    pub skips_held: bool,
}

/// How many queued runs that are too late a claim reads in addition to those that it can start.
const LATE_AT_ONCE: u32 = 100;

impl QueueHead {
    /// Returns what to read for a job with `live` live runs and a node with this `capacity`, or `None` if nothing can
    /// be promoted.
    pub fn of(policies: &Policies, is_paused: bool, live: u32, capacity: usize) -> Option<Self> {
        let capacity = u32::try_from(capacity).unwrap_or(u32::MAX);
        let free = policies.max_instances.saturating_sub(live).min(capacity);
        let late = match policies.misfire_grace_time {
            Some(_) => LATE_AT_ONCE,
            None => 0,
        };
        (free > 0).then_some(Self {
            limit: free.saturating_add(late),
            skips_held: is_paused,
        })
    }

    /// Returns `true` if there may be more queued runs than the `read` ones.
    pub fn is_cut(&self, read: usize) -> bool {
        u32::try_from(read).map_or(true, |read| read >= self.limit)
    }
}

/// Returns `true` if queued fire times of the job that were not started yet must not start.
pub(super) fn holds(job: &JobView<'_>) -> bool {
    job.is_paused
}

/// Decides about the run at the head of the queue of a job with `live` live runs.
///
/// Called for one run after another, with `live` updated each time, until it returns [`Promotion::Wait`].
pub(super) fn promote(
    job: &JobView<'_>,
    live: u32,
    run: QueuedView,
    now: DateTime<Utc>,
) -> Promotion {
    let policies = job.policies;
    if live >= policies.max_instances {
        return Promotion::Wait;
    }
    if run.is_exempt() {
        return Promotion::Start;
    }
    if holds(job) {
        return Promotion::Held;
    }
    // The grace time is checked again, since the run may have been queued for a long time.
    if let Some(grace) = policies.misfire_grace_time {
        let due_at = due_at(job.id, job.trigger, policies.jitter, run.scheduled_for);
        if is_too_late(grace, due_at, now) {
            return Promotion::Missed;
        }
    }
    Promotion::Start
}

impl QueuedView {
    /// Returns the next attempt of the run.
    pub(super) fn start(self, job: &JobView<'_>) -> ClaimedRun {
        ClaimedRun {
            attempt: self.attempts + 1,
            failures: self.failures,
            ..ClaimedRun::first(job, self.run_id, self.kind, self.scheduled_for)
        }
    }
}

/// What happens to a queued run that is taken out of its queue, from [`end_queued`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndedQueued {
    /// The run was never started: it is deleted, and this is recorded for its fire time.
    Skipped(Skipped),
    /// The run has been attempted before: it ends as cancelled, with the reason as its error.
    Cancelled,
}

/// Decides what happens to a queued run whose job was removed or whose slot a newer run takes.
///
/// `scheduled_for` is `None` if the record of the run cannot be read.
pub fn end_queued(
    job: &JobId,
    attempts: u32,
    scheduled_for: Option<DateTime<Utc>>,
    reason: SkipReason,
    now: DateTime<Utc>,
) -> EndedQueued {
    match scheduled_for {
        Some(at) if attempts == 0 => {
            let times = SkippedTimes::one(reason, at);
            EndedQueued::Skipped(Skipped::new(job.clone(), times, now))
        }
        _ => EndedQueued::Cancelled,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chrono::TimeDelta;

    use super::*;
    use crate::id::RunId;
    use crate::job_record::{JobRecord, Origin};
    use crate::plan::Occupancy;
    use crate::run::RunKind;
    use crate::task::arguments::Arguments;

    #[test]
    fn queued_run_starts_in_time_unless_its_job_is_full_or_paused() {
        let fire: DateTime<Utc> = "2026-01-01T00:10:00Z".parse().unwrap();
        let mut record = JobRecord::new(
            JobId::new("load").unwrap(),
            "load".into(),
            Arguments::new(),
            scheduler_triggers::Trigger::cron("*/10 * * * *").unwrap(),
            std::sync::Arc::new(Policies {
                misfire_grace_time: Some(Duration::from_secs(300)),
                ..Policies::default()
            }),
            Origin::Dynamic,
            fire,
        );
        let decide = |record: &JobRecord, live, kind, attempts, minutes| {
            let run = QueuedView {
                run_id: RunId::from_u128(1),
                kind,
                scheduled_for: fire,
                attempts,
                failures: 0,
            };
            let now = fire + TimeDelta::minutes(minutes);
            promote(&record.view(Occupancy::default()), live, run, now)
        };
        let (scheduled, manual) = (RunKind::Scheduled, RunKind::Manual);
        assert_eq!(decide(&record, 1, scheduled, 0, 2), Promotion::Wait);
        assert_eq!(decide(&record, 0, scheduled, 0, 5), Promotion::Start);
        assert_eq!(decide(&record, 0, scheduled, 0, 6), Promotion::Missed);
        assert_eq!(decide(&record, 0, scheduled, 1, 6), Promotion::Start);
        assert_eq!(decide(&record, 0, manual, 0, 6), Promotion::Start);
        record.paused = Some("holiday".into());
        assert_eq!(decide(&record, 0, scheduled, 0, 2), Promotion::Held);
        assert_eq!(decide(&record, 0, scheduled, 1, 2), Promotion::Start);
        assert_eq!(decide(&record, 0, manual, 0, 2), Promotion::Start);
        assert_eq!(decide(&record, 1, manual, 0, 2), Promotion::Wait);
    }
}
