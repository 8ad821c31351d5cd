//! `misfire_grace_time`: which fire times are too late to run.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use scheduler_triggers::{Effort, Exhausted};

use super::due::start_of;
use super::due_job::DueJob;
use super::skipped_span::{TICK, count_in};
use crate::skipped::{SkipReason, SkippedTimes};

/// Returns `true` if a fire time that starts at `due_at` (jitter included) is later than the grace time allows.
pub(super) fn is_too_late(grace: Duration, due_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    now.signed_duration_since(due_at) > delta(grace)
}

fn delta(grace: Duration) -> TimeDelta {
    TimeDelta::from_std(grace).unwrap_or(TimeDelta::MAX)
}

/// Skips fire times that are later than the grace time allows. Returns the instant after which fire times remain, or
/// `None` if none do.
pub(super) fn missed(
    job: DueJob<'_>,
    (first, last): (DateTime<Utc>, DateTime<Utc>),
    now: DateTime<Utc>,
    skipped: &mut Vec<SkippedTimes>,
    effort: &mut Effort,
) -> Result<Option<DateTime<Utc>>, Exhausted> {
    let before_first = first - TICK;
    let Some(grace) = job.policies.misfire_grace_time else {
        return Ok(Some(before_first));
    };
    let is_late = |nominal: DateTime<Utc>, effort: &mut Effort| {
        Ok(is_too_late(grace, start_of(job, nominal, effort)?, now))
    };
    if !is_late(first, effort)? {
        return Ok(Some(before_first));
    }
    // The start of a fire time is at or after it, and at or before the next fire time. So the last late fire time is
    // the last one whose nominal instant is late, or the one before.
    let last_late = if is_late(last, effort)? {
        last
    } else {
        let limit = now - delta(grace) - TICK;
        let candidate = job
            .trigger
            .latest_within(before_first, limit.min(last), effort)?
            .unwrap_or(first);
        if is_late(candidate, effort)? {
            candidate
        } else {
            job.trigger
                .latest_within(before_first, candidate - TICK, effort)?
                .unwrap_or(first)
        }
    };
    skipped.push(SkippedTimes {
        reason: SkipReason::Missed,
        first,
        last: last_late,
        count: count_in(job.trigger, before_first, last_late, effort),
    });
    Ok((last_late < last).then_some(last_late))
}
