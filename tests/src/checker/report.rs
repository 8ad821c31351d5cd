//! The result of a check.

use std::fmt;

/// The result of a check.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Every mismatch, as text.
    pub violations: Vec<String>,
    /// How much was checked.
    pub summary: Summary,
}

impl Report {
    pub(super) fn violation(&mut self, text: String) {
        self.violations.push(text);
    }

    /// Panics with all violations, if there are any.
    pub fn assert_clean(&self) {
        assert!(self.violations.is_empty(), "{self}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.summary)?;
        write!(f, "{} violation(s)", self.violations.len())?;
        self.violations
            .iter()
            .try_for_each(|violation| write!(f, "\n- {violation}"))
    }
}

/// How much was checked: a crash test in which nothing happened proves nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Jobs.
    pub jobs: usize,
    /// Fire times that the triggers name, up to the watermarks.
    pub fire_times: usize,
    /// Fire times that became runs.
    pub scheduled_runs: usize,
    /// Fire times that were skipped for a reason.
    pub skipped: usize,
    /// Runs of any kind that succeeded.
    pub succeeded: usize,
    /// Runs that ended in another way.
    pub ended_otherwise: usize,
    /// Runs that had not ended.
    pub open: usize,
    /// How many times a run was taken over.
    pub taken_over: i64,
    /// Bodies that began.
    pub begun: usize,
    /// Bodies that did not end.
    pub cut_short: usize,
    /// Bodies that began while another one, of a lost node, still seemed to run.
    pub excused_overlaps: usize,
    /// Bodies that began without a free slot, of runs that had been taken over.
    pub begun_late: usize,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} jobs, {} fire times: {} runs and {} skipped; of all runs {} succeeded, {} ended \
             otherwise, {} are open; {} times taken over; {} bodies begun, {} cut short, {} beside \
             one of a lost node, {} begun too late",
            self.jobs,
            self.fire_times,
            self.scheduled_runs,
            self.skipped,
            self.succeeded,
            self.ended_otherwise,
            self.open,
            self.taken_over,
            self.begun,
            self.cut_short,
            self.excused_overlaps,
            self.begun_late
        )
    }
}
