//! Fire times of a span of time, as one record of what was skipped: found without listing them.

use chrono::{DateTime, TimeDelta, Utc};
use scheduler_triggers::{Count, Effort, Exhausted, Trigger};

use crate::effort::PENDING;
use crate::skipped::{SkipReason, SkippedTimes};

/// How many fire times are counted before a skipped fire time says "more than".
const COUNT_CAP: u64 = 1_000;

/// From an instant to the next one.
pub(super) const TICK: TimeDelta = TimeDelta::microseconds(1);

/// The fire times in `(after, until]` as one skipped record, if there are any.
pub(super) fn fire_times_in(
    trigger: &Trigger,
    after: DateTime<Utc>,
    until: DateTime<Utc>,
    reason: SkipReason,
    effort: &mut Effort,
) -> Result<Option<SkippedTimes>, Exhausted> {
    let first = trigger.next_within(after, effort)?;
    let Some(first) = first.filter(|first| *first <= until) else {
        return Ok(None);
    };
    let last = trigger.latest_within(after, until, effort)?;
    Ok(Some(SkippedTimes {
        reason,
        first,
        last: last.unwrap_or(first),
        count: count_in(trigger, after, until, effort),
    }))
}

/// The fire times in `(first - 1 µs, until]`, of which the first is known; where a search for the last
/// one is cut off, the count says so and the last one is the first.
pub(crate) fn known_times_in(
    trigger: &Trigger,
    first: DateTime<Utc>,
    until: DateTime<Utc>,
    reason: SkipReason,
) -> Option<SkippedTimes> {
    if first > until {
        return None;
    }
    let mut effort = Effort::steps(PENDING);
    let last = trigger.latest_within(first, until, &mut effort);
    let count = match last {
        Ok(None) => Count {
            value: 1,
            exact: true,
        },
        Ok(Some(_)) => count_in(trigger, first - TICK, until, &mut effort),
        Err(_) => Count {
            value: 1,
            exact: false,
        },
    };
    Some(SkippedTimes {
        reason,
        first,
        last: last.unwrap_or_default().unwrap_or(first),
        count,
    })
}

/// Counts fire times of which there is one at least, as far as that does not cost too much.
pub(super) fn count_in(
    trigger: &Trigger,
    after: DateTime<Utc>,
    until: DateTime<Utc>,
    effort: &mut Effort,
) -> Count {
    let share = PENDING.min(effort.left() / 2);
    let count = effort.at_most(share, |effort| {
        trigger.count_within(after, until, COUNT_CAP, effort)
    });
    Count {
        value: count.value.max(1),
        ..count
    }
}
