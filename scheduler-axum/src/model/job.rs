//! Jobs.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use scheduler_core::{Arguments, JobId, JobRecord, JobState, Policies, Revision, Scheduler};
use serde::Serialize;
use utoipa::ToSchema;

use super::Location;
use super::policies::{PoliciesShape, PolicyPatchShape};
use super::run::RunSummary;
use super::trigger::TriggerShape;
use crate::secret_arguments;

/// The state of a job: whether it will fire.
#[derive(ToSchema)]
#[schema(as = JobState, rename_all = "snake_case")]
#[allow(dead_code)] // describes what the core writes
pub(crate) enum JobStateShape {
    Scheduled,
    Paused,
    Finished,
}

/// The states by name.
pub(crate) const STATES: [(&str, JobState); 3] = [
    ("scheduled", JobState::Scheduled),
    ("paused", JobState::Paused),
    ("finished", JobState::Finished),
];

/// Where a job comes from.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Origin {
    /// Defined in the code.
    Static,
    /// Added at run time.
    Dynamic,
}

/// A task with arguments, a trigger and policies, under an id.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Job)]
pub(crate) struct JobBody {
    /// The id.
    #[schema(value_type = String)]
    id: JobId,
    /// The name of the task.
    #[schema(value_type = String)]
    task: Arc<str>,
    /// `true` if the task is in this program.
    task_known: bool,
    /// The arguments by name. Secret ones are shown as `***`, and so are all arguments of a job whose task is not in
    /// this program. Sending `***` back leaves the secret unchanged.
    #[schema(value_type = Object)]
    arguments: Arguments,
    /// The trigger in its text form.
    trigger: String,
    /// The trigger in English.
    description: String,
    /// The time zone of the trigger, if it has one.
    #[schema(value_type = Option<String>, required = true)]
    timezone: Option<&'static str>,
    /// All policies, with defaults filled in.
    #[schema(value_type = PoliciesShape)]
    policies: Arc<Policies>,
    /// Where it comes from.
    origin: Origin,
    /// Changes with each edit of the job: send it with the next edit, so that it does not undo another one.
    #[schema(value_type = String, pattern = "^[0-9a-f]{16}$", example = "0123456789abcdef")]
    pub(crate) revision: Revision,
    /// `true` if a static job was changed at run time.
    edited: bool,
    /// The location of the job's attribute in the code, or else of its task.
    #[schema(required = true)]
    location: Option<Location>,
    /// Its state: whether it will fire.
    #[schema(value_type = JobStateShape)]
    state: JobState,
    /// The note left when it was paused; null unless it is paused.
    #[schema(value_type = Option<String>, required = true)]
    paused_note: Option<Box<str>>,
    /// When it fires next; null while it is paused, and once its trigger has ended.
    #[schema(required = true)]
    next_fire: Option<NextFireBody>,
    /// When it was added.
    created_at: DateTime<Utc>,
    /// Its newest runs, newest first, up to the requested number.
    pub(crate) recent: Vec<RunSummary>,
}

/// An upcoming fire time.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NextFire)]
pub(crate) struct NextFireBody {
    /// The nominal instant.
    scheduled_for: DateTime<Utc>,
    /// The nominal instant, delayed by the jitter of the job.
    starts_at: DateTime<Utc>,
}

impl JobBody {
    pub(crate) fn new(scheduler: &Scheduler, tasks: &Tasks, job: JobRecord) -> Self {
        let task = tasks.find(&job.task);
        let attribute = Some(&job).filter(|job| job.is_static());
        let attribute = attribute.and_then(|job| scheduler.job_location(job.id.as_str()));
        Self {
            task_known: task.is_some(),
            trigger: job.trigger.to_string(),
            description: job.trigger.describe(),
            timezone: job.trigger.zone().map(scheduler_core::Zone::name),
            origin: if job.is_static() {
                Origin::Static
            } else {
                Origin::Dynamic
            },
            location: attribute.or(task.map(|task| task.location)).map(Into::into),
            state: job.state(),
            next_fire: job.next_fire_time().zip(job.next_run_time()).map(
                |(scheduled_for, starts_at)| NextFireBody {
                    scheduled_for,
                    starts_at,
                },
            ),
            revision: job.revision(),
            recent: Vec::new(),
            id: job.id,
            task: job.task,
            arguments: secret_arguments::shown(task, job.arguments),
            policies: job.policies,
            edited: job.edited,
            paused_note: job.paused,
            created_at: job.created_at,
        }
    }
}

/// The tasks of the program, read once for a list of jobs.
pub(crate) struct Tasks(Vec<scheduler_core::TaskInfo>);

impl Tasks {
    pub(crate) fn of(scheduler: &Scheduler) -> Self {
        Self(scheduler.tasks())
    }

    pub(crate) fn find(&self, name: &str) -> Option<&scheduler_core::TaskInfo> {
        // `Scheduler::tasks` lists them in the order of their names.
        let found = self.0.binary_search_by(|task| task.name.cmp(name)).ok()?;
        self.0.get(found)
    }
}

/// A page of jobs, in the order of their ids.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobPage {
    /// The jobs.
    pub(crate) items: Vec<JobBody>,
    /// The value of `after` for the next page; null on the last one.
    #[schema(value_type = Option<String>, required = true)]
    pub(crate) next: Option<JobId>,
}

/// A job to add.
#[derive(ToSchema)]
#[schema(example = json!({
    "id": "report-berlin",
    "task": "send_report",
    "arguments": {"city": "Berlin"},
    "trigger": "0 9 * * mon-fri",
    "timezone": "Europe/Berlin",
    "policies": {"misfire_grace_time": "1h"}
}))]
#[allow(dead_code)] // describes what `Job::from_fields` reads
pub(crate) struct NewJob {
    /// 1 to 255 bytes of printable text (default: the name of the task with a random suffix).
    #[schema(min_length = 1, max_length = 255)]
    id: Option<String>,
    /// The name of a task that may be created here.
    #[schema(min_length = 1, max_length = 255)]
    task: String,
    /// The arguments by name; `GET api/tasks` has their schema.
    #[schema(value_type = Option<Object>)]
    arguments: Option<serde_json::Value>,
    /// When it fires.
    trigger: TriggerShape,
    /// The time zone of a trigger that is given as text and does not name one.
    #[schema(min_length = 1, max_length = 255, example = "Europe/Berlin")]
    timezone: Option<String>,
    /// Policies that differ from the defaults of the service.
    policies: Option<PolicyPatchShape>,
    /// Adds the job paused, with this note.
    #[schema(max_length = 1000)]
    paused: Option<String>,
}

/// A change of a job; fields that are left out are not changed.
#[derive(ToSchema)]
#[schema(example = json!({"policies": {"max_instances": 2}}))]
#[allow(dead_code)] // describes what `JobPatch::from_fields` reads
pub(crate) struct JobChange {
    /// A new trigger, which counts from now.
    trigger: Option<TriggerShape>,
    /// The time zone of a trigger that is given as text and does not name one.
    #[schema(min_length = 1, max_length = 255)]
    timezone: Option<String>,
    /// All arguments, which replace the existing ones.
    #[schema(value_type = Option<Object>)]
    arguments: Option<serde_json::Value>,
    /// Policies to change; the others are kept.
    policies: Option<PolicyPatchShape>,
    /// The `revision` of the job on which the change is based; 412 if the job has changed since.
    #[schema(pattern = "^[0-9A-Fa-f]{16}$")]
    revision: Option<String>,
}

/// A new trigger.
#[derive(ToSchema)]
#[schema(example = json!({"trigger": "every 2h"}))]
#[allow(dead_code)] // describes what `Fields` reads
pub(crate) struct Reschedule {
    /// When it fires; counts from now.
    trigger: TriggerShape,
    /// The time zone of a trigger that is given as text and does not name one.
    #[schema(min_length = 1, max_length = 255)]
    timezone: Option<String>,
    /// The `revision` of the job on which the change is based; 412 if the job has changed since.
    #[schema(pattern = "^[0-9A-Fa-f]{16}$")]
    revision: Option<String>,
}

/// Why a job is paused or resumed.
#[derive(ToSchema)]
#[schema(example = json!({"note": "the provider is down"}))]
#[allow(dead_code)] // describes what `Fields` reads
pub(crate) struct Note {
    /// A note for other users.
    #[schema(max_length = 1000)]
    note: Option<String>,
}

#[cfg(test)]
mod tests {
    use scheduler_core::{FieldErrors, FieldProblem, Job, JobPatch};
    use serde_json::{Map, Value};
    use utoipa::PartialSchema;

    use super::*;

    /// Returns the fields that a form takes, from its error for an unknown one.
    fn known<T>(read: impl Fn(Map<String, Value>) -> Result<T, FieldErrors>) -> Vec<&'static str> {
        let object = Map::from_iter([("nothing like it".to_owned(), Value::Null)]);
        let errors = read(object).err().into_iter().flatten();
        let known = errors.filter_map(|error| match error.problem {
            FieldProblem::Unknown { known, .. } => Some(known),
            _ => None,
        });
        let mut known: Vec<_> = known.flat_map(|known| known.to_vec()).collect();
        known.sort_unstable();
        known
    }

    fn properties<T: PartialSchema>() -> Vec<String> {
        let schema = serde_json::to_value(T::schema()).unwrap();
        let properties = schema["properties"].as_object().unwrap();
        let mut names: Vec<String> = properties.keys().cloned().collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn document_has_the_fields_that_are_read() {
        assert_eq!(properties::<NewJob>(), known(Job::from_json));
        assert_eq!(properties::<JobChange>(), known(JobPatch::from_json));
    }
}
