//! The rows of the tables, as far as they are checked. Instants are microseconds since 1970.

use std::collections::HashMap;

use serde::Deserialize;

use super::run_id::RunId;

/// All rows, as of a single instant.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    /// Jobs.
    pub jobs: Vec<Job>,
    /// Runs.
    pub runs: Vec<Run>,
    /// Records of fire times that were not run.
    pub skipped: Vec<Skipped>,
    /// Nodes.
    pub nodes: Vec<Node>,
    /// How many manual runs may have been queued, by job. That is not in the tables: a superseded one leaves a record
    /// of its instant, which is not one of the trigger's fire times.
    pub queued_manual_run: HashMap<String, usize>,
}

impl Rows {
    /// Returns the job with this id.
    pub fn job(&self, id: &str) -> Option<&Job> {
        self.jobs.iter().find(|job| job.id == id)
    }
}

/// A job.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its id.
    pub id: String,
    /// Its trigger, as it is stored.
    pub trigger: String,
    /// The policies that are checked.
    pub policies: Policies,
    /// If `true`, the job is paused.
    pub paused: bool,
    /// The instant up to which fire times were decided, inclusive.
    pub watermark: i64,
    /// When it was added.
    pub created_at: i64,
}

/// The policies of a job that bound its runs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Policies {
    /// How many runs may be live at once.
    pub max_instances: usize,
    /// How many failures are retried.
    pub retries: i64,
    /// If `true`, a lost run is not repeated.
    pub at_most_once: bool,
}

impl Default for Policies {
    fn default() -> Self {
        Self {
            max_instances: 1,
            retries: 0,
            at_most_once: false,
        }
    }
}

/// What caused a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A fire time.
    Scheduled,
    /// A request.
    Manual,
    /// The start of a process.
    Startup,
}

impl TryFrom<i64> for Kind {
    type Error = String;

    fn try_from(number: i64) -> Result<Self, String> {
        [Self::Scheduled, Self::Manual, Self::Startup]
            .into_iter()
            .find(|kind| *kind as i64 == number)
            .ok_or_else(|| format!("no kind of run has the number {number}"))
    }
}

/// The state of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Waits for a slot.
    Queued,
    /// Runs.
    Running,
    /// Succeeded.
    Succeeded,
    /// Ended with an error.
    Failed,
    /// Timed out.
    TimedOut,
    /// Was cancelled.
    Cancelled,
    /// Was lost with its node.
    Lost,
}

impl State {
    /// All states, in the order of their numbers.
    pub const ALL: [Self; 7] = [
        Self::Queued,
        Self::Running,
        Self::Succeeded,
        Self::Failed,
        Self::TimedOut,
        Self::Cancelled,
        Self::Lost,
    ];

    /// Returns `true` if the run has ended.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}

impl TryFrom<i64> for State {
    type Error = String;

    fn try_from(number: i64) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|state| *state as i64 == number)
            .ok_or_else(|| format!("no state of a run has the number {number}"))
    }
}

/// A run.
#[derive(Debug, Clone)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// Its job.
    pub job: String,
    /// What caused it.
    pub kind: Kind,
    /// The fire time.
    pub scheduled_for: i64,
    /// Its state.
    pub state: State,
    /// If `true`, the run holds one of the job's slots.
    pub holds_slot: bool,
    /// The node that holds it, or held it last.
    pub node: Option<i64>,
    /// How many times it was started.
    pub attempt: i64,
    /// How many attempts failed.
    pub failures: i64,
    /// How many times it was lost with its node.
    pub lost: i64,
    /// When the last attempt started.
    pub started_at: Option<i64>,
    /// When it ended.
    pub finished_at: Option<i64>,
    /// How its earlier attempts ended, in the stored form.
    pub earlier_attempts: Option<String>,
}

/// A record of fire times that were not run.
#[derive(Debug, Clone)]
pub struct Skipped {
    /// The job.
    pub job: String,
    /// The reason.
    pub reason: String,
    /// The first fire time.
    pub first: i64,
    /// The last fire time.
    pub last: i64,
    /// The number of fire times.
    pub count: i64,
    /// `true` if `count` is exact, `false` if there may be more.
    pub exact: bool,
}

/// A node.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its id.
    pub id: i64,
    /// When its lease ends or ended.
    pub lease_until: i64,
}
