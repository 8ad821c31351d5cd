//! A run that this process has started: what its driver, its executor and its body share.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, OnceLock, Weak};

use chrono::{DateTime, Utc};

use super::data::DataMap;
use crate::cancel::CancelFlag;
use crate::id::RunId;
use crate::store::ClaimedRun;

/// One attempt of a run. Bodies may keep it for as long as they like, so it holds nothing that keeps the
/// scheduler, its stores or its executors.
pub(crate) struct StartedRun {
    pub(crate) run: ClaimedRun,
    pub(crate) cancel: CancelFlag,
    pub(crate) home: Arc<Home>,
    /// Where it stands among the driver's live runs.
    pub(crate) index: u32,
    /// Empty while its executor does not have it, and for the built-in ones.
    pub(crate) handover: OnceLock<Handover>,
}

/// How an attempt was handed to an executor that is not built in.
#[derive(Clone, Copy)]
pub(crate) struct Handover {
    /// When that was, in store time.
    pub(crate) at: DateTime<Utc>,
    /// The executor leaves time-outs to the scheduler.
    pub(crate) is_watched: bool,
}

/// The scheduler of a run, as far as the run needs it.
pub(crate) struct Home {
    /// What the application gave.
    pub(crate) data: Arc<DataMap>,
    /// The engine, of a type that only files above this one know, as long as it is there.
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

    /// Notes that it is handed to an executor that is not built in. The first note stays.
    pub(crate) fn hand_over(&self, handover: Handover) {
        self.handover.get_or_init(|| handover);
    }

    pub(crate) fn handed_over_at(&self) -> Option<DateTime<Utc>> {
        self.handover.get().map(|handover| handover.at)
    }

    /// What tells this attempt from every other start of the same run.
    pub(crate) fn fencing_token(&self) -> (RunId, u32) {
        (self.run.run_id, self.run.attempt)
    }

    /// When its attempt is over at the latest, where the scheduler watches its timeout.
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
