//! Checks what became of every fire time of a job.

use std::collections::{BTreeMap, BTreeSet};

use super::Window;
use super::instants::{instant, some};
use super::report::Report;
use super::rows::{Job, Kind, Rows, Skipped};
use super::trigger::FireTimes;

const REASONS: [&str; 8] = [
    "missed",
    "coalesced",
    "overlap",
    "queue_full",
    "paused",
    "catch_up_limit",
    "superseded",
    "removed",
];

/// Compares the trigger's fire times, from creation to watermark, with runs and skipped fire times.
pub(super) fn check(job: &Job, rows: &Rows, window: Window, report: &mut Report) {
    report.summary.jobs += 1;
    let created = job.created_at - 1;
    let searched = FireTimes::parse(&job.trigger).and_then(|trigger| {
        let named = trigger.between(created, job.watermark)?;
        let later = trigger.between(job.watermark.max(created), window.until)?;
        Ok((named, later))
    });
    let (named, later) = match searched {
        Ok(found) => found,
        Err(problem) => {
            return report.violation(format!(
                "the trigger of `{}` cannot be judged: {problem}",
                job.id
            ));
        }
    };
    report.summary.fire_times += named.len();
    // Fire times that come due while a job is paused are skipped when it is resumed.
    if !later.is_empty() && !job.paused {
        let later: Vec<_> = later.into_iter().collect();
        report.violation(format!(
            "`{}` was left at its watermark {}: {} fire time(s) were due by {}: {}",
            job.id,
            instant(job.watermark),
            later.len(),
            instant(window.until),
            some(&later)
        ));
    }

    let mut claims = Claims {
        job,
        named: &named,
        queued_manual_run: rows.queued_manual_run.get(&job.id).copied().unwrap_or(0),
        claimed: BTreeMap::new(),
        report,
    };
    for run in &rows.runs {
        if run.job == job.id && run.kind == Kind::Scheduled {
            claims.report.summary.scheduled_runs += 1;
            claims.claim(run.scheduled_for, format!("run {}", run.id));
        }
    }
    let records: Vec<_> = rows
        .skipped
        .iter()
        .filter(|record| record.job == job.id)
        .collect();
    claims.skipped(&records);
    claims.report_missing();
}

/// Which run or record claims which fire time.
struct Claims<'a> {
    job: &'a Job,
    named: &'a BTreeSet<i64>,
    /// How many more records may belong to runs that were requested manually.
    queued_manual_run: usize,
    claimed: BTreeMap<i64, String>,
    report: &'a mut Report,
}

/// A record of several fire times, of which the inner ones are not yet assigned.
struct Inner<'a> {
    record: &'a Skipped,
    wanted: i64,
}

impl Claims<'_> {
    fn claim(&mut self, at: i64, by: String) {
        let job = &self.job.id;
        if !self.named.contains(&at) {
            let why = if at > self.job.watermark {
                "which lies after the watermark"
            } else if at < self.job.created_at {
                "which lies before its creation"
            } else {
                "which its trigger does not name"
            };
            self.report
                .violation(format!("`{job}`: {by} is for {}, {why}", instant(at)));
        }
        if let Some(other) = self.claimed.insert(at, by.clone()) {
            self.report.violation(format!(
                "`{job}`: {} is claimed twice: by {other} and by {by}",
                instant(at)
            ));
        }
    }

    /// Assigns fire times to the records. The first and last are known; of those in between, only the count.
    fn skipped(&mut self, records: &[&Skipped]) {
        let mut inner = Vec::new();
        for record in records {
            self.report.summary.skipped += usize::try_from(record.count).unwrap_or(0);
            if let Some(problem) = problem_of(record) {
                let text = format!("`{}`: {} {problem}", self.job.id, in_words(record));
                self.report.violation(text);
                continue;
            }
            if self.is_manual(record) {
                self.queued_manual_run -= 1;
                continue;
            }
            self.claim(record.first, in_words(record));
            if record.last > record.first {
                self.claim(record.last, in_words(record));
                let wanted = record.count - 2;
                inner.push(Inner { record, wanted });
            }
        }
        // Records may interleave. Each fire time goes to the record that ends first: if any assignment fits, this one
        // does.
        let free: Vec<_> = self
            .named
            .iter()
            .filter(|at| !self.claimed.contains_key(at))
            .collect();
        for at in free {
            let takes = inner
                .iter_mut()
                .filter(|inner| inner.wanted > 0)
                .filter(|inner| inner.record.first < *at && *at < inner.record.last)
                .min_by_key(|inner| inner.record.last);
            if let Some(inner) = takes {
                inner.wanted -= 1;
                self.claimed.insert(*at, in_words(inner.record));
            }
        }
        for Inner { record, wanted } in inner.iter().filter(|inner| inner.wanted > 0) {
            self.report.violation(format!(
                "`{}`: {} counts {wanted} more than there are",
                self.job.id,
                in_words(record)
            ));
        }
    }

    /// Returns `true` if a record may be that of a manual run that was superseded.
    fn is_manual(&self, record: &Skipped) -> bool {
        self.queued_manual_run > 0
            && record.count == 1
            && record.reason == "superseded"
            && !self.named.contains(&record.first)
    }

    fn report_missing(self) {
        let missing: Vec<_> = self
            .named
            .iter()
            .copied()
            .filter(|at| !self.claimed.contains_key(at))
            .collect();
        if !missing.is_empty() {
            self.report.violation(format!(
                "`{}`: {} fire time(s) have neither run nor reason: {}",
                self.job.id,
                missing.len(),
                some(&missing)
            ));
        }
    }
}

fn in_words(record: &Skipped) -> String {
    format!(
        "the record of {} {} from {} to {}",
        record.count,
        record.reason,
        instant(record.first),
        instant(record.last)
    )
}

fn problem_of(record: &Skipped) -> Option<&'static str> {
    if !record.exact {
        return Some("is not exact, which proves nothing");
    }
    if !REASONS.contains(&record.reason.as_str()) {
        return Some("has an unknown reason");
    }
    let fits = match record.first.cmp(&record.last) {
        std::cmp::Ordering::Less => record.count >= 2,
        std::cmp::Ordering::Equal => record.count == 1,
        std::cmp::Ordering::Greater => false,
    };
    (!fits).then_some("contradicts itself")
}

#[cfg(test)]
mod tests {
    use crate::checker::samples::{assert_clean, assert_reported, every_second, run, skipped};

    #[test]
    fn runs_and_records_that_cover_all_are_in_order() {
        let mut rows = every_second(10);
        assert_clean(&rows);
        // Interleaved: 2 to 5 and 4 to 9, with runs between.
        rows.runs
            .retain(|run| [1, 3, 7, 10].contains(&(run.scheduled_for / 1_000_000)));
        rows.skipped = vec![skipped("coalesced", 2, 5, 2), skipped("overlap", 4, 9, 4)];
        assert_clean(&rows);
    }

    #[test]
    fn interleaved_records_are_told_apart_whatever_their_order() {
        let mut rows = every_second(10);
        rows.runs
            .retain(|run| [4, 8, 10].contains(&(run.scheduled_for / 1_000_000)));
        // Only 3 can be the inner fire time of the shorter record.
        rows.skipped = vec![skipped("missed", 1, 9, 4), skipped("overlap", 2, 5, 3)];
        assert_clean(&rows);
        rows.skipped.reverse();
        assert_clean(&rows);
        rows.skipped[0].count = 4;
        assert_reported(
            &rows,
            &["the record of 4 overlap", "counts 1 more than there are"],
        );
    }

    #[test]
    fn a_record_does_not_account_for_what_lies_outside_of_it() {
        for outside in [2, 8] {
            let mut rows = every_second(10);
            rows.runs
                .retain(|run| ![4, 6, outside].contains(&(run.scheduled_for / 1_000_000)));
            rows.skipped = vec![skipped("missed", 4, 6, 3)];
            assert_reported(
                &rows,
                &["counts 1 more than there are", "neither run nor reason"],
            );
        }
    }

    #[test]
    fn records_of_manual_runs_are_in_order_as_far_as_there_were_such_runs() {
        let mut rows = every_second(10);
        for micros in [1, 2] {
            let mut record = skipped("superseded", 4, 4, 1);
            (record.first, record.last) = (record.first + micros, record.last + micros);
            rows.skipped.push(record);
        }
        rows.queued_manual_run.insert("tick".to_owned(), 2);
        assert_clean(&rows);
        rows.queued_manual_run.insert("tick".to_owned(), 1);
        assert_reported(&rows, &["which its trigger does not name"]);
    }

    #[test]
    fn a_missing_fire_time_is_reported() {
        let mut rows = every_second(10);
        rows.runs.remove(3);
        assert_reported(
            &rows,
            &["1 fire time(s) have neither run nor reason", ":04Z"],
        );
    }

    #[test]
    fn a_record_that_counts_too_few_leaves_one_missing() {
        let mut rows = every_second(10);
        rows.runs.drain(3..8);
        rows.skipped = vec![skipped("coalesced", 4, 8, 4)];
        assert_reported(&rows, &["1 fire time(s) have neither run nor reason"]);
    }

    #[test]
    fn a_record_that_counts_too_many_is_reported() {
        let mut rows = every_second(10);
        rows.runs.drain(3..8);
        rows.skipped = vec![skipped("coalesced", 4, 8, 6)];
        assert_reported(
            &rows,
            &["the record of 6 coalesced", "counts 1 more than there are"],
        );
    }

    #[test]
    fn two_runs_for_one_fire_time_are_reported() {
        let mut rows = every_second(10);
        rows.runs.push(run(99, 5));
        assert_reported(&rows, &[":05Z is claimed twice", "000000000063"]);
    }

    #[test]
    fn a_run_that_is_dropped_as_well_is_reported() {
        let mut rows = every_second(10);
        rows.skipped = vec![skipped("overlap", 5, 5, 1)];
        assert_reported(&rows, &[":05Z is claimed twice", "the record of 1 overlap"]);
    }

    #[test]
    fn a_fire_time_dropped_twice_is_reported() {
        let mut rows = every_second(10);
        rows.runs.remove(4);
        rows.skipped = vec![skipped("overlap", 5, 5, 1), skipped("missed", 5, 5, 1)];
        assert_reported(&rows, &[":05Z is claimed twice", "1 overlap", "1 missed"]);
    }

    #[test]
    fn a_run_that_the_trigger_does_not_name_is_reported() {
        let mut rows = every_second(10);
        let mut odd = run(99, 5);
        odd.scheduled_for += 1;
        rows.runs.push(odd);
        assert_reported(&rows, &["05.000001Z, which its trigger does not name"]);
    }

    #[test]
    fn a_run_after_the_watermark_is_reported() {
        let mut rows = every_second(10);
        rows.jobs[0].watermark = 9_500_000;
        rows.jobs[0].paused = true;
        assert_reported(&rows, &["10Z, which lies after the watermark"]);
    }

    #[test]
    fn a_run_before_the_creation_is_reported() {
        let mut rows = every_second(10);
        rows.jobs[0].created_at = 1_000_001;
        assert_reported(&rows, &["01Z, which lies before its creation"]);
    }

    #[test]
    fn a_drop_that_the_trigger_does_not_name_is_reported() {
        let mut rows = every_second(10);
        let mut odd = skipped("missed", 11, 11, 1);
        odd.first += 1;
        odd.last += 1;
        rows.skipped.push(odd);
        assert_reported(
            &rows,
            &["the record of 1 missed", "which lies after the watermark"],
        );
    }

    #[test]
    fn records_that_make_no_sense_are_reported() {
        for (record, expected) in [
            (skipped("missed", 5, 4, 2), "contradicts itself"),
            (skipped("missed", 4, 5, 1), "contradicts itself"),
            (skipped("missed", 4, 4, 2), "contradicts itself"),
            (skipped("whim", 4, 4, 1), "has an unknown reason"),
        ] {
            let mut rows = every_second(10);
            rows.skipped.push(record);
            assert_reported(&rows, &[expected]);
        }
        let mut rows = every_second(10);
        rows.runs.remove(4);
        let mut record = skipped("missed", 5, 5, 1);
        record.exact = false;
        rows.skipped.push(record);
        assert_reported(&rows, &["is not exact", "neither run nor reason"]);
    }

    #[test]
    fn a_job_that_was_left_behind_is_told_unless_it_is_paused() {
        let mut rows = every_second(10);
        rows.runs.pop();
        rows.jobs[0].watermark = 9_000_000;
        assert_reported(
            &rows,
            &[
                "was left at its watermark",
                "1 fire time(s) were due",
                ":10Z",
            ],
        );
        rows.jobs[0].paused = true;
        assert_clean(&rows);
    }

    #[test]
    fn a_trigger_that_cannot_be_read_is_reported() {
        let mut rows = every_second(10);
        rows.jobs[0].trigger = "cron @hourly".to_owned();
        assert_reported(&rows, &["the trigger of `tick` cannot be judged"]);
    }
}
