//! Listing and changing jobs.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use futures_util::{StreamExt, TryStreamExt, stream};
use scheduler_core::{
    Arguments, Error, FieldProblem, Fields, JobFilter, JobPatch, Revision, RunNow,
};
use serde_json::Value;

use super::job_answer::{self, RECENT, answered, changed, modify, required, stale, with_recent};
use super::preview::take_trigger;
use crate::if_match::IfMatch;
use crate::model::job::{
    JobBody, JobChange, JobPage, JobStateShape, Note, Origin, Reschedule, STATES, Tasks,
};
use crate::model::run::{RunNowBody, RunNowResult};
use crate::object::{MaybeObject, Object};
use crate::openapi::responses::{Changing, Common, IfSeen, Searching, WithBody};
use crate::path::JobPath;
use crate::problem::{Answer, PROBLEM_JSON, Problem};
use crate::query::Query;
use crate::reply::{json_bytes, ok};
use crate::secret_arguments::{has_withheld, restored};
use crate::state::{Shared, Web};

const MAX_NAME: usize = Fields::MAX_NAME;
const MAX_PAGE: usize = 500;
const PAGE: usize = 50;
const MAX_RECENT: usize = 20;
/// The number of jobs whose newest runs are read concurrently.
const AT_ONCE: usize = 8;

/// Jobs, in the order of their ids
#[utoipa::path(
    get, path = "/jobs", operation_id = "listJobs", tag = "jobs",
    params(
        ("prefix" = Option<String>, Query, description = "What the id begins with, exactly.", max_length = 255),
        ("q" = Option<String>, Query, description = "A part of the id or of the task's name, case-insensitive. There are no wildcards.", max_length = 255),
        ("task" = Option<String>, Query, description = "Of this task.", min_length = 1, max_length = 255),
        ("state" = Option<JobStateShape>, Query, description = "In this state."),
        ("origin" = Option<Origin>, Query, description = "Written in the code, or added at run time."),
        ("after" = Option<String>, Query, description = "`next` of the page before.", min_length = 1, max_length = 255),
        ("limit" = Option<u32>, Query, description = "Jobs of a page; 50 unless given.", minimum = 1, maximum = 500),
        ("recent" = Option<u32>, Query, description = "Newest runs of each job; 0 unless given.", minimum = 0, maximum = 20),
    ),
    responses((status = 200, body = JobPage), Common),
)]
pub(crate) async fn list(State(web): Shared, mut query: Query) -> Answer {
    let mut filter = JobFilter::new();
    if let Some(prefix) = query.text("prefix") {
        if prefix.chars().count() > MAX_NAME {
            query.wrong("prefix", format!("give at most {MAX_NAME} characters"));
        }
        filter = filter.prefix(prefix);
    }
    if let Some(text) = query.text("q") {
        if text.chars().count() > MAX_NAME {
            query.wrong("q", format!("give at most {MAX_NAME} characters"));
        }
        filter = filter.text(text);
    }
    if let Some(task) = query.name("task") {
        filter = filter.task(task);
    }
    if let Some(state) = query.one_of("state", &STATES) {
        filter = filter.state(state);
    }
    if let Some(is_static) = query.one_of("origin", &[("static", true), ("dynamic", false)]) {
        filter = filter.is_static(is_static);
    }
    if let Some(after) = query.name("after") {
        filter = filter.after(after);
    }
    let limit = query.number("limit", (1, MAX_PAGE)).unwrap_or(PAGE);
    let recent = query.number("recent", (0, MAX_RECENT)).unwrap_or(0);
    query.finish()?;

    let page = web.scheduler.list_jobs(&filter.limit(limit)).await?;
    let tasks = Tasks::of(&web.scheduler);
    let items = stream::iter(page.items)
        .map(|job| with_recent(&web.scheduler, &tasks, job, recent))
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(ok(&JobPage {
        items,
        next: page.next,
    }))
}

/// One job
#[utoipa::path(
    get, path = "/jobs/{id}", operation_id = "getJob", tag = "jobs",
    params(
        ("id" = String, Path, description = "The id of the job, percent-encoded.", min_length = 1, max_length = 255),
        ("recent" = Option<u32>, Query, description = "Its newest runs; 10 unless given.", minimum = 0, maximum = 20),
    ),
    responses(
        (status = 200, body = JobBody),
        (status = 404, body = Problem, content_type = PROBLEM_JSON),
        Common,
    ),
)]
pub(crate) async fn show(State(web): Shared, JobPath(id): JobPath, mut query: Query) -> Answer {
    let recent = query.number("recent", (0, MAX_RECENT)).unwrap_or(RECENT);
    query.finish()?;
    let job = web.scheduler.find_job(&id).await?;
    job_answer::job(&web, StatusCode::OK, job, recent).await
}

/// Changes a job
///
/// Fields that are left out are not changed.
#[utoipa::path(
    patch, path = "/jobs/{id}", operation_id = "changeJob", tag = "jobs",
    params(
        ("id" = String, Path, description = "The id of the job, percent-encoded.", min_length = 1, max_length = 255),
        ("If-Match" = Option<String>, Header, description = "The `ETag` or the `revision` of the job: it is left alone if it was changed since."),
    ),
    request_body(content = JobChange),
    responses((status = 200, body = JobBody), (status = 404, body = Problem, content_type = PROBLEM_JSON), Searching, Changing, IfSeen, WithBody),
)]
pub(crate) async fn change(
    State(web): Shared,
    JobPath(id): JobPath,
    seen: IfMatch,
    query: Query,
    Object(body): Object,
) -> Answer {
    query.finish()?;
    let revision = body.get("revision").and_then(Value::as_str);
    let revision = revision.and_then(|text| text.parse().ok());
    let yours = as_written(&body);
    let patch = JobPatch::from_fields(body)?;
    change_as_seen(&web, &id, (&seen, revision), patch, yours).await
}

/// Returns the change of a job as it was requested.
fn as_written(body: &Fields) -> Value {
    let names = ["trigger", "timezone", "arguments", "policies"].into_iter();
    let fields = names.filter_map(|name| Some((name.to_owned(), body.get(name)?.clone())));
    Value::Object(fields.collect())
}

/// Changes a job if it has the revision of the body, if any, and one of those in the header.
async fn change_as_seen(
    web: &Web,
    id: &str,
    (seen, revision): (&IfMatch, Option<Revision>),
    patch: JobPatch,
    yours: Value,
) -> Answer {
    let only_revision = match revision {
        Some(revision) => JobPatch::new().if_revision(revision),
        None => JobPatch::new(),
    };
    // Nothing to change: a static job does not count as edited then.
    let is_empty = patch == only_revision;
    let arguments = yours.get("arguments").and_then(Value::as_object);
    let arguments = arguments.map(|arguments| Arguments::from(arguments.clone()));
    let withheld = arguments.filter(has_withheld);
    if !is_empty && *seen == IfMatch::Any && withheld.is_none() {
        return modify(web, id, patch, yours).await;
    }
    loop {
        let job = web.scheduler.find_job(id).await?;
        let found = job.revision();
        if !seen.allows(found) || revision.is_some_and(|revision| revision != found) {
            return Err(stale(web, job, Some(yours)).await);
        }
        if is_empty {
            return changed(web, job).await;
        }
        let mut patch = patch.clone().if_revision(found);
        if let Some(given) = &withheld {
            let tasks = Tasks::of(&web.scheduler);
            let restored = restored(tasks.find(&job.task), given, &job.arguments);
            patch = patch.arguments(restored.map_err(|name| Problem::withheld(&name))?);
        }
        match web.scheduler.modify_job(id, patch).await {
            Ok(job) => return changed(web, job).await,
            // Changed since: the next look decides whether the caller allows that.
            Err(Error::StaleRevision { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Gives a job another trigger
#[utoipa::path(
    post, path = "/jobs/{id}/reschedule", operation_id = "rescheduleJob", tag = "jobs",
    params(
        ("id" = String, Path, description = "The id of the job, percent-encoded.", min_length = 1, max_length = 255),
        ("If-Match" = Option<String>, Header, description = "The `ETag` or the `revision` of the job: it is left alone if it was changed since."),
    ),
    request_body(content = Reschedule),
    responses((status = 200, body = JobBody), (status = 404, body = Problem, content_type = PROBLEM_JSON), Searching, Changing, IfSeen, WithBody),
)]
pub(crate) async fn reschedule(
    State(web): Shared,
    JobPath(id): JobPath,
    seen: IfMatch,
    query: Query,
    Object(mut body): Object,
) -> Answer {
    query.finish()?;
    let yours = as_written(&body);
    let trigger = take_trigger(&mut body);
    let revision = take_revision(&mut body);
    body.finish()?;
    let Some(trigger) = trigger else {
        return Err(Problem::field("trigger", "it is missing"));
    };
    let patch = JobPatch::new().trigger(trigger);
    let patch = match revision {
        Some(revision) => patch.if_revision(revision),
        None => patch,
    };
    change_as_seen(&web, &id, (&seen, revision), patch, yours).await
}

fn take_revision(body: &mut Fields) -> Option<Revision> {
    let read = body.text("revision", MAX_NAME)?.parse();
    let read = read.map_err(|problem| body.refuse("revision", FieldProblem::invalid(problem)));
    read.ok()
}

fn take_note(MaybeObject(mut body): MaybeObject) -> Result<String, Problem> {
    let note = body.text("note", Fields::MAX_NOTE);
    body.finish()?;
    Ok(note.unwrap_or_default())
}

/// Pauses a job
///
/// It stays paused across restarts, on every node, until it is resumed. If a job is already paused, its note is
/// replaced.
#[utoipa::path(
    post, path = "/jobs/{id}/pause", operation_id = "pauseJob", tag = "jobs",
    params(
        ("id" = String, Path, description = "The id of the job, percent-encoded.", min_length = 1, max_length = 255),
        ("If-Match" = Option<String>, Header, description = "The `ETag` or the `revision` of the job: it is left alone if it was changed since."),
    ),
    request_body(content = Option<Note>),
    responses((status = 200, body = JobBody), (status = 404, body = Problem, content_type = PROBLEM_JSON), Changing, IfSeen, WithBody),
)]
pub(crate) async fn pause(
    State(web): Shared,
    JobPath(id): JobPath,
    seen: IfMatch,
    query: Query,
    body: MaybeObject,
) -> Answer {
    query.finish()?;
    let note = take_note(body)?;
    let seen = web.scheduler.if_revision(required(&web, &id, &seen).await?);
    let answer = seen.pause_job_with_note(&id, &note).await;
    let job = answered(&web, answer, None).await?;
    changed(&web, job).await
}

/// Resumes a job
///
/// Fire times during the pause are skipped, not replayed. The note is logged.
#[utoipa::path(
    post, path = "/jobs/{id}/resume", operation_id = "resumeJob", tag = "jobs",
    params(
        ("id" = String, Path, description = "The id of the job, percent-encoded.", min_length = 1, max_length = 255),
        ("If-Match" = Option<String>, Header, description = "The `ETag` or the `revision` of the job: it is left alone if it was changed since."),
    ),
    request_body(content = Option<Note>),
    responses((status = 200, body = JobBody), (status = 404, body = Problem, content_type = PROBLEM_JSON), Searching, Changing, IfSeen, WithBody),
)]
pub(crate) async fn resume(
    State(web): Shared,
    JobPath(id): JobPath,
    seen: IfMatch,
    query: Query,
    body: MaybeObject,
) -> Answer {
    query.finish()?;
    let note = take_note(body)?;
    let seen = web.scheduler.if_revision(required(&web, &id, &seen).await?);
    let answer = seen.resume_job(&id).await;
    let job = answered(&web, answer, None).await?;
    if !note.is_empty() {
        tracing::info!(job_id = %job.id, note, "job resumed with a note");
    }
    changed(&web, job).await
}

/// Runs a job now
///
/// It obeys the limits of the job, and does not change its fire times.
#[utoipa::path(
    post, path = "/jobs/{id}/run", operation_id = "runJobNow", tag = "jobs",
    params(
        ("id" = String, Path, description = "The id of the job, percent-encoded.", min_length = 1, max_length = 255),
        ("If-Match" = Option<String>, Header, description = "The `ETag` or the `revision` of the job: it is left alone if it was changed since."),
    ),
    responses(
        (status = 202, body = RunNowBody),
        (status = 404, body = Problem, content_type = PROBLEM_JSON),
        (status = 409, body = Problem, content_type = PROBLEM_JSON, description = "There is no slot for it; `reason` says why."),
        Changing, IfSeen, WithBody,
    ),
)]
pub(crate) async fn run_now(
    State(web): Shared,
    JobPath(id): JobPath,
    seen: IfMatch,
    query: Query,
    body: MaybeObject,
) -> Answer {
    query.finish()?;
    body.0.finish()?;
    let seen = web.scheduler.if_revision(required(&web, &id, &seen).await?);
    let answer = seen.run_job_now(&id).await;
    let (result, run_id) = match answered(&web, answer, None).await? {
        RunNow::Started(run) => (RunNowResult::Started, run),
        RunNow::Queued(run) => (RunNowResult::Queued, run),
        RunNow::Refused(reason) => return Err(Problem::refused(reason)),
        other => {
            tracing::error!(?other, "an answer that the API does not know");
            return Err(Problem::new(StatusCode::CONFLICT, "the job was not run"));
        }
    };
    Ok(json_bytes(
        StatusCode::ACCEPTED,
        &RunNowBody { result, run_id },
    ))
}

/// Removes a job
///
/// A static job would be back at the next start: pause it instead.
#[utoipa::path(
    delete, path = "/jobs/{id}", operation_id = "removeJob", tag = "jobs",
    params(
        ("id" = String, Path, description = "The id of the job, percent-encoded.", min_length = 1, max_length = 255),
        ("If-Match" = Option<String>, Header, description = "The `ETag` or the `revision` of the job: it is left alone if it was changed since."),
    ),
    responses(
        (status = 204, description = "The job is gone; runs that have started go on."),
        (status = 404, body = Problem, content_type = PROBLEM_JSON),
        (status = 409, body = Problem, content_type = PROBLEM_JSON, description = "The job is written in the code."),
        Changing, IfSeen,
    ),
)]
pub(crate) async fn remove(
    State(web): Shared,
    JobPath(id): JobPath,
    seen: IfMatch,
    query: Query,
) -> Answer {
    query.finish()?;
    let seen = web.scheduler.if_revision(required(&web, &id, &seen).await?);
    let answer = seen.remove_job(&id).await;
    let job = answered(&web, answer, None).await?;
    tracing::info!(job_id = %job.id, "job removed");
    Ok(StatusCode::NO_CONTENT.into_response())
}
