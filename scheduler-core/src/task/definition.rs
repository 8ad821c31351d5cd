//! What the macros submit to the registry.

use std::fmt;
use std::pin::Pin;

use super::arguments::Arguments;
use super::context::JobContext;
use super::data::Requirement;
use super::failure::TaskFailure;
use super::output::TaskOutput;
use crate::policy::PolicyPatch;
use crate::source_location::SourceLocation;

/// A task: an annotated function under its stable name.
#[derive(Debug)]
pub struct TaskDefinition {
    /// The stable name.
    pub name: &'static str,
    /// Where the function stands.
    pub location: SourceLocation,
    /// Whether the body is sync and runs on a thread of its own.
    pub is_sync: bool,
    /// The parameters, in the function's order.
    pub parameters: &'static [Parameter],
    /// Makes the body of one attempt.
    pub start: fn(&JobContext) -> Result<TaskBody, TaskFailure>,
}

inventory::collect!(TaskDefinition);

/// One parameter of a task.
#[derive(Debug)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Its type as written.
    pub type_name: &'static str,
    /// Where its value comes from.
    pub role: ParameterRole,
}

/// Where a parameter's value comes from.
#[derive(Debug)]
pub enum ParameterRole {
    /// From the run's context; names what the builder must have been given.
    Injected(fn() -> Option<Requirement>),
    /// From the job's arguments.
    Argument {
        /// Whether a job without it cannot run.
        required: bool,
        /// Whether its value is shown to nobody.
        secret: bool,
        /// Whether a stored value can be read as the parameter's type.
        check: fn(&Arguments) -> Result<(), TaskFailure>,
    },
}

/// The body of one attempt.
pub enum TaskBody {
    /// Polled by tokio.
    Async(Pin<Box<dyn Future<Output = TaskOutput> + Send>>),
    /// Called on a thread of the executor.
    Sync(Box<dyn FnOnce() -> TaskOutput + Send>),
}

impl fmt::Debug for TaskBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Async(_) => "Async",
            Self::Sync(_) => "Sync",
        })
    }
}

/// A job written as an attribute.
#[derive(Debug)]
pub struct JobDefinition {
    /// The job's id.
    pub id: &'static str,
    /// The stable name of its task.
    pub task: &'static str,
    /// Where the attribute stands.
    pub location: SourceLocation,
    /// The trigger in its text form, checked while compiling; `""` for none.
    pub trigger: &'static str,
    /// The policies that the attribute names.
    pub policies: fn() -> PolicyPatch,
    /// The note of a job that is added paused; `""` when it says no more than that.
    pub paused: Option<&'static str>,
    /// The arguments that the attribute names.
    pub arguments: fn() -> Result<Arguments, serde_json::Error>,
}

inventory::collect!(JobDefinition);
