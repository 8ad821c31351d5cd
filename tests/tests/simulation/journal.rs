//! What the bodies of runs did, recorded outside of every node.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use scheduler_core::prelude::*;
use scheduler_core::{NodeId, RunId, RunKind};

use crate::model_store::Database;
use crate::process::{Millis, Process};
use crate::trace::What;

/// The body of one attempt.
#[derive(Debug, Clone)]
pub(crate) struct Body {
    pub(crate) job: String,
    pub(crate) run: RunId,
    pub(crate) attempt: u32,
    pub(crate) scheduled_for: DateTime<Utc>,
    pub(crate) kind: RunKind,
    pub(crate) process: u32,
    /// The identity under which its node held the run when it began.
    pub(crate) node: Option<NodeId>,
    pub(crate) begins: Millis,
    /// `Millis::MAX` while it runs.
    pub(crate) ends: Millis,
    /// The same instant on the monotonic clock of its process.
    pub(crate) ends_monotonic: Millis,
}

/// The data that the tasks of one process receive.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) process: Arc<Process>,
    pub(crate) database: Arc<Database>,
    pub(crate) journal: Arc<Journal>,
}

/// The bodies of all processes.
#[derive(Debug, Default)]
pub(crate) struct Journal(Mutex<Vec<Body>>);

impl Journal {
    pub(crate) fn bodies(&self) -> MutexGuard<'_, Vec<Body>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running body; dropped together with it.
pub(crate) struct AtWork {
    stage: Data<Stage>,
    index: usize,
    key: (RunId, u32),
    how: &'static str,
}

impl AtWork {
    pub(crate) fn begin(ctx: &JobContext, stage: Data<Stage>) -> Self {
        let key = ctx.fencing_token();
        let begins = stage.process.now();
        let hold = stage.database.tables().ledger.holds.get(&key).copied();
        let mut bodies = stage.journal.bodies();
        let index = bodies.len();
        bodies.push(Body {
            job: ctx.job_id().to_owned(),
            run: key.0,
            attempt: key.1,
            scheduled_for: ctx.scheduled_for(),
            kind: ctx.kind(),
            process: stage.process.ordinal,
            node: hold.map(|hold| hold.node),
            begins,
            ends: Millis::MAX,
            ends_monotonic: Millis::MAX,
        });
        drop(bodies);
        let what = What::BodyBegins {
            run: key.0,
            attempt: key.1,
        };
        let ordinal = stage.process.ordinal;
        stage.database.trace.note(begins, Some(ordinal), what);
        Self {
            stage,
            index,
            key,
            how: "skipped",
        }
    }

    pub(crate) fn end(mut self, how: &'static str) {
        self.how = how;
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        let process = &self.stage.process;
        let ends = process.now();
        let how = if process.has_ended() {
            "cut off"
        } else {
            self.how
        };
        let mut bodies = self.stage.journal.bodies();
        bodies[self.index].ends = ends;
        bodies[self.index].ends_monotonic = process.monotonic();
        drop(bodies);
        let what = What::BodyEnds {
            run: self.key.0,
            attempt: self.key.1,
            how,
        };
        self.stage
            .database
            .trace
            .note(ends, Some(process.ordinal), what);
    }
}
