//! Records of fire times that are not run.

use chrono::{DateTime, Utc};

use crate::id::JobId;
use crate::skipped::{Skipped, SkippedTimes};

/// The record of what one decision did not run.
pub fn skipped_records(
    job: &JobId,
    times: impl IntoIterator<Item = SkippedTimes>,
    now: DateTime<Utc>,
) -> impl Iterator<Item = Skipped> {
    times
        .into_iter()
        .map(move |times| Skipped::new(job.clone(), times, now))
}
