//! Listing and cancelling runs.

use axum::extract::State;
use axum::http::StatusCode;
use scheduler_core::{Error, RunFilter};

use crate::model::run::{RunBody, RunPage, RunStateShape, STATES};
use crate::object::MaybeObject;
use crate::openapi::responses::{Changing, Common, WithBody};
use crate::path::{JobPath, RunPath, run_id};
use crate::problem::PROBLEM_JSON;
use crate::problem::{Answer, Problem};
use crate::query::Query;
use crate::reply::{json_bytes, ok};
use crate::state::{Shared, Web};

const MAX_PAGE: usize = 500;
const PAGE: usize = 50;

/// Runs of all jobs, newest first
#[utoipa::path(
    get, path = "/runs", operation_id = "listRuns", tag = "runs",
    params(
        ("job" = Option<String>, Query, description = "Of this job.", min_length = 1, max_length = 255),
        ("state" = Option<Vec<RunStateShape>>, Query, description = "In one of these states; repeated, or with commas.", max_items = 7),
        ("since" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "With a fire time at or after this."),
        ("until" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "With a fire time before this."),
        ("before" = Option<String>, Query, description = "`next` of the page before.", format = "uuid"),
        ("limit" = Option<u32>, Query, description = "Runs of a page; 50 unless given.", minimum = 1, maximum = 500),
    ),
    responses((status = 200, body = RunPage), Common),
)]
pub(crate) async fn list(State(web): Shared, mut query: Query) -> Answer {
    let job = query.name("job");
    let filter = read(query)?;
    let filter = match job {
        Some(job) => filter.job(job),
        None => filter,
    };
    page(&web, filter).await
}

/// Runs of a job, newest first
///
/// Runs of a removed job are listed by `GET runs`.
#[utoipa::path(
    get, path = "/jobs/{id}/runs", operation_id = "listRunsOfJob", tag = "runs",
    params(
        ("id" = String, Path, description = "The id of the job, percent-encoded.", min_length = 1, max_length = 255),
        ("state" = Option<Vec<RunStateShape>>, Query, description = "In one of these states; repeated, or with commas.", max_items = 7),
        ("since" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "With a fire time at or after this."),
        ("until" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "With a fire time before this."),
        ("before" = Option<String>, Query, description = "`next` of the page before.", format = "uuid"),
        ("limit" = Option<u32>, Query, description = "Runs of a page; 50 unless given.", minimum = 1, maximum = 500),
    ),
    responses((status = 200, body = RunPage), (status = 404, body = Problem, content_type = PROBLEM_JSON), Common),
)]
pub(crate) async fn list_of_job(State(web): Shared, JobPath(id): JobPath, query: Query) -> Answer {
    let filter = read(query)?.job(id.as_str());
    web.scheduler.find_job(&id).await?;
    page(&web, filter).await
}

/// Reads the parameters that both lists have in common.
fn read(mut query: Query) -> Result<RunFilter, Problem> {
    let mut filter = RunFilter::new();
    filter.states = query.some_of("state", &STATES);
    filter.since = query.instant("since");
    filter.until = query.instant("until");
    filter.before = query.parsed("before", run_id);
    filter.limit = query.number("limit", (1, MAX_PAGE)).or(Some(PAGE));
    query.finish()?;
    Ok(filter)
}

async fn page(web: &Web, filter: RunFilter) -> Answer {
    let page = web.scheduler.list_runs(&filter).await?;
    let items = page.items.into_iter().map(RunBody::from).collect();
    Ok(ok(&RunPage {
        items,
        next: page.next,
    }))
}

/// One run
#[utoipa::path(
    get, path = "/runs/{id}", operation_id = "getRun", tag = "runs",
    params(("id" = String, Path, description = "The id of the run.", format = "uuid")),
    responses((status = 200, body = RunBody), (status = 404, body = Problem, content_type = PROBLEM_JSON), Common),
)]
pub(crate) async fn show(State(web): Shared, RunPath(id): RunPath, query: Query) -> Answer {
    query.finish()?;
    match web.scheduler.get_run(id).await? {
        Some(run) => Ok(ok(&RunBody::from(run))),
        None => Err(no_run()),
    }
}

fn no_run() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "there is no such run: it never was, or its record is no longer kept",
    )
}

/// Cancels a run
///
/// It stops at its next await, on any node; a queued run does not start.
#[utoipa::path(
    post, path = "/runs/{id}/cancel", operation_id = "cancelRun", tag = "runs",
    params(("id" = String, Path, description = "The id of the run.", format = "uuid")),
    responses(
        (status = 202, body = RunBody, description = "Cancellation was requested; its state says when it has stopped."),
        (status = 404, body = Problem, content_type = PROBLEM_JSON),
        (status = 409, body = Problem, content_type = PROBLEM_JSON, description = "It has ended."),
        Changing, WithBody,
    ),
)]
pub(crate) async fn cancel(
    State(web): Shared,
    RunPath(id): RunPath,
    query: Query,
    body: MaybeObject,
) -> Answer {
    query.finish()?;
    body.0.finish()?;
    if web.scheduler.get_run(id).await?.is_none() {
        return Err(no_run());
    }
    match web.scheduler.cancel_run(id).await {
        Ok(()) => {}
        Err(Error::RunNotFound { .. }) => {
            let detail = "the run has ended: there is nothing to stop";
            return Err(Problem::new(StatusCode::CONFLICT, detail));
        }
        Err(error) => return Err(error.into()),
    }
    let run = web.scheduler.get_run(id).await?.ok_or_else(no_run)?;
    Ok(json_bytes(StatusCode::ACCEPTED, &RunBody::from(run)))
}
