//! Which fire times have come, which of them are too late, and which of several are run.

use chrono::{DateTime, TimeDelta, Utc};
use scheduler_triggers::Trigger;

use super::jitter::due_at;
use super::{COUNT_CAP, DueJob, NextFire};
use crate::dropped::{DropReason, DroppedTimes};
use crate::policy::Coalesce;

const TICK: TimeDelta = TimeDelta::microseconds(1);

/// Collects what is run into `run` (oldest first) and what is not into `dropped`.
/// Returns the last fire time that has come and the next one.
pub(super) fn collect(
    job: DueJob<'_>,
    now: DateTime<Utc>,
    run: &mut Vec<DateTime<Utc>>,
    dropped: &mut Vec<DroppedTimes>,
) -> (DateTime<Utc>, Option<NextFire>) {
    let start_of = |nominal| due_at(job.id, job.trigger, job.policies.jitter, nominal);
    let next_fire = |nominal| NextFire {
        nominal,
        at: start_of(nominal),
    };

    let first = job.next.nominal;
    let second = job.trigger.next_after(first);
    // Nearly always a single fire time has come, and nothing needs to be searched.
    let last = match second {
        Some(second) if second <= now => last_due(job, now),
        _ => first,
    };
    let next = if last == first {
        second
    } else {
        job.trigger.next_after(last)
    };

    if last == first && job.policies.misfire_grace_time.is_none() {
        // Nor chosen.
        run.push(first);
    } else if let Some(after) = missed(job, first, last, now, dropped) {
        coalesce(job, after, last, run, dropped);
    }
    (last, next.map(next_fire))
}

/// The last fire time whose start has come; the first one has.
fn last_due(job: DueJob<'_>, now: DateTime<Utc>) -> DateTime<Utc> {
    let first = job.next.nominal;
    let Some(last) = job.trigger.latest_in(first, now) else {
        return first;
    };
    if due_at(job.id, job.trigger, job.policies.jitter, last) <= now {
        return last;
    }
    // A delay never reaches past the next fire time: so the one before has come.
    job.trigger.latest_in(first, last - TICK).unwrap_or(first)
}

/// Drops what is later than the grace time allows. Returns the instant after which fire times are
/// left, or `None` when none is.
fn missed(
    job: DueJob<'_>,
    first: DateTime<Utc>,
    last: DateTime<Utc>,
    now: DateTime<Utc>,
    dropped: &mut Vec<DroppedTimes>,
) -> Option<DateTime<Utc>> {
    let before_first = first - TICK;
    let Some(grace) = job.policies.misfire_grace_time else {
        return Some(before_first);
    };
    let grace = TimeDelta::from_std(grace).unwrap_or(TimeDelta::MAX);
    let is_late = |nominal: DateTime<Utc>| {
        now.signed_duration_since(due_at(job.id, job.trigger, job.policies.jitter, nominal)) > grace
    };
    if !is_late(first) {
        return Some(before_first);
    }
    // The start of a fire time lies at or after it, and at or before the next fire time: so the last
    // late one is the last whose nominal instant is late, or the one before.
    let last_late = if is_late(last) {
        last
    } else {
        let limit = now - grace - TICK;
        let candidate = job
            .trigger
            .latest_in(before_first, limit.min(last))
            .unwrap_or(first);
        if is_late(candidate) {
            candidate
        } else {
            job.trigger
                .latest_in(before_first, candidate - TICK)
                .unwrap_or(first)
        }
    };
    dropped.push(DroppedTimes {
        reason: DropReason::Missed,
        first,
        last: last_late,
        count: job.trigger.count_in(before_first, last_late, COUNT_CAP),
    });
    (last_late < last).then_some(last_late)
}

/// Chooses which of the fire times in `(after, last]` are run.
fn coalesce(
    job: DueJob<'_>,
    after: DateTime<Utc>,
    last: DateTime<Utc>,
    run: &mut Vec<DateTime<Utc>>,
    dropped: &mut Vec<DroppedTimes>,
) {
    match job.policies.coalesce {
        Coalesce::Latest => {
            run.push(last);
            dropped.extend(fire_times_in(
                job.trigger,
                after,
                last - TICK,
                DropReason::Coalesced,
            ));
        }
        Coalesce::Earliest => {
            let earliest = job.trigger.next_after(after).unwrap_or(last);
            run.push(earliest);
            dropped.extend(fire_times_in(
                job.trigger,
                earliest,
                last,
                DropReason::Coalesced,
            ));
        }
        Coalesce::All(limit) => {
            let mut oldest = last;
            run.push(oldest);
            while run.len() < limit as usize {
                match job.trigger.latest_in(after, oldest - TICK) {
                    Some(earlier) => oldest = earlier,
                    None => break,
                }
                run.push(oldest);
            }
            run.reverse();
            dropped.extend(fire_times_in(
                job.trigger,
                after,
                oldest - TICK,
                DropReason::CatchUpLimit,
            ));
        }
    }
}

/// The fire times in `(after, until]` as one drop, if there are any; found without listing them.
pub(crate) fn fire_times_in(
    trigger: &Trigger,
    after: DateTime<Utc>,
    until: DateTime<Utc>,
    reason: DropReason,
) -> Option<DroppedTimes> {
    let first = trigger.next_after(after).filter(|first| *first <= until)?;
    let last = trigger.latest_in(after, until).unwrap_or(first);
    Some(DroppedTimes {
        reason,
        first,
        last,
        count: trigger.count_in(after, until, COUNT_CAP),
    })
}
