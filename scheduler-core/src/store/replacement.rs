//! What happens to a stored job when another is added under its id.

use chrono::{DateTime, Utc};
use scheduler_triggers::{Trigger, Zone};

use super::{Inserted, NewJob};
use crate::job_record::JobRecord;
use crate::skipped::{SkipReason, SkippedTimes};

/// Decides whether a job may replace a stored one, some of whose runs may be queued or live. Returns the refusal if
/// it may not.
///
/// A job whose trigger has ended and that has no runs left gives way to another under its id.
pub fn admits(existing: Option<&JobRecord>, has_open_runs: bool, new: &NewJob) -> Option<Inserted> {
    let existing = existing?;
    if existing.is_static() {
        Some(Inserted::IsStatic(existing.id.clone()))
    } else if new.replace_existing || (existing.is_finished() && !has_open_runs) {
        None
    } else {
        Some(Inserted::Exists(existing.id.clone()))
    }
}

/// What to store in place of a job, from [`replacement`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Replacement {
    /// The record to store.
    pub record: JobRecord,
    /// Pending fire times that are skipped.
    pub skipped: Option<SkippedTimes>,
    /// If `true`, the job carries on with the schedule of the stored one, and its queued runs are kept. Otherwise
    /// they are superseded.
    pub carries_on: bool,
}

/// Decides what to store for a job that replaces another one.
///
/// A job with the same task and an unchanged trigger carries on: it keeps the trigger's starting point, the
/// watermark, pending fire times and queued runs, so adding a job again shifts nothing. If the new job is not paused,
/// only fire times that came due while the stored job was paused are skipped. Any other job starts afresh, and its
/// pending fire times are superseded.
pub fn replacement(old: &JobRecord, new: &NewJob, now: DateTime<Utc>) -> Replacement {
    if !has_schedule_of(old, new) {
        return Replacement {
            record: new.record.clone(),
            skipped: old.pending(now, SkipReason::Superseded),
            carries_on: false,
        };
    }
    let mut record = new.record.clone();
    let found = (record.next, record.watermark);
    let is_found_for_it = record.trigger == old.trigger;
    record.trigger = old.trigger.clone();
    // An exported job brings its own watermark; the watermark of a new one has no meaning.
    record.watermark = match new.written {
        Some(_) => old.watermark,
        None => old.watermark.max(record.watermark),
    };
    let mut skipped = None;
    if old.paused.is_some() && record.paused.is_none() {
        skipped = old.pending(now, SkipReason::Paused);
        record.watermark = record.watermark.max(found.1);
    }
    // Callers search before the transaction. Here a search is needed only if none of the earlier results fits.
    if record.watermark == old.watermark && record.policies.jitter == old.policies.jitter {
        record.next = old.next;
    } else if !is_found_for_it || record.watermark != found.1 {
        record.recompute_next();
    }
    Replacement {
        record,
        skipped,
        carries_on: true,
    }
}

fn has_schedule_of(old: &JobRecord, new: &NewJob) -> bool {
    let written = new.written.as_ref();
    let is_unchanged = |(trigger, zone): &(Trigger, Zone)| trigger.resolves_to(&old.trigger, *zone);
    !old.is_finished()
        && old.task == new.record.task
        && (new.record.trigger == old.trigger || written.is_some_and(is_unchanged))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::id::JobId;
    use crate::job_record::Origin;
    use crate::policy::Policies;
    use crate::task::arguments::Arguments;

    fn at(minute: i64) -> DateTime<Utc> {
        let start: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
        start + chrono::TimeDelta::minutes(minute)
    }

    fn added(trigger: &str, minute: i64) -> NewJob {
        let written: Trigger = trigger.parse().unwrap();
        let mut record = JobRecord::new(
            JobId::new("job").unwrap(),
            "task".into(),
            Arguments::new(),
            written.resolve(at(minute), Zone::UTC).unwrap(),
            Arc::new(Policies::default()),
            Origin::Dynamic,
            at(minute),
        );
        record.recompute_next();
        NewJob {
            record,
            replace_existing: true,
            written: Some((written, Zone::UTC)),
        }
    }

    #[test]
    fn job_with_an_unchanged_trigger_keeps_its_fire_times() {
        for trigger in [
            "every 1h",
            "every 1h end=2026-02-01",
            "cron 0 * * * *",
            "calendar days=3",
            "or(every 1h; every 7h)",
            "at 2026-01-02T00:00:00",
        ] {
            let old = added(trigger, 0).record;
            for minute in [20, 200, 2_000] {
                let new = added(trigger, minute.min(1_400));
                let found = replacement(&old, &new, at(minute.min(1_400)));
                assert!(found.carries_on, "{trigger}");
                assert_eq!(found.skipped, None, "{trigger}");
                let kept = (
                    &found.record.trigger,
                    found.record.watermark,
                    found.record.next,
                );
                assert_eq!(kept, (&old.trigger, old.watermark, old.next), "{trigger}");
                assert_eq!(found.record.created_at, new.record.created_at);
            }
        }
    }

    #[test]
    fn job_with_another_trigger_or_task_starts_afresh() {
        let old = added("every 1h", 0).record;
        let mut other_task = added("every 1h", 70);
        other_task.record.task = "other".into();
        for new in [
            added("every 2h", 70),
            added("cron 0 * * * *", 70),
            other_task,
        ] {
            let found = replacement(&old, &new, at(70));
            assert!(!found.carries_on);
            assert_eq!(found.record, new.record);
            let superseded = found.skipped.map(|times| (times.reason, times.first));
            assert_eq!(superseded, Some((SkipReason::Superseded, at(60))));
        }
        // `at now` means a new instant each time.
        let found = replacement(&added("at now", 0).record, &added("at now", 1), at(1));
        assert!(!found.carries_on);
    }

    #[test]
    fn fire_times_held_by_a_pause_are_not_run_by_a_replacement() {
        let mut old = added("every 1h", 0).record;
        old.paused = Some("".into());
        let found = replacement(&old, &added("every 1h", 130), at(130));
        let skipped = found.skipped.map(|times| (times.reason, times.count.value));
        assert_eq!(skipped, Some((SkipReason::Paused, 2)));
        assert_eq!(found.record.next.map(|next| next.nominal), Some(at(180)));

        let mut paused = added("every 1h", 130);
        paused.record.paused = Some("still".into());
        let found = replacement(&old, &paused, at(130));
        assert_eq!(
            (found.skipped, found.record.watermark),
            (None, old.watermark)
        );
    }

    #[test]
    fn other_policies_keep_the_fire_time_of_an_unchanged_trigger() {
        let old = added("every 1h", 0).record;
        let mut new = added("every 1h", 20);
        let jitter = std::time::Duration::from_secs(60);
        new.record.policies = Arc::new(Policies {
            jitter,
            ..Policies::default()
        });
        let next = replacement(&old, &new, at(20)).record.next.unwrap();
        assert_eq!(next.nominal, at(60));
        assert!(next.at >= at(60) && next.at <= at(61));
    }

    #[test]
    fn imported_job_never_moves_a_watermark_back() {
        let mut old = added("every 1h start=2026-01-01T01:00:00Z", 0).record;
        old.watermark = at(120);
        old.recompute_next();
        let mut new = added("every 1h start=2026-01-01T01:00:00Z", 0);
        new.written = None;
        let found = replacement(&old, &new, at(130));
        assert!(found.carries_on);
        assert_eq!(
            (found.record.watermark, found.record.next),
            (old.watermark, old.next)
        );
    }

    #[test]
    fn ended_job_without_runs_gives_way_to_another() {
        let mut old = added("every 1h", 0).record;
        let new = NewJob {
            replace_existing: false,
            ..added("every 1h", 20)
        };
        let refused = |old: &JobRecord, has_open_runs| admits(Some(old), has_open_runs, &new);
        assert!(matches!(refused(&old, false), Some(Inserted::Exists(_))));
        old.next = None;
        assert!(matches!(refused(&old, true), Some(Inserted::Exists(_))));
        assert!(refused(&old, false).is_none());
        assert!(admits(None, false, &new).is_none());
    }
}
