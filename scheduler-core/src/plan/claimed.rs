//! Input and output of a claim: what a node can run, and what it received.

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
    /// The static jobs that the node's binary defines.
    pub static_jobs: HashSet<JobId>,
    /// The tasks that the node's binary contains, for dynamic jobs.
    pub tasks: HashSet<Arc<str>>,
}

impl Claimable {
    /// Describes a node whose binary defines these jobs and contains these tasks.
    pub fn new(static_jobs: HashSet<JobId>, tasks: HashSet<Arc<str>>) -> Self {
        Self { static_jobs, tasks }
    }

    /// Returns `true` if the node can run a job with this task and, if the job is static, this id.
    #[inline]
    pub(crate) fn has(&self, task: &str, static_job: Option<&JobId>) -> bool {
        self.tasks.contains(task) && static_job.is_none_or(|id| self.static_jobs.contains(id))
    }
}

/// What a node received from a claim.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Claimed {
    /// Runs to start.
    pub runs: Vec<ClaimedRun>,
    /// Runs that are now queued for a slot.
    pub queued: Vec<RunRef>,
    /// Fire times that are skipped.
    pub skipped: Vec<Skipped>,
    /// Queued runs that ended because newer ones replaced them.
    pub cancelled: Vec<CancelledRun>,
    /// Jobs that were paused because their trigger takes too much work or panics.
    pub broken: Vec<BrokenTrigger>,
    /// Records that cannot be read, and why. They are left unchanged.
    pub unreadable: Vec<Unreadable>,
    /// Jobs whose trigger ended with this claim.
    pub ended: Vec<JobId>,
    /// If `true`, there may be more to claim right away.
    pub more: bool,
}

/// A run together with its job.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct RunRef {
    /// The job.
    pub job_id: JobId,
    /// The run.
    pub run_id: RunId,
}

impl RunRef {
    /// Refers to a run of this job.
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
    /// What is wrong with the trigger, which is also the note of the pause.
    pub problem: String,
}

/// A run that a node holds, with everything an executor needs to carry it out.
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
    /// When the run is due: its fire time, delayed by the job's jitter.
    pub due_at: DateTime<Utc>,
    /// The attempt to start, counted from 1.
    pub attempt: u32,
    /// The number of failed attempts before this one.
    pub failures: u32,
    /// The arguments.
    pub arguments: Arguments,
    /// The policies at the time of the claim.
    pub policies: Arc<Policies>,
}

impl ClaimedRun {
    /// Creates the first attempt of a run of this job.
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
    /// The id of the job or run, as it is stored.
    pub id: String,
    /// What is wrong with the record.
    pub problem: String,
}

impl Unreadable {
    /// Reports the record with this id.
    pub fn new(id: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            problem: problem.into(),
        }
    }
}
