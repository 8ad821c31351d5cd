//! One attempt, as passed to an executor.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::id::RunId;
use crate::run::RunKind;
use crate::task::arguments::Arguments;
use crate::task::context::JobContext;
use crate::task::definition::TaskDefinition;

/// One attempt of a run, passed to an [`Executor`](crate::Executor): plain data, cheap to clone.
///
/// Its JSON form (it implements [`Serialize`]) contains everything that a worker in another process needs:
///
/// ```json
/// {"job_id": "invoices", "task": "send_invoices", "arguments": {"month": 3}, "executor": "workers",
///  "run_id": "0197…", "attempt": 1, "kind": "scheduled",
///  "scheduled_for": "2026-03-02T06:00:00Z", "deadline": "2026-03-02T06:05:00.017Z"}
/// ```
///
/// `run_id` and `attempt` together are the fencing token; `deadline` is `null` without a timeout.
#[derive(Clone)]
pub struct Assignment {
    /// The context for a body in this process.
    pub(crate) context: JobContext,
    pub(crate) task: &'static TaskDefinition,
}

impl Assignment {
    /// Returns the job's id.
    pub fn job_id(&self) -> &str {
        self.context.job_id()
    }

    /// Returns the name of the task.
    pub fn task(&self) -> &str {
        self.context.task()
    }

    /// Returns the job's arguments.
    pub fn arguments(&self) -> &Arguments {
        self.context.arguments()
    }

    /// Returns the run's id, which is the same for all of its attempts.
    pub fn run_id(&self) -> RunId {
        self.context.run_id()
    }

    /// Returns the number of this attempt, counted from 1.
    pub fn attempt(&self) -> u32 {
        self.context.attempt()
    }

    /// Returns a token that distinguishes this attempt from every other attempt of the same run. Of two writers, the
    /// one with the greater attempt holds the run.
    pub fn fencing_token(&self) -> (RunId, u32) {
        self.context.fencing_token()
    }

    /// Returns what caused the run.
    pub fn kind(&self) -> RunKind {
        self.context.kind()
    }

    /// Returns the nominal fire time.
    pub fn scheduled_for(&self) -> DateTime<Utc> {
        self.context.scheduled_for()
    }

    /// Returns the name of the job's executor.
    pub fn executor(&self) -> &str {
        &self.context.0.run.policies.executor
    }

    /// Returns how long the attempt may take.
    pub fn timeout(&self) -> Option<Duration> {
        self.context.0.run.policies.timeout
    }

    /// Returns when the attempt times out, in [store time](crate::Scheduler::store_now), counted from when it was
    /// handed to the executor. Returns `None` without a timeout, and for executors that [enforce
    /// timeouts](crate::Executor::enforces_timeouts) themselves.
    pub fn deadline(&self) -> Option<DateTime<Utc>> {
        self.context.0.deadline()
    }
}

impl Serialize for Assignment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut data = serializer.serialize_struct("Assignment", 9)?;
        data.serialize_field("job_id", self.job_id())?;
        data.serialize_field("task", self.task())?;
        data.serialize_field("arguments", self.arguments())?;
        data.serialize_field("executor", self.executor())?;
        data.serialize_field("run_id", &self.run_id())?;
        data.serialize_field("attempt", &self.attempt())?;
        data.serialize_field("kind", &self.kind())?;
        data.serialize_field("scheduled_for", &self.scheduled_for())?;
        data.serialize_field("deadline", &self.deadline())?;
        data.end()
    }
}

impl fmt::Debug for Assignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Assignment")
            .field("job_id", &self.job_id())
            .field("run_id", &self.run_id())
            .field("attempt", &self.attempt())
            .finish_non_exhaustive()
    }
}
