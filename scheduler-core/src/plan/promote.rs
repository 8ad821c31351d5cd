//! Runs that wait and may start.

use chrono::{DateTime, TimeDelta, Utc};

use crate::job_record::JobRecord;
use crate::policy::Policies;
use crate::run::RunKind;

/// What to do with the run at the head of a queue, from [`promote`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Promotion {
    /// No place is free.
    Wait,
    /// The job is paused, and the run is one of its fire times; a run asked for by hand may start.
    Held,
    /// It starts.
    Start,
    /// It waited longer than the grace time allows.
    Missed,
}

/// A run that waits for a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitingRun {
    /// What caused it.
    pub kind: RunKind,
    /// Its nominal fire time.
    pub scheduled_for: DateTime<Utc>,
    /// How many attempts it has behind it: more than none when it was given back or taken over.
    pub attempts: u32,
}

/// Which queued runs of a job a claim has to read, from [`QueueHead::of`]. What lies behind them cannot be
/// promoted by the same claim, however many there are.
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
    /// At most that many, the oldest first.
    pub limit: u32,
    /// Leaves out runs that wait for the end of a pause: scheduled ones that were not started before.
    pub skips_held: bool,
}

/// How many queued runs that are too late a claim reads in addition to those that it can start.
const LATE_AT_ONCE: u32 = 100;

impl QueueHead {
    /// Returns what to read for a job with that many live runs, for a node with that much capacity; `None` if
    /// nothing can be promoted.
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
}

/// Decides about the run at the head of a job's queue, with so many live runs.
///
/// Grace is judged again here, for scheduled runs that were not started yet. Call it for one run after the other, with
/// `live` counted anew, until it says [`Promotion::Wait`].
///
/// ```
/// use std::time::Duration;
///
/// use chrono::{DateTime, TimeDelta, Utc};
/// use scheduler_core::RunKind;
/// use scheduler_core::plan::{Promotion, WaitingRun, promote};
/// use scheduler_core::prelude::*;
///
/// #[task]
/// async fn load_orders() {}
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let scheduler = Scheduler::builder().client().start().await?;
/// let load = load_orders::job().cron("*/10 * * * *").misfire_grace_time(Duration::from_secs(300));
/// let job = scheduler.add_job(load).await?;
///
/// let fire: DateTime<Utc> = "2026-01-01T00:10:00Z".parse()?;
/// let decide = |live, kind, minutes| {
///     let run = WaitingRun { kind, scheduled_for: fire, attempts: 0 };
///     promote(&job, live, run, fire + TimeDelta::minutes(minutes))
/// };
/// assert_eq!(decide(1, RunKind::Scheduled, 2), Promotion::Wait);
/// assert_eq!(decide(0, RunKind::Scheduled, 2), Promotion::Start);
/// assert_eq!(decide(0, RunKind::Scheduled, 9), Promotion::Missed);
/// assert_eq!(decide(0, RunKind::Manual, 9), Promotion::Start);
/// # Ok(())
/// # }
/// ```
pub fn promote(job: &JobRecord, live: u32, run: WaitingRun, now: DateTime<Utc>) -> Promotion {
    let due_at = || job.due_at(run.scheduled_for);
    decide_waiting(&job.policies, job.paused.is_some(), live, run, due_at, now)
}

/// [`promote`] for a store that keeps jobs as something else; `due_at` is when the run's fire time starts.
pub(crate) fn decide_waiting(
    policies: &Policies,
    is_paused: bool,
    live: u32,
    run: WaitingRun,
    due_at: impl FnOnce() -> DateTime<Utc>,
    now: DateTime<Utc>,
) -> Promotion {
    if live >= policies.max_instances {
        return Promotion::Wait;
    }
    // Who asked for a run by hand still wants it, however late, and also of a paused job; and an attempt
    // that is not the first is held up by nothing.
    if run.kind != RunKind::Scheduled || run.attempts > 0 {
        return Promotion::Start;
    }
    if is_paused {
        return Promotion::Held;
    }
    if let Some(grace) = policies.misfire_grace_time {
        let grace = TimeDelta::from_std(grace).unwrap_or(TimeDelta::MAX);
        if now.signed_duration_since(due_at()) > grace {
            return Promotion::Missed;
        }
    }
    Promotion::Start
}
