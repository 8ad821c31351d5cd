//! Errors, by meaning.

use std::fmt;

use crate::source_location::SourceLocation;
use crate::task::data::DataRemedy;

#[doc(inline)]
pub use scheduler_triggers::policies::PolicyError;

/// The kind of thing that was given an invalid name; part of [`Error::InvalidName`].
///
/// ```
/// use scheduler_core::{Error, JobId, NameKind};
///
/// let refused = JobId::new("").unwrap_err();
/// assert!(matches!(refused, Error::InvalidName { what: NameKind::Job, .. }));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameKind {
    /// A job, by its id.
    Job,
    /// A run, by its id.
    Run,
    /// The executor that a job's policies name.
    Executor,
    /// A store, executor or node of the builder.
    Part,
}

impl fmt::Display for NameKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Job => "job id",
            Self::Run => "run id",
            Self::Executor => "executor name",
            Self::Part => "name of a store, executor or node",
        })
    }
}

/// The error of starting, querying or changing the scheduler.
///
/// Each variant names the job and the remedy. New variants may be added.
///
/// ```
/// use scheduler_core::Error;
/// use scheduler_core::prelude::*;
///
/// #[scheduled_job(cron = "0 2 * * *", id = "nightly_backup")]
/// async fn nightly_backup() {}
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), scheduler_core::Error> {
/// let scheduler = Scheduler::builder().only(["nightly_backup"]).start().await?;
/// match scheduler.pause_job("nightly_bakup").await {
///     Err(Error::JobNotFound { suggestion, .. }) => {
///         assert_eq!(suggestion.as_deref(), Some("nightly_backup"));
///     }
///     other => panic!("not what was expected: {other:?}"),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The scheduler cannot start. Contains every reason, found before anything ran.
    #[error(transparent)]
    Start(#[from] StartErrors),

    /// An id or a name is invalid.
    #[error("the {what} `{name}` cannot be used: {problem}")]
    InvalidName {
        /// What the name is for.
        what: NameKind,
        /// The beginning of the name.
        name: String,
        /// What is wrong, and what to do.
        problem: String,
    },

    /// A job's trigger is invalid.
    #[error("job `{job}`: {source}")]
    Trigger {
        /// The job.
        job: String,
        /// What is wrong with it.
        source: scheduler_triggers::TriggerError,
    },

    /// A job has no trigger.
    #[error(
        "job `{job}` has no trigger: call `.cron(…)`, `.interval(…)`, `.date(…)` or `.trigger(…)`"
    )]
    NoTrigger {
        /// The job.
        job: String,
    },

    /// A job's trigger has no more fire times.
    #[error("job `{job}` would never fire: `{trigger}` names no instant after {}", .after.to_rfc3339())]
    NeverFires {
        /// The job.
        job: String,
        /// Its trigger.
        trigger: String,
        /// The instant at which the search began.
        after: chrono::DateTime<chrono::Utc>,
    },

    /// A job's next fire time takes too much work to find; see [`Effort`](scheduler_triggers::Effort).
    #[error(
        "job `{job}`: no fire time of `{trigger}` was found in {steps} steps of search: its parts meet too rarely, or never; use fewer parts, or such as meet more often"
    )]
    CostlyTrigger {
        /// The job.
        job: String,
        /// Its trigger.
        trigger: String,
        /// The steps after which the search was cut off.
        steps: u64,
    },

    /// A job was changed by another caller each time it was about to be changed.
    #[error(
        "job `{job}` was not changed: others changed it at the same time, {tries} times over; try again"
    )]
    ChangedMeanwhile {
        /// The job.
        job: String,
        /// The number of times the change was computed.
        tries: u32,
    },

    /// A job that was changed since the revision that its caller has seen.
    #[error(
        "job `{job}` was changed since revision {expected}: it has revision {} now; look at the change, and try again with that revision if it is still right", .current.revision()
    )]
    StaleRevision {
        /// The job.
        job: String,
        /// The revision that the caller has seen.
        expected: crate::revision::Revision,
        /// The job as it is now.
        current: Box<crate::job_record::JobRecord>,
    },

    /// Other searches for fire times used all available turns for as long as the caller waits; see
    /// [`with_search_patience`](crate::Scheduler::with_search_patience).
    #[error("other calls are searching through triggers that take long: try again in a second")]
    Busy,

    /// A job's policies are invalid.
    #[error("job `{job}`: {source}")]
    Policy {
        /// The job.
        job: String,
        /// Which policy is invalid, and why.
        source: PolicyError,
    },

    /// This program has no such task.
    #[error("job `{job}`: no task `{task}` in this program{}", did_you_mean(.suggestion.as_deref(), LEFT_OUT))]
    UnknownTask {
        /// The job.
        job: String,
        /// The requested name.
        task: String,
        /// The closest known name.
        suggestion: Option<String>,
    },

    /// The arguments do not match the task's parameters.
    #[error("job `{job}`: {problem}")]
    Arguments {
        /// The job.
        job: String,
        /// The argument that is wrong, or `None` if the arguments are wrong as a whole.
        argument: Option<String>,
        /// What is wrong, and what to do.
        problem: String,
    },

    /// The builder was not given such an executor or store.
    #[error(
        "job `{job}`: no {what} named `{name}`; there is {known}: name one of them, or add it to the builder"
    )]
    UnknownPart {
        /// The job.
        job: String,
        /// `executor` or `store`.
        what: &'static str,
        /// The requested name.
        name: String,
        /// The known names.
        known: String,
    },

    /// There is no job with this id.
    #[error("no job `{job}`{}", did_you_mean(.suggestion.as_deref(), ""))]
    JobNotFound {
        /// The requested id.
        job: String,
        /// The closest known id.
        suggestion: Option<String>,
    },

    /// A job with this id already exists.
    #[error("job `{job}` is there already: choose another id, or call `.replace_existing(true)`")]
    JobExists {
        /// The id.
        job: String,
    },

    /// The operation is not possible for a job that is defined in code.
    #[error("job `{job}` is written in the code at {location}: {problem}")]
    StaticJob {
        /// The id.
        job: String,
        /// `file:line` of the attribute.
        location: String,
        /// What to do instead.
        problem: &'static str,
    },

    /// A custom trigger cannot be stored in a store that outlives the process.
    #[error(
        "job `{job}`: store `{store}` cannot keep a custom trigger, because it could not be read back: use a memory store"
    )]
    CustomTrigger {
        /// The job.
        job: String,
        /// The store.
        store: String,
    },

    /// A task needs a value that this scheduler was not given, so it cannot run the job.
    #[error("job `{job}`: {missing}")]
    MissingData {
        /// The job.
        job: String,
        /// What is missing: a [`StartError::MissingData`].
        missing: Box<StartError>,
    },

    /// There is no live run with this id.
    #[error("no run {run} to stop: it has ended, or never was")]
    RunNotFound {
        /// The requested id.
        run: crate::id::RunId,
    },

    /// There is no store with this name.
    #[error("there is no store `{store}`: name one that the builder was given")]
    NoStore {
        /// The name.
        store: String,
    },

    /// This program cannot import the exported jobs.
    #[error("the jobs cannot be imported: {problem}")]
    Import {
        /// What is wrong with them.
        problem: String,
    },

    /// The scheduler has stopped.
    #[error("the scheduler has been stopped")]
    Stopped,

    /// The store could not be reached at the scheduler's last try and was not called again, because such a call would
    /// wait for an answer that does not come. The scheduler retries by itself, soon after such a call.
    #[error(
        "store `{store}` cannot be reached since {}: {problem}: ask again when `health()` is well",
        .since.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
    )]
    StoreUnreachable {
        /// The store.
        store: String,
        /// The start of the outage, by the clock of this node.
        since: chrono::DateTime<chrono::Utc>,
        /// The error of the last try.
        problem: std::sync::Arc<str>,
    },

    /// The store failed.
    #[error("store `{store}`: {source}")]
    Store {
        /// The store.
        store: String,
        /// The store's error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Returns the type inside a `Data<…>` as it is written in the code. If the value has to be created, its full name
/// says more; for a type that is not a `Data<…>`, nothing else is known.
fn as_written(type_name: &str, needed: &str, remedy: DataRemedy) -> String {
    let inner = type_name.strip_prefix("Data<");
    let inner = inner.and_then(|rest| rest.strip_suffix('>'));
    match (remedy, inner) {
        (DataRemedy::Provide, _) | (_, None) => needed.to_owned(),
        (_, Some(inner)) => inner.trim().to_owned(),
    }
}

impl Error {
    /// Refuses a change of a job that is not as its caller has seen it.
    pub(crate) fn stale(
        current: crate::job_record::JobRecord,
        expected: crate::revision::Revision,
    ) -> Self {
        Self::StaleRevision {
            job: current.id.to_string(),
            expected,
            current: Box::new(current),
        }
    }

    pub(crate) fn costly(
        job: &str,
        trigger: &scheduler_triggers::Trigger,
        cut_off: scheduler_triggers::Exhausted,
    ) -> Self {
        Self::CostlyTrigger {
            job: job.to_owned(),
            trigger: trigger.to_string(),
            steps: cut_off.steps,
        }
    }
}

fn did_you_mean(suggestion: Option<&str>, otherwise: &str) -> String {
    suggestion.map_or_else(
        || otherwise.to_owned(),
        |name| format!(": did you mean `{name}`?"),
    )
}

/// The reason why a job or task that is defined somewhere may not be part of the program.
const LEFT_OUT: &str = ": if a library crate defines it, add `scheduler_core::include_jobs!(that_crate);`, because the linker leaves out a crate that nothing names";

/// All reasons why a scheduler cannot start. The text lists them, one per line.
///
/// ```
/// use scheduler_core::{Error, LocalExecutor, Scheduler, StartError};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let builder = Scheduler::builder().only(["missing"]).executor("", LocalExecutor::with_limit(1));
/// let Err(Error::Start(errors)) = builder.start().await else {
///     panic!("two mistakes");
/// };
/// assert_eq!(errors.iter().count(), 2);
/// assert!(errors.iter().any(|error| matches!(error, StartError::UnknownJob { .. })));
/// # }
/// ```
#[derive(Debug)]
pub struct StartErrors(pub(crate) Vec<StartError>);

impl StartErrors {
    /// Iterates over the reasons.
    pub fn iter(&self) -> impl Iterator<Item = &StartError> {
        self.0.iter()
    }
}

impl std::error::Error for StartErrors {}

impl fmt::Display for StartErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [one] => write!(f, "the scheduler cannot start: {one}"),
            many => {
                write!(f, "the scheduler cannot start, for {} reasons:", many.len())?;
                many.iter().try_for_each(|error| write!(f, "\n  - {error}"))
            }
        }
    }
}

/// One reason why a scheduler cannot start; part of [`StartErrors`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Two tasks have the same name, or two jobs the same id.
    #[error("the {what} `{name}` is there twice: at {first} and at {second}: {cure}")]
    Duplicate {
        /// `task` or `job`.
        what: &'static str,
        /// The name.
        name: String,
        /// The first location.
        first: SourceLocation,
        /// The second location.
        second: SourceLocation,
        /// What to do.
        cure: &'static str,
    },

    /// A task needs a value that was not provided.
    #[error(
        "the task `{task}` at {location} asks for `{parameter}: {type_name}`, {}", remedy.text(&as_written(type_name, needed, *remedy))
    )]
    MissingData {
        /// The task.
        task: &'static str,
        /// The location of the task.
        location: SourceLocation,
        /// The parameter.
        parameter: &'static str,
        /// Its type as written.
        type_name: &'static str,
        /// The full name of the missing type.
        needed: &'static str,
        /// What to change.
        remedy: DataRemedy,
    },

    /// A job is invalid.
    #[error("{error} (at {location})")]
    Job {
        /// What is wrong.
        error: Error,
        /// The location of its attribute.
        location: SourceLocation,
    },

    /// `.only(…)`, `.overrides(…)` or `.expect_jobs(…)` names a job that is not defined in this program.
    #[error("`{call}` names the job `{job}`, which is not written in this program{}", did_you_mean(.suggestion.as_deref(), LEFT_OUT))]
    UnknownJob {
        /// The call.
        call: &'static str,
        /// The id that it names.
        job: String,
        /// The closest known id.
        suggestion: Option<String>,
    },

    /// The name of a store or an executor is invalid.
    #[error("{0}")]
    Name(Error),

    /// The policies of `.defaults(…)` are invalid.
    #[error("`.defaults(…)`: {0}")]
    Defaults(PolicyError),

    /// A job that was added at run time has the id of a job defined in code.
    #[error(
        "the id `{job}` belongs to a job that was added at run time to store `{store}`: give the job in the code another id, or remove the other one"
    )]
    IdTaken {
        /// The id.
        job: String,
        /// The store that contains it.
        store: String,
    },
}
