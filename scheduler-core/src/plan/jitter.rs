//! Jitter: the same delay for the same fire time on every node.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use scheduler_triggers::Trigger;

use crate::hash::Fnv1a;
use crate::id::JobId;

/// When a fire time starts: `hash(job id, fire time) mod jitter` later, never past the next fire time.
pub(crate) fn due_at(
    id: &JobId,
    trigger: &Trigger,
    jitter: Duration,
    nominal: DateTime<Utc>,
) -> DateTime<Utc> {
    if jitter.is_zero() {
        return nominal;
    }
    let jitter_micros = u64::try_from(jitter.as_micros()).unwrap_or(u64::MAX).max(1);
    let hash = Fnv1a::new()
        .bytes(id.as_str().as_bytes())
        .bytes(&nominal.timestamp_micros().to_le_bytes())
        .finish();
    let delay = i64::try_from(hash % jitter_micros).unwrap_or(i64::MAX);
    let delayed = nominal
        .checked_add_signed(TimeDelta::microseconds(delay))
        .unwrap_or(nominal);
    match trigger.next_after(nominal) {
        Some(following) => delayed.min(following),
        None => delayed,
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
