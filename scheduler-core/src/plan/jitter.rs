//! Jitter: every node computes the same delay for the same fire time.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use scheduler_triggers::{Effort, Exhausted, Trigger};

use crate::effort::FOLLOWING;
use crate::hash::Fnv1a;
use crate::id::JobId;

/// Returns when a fire time starts: `hash(job id, fire time) mod jitter` later, never past the next fire time.
#[inline]
pub(crate) fn due_at(
    id: &JobId,
    trigger: &Trigger,
    jitter: Duration,
    nominal: DateTime<Utc>,
) -> DateTime<Utc> {
    // An unlimited budget is never exhausted.
    due_within(id, trigger, jitter, nominal, &mut Effort::steps(u64::MAX)).unwrap_or(nominal)
}

/// Does the same as part of a decision that has a budget.
///
/// A following fire time that is not found within [`FOLLOWING`] steps does not limit the delay.
#[inline]
pub(crate) fn due_within(
    id: &JobId,
    trigger: &Trigger,
    jitter: Duration,
    nominal: DateTime<Utc>,
    effort: &mut Effort,
) -> Result<DateTime<Utc>, Exhausted> {
    // Most jobs have no jitter.
    if jitter.is_zero() {
        Ok(nominal)
    } else {
        delayed(id, trigger, jitter, nominal, effort)
    }
}

fn delayed(
    id: &JobId,
    trigger: &Trigger,
    jitter: Duration,
    nominal: DateTime<Utc>,
    effort: &mut Effort,
) -> Result<DateTime<Utc>, Exhausted> {
    let jitter_micros = u64::try_from(jitter.as_micros()).unwrap_or(u64::MAX).max(1);
    let hash = Fnv1a::new()
        .bytes(id.as_str().as_bytes())
        .bytes(&nominal.timestamp_micros().to_le_bytes())
        .finish();
    let delay = i64::try_from(hash % jitter_micros).unwrap_or(i64::MAX);
    let delayed = nominal
        .checked_add_signed(TimeDelta::microseconds(delay))
        .unwrap_or(nominal);
    match effort.at_most(FOLLOWING, |effort| trigger.next_within(nominal, effort)) {
        Ok(Some(following)) => Ok(delayed.min(following)),
        Err(cut_off) if effort.is_exhausted() => Err(cut_off),
        Ok(None) | Err(_) => Ok(delayed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_is_fixed_spread_and_never_past_the_next_fire_time() {
        let id = JobId::new("spread").unwrap();
        let trigger = Trigger::every("10s")
            .unwrap()
            .with("start", "2026-01-01T00:00:00Z")
            .unwrap();
        let mut delays = Vec::new();
        for nominal in trigger.upcoming(DateTime::UNIX_EPOCH).take(100) {
            let at = due_at(&id, &trigger, Duration::from_secs(60), nominal);
            assert_eq!(at, due_at(&id, &trigger, Duration::from_secs(60), nominal));
            assert!(at >= nominal && at <= nominal + TimeDelta::seconds(10));
            delays.push(at - nominal);
        }
        delays.sort();
        delays.dedup();
        assert!(delays.len() > 10);
    }
}
