//! Checks that what the bodies did matches what was recorded.

use std::collections::HashMap;

use super::Window;
use super::instants::instant;
use super::journal::{Body, Journal, Line};
use super::report::Report;
use super::rows::{Kind, Rows, Run, State};
use super::run_id::RunId;

/// How far the clock of a node may differ from that of the store.
const CLOCKS: i64 = 1_000_000;

pub(super) fn check(rows: &Rows, journal: &Journal, window: Window, report: &mut Report) {
    let runs: HashMap<RunId, &Run> = rows.runs.iter().map(|run| (run.id, run)).collect();
    let bodies = journal.bodies();
    let mut told = Vec::new();
    for ((id, attempt), body) in &bodies {
        report.summary.begun += body.begins.len();
        report.summary.cut_short += usize::from(body.ends.is_empty());
        for problem in problems(*attempt, body, runs.get(id).copied(), window) {
            told.push(format!("attempt {attempt} of run {id} {problem}"));
        }
    }
    for run in &rows.runs {
        let body = bodies.get(&(run.id, run.attempt));
        if run.state == State::Succeeded && body.is_none_or(|body| !body.is_whole()) {
            told.push(format!(
                "run {} of `{}` succeeded, but the body of its last attempt, {}, {}",
                run.id,
                run.job,
                run.attempt,
                body.map_or("never began", |_| "did not begin and end")
            ));
        }
    }
    // Maps have no order.
    told.sort();
    report.violations.append(&mut told);
}

impl Body<'_> {
    fn is_whole(&self) -> bool {
        !self.begins.is_empty() && !self.ends.is_empty()
    }
}

fn problems(attempt: i64, body: &Body<'_>, run: Option<&Run>, window: Window) -> Vec<String> {
    let mut told = Vec::new();
    let nodes = |lines: &[&Line]| {
        let nodes: Vec<_> = lines.iter().map(|line| &*line.node).collect();
        nodes.join(", ")
    };
    if body.begins.len() > 1 {
        let (times, nodes) = (body.begins.len(), nodes(&body.begins));
        told.push(format!("began {times} times, on {nodes}"));
    }
    let overs: Vec<_> = body.overs().collect();
    if overs.len() > 1 {
        let (times, nodes) = (overs.len(), nodes(&overs));
        told.push(format!("ended {times} times, on {nodes}"));
    }
    match (body.begins.first(), overs.first()) {
        (None, _) => told.push("ended without a begin".to_owned()),
        (Some(begin), Some(end)) if begin.node != end.node => {
            told.push(format!("began on {} and ended on {}", begin.node, end.node));
        }
        (Some(begin), Some(end)) if end.at < begin.at => {
            told.push("ended before it began".to_owned());
        }
        _ => {}
    }
    let Some(run) = run else {
        told.push("belongs to a run that is not there".to_owned());
        return told;
    };
    if attempt < 1 || attempt > run.attempt {
        told.push(format!("is unknown: the run is at attempt {}", run.attempt));
    }
    for line in body.begins.iter().copied().chain(body.overs()) {
        if line.job != run.job || line.scheduled_for != run.scheduled_for {
            told.push(format!(
                "took itself for one of `{}` for {}",
                line.job,
                instant(line.scheduled_for)
            ));
        }
    }
    for begin in &body.begins {
        if run.kind == Kind::Scheduled && begin.at < run.scheduled_for - CLOCKS {
            let (at, due) = (instant(begin.at), instant(run.scheduled_for));
            told.push(format!("began at {at}, before its fire time {due}"));
        }
        if begin.at < window.from {
            told.push(format!(
                "began at {}, before anything did",
                instant(begin.at)
            ));
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use crate::checker::journal::{Journal, Line, LineKind};
    use crate::checker::rows::State;
    use crate::checker::samples::{
        assert_clean_with, assert_reported_with, begin, end, every_second, journal_of,
    };

    /// Asserts the violations reported after the journal of ten successful runs is changed.
    fn assert_journal_reported(change: impl FnOnce(&mut Vec<Line>), expected: &[&str]) {
        let rows = every_second(10);
        let mut journal = journal_of(&rows);
        change(&mut journal.lines);
        assert_reported_with(&rows, &journal, expected);
    }

    fn at(lines: &mut [Line], run: u128, kind: LineKind) -> &mut Line {
        let mut found = lines.iter_mut().filter(|line| line.run.0 == run);
        found.find(|line| line.kind == kind).unwrap()
    }

    #[test]
    fn an_attempt_that_began_twice_is_told_with_its_nodes() {
        assert_journal_reported(
            |lines| {
                lines.push(Line {
                    node: "other".to_owned(),
                    ..begin(5, 1, 5)
                });
            },
            &["attempt 1 of run", "0005 began 2 times, on node, other"],
        );
    }

    #[test]
    fn an_attempt_that_ended_twice_is_reported() {
        assert_journal_reported(|lines| lines.push(end(5, 1, 5)), &["0005 ended 2 times"]);
    }

    #[test]
    fn a_success_whose_body_never_began_is_reported() {
        assert_journal_reported(
            |lines| lines.retain(|line| line.run.0 != 5),
            &["0005 of `tick` succeeded, but the body of its last attempt, 1, never began"],
        );
    }

    #[test]
    fn a_success_whose_body_did_not_end_is_reported() {
        assert_journal_reported(
            |lines| lines.retain(|line| line.run.0 != 5 || line.kind == LineKind::Begin),
            &["0005 of `tick` succeeded", "did not begin and end"],
        );
    }

    #[test]
    fn the_success_of_another_attempt_is_not_enough() {
        let mut rows = every_second(10);
        let journal = journal_of(&rows);
        (rows.runs[4].attempt, rows.runs[4].lost) = (2, 1);
        assert_reported_with(&rows, &journal, &["its last attempt, 2, never began"]);
    }

    #[test]
    fn a_success_whose_body_was_dropped_is_reported() {
        assert_journal_reported(
            |lines| at(lines, 5, LineKind::End).kind = LineKind::Cut,
            &["0005 of `tick` succeeded", "did not begin and end"],
        );
        assert_journal_reported(
            |lines| {
                lines.push(Line {
                    kind: LineKind::Cut,
                    ..end(5, 1, 5)
                });
            },
            &["0005 ended 2 times"],
        );
    }

    #[test]
    fn an_end_without_a_begin_is_reported() {
        assert_journal_reported(
            |lines| lines.retain(|line| line.run.0 != 5 || line.kind == LineKind::End),
            &["0005 ended without a begin", "did not begin and end"],
        );
    }

    #[test]
    fn an_end_elsewhere_or_before_the_begin_is_reported() {
        assert_journal_reported(
            |lines| at(lines, 5, LineKind::End).node = "other".to_owned(),
            &["0005 began on node and ended on other"],
        );
        assert_journal_reported(
            |lines| at(lines, 5, LineKind::End).at -= 200_000,
            &["0005 ended before it began"],
        );
    }

    #[test]
    fn a_body_without_a_run_is_reported() {
        let rows = every_second(10);
        let mut journal = journal_of(&rows);
        journal.lines.push(begin(99, 1, 11));
        assert_reported_with(&rows, &journal, &["belongs to a run that is not there"]);
    }

    #[test]
    fn an_attempt_that_the_run_never_had_is_reported() {
        let rows = every_second(10);
        let mut journal = journal_of(&rows);
        journal.lines.extend([begin(10, 2, 10), end(10, 2, 10)]);
        journal.lines[20].at += 500_000;
        journal.lines[21].at += 500_000;
        assert_reported_with(
            &rows,
            &journal,
            &["attempt 2 of run", "the run is at attempt 1"],
        );
    }

    #[test]
    fn a_body_with_a_wrong_fire_time_is_reported() {
        assert_journal_reported(
            |lines| at(lines, 5, LineKind::Begin).scheduled_for = 4_000_000,
            &["0005 took itself for one of `tick` for", ":04Z"],
        );
    }

    #[test]
    fn a_body_that_began_too_early_is_reported() {
        assert_journal_reported(
            |lines| {
                at(lines, 5, LineKind::Begin).at = 3_900_000;
                at(lines, 5, LineKind::End).at = 3_950_000;
            },
            &["before its fire time"],
        );
        assert_journal_reported(
            |lines| {
                at(lines, 1, LineKind::Begin).at = 100_000;
                at(lines, 1, LineKind::End).at = 100_001;
            },
            &["before anything did"],
        );
    }

    #[test]
    fn an_unreadable_line_is_reported() {
        let rows = every_second(10);
        let mut journal = journal_of(&rows);
        journal.unreadable.push("line 7".to_owned());
        assert_reported_with(&rows, &journal, &["line 7"]);
    }

    #[test]
    fn an_attempt_that_was_cut_short_and_tried_again_is_in_order() {
        let mut rows = every_second(10);
        let mut journal = journal_of(&rows);
        journal
            .lines
            .retain(|line| line.run.0 != 10 || line.kind == LineKind::Begin);
        (rows.runs[9].attempt, rows.runs[9].lost) = (2, 1);
        journal.lines.extend([begin(10, 2, 10), end(10, 2, 10)]);
        let summary = assert_clean_with(&rows, &journal);
        assert_eq!(
            (summary.begun, summary.cut_short, summary.taken_over),
            (11, 1, 1)
        );
        // A run that did not succeed need not have a body.
        rows.runs[3].state = State::Cancelled;
        journal.lines.retain(|line| line.run.0 != 4);
        assert_clean_with(&rows, &Journal { ..journal });
    }
}
