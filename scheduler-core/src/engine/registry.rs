//! The tasks and jobs that the macros registered in this program.

use std::collections::HashMap;

use crate::error::StartError;
use crate::source_location::SourceLocation;
use crate::task::data::DataMap;
use crate::task::definition::{JobDefinition, ParameterRole, TaskDefinition};

/// The tasks and jobs of this program.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    tasks: HashMap<&'static str, &'static TaskDefinition>,
    /// In source order.
    jobs: Vec<&'static JobDefinition>,
    by_id: HashMap<&'static str, &'static JobDefinition>,
}

impl Registry {
    /// Collects what the macros submitted, in source order, and reports every duplicate name.
    pub(crate) fn collect() -> (Self, Vec<StartError>) {
        let mut errors = Vec::new();
        let mut tasks: HashMap<&'static str, &'static TaskDefinition> = HashMap::new();
        for task in inventory::iter::<TaskDefinition> {
            if let Some(other) = tasks.insert(task.name, task) {
                errors.push(duplicate(
                    ("task", task.name),
                    (other.location, task.location),
                    "give one of them another `name = \"…\"`",
                ));
            }
        }
        let mut by_id: HashMap<&'static str, &'static JobDefinition> = HashMap::new();
        let submitted = inventory::iter::<TaskDefinition>.into_iter();
        for job in submitted.flat_map(|task| task.jobs) {
            if let Some(other) = by_id.insert(job.id, job) {
                errors.push(duplicate(
                    ("job", job.id),
                    (other.location, job.location),
                    "give one of them another `id = \"…\"`",
                ));
            }
        }
        // The linker's order is arbitrary. A fixed order makes logs and errors comparable.
        let mut jobs: Vec<_> = by_id.values().copied().collect();
        jobs.sort_unstable_by_key(|job| {
            (
                job.location.package,
                job.location.file,
                job.location.line,
                job.id,
            )
        });
        (Self { tasks, jobs, by_id }, errors)
    }

    /// Returns `true` if the program defines no tasks, and therefore no jobs.
    pub(crate) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    pub(crate) fn jobs(&self) -> &[&'static JobDefinition] {
        &self.jobs
    }

    /// Returns the job with this id if this program defines it.
    pub(crate) fn job(&self, id: &str) -> Option<&'static JobDefinition> {
        self.by_id.get(id).copied()
    }

    /// Returns the tasks that match, ordered by name.
    pub(crate) fn tasks_where(
        &self,
        is_wanted: impl Fn(&TaskDefinition) -> bool,
    ) -> Vec<&'static TaskDefinition> {
        let tasks = self.tasks.values().copied();
        let mut tasks: Vec<_> = tasks.filter(|task| is_wanted(task)).collect();
        by_name(&mut tasks);
        tasks
    }

    pub(crate) fn task(&self, name: &str) -> Option<&'static TaskDefinition> {
        self.tasks.get(name).copied()
    }

    /// Returns the task name closest to an unknown name.
    pub(crate) fn nearest_task(&self, name: &str) -> Option<String> {
        scheduler_triggers::nearest(name, self.tasks.keys().copied()).map(str::to_owned)
    }

    /// Returns the job id closest to an unknown id.
    pub(crate) fn nearest_job(&self, id: &str) -> Option<String> {
        scheduler_triggers::nearest(id, self.jobs.iter().map(|job| job.id)).map(str::to_owned)
    }
}

fn by_name(tasks: &mut [&'static TaskDefinition]) {
    tasks.sort_unstable_by_key(|task| task.name);
}

fn duplicate(
    (what, name): (&'static str, &'static str),
    places: (SourceLocation, SourceLocation),
    cure: &'static str,
) -> StartError {
    let (a, b) = places;
    // The message must not depend on the order of the linker.
    let (first, second) = if (a.file, a.line) <= (b.file, b.line) {
        (a, b)
    } else {
        (b, a)
    };
    StartError::Duplicate {
        what,
        name: name.to_owned(),
        first,
        second,
        cure,
    }
}

/// Returns the values that a task needs and that were not provided.
pub(crate) fn missing_data(task: &TaskDefinition, data: &DataMap) -> Vec<StartError> {
    task.parameters
        .iter()
        .filter_map(|parameter| match parameter.role {
            ParameterRole::Injected(requires) => {
                let needed = requires()?;
                let remedy = data.missing(&needed)?;
                Some(StartError::MissingData {
                    task: task.name,
                    location: task.location,
                    parameter: parameter.name,
                    type_name: parameter.type_name,
                    needed: needed.type_name,
                    remedy,
                })
            }
            ParameterRole::Argument { .. } => None,
        })
        .collect()
}
