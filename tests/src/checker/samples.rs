//! Made-up rows and lines: a job that fires every second, one run after the other, without any violation.

use super::journal::{Journal, Line, LineKind};
use super::rows::{Job, Kind, Node, Policies, Rows, Run, Skipped, State};
use super::{Report, RunId, Summary, Window, check};

const SECOND: i64 = 1_000_000;

/// Returns a job that fired once in each of the given number of seconds and succeeded each time.
pub(super) fn every_second(seconds: i64) -> Rows {
    Rows {
        jobs: vec![Job {
            id: "tick".to_owned(),
            trigger: "every 1s start=1970-01-01T00:00:01Z".to_owned(),
            policies: Policies::default(),
            paused: false,
            watermark: seconds * SECOND,
            created_at: SECOND,
        }],
        runs: (1..=seconds)
            .map(|second| run(second.cast_unsigned().into(), second))
            .collect(),
        ..Rows::default()
    }
}

/// Returns a run that succeeded.
pub(super) fn run(id: u128, second: i64) -> Run {
    Run {
        id: RunId(id),
        job: "tick".to_owned(),
        kind: Kind::Scheduled,
        scheduled_for: second * SECOND,
        state: State::Succeeded,
        holds_slot: false,
        node: Some(1),
        attempt: 1,
        failures: 0,
        lost: 0,
        started_at: Some(second * SECOND),
        finished_at: Some(second * SECOND),
        earlier_attempts: None,
    }
}

/// Returns a record of fire times that were not run.
pub(super) fn skipped(reason: &str, first: i64, last: i64, count: i64) -> Skipped {
    Skipped {
        job: "tick".to_owned(),
        reason: reason.to_owned(),
        first: first * SECOND,
        last: last * SECOND,
        count,
        exact: true,
    }
}

/// Returns a node with a lease until this second.
pub(super) fn node(id: i64, second: i64) -> Node {
    Node {
        id,
        lease_until: second * SECOND,
    }
}

/// Returns the line of a body's begin, a tenth of a second after its fire time.
pub(super) fn begin(run: u128, attempt: i64, second: i64) -> Line {
    Line {
        kind: LineKind::Begin,
        run: RunId(run),
        attempt,
        job: "tick".to_owned(),
        scheduled_for: second * SECOND,
        node: "node".to_owned(),
        at: second * SECOND + 100_000,
    }
}

/// Returns the line of its end, another tenth later.
pub(super) fn end(run: u128, attempt: i64, second: i64) -> Line {
    Line {
        kind: LineKind::End,
        at: second * SECOND + 200_000,
        ..begin(run, attempt, second)
    }
}

/// Returns the lines that the bodies of succeeded runs wrote.
pub(super) fn journal_of(rows: &Rows) -> Journal {
    let lines = |run: &Run| {
        let second = run.scheduled_for / SECOND;
        [begin, end].map(|line| line(run.id.0, run.attempt, second))
    };
    let runs = rows.runs.iter();
    Journal {
        lines: runs
            .filter(|run| run.state == State::Succeeded)
            .flat_map(lines)
            .collect(),
        unreadable: Vec::new(),
    }
}

fn judge(rows: &Rows, journal: &Journal) -> Report {
    let window = Window {
        from: SECOND,
        until: 10 * SECOND,
    };
    check(rows, journal, window)
}

/// Asserts that the rows have no violation, apart from those that concern the journal.
pub(super) fn assert_clean(rows: &Rows) {
    let violations = of_rows(rows);
    assert!(violations.is_empty(), "{violations:#?}");
}

/// Asserts that exactly these violations are reported.
pub(super) fn assert_reported(rows: &Rows, expected: &[&str]) {
    assert_all_reported(&of_rows(rows), expected);
}

/// Returns the violations of the rows, without those that concern the journal.
fn of_rows(rows: &Rows) -> Vec<String> {
    let mut report = Report::default();
    let window = Window {
        from: SECOND,
        until: 10 * SECOND,
    };
    for job in &rows.jobs {
        super::fire_times::check(job, rows, window, &mut report);
    }
    super::runs::check(rows, window, &mut report);
    report.violations
}

/// Asserts that rows and journal have no violation.
pub(super) fn assert_clean_with(rows: &Rows, journal: &Journal) -> Summary {
    let report = judge(rows, journal);
    report.assert_clean();
    report.summary
}

/// Asserts that exactly these violations are reported.
pub(super) fn assert_reported_with(rows: &Rows, journal: &Journal, expected: &[&str]) {
    assert_all_reported(&judge(rows, journal).violations, expected);
}

fn assert_all_reported(violations: &[String], expected: &[&str]) {
    for text in expected {
        let is_reported = violations.iter().any(|told| told.contains(text));
        assert!(is_reported, "not told: {text}\n{violations:#?}");
    }
    for told in violations {
        let is_expected = expected.iter().any(|text| told.contains(text));
        assert!(is_expected, "told as well: {told}");
    }
}
