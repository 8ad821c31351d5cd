//! Instants as whole microseconds since 1970, UTC.

use chrono::{DateTime, Utc};

use crate::record_problem::RecordProblem;

pub(crate) fn micros(at: DateTime<Utc>) -> i64 {
    at.timestamp_micros()
}

pub(crate) fn from_micros(micros: i64) -> Result<DateTime<Utc>, RecordProblem> {
    DateTime::from_timestamp_micros(micros).ok_or(RecordProblem::Instant(micros))
}
