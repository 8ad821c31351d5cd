//! The judge of the crash test: what a store holds against what the triggers name and the bodies did.
//!
//! It shares no code with the scheduler. It reads the tables ([`Rows`]) and the lines that bodies wrote
//! when they began and ended ([`Journal`]), searches every second for fire times itself, and tells what
//! does not fit:
//!
//! - Every fire time from the creation of a job to its watermark is one scheduled run, or in one record of
//!   skipped ones; no record names anything else.
//! - Every fire time that came due within the [`Window`] lies before the watermark.
//! - Every run has no more attempts than failures and losses explain, and ended or is still held.
//! - Every attempt began at most once, on whatever node; what succeeded did begin and end.
//! - No more bodies of a job ran at once than `max_instances`, unless a node was lost: what ran there
//!   may go on for a moment, and what was about to begin may begin.
//!
//! It knows jobs that were added once and whose trigger was never edited, and triggers of the forms in
//! [`FireTimes`].

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

/// What was watched, in microseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// Before this, no body can have begun.
    pub from: i64,
    /// What came due by this instant must have been decided: nodes were there, and had time to.
    pub until: i64,
}

/// Judges the rows of a store and the journal of its jobs' bodies.
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
