//! The events that concern the runs of a node, and the commands that follow.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use crate::cancel::Cancellation;
use crate::executor::Report;
use crate::id::RunId;
use crate::node::NodeId;
use crate::plan::Verdict;
use crate::run::AttemptOutcome;
use crate::store::ClaimedRun;
use crate::task::started_run::StartedRun;

/// Takes a permit of the executor with this name.
pub(in crate::driver) type TakePermit<'a> = &'a mut dyn FnMut(&str) -> Permit;

/// An executor's answer to a request for a permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::driver) enum Permit {
    Taken,
    /// The executor has no capacity at present.
    Full,
    /// This program has no such executor.
    Unknown,
}

/// How an attempt ended, as recorded by the store.
#[derive(Debug)]
pub(in crate::driver) struct RecordedEnd {
    pub(in crate::driver) run: Arc<StartedRun>,
    pub(in crate::driver) started_at: DateTime<Utc>,
    pub(in crate::driver) finished_at: DateTime<Utc>,
    pub(in crate::driver) outcome: AttemptOutcome,
    pub(in crate::driver) verdict: Verdict,
    /// If `true`, the attempt has timed out but its thread is still running.
    pub(in crate::driver) body_runs: bool,
    /// If `true`, no executor carried out the attempt: the run was cancelled while it waited for this attempt, or
    /// after the previous one.
    pub(in crate::driver) was_waiting: bool,
}

/// Something that happened.
pub(in crate::driver) enum Event<'a> {
    /// A claim was sent; its answer may be lost.
    ClaimSent,
    /// The claim was answered, and this node still holds its lease. Runs without a permit wait.
    ClaimAnswered(Vec<ClaimedRun>, TakePermit<'a>),
    /// The answer to another call that may make this node hold a run was lost.
    AnswerLost,
    /// The store has listed the runs that it holds for this node. The set contains runs that a call of the handle is
    /// about to hand in.
    Held(Vec<RunId>, HashSet<RunId>),
    /// A manual run, held under the identity that this node had when the run was requested.
    Requested(NodeId, ClaimedRun),
    /// Time has passed, or capacity was freed: waiting runs start as far as there are permits.
    Ready(Instant, TakePermit<'a>),
    /// This program lacks the task or the executor of a run that was to start.
    NotStarted(Arc<StartedRun>),
    /// Executors have reported how attempts ended, or that threads have returned.
    Reported(Vec<Report>),
    /// The store has answered about the [`unwritten`](super::Runs::unwritten) ends: `true` for each one that it
    /// recorded.
    Recorded(Vec<bool>, Instant),
    /// The store has taken back the runs [`to_release`](super::Runs::to_release).
    Released,
    /// The cancellation of these runs was requested. They may have been listed before.
    CancelRequested(Vec<RunId>, DateTime<Utc>),
    /// The scheduler has begun to stop. From now on, runs that end are counted for its report.
    Stopping,
    /// Nothing is started from now on: waiting runs are released.
    Draining,
    /// Running attempts are no longer waited for, except for the runs that ordered the stop themselves.
    DeadlinePassed(&'a [RunId], Cancellation),
    /// The lease has run out. This node continues under another identity.
    Fenced(NodeId),
}

/// Something the driver has to do.
#[derive(Debug)]
pub(in crate::driver) enum Command {
    /// Hand the attempt to its executor, whose permit it has.
    Start(Arc<StartedRun>),
    /// Have the executor stop an attempt.
    Stop(Arc<StartedRun>, Cancellation),
    /// Publish how an attempt ended, which the store has recorded.
    Publish(RecordedEnd),
    /// Publish that an attempt's outcome was not recorded because this node no longer holds the run.
    PublishLate(Arc<StartedRun>),
    /// Log that a manual run arrived after the lease under which it was requested had run out.
    LogDisowned(Box<ClaimedRun>),
    /// Log that a run is released because this program lacks its executor.
    LogUnknownExecutor(Box<ClaimedRun>),
    /// Log how many runs of unanswered claims are to be released.
    LogUnconfirmed(usize),
}
