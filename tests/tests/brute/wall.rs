//! Conversion of local times to instants.

use chrono::{DateTime, MappedLocalTime, NaiveDateTime, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::Tz;

/// Returns when a local time fires: in a gap at its end if `next`, in a fold twice if `both`.
pub(crate) fn instants(
    zone: Tz,
    local: NaiveDateTime,
    next: bool,
    both: bool,
) -> Vec<DateTime<Utc>> {
    match zone.from_local_datetime(&local) {
        MappedLocalTime::Single(at) => vec![at.to_utc()],
        MappedLocalTime::Ambiguous(first, second) if both => vec![first.to_utc(), second.to_utc()],
        MappedLocalTime::Ambiguous(first, _) => vec![first.to_utc()],
        MappedLocalTime::None if next => vec![gap_end(zone, local)],
        MappedLocalTime::None => Vec::new(),
    }
}

/// Returns the first instant after the gap that contains a local time.
fn gap_end(zone: Tz, local: NaiveDateTime) -> DateTime<Utc> {
    let mut at = local.with_second(0).unwrap().with_nanosecond(0).unwrap();
    loop {
        at += TimeDelta::minutes(1);
        if let Some(found) = zone.from_local_datetime(&at).earliest() {
            return found.to_utc();
        }
    }
}
