//! The runs that end, or do not end, after the scheduler has begun to stop: the data of the shutdown report.

use std::sync::Arc;

use super::Runs;
use crate::engine::shutdown_report::{EndedRun, Stopped, UnfinishedRun};
use crate::executor::{Report, ReportEvent};
use crate::id::RunSet;
use crate::run::{AttemptOutcome, RunState};

impl Runs {
    /// Takes the data of the shutdown report, with running attempts and unrecorded ends added.
    pub(in crate::driver) fn take_stopped(&mut self) -> Stopped {
        let mut stopped = self.stopped.replace(Stopped::default()).unwrap_or_default();
        stopped.unwritten.extend(self.ends_unwritten());
        stopped.unwritten.extend(self.not_released());
        // The thread of a run that has timed out may still be running. Each run is reported once, by how it ended.
        let reported: RunSet = stopped.named().collect();
        let started = self.entries.iter().map(|(_, entry)| entry);
        let started = started.filter(|entry| entry.state.is_started());
        let running = started.filter(|entry| !reported.contains(&entry.run.run_id));
        stopped.running = running.map(|entry| UnfinishedRun::of(&entry.run)).collect();
        stopped
    }

    /// Counts the runs that this node loses with its lease.
    pub(super) fn count_fenced(&mut self) {
        let Some(mut stopped) = self.stopped.take() else {
            return;
        };
        stopped.unwritten.extend(self.not_released());
        let ended: Vec<EndedRun> = self.ends_unwritten().collect();
        stopped.unwritten.extend(ended);
        let reported: RunSet = stopped.named().collect();
        for index in self.in_order(|entry| entry.state.is_started()) {
            if let Some(entry) = self.entries.get(index)
                && !reported.contains(&entry.run.run_id)
            {
                let error = Some("the lease of this node ran out".into());
                let run = EndedRun::of(&entry.run, RunState::Cancelled, error);
                stopped.unwritten.push(run);
            }
        }
        self.stopped = Some(stopped);
    }

    fn ends_unwritten(&self) -> impl Iterator<Item = EndedRun> {
        self.unwritten.iter().filter_map(ended_run)
    }

    /// Returns the runs that were not started and that the store has not taken back.
    fn not_released(&self) -> impl Iterator<Item = EndedRun> {
        let releasing = self.releasing.iter();
        let waiting = self.waiting.iter().chain(self.backing_off.values());
        let indexes = releasing.chain(waiting);
        let entries = indexes.filter_map(|index| self.entries.get(*index));
        entries.map(|entry| EndedRun::of(&entry.run, RunState::Queued, None))
    }
}

/// Returns why an attempt did not succeed.
pub(super) fn error_of(outcome: &AttemptOutcome) -> Option<Arc<str>> {
    outcome.error().map(Arc::from)
}

/// Returns `None` for a thread that returned after its attempt had ended.
pub(super) fn ended_run(report: &Report) -> Option<EndedRun> {
    let ReportEvent::Ended { outcome, .. } = &report.event else {
        return None;
    };
    let run = EndedRun::of(report.run(), outcome.state(), error_of(outcome));
    Some(run)
}
