//! Checks that each run's row is consistent in itself and with the others.

use std::collections::{BTreeMap, HashSet};

use super::Window;
use super::report::Report;
use super::rows::{Rows, Run, State};
use super::run_id::RunId;

/// How many times a run may be lost with its node and still be retried.
const LOST: i64 = 3;

pub(super) fn check(rows: &Rows, window: Window, report: &mut Report) {
    let mut ids: HashSet<RunId> = HashSet::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for run in &rows.runs {
        count(run, report);
        let mut told = problems(run, rows, window);
        if !ids.insert(run.id) {
            told.push("is there twice".to_owned());
        }
        for problem in told {
            report.violation(format!("run {} of `{}` {problem}", run.id, run.job));
        }
        if run.holds_slot {
            *places.entry(&run.job).or_default() += 1;
        }
    }
    for (id, held) in places {
        let limit = rows
            .job(id)
            .map_or(usize::MAX, |job| job.policies.max_instances);
        if held > limit {
            report.violation(format!("`{id}` holds {held} places, and has {limit}"));
        }
    }
}

fn count(run: &Run, report: &mut Report) {
    let summary = &mut report.summary;
    summary.taken_over += run.lost;
    match run.state {
        State::Succeeded => summary.succeeded += 1,
        state if state.is_final() => summary.ended_otherwise += 1,
        _ => summary.open += 1,
    }
}

fn problems(run: &Run, rows: &Rows, window: Window) -> Vec<String> {
    let Some(job) = rows.job(&run.job) else {
        return vec!["belongs to a job that is not there".to_owned()];
    };
    let mut told = Vec::new();
    let mut expect = |holds: bool, problem: &dyn Fn() -> String| {
        if !holds {
            told.push(problem());
        }
    };
    let Run {
        state,
        attempt,
        failures,
        lost,
        ..
    } = *run;
    let retries = job.policies.retries;
    let budget = if job.policies.at_most_once { 0 } else { LOST };

    expect(attempt <= 1 + retries + budget, &|| {
        format!("has attempt {attempt}; {retries} retries and {budget} losses allow fewer")
    });
    expect(attempt <= 1 + failures + lost, &|| {
        format!("has attempt {attempt} after only {failures} failures and {lost} losses")
    });
    // The loss that ends a run also counts: one beyond the budget, or of a run whose cancellation was requested.
    let ended_it = i64::from(matches!(state, State::Lost | State::Cancelled));
    expect(lost <= budget + ended_it, &|| {
        format!("was lost {lost} times; {budget} are allowed")
    });
    // The failure that ends a run also counts.
    let ended_it = i64::from(matches!(state, State::Failed | State::TimedOut));
    expect(failures <= retries + ended_it, &|| {
        format!("failed {failures} times; {retries} may be tried again")
    });
    expect(state.is_final() == run.finished_at.is_some(), &|| {
        let at = run.finished_at;
        format!("is {state:?}, and its end is {at:?}")
    });
    let ran = matches!(
        state,
        State::Running | State::Succeeded | State::Failed | State::TimedOut
    );
    expect(!ran || attempt >= 1, &|| {
        format!("is {state:?} without an attempt")
    });
    let twice = run
        .earlier_attempts
        .as_ref()
        .is_some_and(|attempts| attempts.contains("\"succeeded\""));
    expect(!twice, &|| {
        "was tried again after it had succeeded".to_owned()
    });
    expect(!is_abandoned(run, rows, window), &|| {
        "was not taken over from a node whose lease had run out".to_owned()
    });
    told
}

fn is_abandoned(run: &Run, rows: &Rows, window: Window) -> bool {
    let node = rows.nodes.iter().find(|node| Some(node.id) == run.node);
    run.state == State::Running && node.is_some_and(|node| node.lease_until < window.until)
}

#[cfg(test)]
mod tests {
    use crate::checker::rows::{Kind, Run, State};
    use crate::checker::samples::{assert_clean, assert_reported, every_second, node};

    /// Asserts the violations reported after one of ten runs is changed.
    fn assert_run_reported(change: impl FnOnce(&mut Run), expected: &[&str]) {
        let mut rows = every_second(10);
        change(&mut rows.runs[4]);
        assert_reported(&rows, expected);
    }

    #[test]
    fn too_many_attempts_are_reported() {
        let mut rows = every_second(10);
        rows.jobs[0].policies.retries = 2;
        let run = &mut rows.runs[4];
        (run.attempt, run.failures, run.lost) = (6, 2, 3);
        assert_clean(&rows);
        rows.runs[4].attempt = 7;
        assert_reported(
            &rows,
            &[
                "has attempt 7; 2 retries and 3 losses allow fewer",
                "has attempt 7 after only 2 failures and 3 losses",
            ],
        );
    }

    #[test]
    fn attempts_that_nothing_explains_are_reported() {
        assert_run_reported(
            |run| (run.attempt, run.lost) = (3, 1),
            &["has attempt 3 after only 0 failures and 1 losses"],
        );
    }

    #[test]
    fn a_run_that_is_lost_too_often_is_reported() {
        assert_run_reported(|run| run.lost = 4, &["was lost 4 times; 3 are allowed"]);
        for state in [State::Lost, State::Cancelled] {
            let mut rows = every_second(10);
            let run = &mut rows.runs[4];
            (run.state, run.attempt, run.lost) = (state, 4, 4);
            assert_clean(&rows);
            rows.runs[4].lost = 5;
            assert_reported(&rows, &["was lost 5 times; 3 are allowed"]);
        }
    }

    #[test]
    fn a_run_that_may_run_once_is_not_tried_again() {
        let mut rows = every_second(10);
        rows.jobs[0].policies.at_most_once = true;
        (rows.runs[4].state, rows.runs[4].lost) = (State::Lost, 1);
        assert_clean(&rows);
        rows.runs[4].attempt = 2;
        assert_reported(
            &rows,
            &["has attempt 2; 0 retries and 0 losses allow fewer"],
        );
        (rows.runs[4].state, rows.runs[4].attempt) = (State::Succeeded, 1);
        assert_reported(&rows, &["was lost 1 times; 0 are allowed"]);
    }

    #[test]
    fn too_many_failures_are_reported() {
        assert_run_reported(
            |run| run.failures = 1,
            &["failed 1 times; 0 may be tried again"],
        );
        let mut rows = every_second(10);
        (rows.runs[4].state, rows.runs[4].failures) = (State::Failed, 1);
        assert_clean(&rows);
    }

    #[test]
    fn an_end_without_a_time_is_told_and_a_time_without_an_end() {
        assert_run_reported(
            |run| run.finished_at = None,
            &["is Succeeded, and its end is None"],
        );
        assert_run_reported(
            |run| run.state = State::Running,
            &["is Running, and its end is Some"],
        );
    }

    #[test]
    fn a_success_without_an_attempt_is_reported() {
        assert_run_reported(|run| run.attempt = 0, &["is Succeeded without an attempt"]);
    }

    #[test]
    fn a_second_success_is_reported() {
        let earlier = r#"[{"attempt":1,"state":"succeeded"}]"#;
        assert_run_reported(
            |run| {
                run.earlier_attempts = Some(earlier.to_owned());
                (run.attempt, run.lost) = (2, 1);
            },
            &["was tried again after it had succeeded"],
        );
    }

    #[test]
    fn a_run_that_is_there_twice_is_reported() {
        let mut rows = every_second(10);
        let mut twin = rows.runs[4].clone();
        twin.kind = Kind::Manual;
        rows.runs.push(twin);
        assert_reported(&rows, &["000000000005 of `tick` is there twice"]);
    }

    #[test]
    fn a_run_without_a_job_is_reported() {
        let mut rows = every_second(10);
        let mut stray = rows.runs[4].clone();
        (stray.id.0, stray.job) = (99, "gone".to_owned());
        rows.runs.push(stray);
        assert_reported(&rows, &["of `gone` belongs to a job that is not there"]);
    }

    #[test]
    fn more_places_than_there_are_are_reported() {
        let mut rows = every_second(10);
        for run in &mut rows.runs[3..5] {
            (run.state, run.finished_at, run.holds_slot) = (State::Running, None, true);
        }
        assert_reported(&rows, &["`tick` holds 2 places, and has 1"]);
        rows.jobs[0].policies.max_instances = 2;
        assert_clean(&rows);
    }

    #[test]
    fn a_run_that_a_dead_node_still_holds_is_reported() {
        let mut rows = every_second(10);
        let run = &mut rows.runs[9];
        (run.state, run.finished_at, run.node) = (State::Running, None, Some(7));
        rows.nodes.push(node(7, 11));
        assert_clean(&rows);
        rows.nodes[0].lease_until = 9_000_000;
        assert_reported(&rows, &["was not taken over from a node"]);
    }
}
