//! What happens to the runs of a node, and what is to be done about it.

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

/// Takes a permit of an executor, given by name.
pub(in crate::driver) type TakePermit<'a> = &'a mut dyn FnMut(&str) -> Permit;

/// What an executor answers when it is asked for a permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::driver) enum Permit {
    Taken,
    /// It has no capacity at present.
    Full,
    /// This program has no such executor.
    Unknown,
}

/// How an attempt ended, as the store has recorded it.
#[derive(Debug)]
pub(in crate::driver) struct RecordedEnd {
    pub(in crate::driver) run: Arc<StartedRun>,
    pub(in crate::driver) started_at: DateTime<Utc>,
    pub(in crate::driver) finished_at: DateTime<Utc>,
    pub(in crate::driver) outcome: AttemptOutcome,
    pub(in crate::driver) verdict: Verdict,
    /// It has timed out, but its thread still works.
    pub(in crate::driver) body_runs: bool,
    /// No executor carried it out: the run was cancelled while it waited for this attempt, or after the one
    /// before.
    pub(in crate::driver) was_waiting: bool,
}

/// What happened.
pub(in crate::driver) enum Event<'a> {
    /// A claim is sent, whose answer may be lost.
    ClaimSent,
    /// The answer to the claim has come, and this node still holds its lease. Runs without a permit wait.
    ClaimAnswered(Vec<ClaimedRun>, TakePermit<'a>),
    /// The answer to another call that may make this node hold a run was lost.
    AnswerLost,
    /// The store has listed the runs that it holds for this node. Those of the set are runs that a call of the
    /// handle is about to hand in.
    Held(Vec<RunId>, HashSet<RunId>),
    /// A manual run, held under the identity that this node had when it was asked for.
    Requested(NodeId, ClaimedRun),
    /// Time has passed, or capacity has become free: waiting runs start as far as there are permits.
    Ready(Instant, TakePermit<'a>),
    /// This program has not the task or the executor of a run that was to start.
    NotStarted(Arc<StartedRun>),
    /// Executors have reported how attempts ended, or that the threads of some have returned.
    Reported(Vec<Report>),
    /// The store has answered to what is [`unwritten`](super::Runs::unwritten): for each, if it was
    /// recorded.
    Recorded(Vec<bool>, Instant),
    /// The store has taken back what is [`to_release`](super::Runs::to_release).
    Released,
    /// The cancellation of these runs has been requested. They may have been listed before.
    CancelRequested(Vec<RunId>, DateTime<Utc>),
    /// The scheduler has begun to stop: from now on, what ends is counted for its report.
    Stopping,
    /// Nothing is started any more: what waits is released.
    Draining,
    /// Nobody waits any longer for what runs, but for the runs that ordered the stop themselves.
    DeadlinePassed(&'a [RunId], Cancellation),
    /// The lease has run out; this node goes on under another identity.
    Fenced(NodeId),
}

/// What is to be done.
#[derive(Debug)]
pub(in crate::driver) enum Command {
    /// Hand the attempt to its executor, of which it has a permit.
    Start(Arc<StartedRun>),
    /// Have its executor stop an attempt.
    Stop(Arc<StartedRun>, Cancellation),
    /// Publish how an attempt ended, which the store has recorded.
    Publish(RecordedEnd),
    /// Publish that an attempt's outcome was not recorded, since this node no longer holds the run.
    PublishLate(Arc<StartedRun>),
    /// Log that a manual run came after the lease had run out under which it was asked for.
    LogDisowned(Box<ClaimedRun>),
    /// Log that a run is released whose executor this program does not have.
    LogUnknownExecutor(Box<ClaimedRun>),
    /// Log how many runs of unanswered claims are to be released.
    LogUnconfirmed(usize),
}
