//! A run that this process has started, shared by its driver, its executor and its body.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, OnceLock, Weak};

use chrono::{DateTime, Utc};

use super::data::DataMap;
use crate::cancel::CancelFlag;
use crate::id::RunId;
use crate::store::ClaimedRun;

/// One attempt of a run. Bodies may keep it indefinitely, so it must not keep the scheduler, its stores or its
/// executors alive.
pub(crate) struct StartedRun {
    pub(crate) run: ClaimedRun,
    pub(crate) cancel: CancelFlag,
    pub(crate) home: Arc<Home>,
    /// Its index among the driver's live runs.
    pub(crate) index: u32,
    /// Empty until its executor has received it, and for the built-in executors.
    pub(crate) handover: OnceLock<Handover>,
}

/// The handover of an attempt to an executor that is not built in.
#[derive(Clone, Copy)]
pub(crate) struct Handover {
    /// The time of the handover, in store time.
    pub(crate) at: DateTime<Utc>,
    /// If `true`, the executor leaves timeouts to the scheduler.
    pub(crate) is_watched: bool,
}

/// The part of a scheduler that a run needs.
pub(crate) struct Home {
    /// The values provided by the application.
    pub(crate) data: Arc<DataMap>,
    /// The engine, while it exists. Its type is known only to higher-level modules.
    pub(crate) engine: Weak<dyn Any + Send + Sync>,
}

impl Home {
    /// The home of a test without a scheduler.
    pub(crate) fn without_scheduler(data: DataMap) -> Arc<Self> {
        Arc::new(Self {
            data: Arc::new(data),
            engine: Weak::<()>::new(),
        })
    }
}

impl StartedRun {
    #[inline]
    pub(crate) fn new(run: ClaimedRun, home: &Arc<Home>, index: u32) -> Self {
        Self {
            run,
            cancel: CancelFlag::default(),
            home: home.clone(),
            index,
            handover: OnceLock::new(),
        }
    }

    /// Records that it is handed to an executor that is not built in. The first record is kept.
    pub(crate) fn hand_over(&self, handover: Handover) {
        self.handover.get_or_init(|| handover);
    }

    pub(crate) fn handed_over_at(&self) -> Option<DateTime<Utc>> {
        self.handover.get().map(|handover| handover.at)
    }

    /// Returns a token that distinguishes this attempt from every other attempt of the same run.
    pub(crate) fn fencing_token(&self) -> (RunId, u32) {
        (self.run.run_id, self.run.attempt)
    }

    /// Returns when its attempt times out, if the scheduler watches its timeout.
    pub(crate) fn deadline(&self) -> Option<DateTime<Utc>> {
        let timeout = chrono::TimeDelta::from_std(self.run.policies.timeout?).ok()?;
        let handover = self.handover.get().filter(|handover| handover.is_watched)?;
        handover.at.checked_add_signed(timeout)
    }
}

impl fmt::Debug for StartedRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StartedRun")
            .field("run", &self.run)
            .finish_non_exhaustive()
    }
}
