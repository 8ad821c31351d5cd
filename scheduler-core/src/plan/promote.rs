//! Runs that wait and may start.

use chrono::{DateTime, TimeDelta, Utc};
use scheduler_triggers::Trigger;

use super::jitter::due_at;
use crate::id::JobId;
use crate::policy::Policies;
use crate::run::RunKind;

/// What to do with the run at the head of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Promotion {
    /// No place is free.
    Wait,
    /// It starts.
    Start,
    /// It waited longer than the grace time allows.
    Missed,
}

/// Decides about the run at the head of a job's queue, with so many live runs.
pub fn promote(
    id: &JobId,
    trigger: &Trigger,
    policies: &Policies,
    live: u32,
    (kind, scheduled_for): (RunKind, DateTime<Utc>),
    now: DateTime<Utc>,
) -> Promotion {
    if live >= policies.max_instances {
        return Promotion::Wait;
    }
    // Only a fire time can be late; who asked for a run by hand still wants it.
    if let (RunKind::Scheduled, Some(grace)) = (kind, policies.misfire_grace_time) {
        let grace = TimeDelta::from_std(grace).unwrap_or(TimeDelta::MAX);
        let start = due_at(id, trigger, policies.jitter, scheduled_for);
        if now.signed_duration_since(start) > grace {
            return Promotion::Missed;
        }
    }
    Promotion::Start
}
