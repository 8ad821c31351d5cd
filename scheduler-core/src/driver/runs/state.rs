//! The states of a run, without the lists that order the runs of one state.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::plan::Verdict;
use crate::store::ClaimedRun;
use crate::task::started_run::StartedRun;

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) run: HeldRun,
    pub(super) state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Claimed,
    Running {
        /// If `true`, its executor knows that the run is to be cancelled.
        is_asked: bool,
    },
    BackingOff(Instant),
    AwaitingThread(Next),
    Unwritten(Unwritten),
    Releasing,
    Fenced,
}

/// What follows once an attempt is recorded and its thread has returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    End,
    Retry(Duration),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unwritten {
    /// What follows if only the return of its thread is unwritten. Otherwise the end of the attempt determines this.
    pub(super) next: Next,
    /// If `true`, the thread of its attempt is still running.
    pub(super) body_runs: bool,
    /// See [`RecordedEnd`](super::RecordedEnd).
    pub(super) was_waiting: bool,
}

#[derive(Debug)]
pub(super) enum HeldRun {
    /// The next attempt, which is not started yet.
    Waiting(Box<ClaimedRun>),
    /// An attempt that was handed to an executor.
    Started(Arc<StartedRun>),
}

impl Entry {
    /// Changes the state, and the number of live runs accordingly.
    pub(super) fn set(&mut self, state: State, live: &mut usize) {
        *live -= usize::from(self.state.is_live());
        *live += usize::from(state.is_live());
        self.state = state;
    }
}

impl State {
    /// Returns `true` if the store holds such a run for this node and is not about to take it back.
    pub(super) fn is_live(self) -> bool {
        !matches!(self, Self::Releasing | Self::Fenced)
    }

    /// See [`RecordedEnd`](super::RecordedEnd).
    pub(super) fn was_waiting(self) -> bool {
        matches!(self, Self::Unwritten(unwritten) if unwritten.was_waiting)
    }

    /// Returns `true` if such a run is with an executor.
    pub(super) fn is_with_executor(self) -> bool {
        match self {
            Self::Running { .. } | Self::AwaitingThread(_) => true,
            Self::Unwritten(unwritten) => unwritten.body_runs,
            Self::Claimed | Self::BackingOff(_) | Self::Releasing | Self::Fenced => false,
        }
    }

    /// Returns `true` if such a run is with an executor, or its executor has just reported its end.
    pub(super) fn is_started(self) -> bool {
        self.is_with_executor() || matches!(self, Self::Unwritten(_))
    }
}

impl HeldRun {
    pub(super) fn started(&self) -> Option<&Arc<StartedRun>> {
        match self {
            Self::Waiting(_) => None,
            Self::Started(started) => Some(started),
        }
    }
}

impl Deref for HeldRun {
    type Target = ClaimedRun;

    fn deref(&self) -> &ClaimedRun {
        match self {
            Self::Waiting(run) => run,
            Self::Started(started) => &started.run,
        }
    }
}

impl Next {
    pub(super) fn of(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Retry(delay) => Self::Retry(delay),
            Verdict::Final(_) => Self::End,
        }
    }
}
