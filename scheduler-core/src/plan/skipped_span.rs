//! Describes the fire times in a span of time as one skipped record, without listing them.

use chrono::{DateTime, TimeDelta, Utc};
use scheduler_triggers::{Count, Effort, Exhausted, Trigger};

use crate::effort::PENDING;
use crate::skipped::{SkipReason, SkippedTimes};

/// The number of fire times up to which a skipped record counts exactly; above it, the record says "more than".
const COUNT_CAP: u64 = 1_000;

/// The smallest distance between two instants.
pub(super) const TICK: TimeDelta = TimeDelta::microseconds(1);

/// Returns the fire times in `(after, until]` as one skipped record, or `None` if there are none.
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

/// Returns the fire times in `(first - 1 µs, until]`, the first of which is known. If the search for the last one is
/// cut off, the count says so and `first` is also the last one.
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

/// Counts fire times, of which there is at least one, as far as the budget allows.
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
