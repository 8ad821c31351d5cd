//! Adding jobs.

use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use scheduler_core::__private::random_u64;
use scheduler_core::triggers::nearest;
use scheduler_core::{Arguments, Error, FieldProblem, Fields, Job, JobRecord, Scheduler, Trigger};
use serde_json::Value;

use super::job_answer::{self, changed};
use crate::model::job::{JobBody, NewJob, Tasks};
use crate::object::Object;
use crate::openapi::responses::{Changing, Searching, WithBody};
use crate::problem::{Answer, PROBLEM_JSON, Problem, no_task};
use crate::query::Query;
use crate::secret_arguments;
use crate::state::{Shared, Web};

/// Adds a job
///
/// The same definition under an existing id returns the existing job, so a request can be retried.
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
pub(crate) async fn create(State(web): Shared, query: Query, Object(body): Object) -> Answer {
    query.finish()?;
    let new = read(&web, body)?;
    let scheduler = &web.scheduler;
    let Some(id) = new.get_id() else {
        loop {
            let job = new.clone().id(own_id(new.get_task()));
            match scheduler.add_job(job).await {
                Ok(job) => return created(&web, job).await,
                // A collision is rare: try another random suffix.
                Err(Error::JobExists { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    };
    if let Some(stored) = scheduler.get_job(id).await? {
        // The id of a finished job is free, unless this request, sent again, is the one that created it.
        let is_free = stored.is_finished() && !stored.is_static();
        if !is_free || could_have_made(&new, scheduler, &stored)? {
            return same_or_conflict(&web, &new, stored).await;
        }
    }
    match scheduler.add_job(new.clone()).await {
        Ok(job) => created(&web, job).await,
        // Another request was faster.
        Err(Error::JobExists { job }) => match scheduler.get_job(id).await? {
            Some(stored) => same_or_conflict(&web, &new, stored).await,
            None => Err(Error::JobExists { job }.into()),
        },
        Err(error) => Err(error.into()),
    }
}

async fn created(web: &Web, job: JobRecord) -> Answer {
    let location = HeaderValue::try_from(format!("jobs/{}", encode(job.id.as_str())));
    let mut response = job_answer::tagged(web, StatusCode::CREATED, job).await?;
    if let Ok(location) = location {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

async fn same_or_conflict(web: &Web, new: &Job, stored: JobRecord) -> Answer {
    if could_have_made(new, &web.scheduler, &stored)? {
        return changed(web, stored).await;
    }
    Err(Error::JobExists {
        job: stored.id.to_string(),
    }
    .into())
}

/// Reads a job, and checks the requirements of this API beyond those of the core.
fn read(web: &Web, mut body: Fields) -> Result<Job, Problem> {
    let task = match body.get("task") {
        Some(Value::String(task)) => Some(task.clone()),
        Some(_) => None,
        None => {
            body.missing("task", "name a task that `GET api/tasks` lists");
            None
        }
    };
    if let Some(task) = task
        && Fields::check_text(&task, Fields::MAX_NAME).is_ok()
    {
        check_task(web, &task, &mut body)?;
    }
    if matches!(body.get("id"), Some(Value::String(id)) if matches!(id.as_str(), "." | "..")) {
        let message = "choose another one: browsers take it for a step in the path";
        body.refuse("id", FieldProblem::invalid(message));
    }
    let job = Job::from_fields(body)?;
    if !secret_arguments::has_withheld(job.get_arguments()) {
        return Ok(job);
    }
    let tasks = Tasks::of(&web.scheduler);
    let task = tasks.find(job.get_task());
    match secret_arguments::restored(task, job.get_arguments(), &Arguments::new()) {
        Ok(_) => Ok(job),
        Err(name) => Err(Problem::withheld(&name)),
    }
}

/// Returns `true` if the stored job could have been created from this one.
fn could_have_made(new: &Job, scheduler: &Scheduler, stored: &JobRecord) -> Result<bool, Problem> {
    if stored.is_static()
        || *stored.task != *new.get_task()
        || stored.arguments != *new.get_arguments()
    {
        return Ok(false);
    }
    // Only the policies are compared; the trigger may have no fire time left by now.
    let hourly = Trigger::interval(std::time::Duration::from_secs(3_600));
    let hourly = hourly.map_err(|source| Error::Trigger {
        job: stored.id.to_string(),
        source,
    })?;
    let prepared = scheduler.prepare_job(new.clone().trigger(hourly))?;
    // An interval counts from when the job was added, not from this request.
    let trigger = new.get_trigger()?;
    let trigger = trigger.resolve(stored.created_at, scheduler.zone());
    Ok(prepared.record.policies == stored.policies
        && trigger.is_ok_and(|trigger| trigger == stored.trigger))
}

/// Rejects a task for which no jobs may be created.
fn check_task(web: &Web, task: &str, body: &mut Fields) -> Result<(), Problem> {
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
    let message = no_task(task, nearest(task, allowed));
    body.refuse("task", FieldProblem::invalid(message));
    Ok(())
}

/// Returns the name of the task with twelve random digits; a long name is cut.
fn own_id(task: &str) -> String {
    const RANDOM: usize = "-0123456789ab".len();
    let random = random_u64() >> 16;
    let end = task.floor_char_boundary(Fields::MAX_NAME - RANDOM);
    format!("{}-{random:012x}", &task[..end])
}

/// The characters to encode: all except the unreserved characters of RFC 3986.
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
