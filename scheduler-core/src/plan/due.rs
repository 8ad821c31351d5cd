//! Which fire times have come, and which of them are too late.

use chrono::{DateTime, TimeDelta, Utc};
use scheduler_triggers::{Effort, Exhausted};

use super::coalesce::coalesce;
use super::due_job::{DueJob, NextFire};
use super::fire_times::{TICK, count_in};
use super::jitter::due_within;
use crate::skipped::{SkipReason, SkippedTimes};

/// Collects what is run into `run` (oldest first) and what is not into `skipped`.
/// Returns the last fire time that has come and the next one.
pub(super) fn collect(
    job: DueJob<'_>,
    now: DateTime<Utc>,
    run: &mut Vec<DateTime<Utc>>,
    skipped: &mut Vec<SkippedTimes>,
    effort: &mut Effort,
) -> Result<(DateTime<Utc>, Option<NextFire>), Exhausted> {
    let first = job.next.nominal;
    let second = job.trigger.next_within(first, effort)?;
    // Nearly always a single fire time has come, and nothing needs to be searched.
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

/// When a fire time starts.
#[inline]
fn start_of(
    job: DueJob<'_>,
    nominal: DateTime<Utc>,
    effort: &mut Effort,
) -> Result<DateTime<Utc>, Exhausted> {
    due_within(job.id, job.trigger, job.policies.jitter, nominal, effort)
}

/// The last fire time whose start has come; the first one has.
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
    // A delay never reaches past the next fire time: so the one before has come.
    let before = job.trigger.latest_within(first, last - TICK, effort)?;
    Ok(before.unwrap_or(first))
}

/// Skips what is later than the grace time allows. Returns the instant after which fire times are
/// left, or `None` when none is.
fn missed(
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
    let grace = TimeDelta::from_std(grace).unwrap_or(TimeDelta::MAX);
    let is_late = |nominal: DateTime<Utc>, effort: &mut Effort| {
        Ok(now.signed_duration_since(start_of(job, nominal, effort)?) > grace)
    };
    if !is_late(first, effort)? {
        return Ok(Some(before_first));
    }
    // The start of a fire time lies at or after it, and at or before the next fire time: so the last
    // late one is the last whose nominal instant is late, or the one before.
    let last_late = if is_late(last, effort)? {
        last
    } else {
        let limit = now - grace - TICK;
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
