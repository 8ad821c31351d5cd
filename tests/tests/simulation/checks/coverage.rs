//! Every fire time is claimed once, and is run or accounted for exactly once.

use chrono::TimeDelta;
use scheduler_core::RunKind;

use super::{Rule, Violation};
use crate::model_store::tables::{JobRow, Tables};

pub(super) fn check(tables: &Tables) -> Vec<Violation> {
    let mut found = Vec::new();
    for ((job, fire), count) in &tables.ledger.fire_times {
        if *count > 1 {
            found.push(Violation::new(
                Rule::ClaimedOnce,
                format!("{job} was claimed {count} times for {fire}"),
            ));
        }
    }
    for (run, count) in &tables.ledger.finals {
        if *count > 1 {
            found.push(Violation::new(
                Rule::RecordedOnce,
                format!("the end of run {run} was recorded {count} times"),
            ));
        }
    }
    for row in tables.jobs.values().chain(&tables.ledger.past) {
        if !row.is_disturbed {
            found.extend(check_job(tables, row));
        }
    }
    found
}

/// Each fire time between the job's creation and its watermark is either a run or part of one skipped record.
fn check_job(tables: &Tables, row: &JobRow) -> Vec<Violation> {
    let mut found = Vec::new();
    let (from, until) = (row.first_watermark, row.record.watermark);
    if until - from > TimeDelta::hours(4) {
        return found;
    }
    let runs: Vec<_> = tables
        .open
        .values()
        .chain(tables.ended.values())
        .filter(|run| run.generation == row.generation && run.kind == RunKind::Scheduled)
        .map(|run| run.scheduled_for)
        .collect();
    let skipped: Vec<_> = tables
        .ledger
        .skipped
        .iter()
        .filter(|(generation, _)| *generation == row.generation)
        .map(|(_, skipped)| skipped)
        .collect();
    let fires: Vec<_> = row
        .record
        .trigger
        .upcoming(from)
        .take_while(|fire| *fire <= until)
        .collect();
    for fire in &fires {
        let run = runs.iter().filter(|run| *run == fire).count();
        let skipped = skipped
            .iter()
            .filter(|skipped| skipped.first <= *fire && *fire <= skipped.last);
        let skipped = skipped.count();
        if run + skipped != 1 {
            found.push(Violation::new(
                Rule::AccountedFor,
                format!(
                    "the fire time {fire} of {} is {run} run(s) and part of {skipped} drop(s)",
                    row.record.id
                ),
            ));
        }
    }
    for skipped in skipped {
        let counted = fires
            .iter()
            .filter(|fire| skipped.first <= **fire && **fire <= skipped.last);
        let counted = counted.count() as u64;
        if skipped.exact && counted != skipped.count {
            found.push(Violation::new(
                Rule::AccountedFor,
                format!(
                    "{skipped} from {} to {}, but it is {counted}",
                    skipped.first, skipped.last
                ),
            ));
        }
    }
    if let Some(stray) = runs.iter().find(|run| !fires.contains(run)) {
        found.push(Violation::new(
            Rule::AccountedFor,
            format!(
                "{} has a run for {stray}, which is none of its fire times",
                row.record.id
            ),
        ));
    }
    found
}
