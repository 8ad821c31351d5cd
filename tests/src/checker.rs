//! The checker of the crash test: compares the store with the fire times of the triggers and with what the bodies
//! did.
//!
//! It shares no code with the scheduler. It reads the tables ([`Rows`]) and the lines that bodies wrote when they
//! began and ended ([`Journal`]), finds the fire times itself by testing every second, and reports every mismatch:
//!
//! - Every fire time from the creation of a job to its watermark is exactly one scheduled run, or part of exactly one
//!   record of skipped fire times; no record names anything else.
//! - Every fire time that came due within the [`Window`] lies before the watermark.
//! - Every run has no more attempts than failures and losses explain, and ended or is still held.
//! - Every attempt began at most once, on whichever node; every succeeded attempt began and ended.
//! - At most `max_instances` bodies of a job ran at once, unless a node was lost: its bodies may run on for a moment,
//!   and a body that was about to begin may begin.
//!
//! It supports jobs that were added once and whose trigger was never edited, and the trigger forms of [`FireTimes`].

mod bodies;
mod cron;
mod fire_times;
mod instants;
mod journal;
mod overlap;
mod read;
mod report;
mod rows;
mod run_id;
mod runs;
mod trigger;

#[cfg(test)]
mod samples;

pub use journal::{Journal, Line, LineKind, Recorder};
pub use read::Source;
pub use report::{Report, Summary};
pub use rows::{Job, Kind, Node, Rows, Run, Skipped, State};
pub use run_id::RunId;
pub use trigger::FireTimes;

/// The observed time, in microseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// No body can have begun before this.
    pub from: i64,
    /// Fire times due by this instant must have been decided: there were nodes, with enough time.
    pub until: i64,
}

/// Checks the rows of a store and the journal of its jobs' bodies.
pub fn check(rows: &Rows, journal: &Journal, window: Window) -> Report {
    let mut report = Report::default();
    report.violations.extend(journal.unreadable.iter().cloned());
    for job in &rows.jobs {
        fire_times::check(job, rows, window, &mut report);
    }
    runs::check(rows, window, &mut report);
    bodies::check(rows, journal, window, &mut report);
    overlap::check(rows, journal, &mut report);
    report
}
