//! Everything that happened, in order: two simulations of one seed leave the same trace.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use scheduler_core::{JobId, NodeId, RunId, RunState, SkipReason};

use crate::process::Millis;

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    /// When it happened, in true time.
    pub(crate) at: Millis,
    /// The process in which it happened, or `None` if it happened in the world around the processes.
    pub(crate) process: Option<u32>,
    pub(crate) what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
#[allow(dead_code, reason = "compared, and shown when a seed fails")]
pub(crate) enum What {
    Begun,
    Started(bool),
    Crashed {
        at_gate: bool,
    },
    Frozen {
        until: Millis,
        is_suspend: bool,
    },
    Thawed,
    ClockSet {
        offset_ms: i64,
    },
    Weather(&'static str),
    Exited,
    Api {
        call: &'static str,
        job: String,
    },
    Answer {
        call: &'static str,
        text: String,
    },
    Woken {
        lost: bool,
    },
    Fate {
        call: &'static str,
        fate: &'static str,
    },
    Step {
        call: &'static str,
    },
    Failed {
        call: &'static str,
        text: String,
    },
    Joined(NodeId),
    Left(NodeId),
    Heartbeat {
        node: NodeId,
        is_alive: bool,
    },
    Claimed {
        job: JobId,
        run: RunId,
        fire: DateTime<Utc>,
        attempt: u32,
    },
    Queued {
        job: JobId,
        run: RunId,
        fire: DateTime<Utc>,
    },
    Conflict {
        job: JobId,
        fire: DateTime<Utc>,
    },
    Ended {
        run: RunId,
        attempt: u32,
        state: RunState,
    },
    Retried {
        run: RunId,
        attempt: u32,
    },
    LateEnd {
        run: RunId,
        attempt: u32,
    },
    Released {
        run: RunId,
    },
    TakenOver {
        run: RunId,
        from: NodeId,
        is_lost: bool,
    },
    Skipped {
        job: JobId,
        reason: SkipReason,
        first: DateTime<Utc>,
        last: DateTime<Utc>,
        count: u64,
    },
    WatermarkReset(JobId),
    Asked(RunId),
    BodyBegins {
        run: RunId,
        attempt: u32,
    },
    BodyEnds {
        run: RunId,
        attempt: u32,
        how: &'static str,
    },
}

/// See the module documentation.
#[derive(Debug, Default)]
pub(crate) struct Trace(Mutex<Vec<Entry>>);

impl Trace {
    pub(crate) fn note(&self, at: Millis, process: Option<u32>, what: What) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.push(Entry { at, process, what });
    }

    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Sorts the entries from `start` on: a runtime that is dropped drops its tasks in any order.
    pub(crate) fn sort_from(&self, start: usize) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries[start..].sort_by_cached_key(|entry| format!("{:?}", entry.what));
    }

    pub(crate) fn take(&self) -> Vec<Entry> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
