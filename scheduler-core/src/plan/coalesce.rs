//! Choosing which of several past fire times are run.

use chrono::{DateTime, Utc};
use scheduler_triggers::{Effort, Exhausted};

use super::due_job::DueJob;
use super::skipped_span::{TICK, fire_times_in};
use crate::policy::Coalesce;
use crate::skipped::{SkipReason, SkippedTimes};

/// Chooses which of the fire times in `(after, last]` are run.
pub(super) fn coalesce(
    job: DueJob<'_>,
    after: DateTime<Utc>,
    last: DateTime<Utc>,
    run: &mut Vec<DateTime<Utc>>,
    skipped: &mut Vec<SkippedTimes>,
    effort: &mut Effort,
) -> Result<(), Exhausted> {
    let (after, until, reason) = match job.policies.coalesce {
        Coalesce::Latest => {
            run.push(last);
            (after, last - TICK, SkipReason::Coalesced)
        }
        Coalesce::Earliest => {
            let earliest = job.trigger.next_within(after, effort)?.unwrap_or(last);
            run.push(earliest);
            (earliest, last, SkipReason::Coalesced)
        }
        Coalesce::All(limit) => {
            let mut oldest = last;
            run.push(oldest);
            while run.len() < limit as usize {
                match job.trigger.latest_within(after, oldest - TICK, effort)? {
                    Some(earlier) => oldest = earlier,
                    None => break,
                }
                run.push(oldest);
            }
            run.reverse();
            (after, oldest - TICK, SkipReason::CatchUpLimit)
        }
    };
    skipped.extend(fire_times_in(job.trigger, after, until, reason, effort)?);
    Ok(())
}
