//! How many bodies of a job ran at once.

use std::collections::{BTreeMap, HashMap};

use super::instants::instant;
use super::journal::{Body, Journal, Line};
use super::report::Report;
use super::rows::{Node, Rows, Run, State};
use super::run_id::RunId;

/// A body from its begin to its end.
struct Stretch<'a> {
    begin: &'a Line,
    /// `None` if its process was killed: the end is unknown, and no other run has to wait for it.
    end: Option<i64>,
    /// If `true`, its run was taken over from its node, so that no other run has to wait for it.
    is_excused: bool,
}

impl Stretch<'_> {
    fn goes_on_at(&self, at: i64) -> bool {
        self.end.is_some_and(|end| end > at)
    }
}

/// Checks, whenever a body begins, which others are still running.
pub(super) fn check(rows: &Rows, journal: &Journal, report: &mut Report) {
    let runs: HashMap<RunId, &Run> = rows.runs.iter().map(|run| (run.id, run)).collect();
    let mut by_job: BTreeMap<&str, Vec<Stretch<'_>>> = BTreeMap::new();
    for ((id, attempt), body) in &journal.bodies() {
        let run = runs.get(id).copied();
        if let Some(stretch) = stretch(*attempt, body, run, &rows.nodes) {
            by_job.entry(&stretch.begin.job).or_default().push(stretch);
        }
    }
    for (id, mut stretches) in by_job {
        let Some(job) = rows.job(id) else { continue };
        stretches
            .sort_by_key(|stretch| (stretch.begin.at, stretch.begin.run, stretch.begin.attempt));
        let mut going: Vec<&Stretch<'_>> = Vec::new();
        for new in &stretches {
            going.retain(|old| old.goes_on_at(new.begin.at));
            let (excused, live): (Vec<&Stretch<'_>>, Vec<_>) =
                going.iter().partition(|old| old.is_excused);
            report.summary.excused_overlaps += usize::from(!excused.is_empty());
            if live.len() >= job.policies.max_instances {
                // A node that was frozen beyond its lease still begins what it was about to begin.
                if new.is_excused {
                    report.summary.begun_late += 1;
                } else {
                    report.violation(overlap(new, &live, job.policies.max_instances));
                }
            }
            going.push(new);
        }
    }
}

fn stretch<'a>(
    attempt: i64,
    body: &Body<'a>,
    run: Option<&Run>,
    nodes: &[Node],
) -> Option<Stretch<'a>> {
    let end = body.overs().map(|line| line.at).max();
    let is_excused =
        |run: &Run| was_taken_away(attempt, run) || outlived_lease(attempt, end, run, nodes);
    Some(Stretch {
        begin: body.begins.first()?,
        end,
        is_excused: run.is_some_and(is_excused),
    })
}

/// Returns `true` if the lease of the node that last held a run ended before the run's body did: the body's thread
/// ran on after its attempt was recorded, and no other run can wait for a thread of a dead node.
fn outlived_lease(attempt: i64, end: Option<i64>, run: &Run, nodes: &[Node]) -> bool {
    let node = nodes.iter().find(|node| Some(node.id) == run.node);
    let lease = node.map(|node| node.lease_until);
    attempt == run.attempt && lease.zip(end).is_some_and(|(lease, end)| lease < end)
}

/// Returns `true` if the node of an attempt was found dead although the body was still running.
fn was_taken_away(attempt: i64, run: &Run) -> bool {
    let went_on_elsewhere = attempt < run.attempt;
    let waits_or_was_given_up = matches!(run.state, State::Queued | State::Lost);
    // Its cancellation had been requested; failures and losses account for all of its attempts.
    let ended_with_its_node =
        run.state == State::Cancelled && run.attempt <= run.failures + run.lost;
    run.lost > 0 && (went_on_elsewhere || waits_or_was_given_up || ended_with_its_node)
}

fn overlap(new: &Stretch<'_>, live: &[&Stretch<'_>], limit: usize) -> String {
    let named = |stretch: &Stretch<'_>| {
        let Line {
            run, attempt, node, ..
        } = stretch.begin;
        format!("attempt {attempt} of run {run} on {node}")
    };
    let others: Vec<_> = live.iter().map(|old| named(old)).collect();
    format!(
        "`{}` may have {limit} bodies at once, but at {} {} began beside {}",
        new.begin.job,
        instant(new.begin.at),
        named(new),
        others.join(" and ")
    )
}

#[cfg(test)]
mod tests {
    use crate::checker::journal::{Journal, LineKind};
    use crate::checker::rows::{Rows, State};
    use crate::checker::samples::{
        assert_clean_with, assert_reported_with, begin, end, every_second, journal_of, node,
    };

    /// Returns runs of which the fifth ends a while after the next one began.
    fn long_fifth() -> (Rows, Journal) {
        let rows = every_second(10);
        let mut journal = journal_of(&rows);
        for line in &mut journal.lines {
            if line.run.0 == 5 && line.kind == LineKind::End {
                line.at = 6_500_000;
            }
        }
        journal.lines.sort_by_key(|line| line.at);
        (rows, journal)
    }

    #[test]
    fn bodies_at_once_are_told_unless_there_is_room() {
        let (mut rows, journal) = long_fifth();
        let told = [
            "may have 1 bodies at once",
            "0006 on node began beside attempt 1 of run",
        ];
        assert_reported_with(&rows, &journal, &told);
        rows.jobs[0].policies.max_instances = 2;
        assert_clean_with(&rows, &journal);
    }

    #[test]
    fn a_body_that_begins_when_another_ends_is_in_order() {
        let (rows, mut journal) = long_fifth();
        let sixth = journal
            .lines
            .iter()
            .find(|line| line.run.0 == 6)
            .unwrap()
            .at;
        for line in &mut journal.lines {
            if line.run.0 == 5 && line.kind == LineKind::End {
                line.at = sixth;
            }
        }
        assert_clean_with(&rows, &journal);
    }

    #[test]
    fn a_body_that_went_on_after_its_run_was_taken_over_is_excused() {
        let (mut rows, mut journal) = long_fifth();
        (rows.runs[4].attempt, rows.runs[4].lost) = (2, 1);
        let (mut again, mut done) = (begin(5, 2, 5), end(5, 2, 5));
        (again.at, done.at) = (5_500_000, 5_600_000);
        journal.lines.extend([again, done]);
        let summary = assert_clean_with(&rows, &journal);
        assert_eq!(summary.excused_overlaps, 2);
    }

    #[test]
    fn a_body_that_is_tried_again_while_it_goes_on_is_reported() {
        let (mut rows, mut journal) = long_fifth();
        rows.jobs[0].policies.retries = 1;
        rows.runs.remove(5);
        rows.skipped
            .push(crate::checker::samples::skipped("overlap", 6, 6, 1));
        journal.lines.retain(|line| line.run.0 != 6);
        (rows.runs[4].attempt, rows.runs[4].failures) = (2, 1);
        let (mut again, mut done) = (begin(5, 2, 5), end(5, 2, 5));
        (again.at, done.at) = (6_200_000, 6_700_000);
        journal.lines.extend([again, done]);
        assert_reported_with(
            &rows,
            &journal,
            &["attempt 2 of run", "began beside attempt 1 of run"],
        );
    }

    #[test]
    fn the_last_attempt_excuses_nobody() {
        let (mut rows, mut journal) = long_fifth();
        (rows.runs[4].attempt, rows.runs[4].lost) = (2, 1);
        for line in journal.lines.iter_mut().filter(|line| line.run.0 == 5) {
            line.attempt = 2;
        }
        assert_reported_with(&rows, &journal, &["0006 on node began beside attempt 2"]);
    }

    #[test]
    fn the_body_of_a_run_that_was_given_up_is_excused() {
        let (mut rows, journal) = long_fifth();
        (rows.runs[4].state, rows.runs[4].lost) = (State::Lost, 1);
        rows.jobs[0].policies.at_most_once = true;
        assert_clean_with(&rows, &journal);
    }

    #[test]
    fn the_body_of_a_run_whose_cancellation_was_requested_and_lost_is_excused() {
        let (mut rows, journal) = long_fifth();
        (rows.runs[4].state, rows.runs[4].lost) = (State::Cancelled, 1);
        assert_clean_with(&rows, &journal);
        rows.runs[4].attempt = 2;
        let mut journal = journal;
        for line in journal.lines.iter_mut().filter(|line| line.run.0 == 5) {
            line.attempt = 2;
        }
        assert_reported_with(&rows, &journal, &["0006 on node began beside attempt 2"]);
    }

    #[test]
    fn a_body_that_begins_after_its_run_was_taken_over_is_excused_and_counted() {
        let (mut rows, journal) = long_fifth();
        rows.jobs[0].policies.retries = 1;
        (rows.runs[5].state, rows.runs[5].lost) = (State::Lost, 4);
        (rows.runs[5].attempt, rows.runs[5].failures) = (4, 0);
        let mut journal = journal;
        for line in journal.lines.iter_mut().filter(|line| line.run.0 == 6) {
            line.attempt = 3;
        }
        assert_eq!(assert_clean_with(&rows, &journal).begun_late, 1);
        (rows.runs[5].state, rows.runs[5].lost) = (State::Failed, 0);
        (rows.runs[5].attempt, rows.runs[5].failures) = (2, 1);
        for line in journal.lines.iter_mut().filter(|line| line.run.0 == 6) {
            line.attempt = 2;
        }
        assert_reported_with(&rows, &journal, &["0006 on node began beside attempt 1"]);
    }

    #[test]
    fn a_body_that_outlived_the_lease_of_its_node_is_excused() {
        let (mut rows, journal) = long_fifth();
        rows.runs[4].state = State::TimedOut;
        rows.nodes = vec![node(1, 6)];
        assert_clean_with(&rows, &journal);
        rows.nodes = vec![node(1, 7)];
        assert_reported_with(&rows, &journal, &["0006 on node began beside attempt 1"]);
    }

    #[test]
    fn a_body_that_was_dropped_goes_on_until_then() {
        let (mut rows, mut journal) = long_fifth();
        rows.runs[4].state = State::Cancelled;
        for line in &mut journal.lines {
            if line.run.0 == 5 && line.kind == LineKind::End {
                line.kind = LineKind::Cut;
            }
        }
        assert_reported_with(&rows, &journal, &["0006 on node began beside attempt 1"]);
    }

    #[test]
    fn a_body_that_was_cut_short_is_excused() {
        let (mut rows, mut journal) = long_fifth();
        rows.runs[4].state = State::Cancelled;
        journal
            .lines
            .retain(|line| line.run.0 != 5 || line.kind == LineKind::Begin);
        assert_clean_with(&rows, &journal);
    }
}
