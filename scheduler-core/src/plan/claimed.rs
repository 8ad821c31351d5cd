//! What a claim is about: what a node can run, and what it got.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::cancelled_run::CancelledRun;
use super::jitter::due_at;
use super::job_view::JobView;
use crate::id::{JobId, RunId};
use crate::policy::Policies;
use crate::run::RunKind;
use crate::skipped::Skipped;
use crate::task::arguments::Arguments;

/// What a node can claim.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Claimable {
    /// The static jobs that its binary defines.
    pub static_jobs: HashSet<JobId>,
    /// The tasks that its binary has; for dynamic jobs.
    pub tasks: HashSet<Arc<str>>,
}

impl Claimable {
    /// A node whose binary defines these jobs and has these tasks.
    pub fn new(static_jobs: HashSet<JobId>, tasks: HashSet<Arc<str>>) -> Self {
        Self { static_jobs, tasks }
    }

    /// Returns `true` if the node can run a job of this task and, if it is static, of this id.
    #[inline]
    pub(crate) fn has(&self, task: &str, static_job: Option<&JobId>) -> bool {
        self.tasks.contains(task) && static_job.is_none_or(|id| self.static_jobs.contains(id))
    }
}

/// What a node got.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Claimed {
    /// Runs to start.
    pub runs: Vec<ClaimedRun>,
    /// Runs that now wait for a slot.
    pub queued: Vec<RunRef>,
    /// What is not run.
    pub skipped: Vec<Skipped>,
    /// Queued runs that ended because newer ones took their place.
    pub cancelled: Vec<CancelledRun>,
    /// Jobs that were paused because their trigger takes too much work or panics.
    pub broken: Vec<BrokenTrigger>,
    /// Records that cannot be read, and why. They stay as they are.
    pub unreadable: Vec<Unreadable>,
    /// Jobs whose trigger has ended with this claim.
    pub ended: Vec<JobId>,
    /// `true` if there may be more to claim at once.
    pub more: bool,
}

/// A run and its job.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct RunRef {
    /// The job.
    pub job_id: JobId,
    /// The run.
    pub run_id: RunId,
}

impl RunRef {
    /// Names a run of this job.
    pub fn new(job_id: JobId, run_id: RunId) -> Self {
        Self { job_id, run_id }
    }
}

/// A job whose trigger takes too much work or panics.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BrokenTrigger {
    /// The job.
    pub job_id: JobId,
    /// What is wrong with its trigger: the note of the pause.
    pub problem: String,
}

/// A run that a node holds: all that an executor needs to carry it out.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ClaimedRun {
    /// The run.
    pub run_id: RunId,
    /// Its job.
    pub job_id: JobId,
    /// The task's name.
    pub task: Arc<str>,
    /// What caused it.
    pub kind: RunKind,
    /// The nominal fire time.
    pub scheduled_for: DateTime<Utc>,
    /// When it was to start: the fire time, delayed by the job's jitter.
    pub due_at: DateTime<Utc>,
    /// The attempt to start, from 1.
    pub attempt: u32,
    /// Failed attempts before it.
    pub failures: u32,
    /// The arguments.
    pub arguments: Arguments,
    /// The policies when it was claimed.
    pub policies: Arc<Policies>,
}

impl ClaimedRun {
    /// Makes the first attempt of a run of this job.
    #[inline]
    pub fn first(
        job: &JobView<'_>,
        run_id: RunId,
        kind: RunKind,
        scheduled_for: DateTime<Utc>,
    ) -> Self {
        let JobView {
            id: job_id,
            task,
            arguments,
            trigger,
            policies,
            ..
        } = *job;
        let due_at = match kind {
            RunKind::Scheduled => due_at(job_id, trigger, policies.jitter, scheduled_for),
            RunKind::Manual | RunKind::Startup => scheduled_for,
        };
        Self {
            run_id,
            job_id: job_id.clone(),
            task: task.clone(),
            kind,
            scheduled_for,
            due_at,
            attempt: 1,
            failures: 0,
            arguments: arguments.clone(),
            policies: policies.clone(),
        }
    }
}

/// A record that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unreadable {
    /// The id of the job as it is stored, or of the run.
    pub id: String,
    /// What is wrong with it.
    pub problem: String,
}

impl Unreadable {
    /// Reports the record of this id.
    pub fn new(id: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            problem: problem.into(),
        }
    }
}
