//! Tasks of the program.

use scheduler_core::{ParameterInfo, TaskInfo};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::Location;
use super::arguments_schema::arguments_schema;

/// The tasks, ordered by name.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TaskList {
    /// The tasks.
    pub(crate) items: Vec<TaskBody>,
}

/// An annotated function of the program.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Task)]
pub(crate) struct TaskBody {
    /// Its stable name.
    #[schema(value_type = String)]
    name: &'static str,
    /// Its location in the code.
    location: Location,
    /// `true` if it is sync and runs on a thread of its own.
    is_sync: bool,
    /// `true` if jobs of it may be created here.
    creatable: bool,
    /// The arguments, in the order of the function. Injected parameters are not included.
    parameters: Vec<ParameterBody>,
    /// The schema of `arguments` of its jobs: JSON Schema 2020-12.
    #[schema(value_type = Object)]
    arguments_schema: Value,
}

/// An argument of a task.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Parameter)]
pub(crate) struct ParameterBody {
    /// Its name.
    #[schema(value_type = String)]
    name: &'static str,
    /// Its Rust type, as written in the code.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "Option<String>")]
    type_name: &'static str,
    /// `true` if a job has to provide it.
    required: bool,
    /// `true` if its value is never shown.
    secret: bool,
}

impl From<&ParameterInfo> for ParameterBody {
    fn from(parameter: &ParameterInfo) -> Self {
        Self {
            name: parameter.name,
            type_name: parameter.type_name,
            required: parameter.required,
            secret: parameter.secret,
        }
    }
}

impl TaskBody {
    pub(crate) fn new(task: &TaskInfo, creatable: bool) -> Self {
        Self {
            name: task.name,
            location: task.location.into(),
            is_sync: task.is_sync,
            creatable,
            parameters: task.parameters.iter().map(Into::into).collect(),
            arguments_schema: arguments_schema(&task.parameters),
        }
    }
}
