//! Repairing stored rows.

use chrono::{DateTime, TimeDelta, Utc};
use scheduler_triggers::Effort;

use super::{JobQuery, Store, StoreError, Unreadable};
use crate::effort::FIRE_TIME;
use crate::id::JobId;
use crate::job_record::JobRecord;
use crate::plan::too_costly;

/// The number of jobs that are read at once.
const PAGE: usize = 1_000;

/// How far ahead of now a watermark may be before it is attributed to a wrong clock: five seconds.
///
/// A claim never decides beyond its own now, so a watermark can be ahead only by the error of that instant. Nodes
/// measure the store's clock by heartbeats, whose answer is used for at most half the lease. With the lease of 15 s,
/// the error is below 4 s, and usually milliseconds.
pub const WATERMARK_TOLERANCE: TimeDelta = TimeDelta::seconds(5);

/// What a repair corrected in stored jobs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Repaired {
    /// Jobs whose watermark was ahead of now.
    pub watermarks: Vec<JobId>,
    /// The number of leases that were cut to their length.
    pub leases: usize,
    /// Unreadable records that were not reported before.
    pub unreadable: Vec<Unreadable>,
    /// The number of jobs whose next fire time differs under the current time zone data.
    pub zones: usize,
}

impl JobRecord {
    /// Sets a watermark that is [ahead](WATERMARK_TOLERANCE) of now to now, because it was written under a wrong
    /// clock. Returns `true` if it did.
    ///
    /// A finished job resumes only if it has fire times before its last one: a one-off job that has run stays
    /// finished. A job whose next fire time takes too much work to find is paused with that note.
    pub fn repair_watermark(&mut self, now: DateTime<Utc>) -> bool {
        if self.watermark - now <= WATERMARK_TOLERANCE {
            return false;
        }
        match self.fire_after(now, &mut Effort::steps(FIRE_TIME)) {
            Ok(next) => {
                let has_more = next.is_some_and(|next| next.nominal < self.watermark);
                if self.is_finished() && !has_more {
                    return false;
                }
                self.next = next;
            }
            Err(_) if self.is_finished() => return false,
            Err(cut_off) => {
                self.paused
                    .get_or_insert_with(|| too_costly(cut_off).into());
            }
        }
        self.watermark = now;
        true
    }
}

/// Sets all watermarks that are ahead of now to now, with one edit per job.
pub(super) async fn repair_watermarks<S: Store + ?Sized>(
    store: &S,
    now: DateTime<Utc>,
) -> Result<Repaired, StoreError> {
    let mut repaired = Repaired::default();
    let mut after = None;
    loop {
        let page = store.list_jobs(&JobQuery::by_id(after, PAGE)).await?;
        for job in &page {
            if !job.clone().repair_watermark(now) {
                continue;
            }
            // Another caller may have done it by now.
            let mut is_repaired = false;
            let repair = |job: &mut JobRecord| {
                is_repaired = job.repair_watermark(now);
                Vec::new()
            };
            store.edit(job.id.as_str(), Box::new(repair), now).await?;
            if is_repaired {
                repaired.watermarks.push(job.id.clone());
            }
        }
        match page.last() {
            Some(last) if page.len() == PAGE => after = Some(last.id.clone()),
            _ => return Ok(repaired),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use scheduler_triggers::Trigger;

    use super::*;
    use crate::job_record::Origin;
    use crate::policy::Policies;
    use crate::task::arguments::Arguments;

    fn at(seconds: i64) -> DateTime<Utc> {
        "2026-01-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::seconds(seconds)
    }

    /// Creates a job whose fire times are decided up to `watermark`.
    fn decided(trigger: Trigger, watermark: DateTime<Utc>) -> JobRecord {
        let policies = Arc::new(Policies::default());
        let trigger = trigger
            .into_resolved(at(0), scheduler_triggers::Zone::UTC)
            .unwrap();
        let id = JobId::new("job").unwrap();
        let now = at(0);
        let mut job = JobRecord::new(
            id,
            "task".into(),
            Arguments::default(),
            trigger,
            policies,
            Origin::Dynamic,
            now,
        );
        job.watermark = watermark;
        job.recompute_next();
        job
    }

    #[test]
    fn watermark_ahead_of_now_is_set_to_now_whatever_the_distance() {
        let every_second = || Trigger::every("1s").unwrap();
        for ahead in [6, 60, 3_599, 86_400 * 365] {
            let mut job = decided(every_second(), at(10 + ahead));
            assert!(job.repair_watermark(at(10)), "{ahead}");
            assert_eq!(
                (job.watermark, job.next_fire_time()),
                (at(10), Some(at(11)))
            );
            assert!(!job.repair_watermark(at(10)));
        }
        for ahead in [-60, 0, 5] {
            let mut job = decided(every_second(), at(100 + ahead));
            assert!(!job.repair_watermark(at(100)), "{ahead}");
        }
    }

    #[test]
    fn one_off_job_that_has_run_stays_finished() {
        let mut job = decided(Trigger::date(at(3_000)), at(3_000));
        let before = job.clone();
        assert!(job.is_finished() && !job.repair_watermark(at(10)));
        assert_eq!(job, before);
    }

    #[test]
    fn job_that_finished_too_early_resumes() {
        let trigger = || Trigger::every("1m").unwrap().end(at(3_000)).unwrap();
        let mut job = decided(trigger(), at(3_000));
        assert!(job.is_finished() && job.repair_watermark(at(10)));
        assert_eq!(job.next_fire_time(), Some(at(60)));
        // All fire times but the last are in the past.
        let mut job = decided(trigger(), at(3_000));
        assert!(!job.repair_watermark(at(2_990)) && job.is_finished());
    }
}
