//! Finding the fire times that have come.

use chrono::{DateTime, Utc};
use scheduler_triggers::{Effort, Exhausted};

use super::coalesce::coalesce;
use super::due_job::{DueJob, NextFire};
use super::jitter::due_within;
use super::misfire::missed;
use super::skipped_span::TICK;
use crate::skipped::SkippedTimes;

/// Collects the fire times to run into `run` (oldest first) and the others into `skipped`. Returns the last fire time
/// that has come and the next one.
pub(super) fn collect(
    job: DueJob<'_>,
    now: DateTime<Utc>,
    run: &mut Vec<DateTime<Utc>>,
    skipped: &mut Vec<SkippedTimes>,
    effort: &mut Effort,
) -> Result<(DateTime<Utc>, Option<NextFire>), Exhausted> {
    let first = job.next.nominal;
    let second = job.trigger.next_within(first, effort)?;
    // Usually a single fire time has come, and nothing has to be searched.
    let last = match second {
        Some(second) if second <= now => last_due(job, now, effort)?,
        _ => first,
    };
    let next = if last == first {
        second
    } else {
        job.trigger.next_within(last, effort)?
    };

    if last == first && job.policies.misfire_grace_time.is_none() {
        // Fast path: a single fire time, so nothing to coalesce.
        run.push(first);
    } else if let Some(after) = missed(job, (first, last), now, skipped, effort)? {
        coalesce(job, after, last, run, skipped, effort)?;
    }
    let next = match next {
        Some(nominal) => Some(NextFire {
            nominal,
            at: start_of(job, nominal, effort)?,
        }),
        None => None,
    };
    Ok((last, next))
}

/// Returns when a fire time starts.
#[inline]
pub(super) fn start_of(
    job: DueJob<'_>,
    nominal: DateTime<Utc>,
    effort: &mut Effort,
) -> Result<DateTime<Utc>, Exhausted> {
    due_within(job.id, job.trigger, job.policies.jitter, nominal, effort)
}

/// Returns the last fire time whose start has come. The start of `first` has.
fn last_due(
    job: DueJob<'_>,
    now: DateTime<Utc>,
    effort: &mut Effort,
) -> Result<DateTime<Utc>, Exhausted> {
    let first = job.next.nominal;
    let Some(last) = job.trigger.latest_within(first, now, effort)? else {
        return Ok(first);
    };
    if start_of(job, last, effort)? <= now {
        return Ok(last);
    }
    // A delay never extends past the next fire time, so the previous one has come.
    let before = job.trigger.latest_within(first, last - TICK, effort)?;
    Ok(before.unwrap_or(first))
}
