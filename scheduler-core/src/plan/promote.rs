//! Runs that wait and may start.

use chrono::{DateTime, TimeDelta, Utc};

use crate::job_record::JobRecord;
use crate::run::RunKind;

/// What to do with the run at the head of a queue.
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

/// Decides about the run at the head of a job's queue, with so many live runs.
pub fn promote(
    job: &JobRecord,
    live: u32,
    (kind, scheduled_for): (RunKind, DateTime<Utc>),
    now: DateTime<Utc>,
) -> Promotion {
    if live >= job.policies.max_instances {
        return Promotion::Wait;
    }
    // Who asked for a run by hand still wants it, however late, and also of a paused job.
    if kind != RunKind::Scheduled {
        return Promotion::Start;
    }
    if job.paused.is_some() {
        return Promotion::Held;
    }
    if let Some(grace) = job.policies.misfire_grace_time {
        let grace = TimeDelta::from_std(grace).unwrap_or(TimeDelta::MAX);
        if now.signed_duration_since(job.due_at(scheduled_for)) > grace {
            return Promotion::Missed;
        }
    }
    Promotion::Start
}
