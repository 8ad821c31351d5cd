//! Information about this program: its tasks, the locations of its jobs, its time zone and its name.

use scheduler_triggers::Zone;

use super::Scheduler;
use crate::source_location::SourceLocation;
use crate::task::definition::{ParameterRole, TaskDefinition};

/// A task of this program with its arguments; from [`Scheduler::tasks`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaskInfo {
    /// The stable name of the task.
    pub name: &'static str,
    /// The location of the function.
    pub location: SourceLocation,
    /// If `true`, it is sync and runs on a separate thread.
    pub is_sync: bool,
    /// The arguments, in the order of the function's parameters. Injected parameters are not included.
    pub parameters: Vec<ParameterInfo>,
}

/// An argument of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParameterInfo {
    /// Its name.
    pub name: &'static str,
    /// Its type, as it is written in the code.
    pub type_name: &'static str,
    /// If `true`, a job has to give it.
    pub required: bool,
    /// If `true`, only the task may see its value: `#[arg(secret)]`. Never show it, as the HTTP API does not.
    pub secret: bool,
}

impl TaskInfo {
    fn of(task: &'static TaskDefinition) -> Self {
        let argument = |parameter: &crate::task::definition::Parameter| match parameter.role {
            ParameterRole::Injected(_) => None,
            ParameterRole::Argument {
                required, secret, ..
            } => Some(ParameterInfo {
                name: parameter.name,
                type_name: parameter.type_name,
                required,
                secret,
            }),
        };
        Self {
            name: task.name,
            location: task.location,
            is_sync: task.is_sync,
            parameters: task.parameters.iter().filter_map(argument).collect(),
        }
    }
}

impl Scheduler {
    /// Lists the tasks of this program, ordered by name.
    ///
    /// ```
    /// use scheduler_core::prelude::*;
    ///
    /// #[task]
    /// async fn resize(_ctx: JobContext, image: String, width: Option<u32>) {}
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), scheduler_core::Error> {
    /// # let scheduler = Scheduler::builder().without_static_jobs().start().await?;
    /// let tasks = scheduler.tasks();
    /// let resize = tasks.iter().find(|task| task.name == "resize").expect("it is above");
    /// let required: Vec<_> = resize.parameters.iter().map(|it| (it.name, it.required)).collect();
    /// assert_eq!(required, [("image", true), ("width", false)]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn tasks(&self) -> Vec<TaskInfo> {
        let tasks = self.0.registry().tasks_where(|_| true);
        tasks.into_iter().map(TaskInfo::of).collect()
    }

    /// Returns the location of a job's attribute, or `None` for a job that is not defined in this program.
    pub fn job_location(&self, id: &str) -> Option<SourceLocation> {
        self.0.registry().job(id).map(|job| job.location)
    }

    /// Returns the time zone of triggers that name none; see
    /// [`Builder::timezone`](crate::Builder::timezone).
    pub fn zone(&self) -> Zone {
        self.0.zone
    }

    /// Returns the name of this process among those that share a store; see
    /// [`Builder::node_name`](crate::Builder::node_name).
    pub fn node_name(&self) -> &str {
        &self.0.node_name
    }
}
