//! Adding jobs.

use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use scheduler_core::__private::random_u64;
use scheduler_core::triggers::nearest;
use scheduler_core::{Arguments, Error, Job, JobId, JobRecord, PolicyPatch, Scheduler, Trigger};

use super::job_answer::{RECENT, changed, with_recent};
use crate::model::job::{JobBody, MAX_NAME, MAX_NOTE, NewJob, Tasks};
use crate::model::{arguments, policies, trigger};
use crate::object::Object;
use crate::openapi::responses::{Changing, Searching, WithBody};
use crate::problem::{Answer, PROBLEM_JSON, Problem, name_message, no_task};
use crate::query::Query;
use crate::reply::json_bytes;
use crate::state::{Shared, Web};

/// Adds a job
///
/// The same definition under an id that is there answers with the job that is there, so that a
/// request can be sent again.
#[utoipa::path(
    post, path = "/jobs", operation_id = "createJob", tag = "jobs",
    request_body(content = NewJob),
    responses(
        (status = 201, body = JobBody, description = "The job was added.", headers(("Location" = String, description = "Where it is, relative to this path."))),
        (status = 200, body = JobBody, description = "The same job was there already."),
        (status = 409, body = Problem, content_type = PROBLEM_JSON, description = "Another job has this id, and has not finished."),
        Searching, Changing, WithBody,
    ),
)]
pub(crate) async fn create(State(web): Shared, query: Query, body: Object) -> Answer {
    query.finish()?;
    let new = Definition::read(&web, body)?;
    let scheduler = &web.scheduler;
    let Some(id) = new.id.clone() else {
        loop {
            match scheduler.add_job(new.job(own_id(&new.task))).await {
                Ok(job) => return created(&web, job).await,
                // One in so many: another random end.
                Err(Error::JobExists { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    };
    if let Some(stored) = scheduler.get_job(&id).await? {
        // The id of a finished job is free, unless this is the request that made it, sent once more.
        let is_free = stored.is_finished() && !stored.is_static();
        if !is_free || new.is_of(scheduler, &stored)? {
            return same_or_conflict(&web, &new, stored).await;
        }
    }
    match scheduler.add_job(new.job(id.clone())).await {
        Ok(job) => created(&web, job).await,
        // Somebody else was faster.
        Err(Error::JobExists { job }) => match scheduler.get_job(&id).await? {
            Some(stored) => same_or_conflict(&web, &new, stored).await,
            None => Err(Error::JobExists { job }.into()),
        },
        Err(error) => Err(error.into()),
    }
}

async fn created(web: &Web, job: JobRecord) -> Answer {
    let location = HeaderValue::try_from(format!("jobs/{}", encode(job.id.as_str())));
    let tasks = Tasks::of(&web.scheduler);
    let body = with_recent(&web.scheduler, &tasks, job, RECENT).await?;
    let mut response = json_bytes(StatusCode::CREATED, &body);
    if let Ok(location) = location {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

async fn same_or_conflict(web: &Web, new: &Definition, stored: JobRecord) -> Answer {
    if new.is_of(&web.scheduler, &stored)? {
        return changed(web, stored).await;
    }
    Err(Error::JobExists {
        job: stored.id.to_string(),
    }
    .into())
}

/// What a caller wants to be added.
struct Definition {
    id: Option<String>,
    task: String,
    arguments: Arguments,
    trigger: Trigger,
    policies: PolicyPatch,
    paused: Option<String>,
}

impl Definition {
    fn read(web: &Web, mut body: Object) -> Result<Self, Problem> {
        let id = body.text("id", MAX_NAME);
        if let Some(id) = &id
            && let Err(error) = JobId::new(id.as_str())
        {
            body.wrong("id", name_message(error));
        }
        if id.as_deref().is_some_and(|id| matches!(id, "." | "..")) {
            body.wrong(
                "id",
                "choose another one: browsers take it for a step in the path",
            );
        }
        let task = body.text("task", MAX_NAME);
        if task.is_none() {
            body.missing("task", "name a task that `GET api/tasks` lists");
        }
        let arguments = arguments::take(&mut body);
        let trigger = trigger::take(&mut body);
        if trigger.is_none() {
            body.missing("trigger", "say when to run, such as `every 5m`");
        }
        let policies = policies::take(&mut body);
        let paused = body.text("paused", MAX_NOTE);
        if let Some(task) = &task {
            check_task(web, task, &mut body)?;
        }
        body.finish()?;
        // What is missing was told above.
        let (Some(task), Some(trigger)) = (task, trigger) else {
            return Err(Problem::field("", "the body cannot be read"));
        };
        Ok(Self {
            id,
            task,
            arguments: arguments.unwrap_or_default(),
            trigger,
            policies: policies.unwrap_or_default(),
            paused,
        })
    }

    fn job(&self, id: String) -> Job {
        let job = Job::new(self.task.clone())
            .id(id)
            .arguments(self.arguments.clone())
            .trigger(self.trigger.clone())
            .policies(self.policies.clone());
        match &self.paused {
            Some(note) => job.paused(note.as_str()),
            None => job,
        }
    }

    /// Whether a job that is there could have been made of this.
    fn is_of(&self, scheduler: &Scheduler, stored: &JobRecord) -> Result<bool, Problem> {
        if stored.is_static() || *stored.task != *self.task || stored.arguments != self.arguments {
            return Ok(false);
        }
        // Only the policies are of interest; a trigger may have no more fire time by now.
        let job = self.job(stored.id.to_string());
        let hourly = Trigger::interval(std::time::Duration::from_secs(3_600));
        let hourly = hourly.map_err(|source| Error::Trigger {
            job: stored.id.to_string(),
            source,
        })?;
        let prepared = scheduler.prepare_job(job.trigger(hourly))?;
        // An interval counts from when the job was added, not from this request.
        let trigger = self.trigger.resolve(stored.created_at, scheduler.zone());
        Ok(prepared.record.policies == stored.policies
            && trigger.is_ok_and(|trigger| trigger == stored.trigger))
    }
}

/// Refuses a task of which no jobs may be created.
fn check_task(web: &Web, task: &str, body: &mut Object) -> Result<(), Problem> {
    if web.creatable.contains(task) {
        return Ok(());
    }
    let tasks = web.scheduler.tasks();
    if tasks.iter().any(|known| known.name == task) {
        let status = StatusCode::FORBIDDEN;
        let detail = format!("no jobs of task `{task}` may be created here");
        return Err(Problem::new(status, detail).about("task"));
    }
    let allowed = tasks.iter().map(|known| known.name);
    let allowed = allowed.filter(|name| web.creatable.contains(*name));
    body.wrong("task", no_task(task, nearest(task, allowed)));
    Ok(())
}

/// The name of the task and twelve random digits; a long name is cut.
fn own_id(task: &str) -> String {
    const RANDOM: usize = "-0123456789ab".len();
    let random = random_u64() >> 16;
    let end = task.floor_char_boundary(MAX_NAME - RANDOM);
    format!("{}-{random:012x}", &task[..end])
}

/// What stays as it is in a path: the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'~')
    .remove(b'.');

/// Percent-encodes an id for a path.
fn encode(id: &str) -> PercentEncode<'_> {
    utf8_percent_encode(id, RESERVED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_their_own_fit_and_differ() {
        let id = own_id("daily_report");
        let (task, random) = id.rsplit_once('-').unwrap();
        assert_eq!((task, random.len()), ("daily_report", 12));
        assert!(random.bytes().all(|digit| digit.is_ascii_hexdigit()));
        assert_ne!(id, own_id("daily_report"));
        assert_eq!(own_id(&"ä".repeat(127)).len(), 255);
        assert!(own_id(&"€".repeat(85)).len() <= 255);
    }

    #[test]
    fn ids_are_encoded_for_a_path() {
        assert_eq!(encode("a/b ä%.~").to_string(), "a%2Fb%20%C3%A4%25.~");
    }
}
