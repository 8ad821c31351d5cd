//! The definitions that the macros submit to the registry.

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
    /// The location of the function.
    pub location: SourceLocation,
    /// If `true`, the body is sync and runs on a separate thread.
    pub is_sync: bool,
    /// The parameters, in the function's order.
    pub parameters: &'static [Parameter],
    /// The jobs that its attributes define.
    pub jobs: &'static [JobDefinition],
    /// Creates the body of one attempt.
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

/// The source of a parameter's value.
#[derive(Debug)]
pub enum ParameterRole {
    /// The run's context. The function returns the value that the builder must have been given.
    Injected(fn() -> Option<Requirement>),
    /// The job's arguments.
    Argument {
        /// If `true`, a job without it cannot run.
        required: bool,
        /// If `true`, its value is never shown.
        secret: bool,
        /// Checks that a stored value can be deserialized into the parameter's type.
        check: &'static dyn ArgumentCheck,
    },
}

/// Checks the arguments of a job for one parameter.
///
/// Implemented by what reads the parameter, so that the macros write no closure for it.
pub trait ArgumentCheck: fmt::Debug + Send + Sync {
    /// Checks that the parameter's value can be read or made.
    ///
    /// # Errors
    /// It is missing or of another type, or its default could not be made.
    fn check(&self, arguments: &Arguments) -> Result<(), TaskFailure>;
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

/// A job defined by an attribute.
#[derive(Debug)]
pub struct JobDefinition {
    /// The job's id.
    pub id: &'static str,
    /// The stable name of its task.
    pub task: &'static str,
    /// The location of the attribute.
    pub location: SourceLocation,
    /// The trigger in its text form, checked at compile time; `""` for none.
    pub trigger: &'static str,
    /// The policies that the attribute names.
    pub policies: fn() -> PolicyPatch,
    /// The note of a job that is added paused; `""` if there is no text.
    pub paused: Option<&'static str>,
    /// Writes the arguments that the attribute names.
    pub arguments: fn(&mut ArgumentsWriter) -> Result<(), serde_json::Error>,
}

impl JobDefinition {
    /// Returns the arguments that the attribute names.
    ///
    /// # Errors
    /// A value could not be made, or cannot be written as JSON.
    pub fn arguments(&self) -> Result<Arguments, serde_json::Error> {
        let mut writer = ArgumentsWriter::default();
        (self.arguments)(&mut writer)?;
        writer.finish()
    }
}

/// Arguments that are being written.
///
/// It keeps the first error, because each `?` in the macros' output costs more to compile than all else of an argument.
#[derive(Debug, Default)]
pub struct ArgumentsWriter {
    arguments: Arguments,
    error: Option<serde_json::Error>,
}

impl ArgumentsWriter {
    /// Adds one argument, unless an earlier one failed.
    pub(crate) fn add(
        &mut self,
        with: impl FnOnce(Arguments) -> Result<Arguments, serde_json::Error>,
    ) {
        if self.error.is_some() {
            return;
        }
        match with(std::mem::take(&mut self.arguments)) {
            Ok(arguments) => self.arguments = arguments,
            Err(error) => self.error = Some(error),
        }
    }

    fn finish(self) -> Result<Arguments, serde_json::Error> {
        self.error.map_or(Ok(self.arguments), Err)
    }
}
